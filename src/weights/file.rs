//! A file of tensors, opened: what it holds, each read only when asked for.

use super::element::Element;
use super::{Result, pth, safetensors};
use crate::base::nearest::meant;
use crate::base::{Diagnostic, codes};
use crate::kernels::map::{Map, as_floats};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
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

/// A file of tensors, mapped into memory. The file must not change while it is open; replacing it by renaming another over
/// it is harmless.
#[derive(Debug)]
pub struct WeightFile {
    path: PathBuf,
    map: Map,
    index: BTreeMap<String, usize>,
    /// The tensors, in the order of the file's header.
    pub tensors: Vec<Stored>,
    /// Texts that the file carries besides.
    pub metadata: BTreeMap<String, String>,
    /// What was done to find the tensors, for the user.
    pub notes: Vec<String>,
}

/// Why a file cannot be read: `E0810`, with the file's name.
pub(super) fn unreadable(path: &Path, why: impl std::fmt::Display) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(codes::WEIGHTS_UNREADABLE, format!("`{}` cannot be read: {why}", path.display())))
}

/// What a reader finds in a file's header.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub tensors: Vec<Stored>,
    pub metadata: BTreeMap<String, String>,
    pub notes: Vec<String>,
}

impl WeightFile {
    /// Opens a `.safetensors` file or a zip `.pth`; the first bytes decide which, not the name.
    ///
    /// # Errors
    /// `E0810` where the file is missing, damaged or of another kind, `E0811` where a `.pth` names
    /// something that is not a tensor.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| unreadable(path, error);
        let missing = |error: std::io::Error| meant(path).into_iter().fold(*unreadable(path, error), Diagnostic::help);
        let kind = std::fs::metadata(path).map_err(missing)?;
        if !kind.is_file() {
            // A pipe would block, and no device can be mapped.
            return Err(unreadable(path, if kind.is_dir() { "it is a folder" } else { "it is no regular file" }));
        }
        let map = Map::new(&File::open(path).map_err(failed)?).map_err(failed)?;
        let contents = match map.bytes() {
            bytes @ [b'P', b'K', 3, 4, ..] => pth::contents(path, bytes)?,
            // The length of a `.safetensors` header may look like a pickle's first bytes; its brace does not.
            [0x80, 2..=5, rest @ ..] if rest.get(6) != Some(&b'{') => return Err(legacy(path)),
            bytes => safetensors::contents(path, bytes)?,
        };
        let Contents { tensors, metadata, notes } = contents;
        let index = tensors.iter().enumerate().map(|(i, tensor)| (tensor.name.clone(), i)).collect();
        Ok(Self { path: path.into(), map, index, tensors, metadata, notes })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> Option<&Stored> {
        self.index.get(name).and_then(|&i| self.tensors.get(i))
    }

    /// One tensor's numbers as they are stored, little-endian and row-major; where the file has them in another order, a
    /// copy.
    ///
    /// # Errors
    /// `E0810` where the tensor reaches out of its storage.
    pub fn bytes(&self, stored: &Stored) -> Result<Cow<'_, [u8]>> {
        let (bytes, count) = self.extent(stored)?;
        Ok(match &stored.strides {
            Some(strides) if count > 0 && !row_major(&stored.dims, strides) => {
                Cow::Owned(gather(bytes, stored.element.bytes(), &stored.dims, strides, count))
            }
            _ => Cow::Borrowed(bytes),
        })
    }

    /// Whether a tensor can be read, without reading it.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub fn check(&self, stored: &Stored) -> Result<()> {
        self.extent(stored).map(drop)
    }

    /// The bytes from a tensor's first element to its last, and how many elements it has.
    fn extent(&self, stored: &Stored) -> Result<(&[u8], usize)> {
        let damaged = |why: &str| unreadable(&self.path, format!("`{}` {why}", stored.name));
        let count = stored.count().ok_or_else(|| damaged("has impossible sizes"))?;
        let reach = stored.reach().ok_or_else(|| damaged("has impossible strides"))?;
        let size = stored.element.bytes();
        let first = stored.start.checked_mul(size).ok_or_else(|| damaged("starts outside of its storage"))?;
        let length = reach.checked_mul(size).ok_or_else(|| damaged("reaches out of its storage"))?;
        let end = first.checked_add(length).filter(|&end| end as u64 <= stored.storage_bytes);
        let end = end.ok_or_else(|| damaged("reaches out of its storage"))?;
        let storage = usize::try_from(stored.storage_at).ok().and_then(|at| self.map.bytes().get(at..));
        let bytes = storage.and_then(|storage| storage.get(first..end)).ok_or_else(|| damaged("is cut short"))?;
        Ok((bytes, count))
    }

    /// One tensor in single precision: the mapped file itself where it holds that, else a copy.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub fn floats(&self, stored: &Stored) -> Result<Cow<'_, [f32]>> {
        Ok(match (stored.element, self.bytes(stored)?) {
            (Element::F32, Cow::Borrowed(bytes)) => match as_floats(bytes) {
                Some(floats) => Cow::Borrowed(floats),
                None => Cow::Owned(Element::F32.floats(bytes)),
            },
            (element, bytes) => Cow::Owned(element.floats(&bytes)),
        })
    }

    /// Gives the memory of the whole file's pages back to the system.
    pub fn release_all(&self) {
        self.map.release(0..usize::MAX);
    }

    /// Gives the memory of a tensor's pages back to the system, for when it was copied and is not needed again soon.
    pub fn release(&self, stored: &Stored) {
        let at = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
        self.map.release(at(stored.storage_at)..at(stored.storage_at.saturating_add(stored.storage_bytes)));
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

/// Whether strides are those of numbers that lie row by row; along an axis of one element any will do.
fn row_major(dims: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    dims.iter().zip(strides).rev().all(|(&d, &s)| {
        let fits = d == 1 || s == step;
        step *= d;
        fits
    })
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

fn legacy(path: &Path) -> Box<Diagnostic> {
    let diagnostic = unreadable(path, "it is a bare pickle, PyTorch's format before 1.6");
    Box::new(diagnostic.help("save it again: torch.save(torch.load(\"old.pth\", weights_only=True), \"new.pth\")"))
}
