//! A file of tensors, opened: what it holds, each read only when asked for.

use super::element::Element;
use super::{pth, safetensors};
use crate::base::{Diagnostic, codes};
use crate::lower::error::{Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// One tensor of a file, not yet read.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its name, as the file has it.
    pub name: String,
    /// What its numbers are stored as.
    pub element: Element,
    /// Its sizes.
    pub dims: Vec<usize>,
    /// Elements from one to the next along each axis; row-major where `None`.
    pub strides: Option<Vec<usize>>,
    /// First element, counted from the start of its storage.
    pub start: usize,
    /// First byte of its storage in the file.
    pub storage_at: u64,
    /// Bytes of its storage.
    pub storage_bytes: u64,
}

/// A file of tensors. Nothing of their size is in memory until [`read`](Self::read).
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: File,
    /// The tensors, in the order of the file's header.
    pub tensors: Vec<Stored>,
    /// Texts that the file carries besides.
    pub metadata: BTreeMap<String, String>,
    /// What was done to find the tensors, for the user.
    pub notes: Vec<String>,
}

/// Why a file cannot be read: `E0810`, with the file's name.
pub(super) fn unreadable(path: &Path, why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(codes::WEIGHTS_UNREADABLE, format!("`{}` cannot be read: {why}", path.display()))
}

/// What a reader finds in a file's header.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub tensors: Vec<Stored>,
    pub metadata: BTreeMap<String, String>,
    pub notes: Vec<String>,
}

impl Checkpoint {
    /// Opens a `.safetensors` file or a zip `.pth`; the first bytes decide which, not the name.
    ///
    /// # Errors
    /// `E0810` where the file is missing, damaged or of another kind, `E0811` where a `.pth` names
    /// something that is not a tensor.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| unreadable(path, error);
        let mut file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(unreadable(path, "it is a folder").into());
        }
        let mut magic = Vec::new();
        (&file).take(16).read_to_end(&mut magic).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let contents = match magic.as_slice() {
            [b'P', b'K', 3, 4, ..] => pth::contents(path, &mut file)?,
            // The length of a `.safetensors` header may look like a pickle's first bytes; its brace does not.
            [0x80, 2..=5, rest @ ..] if rest.get(6) != Some(&b'{') => return Err(legacy(path).into()),
            _ => safetensors::contents(path, &mut file)?,
        };
        let Contents { tensors, metadata, notes } = contents;
        Ok(Self { path: path.into(), file, tensors, metadata, notes })
    }

    /// Reads one tensor, to the CPU and in its stored type.
    ///
    /// # Errors
    /// `E0810` where the file is cut short, or the tensor reaches out of its storage.
    pub fn read(&self, stored: &Stored) -> Result<Tensor> {
        let damaged = |why: &str| Error::from(unreadable(&self.path, format!("`{}` {why}", stored.name)));
        let count = stored.count().ok_or_else(|| damaged("has impossible sizes"))?;
        let reach = stored.reach().ok_or_else(|| damaged("has impossible strides"))?;
        let size = stored.element.bytes();
        let first = stored.start.checked_mul(size).ok_or_else(|| damaged("starts outside of its storage"))?;
        let length = reach.checked_mul(size).ok_or_else(|| damaged("reaches out of its storage"))?;
        if first as u64 + length as u64 > stored.storage_bytes {
            return Err(damaged("reaches out of its storage"));
        }
        let mut bytes = vec![0; length];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(stored.storage_at + first as u64)).map_err(|e| unreadable(&self.path, e))?;
        file.read_exact(&mut bytes).map_err(|e| unreadable(&self.path, e))?;
        let bytes = match &stored.strides {
            Some(strides) if count > 0 => gather(&bytes, size, &stored.dims, strides, count),
            _ => bytes,
        };
        Ok(stored.element.tensor(&bytes, &stored.dims)?)
    }

    /// Reads every tensor, by name.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_all(&self) -> Result<BTreeMap<String, Tensor>> {
        self.tensors.iter().map(|stored| Ok((stored.name.clone(), self.read(stored)?))).collect()
    }
}

impl Stored {
    /// Elements; `None` where they overflow, or would not fit any machine's memory.
    fn count(&self) -> Option<usize> {
        let count = self.dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
        (count <= 1 << 40).then_some(count)
    }

    /// Elements from the first to one past the last, in the storage.
    fn reach(&self) -> Option<usize> {
        let Some(strides) = &self.strides else { return self.count() };
        if strides.len() != self.dims.len() {
            return None;
        }
        if self.dims.contains(&0) {
            return Some(0);
        }
        let step = |at: usize, (&d, &s): (&usize, &usize)| at.checked_add((d - 1).checked_mul(s)?);
        self.dims.iter().zip(strides).try_fold(0usize, step)?.checked_add(1)
    }
}

/// Copies strided elements into row-major order. Every index was checked by [`Stored::reach`].
fn gather(bytes: &[u8], size: usize, dims: &[usize], strides: &[usize], count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count * size);
    let mut index = vec![0usize; dims.len()];
    for _ in 0..count {
        let at: usize = index.iter().zip(strides).map(|(i, s)| i * s).sum();
        out.extend_from_slice(&bytes[at * size..(at + 1) * size]);
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            if index[axis] < dims[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

fn legacy(path: &Path) -> Diagnostic {
    unreadable(path, "it is a bare pickle, PyTorch's format before 1.6")
        .help("save it again: torch.save(torch.load(\"old.pth\", weights_only=True), \"new.pth\")")
}
