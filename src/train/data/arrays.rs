//! Files of named arrays: `.safetensors`, `.npz`, and `.npy` with its one.

use super::elements::{Array, Element, Header, read_values};
use super::error::{DataError, Result};
use super::npy;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of a safetensors header that are read at most.
const HEADER: u64 = 100 << 20;

/// A file of named arrays, its headers read.
pub struct ArrayFile {
    path: PathBuf,
    kind: Kind,
    limit: u64,
}

enum Kind {
    Npy,
    Npz(Box<zip::ZipArchive<BufReader<File>>>),
    Safetensors { file: File, entries: BTreeMap<String, (u64, Header)> },
}

impl ArrayFile {
    /// Whether a path's ending is one that can be opened.
    pub fn knows(path: &Path) -> bool {
        matches!(ending(path).as_str(), "npy" | "npz" | "safetensors")
    }

    /// Opens a file; none of its arrays may take up more than `limit` bytes.
    ///
    /// # Errors
    /// [`DataError::Io`], [`DataError::Broken`], or [`DataError::Layout`] for another ending.
    pub fn open(path: &Path, limit: u64) -> Result<Self> {
        let file = File::open(path).map_err(|error| DataError::io(path, &error))?;
        let kind = match ending(path).as_str() {
            "npy" => Kind::Npy,
            "npz" => {
                let archive = zip::ZipArchive::new(BufReader::new(file));
                Kind::Npz(Box::new(archive.map_err(|error| DataError::broken(path.display(), error.to_string()))?))
            }
            "safetensors" => safetensors(file, path)?,
            _ => {
                let found = "it ends in none of `.safetensors`, `.npz`, `.npy`".to_string();
                return Err(DataError::Layout { path: path.display().to_string(), found, near: None });
            }
        };
        Ok(Self { path: path.to_path_buf(), kind, limit })
    }

    /// The names of its arrays, sorted. The one of an `.npy` is the file's own.
    pub fn names(&self) -> Vec<String> {
        match &self.kind {
            Kind::Npy => vec![self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()],
            Kind::Npz(archive) => {
                let names = archive.file_names().flatten();
                let mut names: Vec<String> = names.filter_map(|n| n.strip_suffix(".npy").map(str::to_string)).collect();
                names.sort();
                names
            }
            Kind::Safetensors { entries, .. } => entries.keys().cloned().collect(),
        }
    }

    /// Reads an array by its name.
    ///
    /// # Errors
    /// [`DataError::Broken`], [`DataError::TooLarge`].
    pub fn read(&mut self, name: &str) -> Result<Array> {
        let place = format!("`{name}` in `{}`", self.path.display());
        match &mut self.kind {
            Kind::Npy => {
                let file = File::open(&self.path).map_err(|error| DataError::io(&self.path, &error))?;
                npy::read(&mut BufReader::new(file), &place, self.limit)
            }
            Kind::Npz(archive) => {
                let broken = |error: zip::result::ZipError| DataError::broken(&place, error.to_string());
                let mut entry = archive.by_name(&format!("{name}.npy")).map_err(broken)?;
                npy::read(&mut entry, &place, self.limit)
            }
            Kind::Safetensors { file, entries } => {
                let (offset, header) =
                    entries.get(name).ok_or_else(|| DataError::broken(&place, "there is no such array"))?;
                file.seek(SeekFrom::Start(*offset)).map_err(|error| DataError::io(&self.path, &error))?;
                let values = read_values(&mut BufReader::new(file), header, &place, self.limit)?;
                Ok(Array { shape: header.shape.clone(), values })
            }
        }
    }
}

/// A path's ending in lower case, without the dot.
pub fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Reads the header and checks that every array lies inside the file.
fn safetensors(mut file: File, path: &Path) -> Result<Kind> {
    let io = |error: std::io::Error| DataError::io(path, &error);
    let broken = |reason: String| DataError::broken(path.display(), reason);
    let length = file.metadata().map_err(io)?.len();
    let mut size = [0u8; 8];
    file.read_exact(&mut size).map_err(|_| broken("it ends before its header".into()))?;
    let size = u64::from_le_bytes(size);
    if size > HEADER || size + 8 > length {
        return Err(broken(format!("its header claims {size} bytes")));
    }
    let mut text = vec![0u8; size as usize];
    file.read_exact(&mut text).map_err(io)?;
    let metadata: safetensors::tensor::Metadata =
        serde_json::from_slice(&text).map_err(|error| broken(format!("its header is not valid: {error}")))?;
    let mut entries = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let place = |offset: usize| (offset as u64).saturating_add(8 + size);
        let (start, end) = (place(info.data_offsets.0), place(info.data_offsets.1));
        if end > length {
            return Err(broken(format!("it ends before the end of `{name}`")));
        }
        // Arrays of other types may lie in the file as long as nobody asks for them.
        if let Some(element) = element(info.dtype) {
            entries.insert(name, (start, Header { element, big_endian: false, shape: info.shape.clone() }));
        }
    }
    Ok(Kind::Safetensors { file, entries })
}

fn element(dtype: safetensors::Dtype) -> Option<Element> {
    use safetensors::Dtype;
    Some(match dtype {
        Dtype::BOOL => Element::Bool,
        Dtype::U8 => Element::U8,
        Dtype::I8 => Element::I8,
        Dtype::U16 => Element::U16,
        Dtype::I16 => Element::I16,
        Dtype::U32 => Element::U32,
        Dtype::I32 => Element::I32,
        Dtype::U64 => Element::U64,
        Dtype::I64 => Element::I64,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::F32 => Element::F32,
        Dtype::F64 => Element::F64,
        _ => return None,
    })
}
