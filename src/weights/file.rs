//! A file of tensors, opened: what it holds, each read only when asked for.

use super::contents::{Contents, Other};
use super::element::Element;
use super::stored::{Stored, gather, row_major};
use super::{Result, kind, legacy, pth, safetensors, shards};
use crate::base::nearest::meant;
use crate::base::{Diagnostic, codes};
use crate::kernels::map::{Map, as_floats};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A file of tensors, mapped into memory. The file must not change while it is open; replacing it by renaming another over
/// it is harmless.
#[derive(Debug)]
pub struct WeightFile {
    path: PathBuf,
    /// The file, or all that a list names.
    maps: Vec<Map>,
    index: BTreeMap<String, usize>,
    /// The tensors, of all of its dictionaries.
    pub tensors: Vec<Stored>,
    /// What stands where a tensor could, and is none that can be read.
    pub others: Vec<Other>,
    /// Texts that the file carries besides.
    pub metadata: BTreeMap<String, String>,
    /// What was done to find the tensors, for the user.
    pub notes: Vec<String>,
    /// The keys of a `.pth` and what stands there, in words.
    pub keys: Vec<String>,
}

/// Why a file cannot be read: `E0810`, with the file's name.
pub(super) fn unreadable(path: &Path, why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(codes::WEIGHTS_UNREADABLE, format!("`{}` cannot be read: {why}", path.display()))
}

impl WeightFile {
    /// Opens a `.safetensors` file, what `torch.save` wrote, or the list of a model in several files; the first bytes decide
    /// which, not the name.
    ///
    /// # Errors
    /// `E0810` where the file is missing, damaged or of another kind.
    pub fn open(path: &Path) -> Result<Self> {
        let map = mapped(path)?;
        let text = !map.bytes().iter().take(8).any(|&b| b == 0) && map.bytes().starts_with(b"{");
        let (maps, contents) = match if text { shards::listed(path, map.bytes())? } else { None } {
            Some(files) => sharded(&files)?,
            None => {
                let contents = contents(path, map.bytes())?;
                (vec![map], contents)
            }
        };
        let Contents { tensors, others, metadata, notes, keys } = contents;
        let index = tensors.iter().enumerate().map(|(i, tensor)| (tensor.name.clone(), i)).collect();
        Ok(Self { path: path.into(), maps, index, tensors, others, metadata, notes, keys })
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
        let file = self.maps.get(stored.shard).map_or(&[][..], Map::bytes);
        let storage = usize::try_from(stored.storage_at).ok().and_then(|at| file.get(at..));
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
        self.maps.iter().for_each(|map| map.release(0..usize::MAX));
    }

    /// Gives the memory of a tensor's pages back to the system, for when it was copied and is not needed again soon.
    pub fn release(&self, stored: &Stored) {
        let at = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
        let range = at(stored.storage_at)..at(stored.storage_at.saturating_add(stored.storage_bytes));
        self.maps.iter().skip(stored.shard).take(1).for_each(|map| map.release(range.clone()));
    }
}

/// A file in memory.
fn mapped(path: &Path) -> Result<Map> {
    let failed = |error: std::io::Error| Box::new(unreadable(path, error));
    let missing = |error: std::io::Error| meant(path).into_iter().fold(unreadable(path, error), Diagnostic::help);
    let kind = std::fs::metadata(path).map_err(missing)?;
    if kind.is_dir() {
        return Err(Box::new(folder(path)));
    }
    if !kind.is_file() {
        // A pipe would block, and no device can be mapped.
        return Err(Box::new(unreadable(path, "it is no regular file")));
    }
    if kind.len() == 0 {
        return Err(Box::new(unreadable(path, "it is empty").help(kind::AGAIN)));
    }
    Map::new(&File::open(path).map_err(failed)?).map_err(failed)
}

/// The file of weights in a folder, where one lies there: the list of several before its parts, `.safetensors` before others.
pub fn in_folder(path: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(path).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let endings = [".index.json", ".safetensors", ".pth", ".pt", ".ckpt", ".bin"];
    // What the training script kept beside its model.
    let others = ["optimizer", "scheduler", "rng_state", "training_args"];
    let ending = |file: &PathBuf| {
        let name = file.file_name()?.to_str()?;
        if others.iter().any(|other| name.starts_with(other)) {
            return None;
        }
        endings.iter().position(|&ending| name.ends_with(ending))
    };
    files.filter_map(|file| Some((ending(&file)?, file))).min().map(|(_, file)| file)
}

/// What to name instead of a folder.
fn folder(path: &Path) -> Diagnostic {
    let diagnostic = unreadable(path, "it is a folder");
    match in_folder(path) {
        Some(file) => diagnostic.help(format!("name a file in it: --weights {}", file.display())),
        None => diagnostic.help("name a file of weights, or the folder of a run"),
    }
}

fn contents(path: &Path, bytes: &[u8]) -> Result<Contents> {
    match bytes {
        [b'P', b'K', 3, 4, ..] => pth::contents(path, bytes),
        // The length of a `.safetensors` header may look like another file's first bytes; its brace does not.
        _ if bytes.get(8) == Some(&b'{') && bytes[4..8] == [0; 4] => safetensors::contents(path, bytes),
        [0x80, 1..=5, ..] => legacy::contents(path, bytes),
        _ => match kind::of(path, bytes) {
            Some(kind) => Err(kind.refuse(path)),
            None => safetensors::contents(path, bytes),
        },
    }
}

/// All that the files of a list hold, as if it were one file.
fn sharded(files: &[PathBuf]) -> Result<(Vec<Map>, Contents)> {
    let (mut maps, mut all) = (Vec::new(), Contents::default());
    for (shard, path) in files.iter().enumerate() {
        let map = mapped(path)?;
        let found = contents(path, map.bytes())?;
        all.tensors.extend(found.tensors.into_iter().map(|tensor| Stored { shard, ..tensor }));
        all.others.extend(found.others);
        all.metadata.extend(found.metadata);
        maps.push(map);
    }
    all.notes.push(format!("it is a list of {} files, which were read together", files.len()));
    Ok((maps, all))
}
