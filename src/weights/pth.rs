//! `.pth`, `.pt`, `.ckpt`, `.bin`: the zip archives that `torch.save` writes since PyTorch 1.6.
//!
//! `NAME/data.pkl` says which tensors there are, `NAME/data/KEY` are their numbers, stored as they are.

use super::Result;
use super::contents::{Contents, Extent};
use super::file::unreadable;
use super::kind;
use super::pickle::Pickle;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// The longest pickle that is read, in bytes: state dicts of 100,000 tensors stay below it.
const MAX_PICKLE: u64 = 16 << 20;

/// An archive in memory.
type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// The tensors of an archive.
pub(super) fn contents(path: &Path, bytes: &[u8]) -> Result<Contents> {
    let damaged = |why: String| Box::new(unreadable(path, why));
    let mut archive = match ZipArchive::new(Cursor::new(bytes)) {
        Ok(archive) => archive,
        // The list of what a zip file holds is its end.
        Err(error) => {
            return Err(Box::new(unreadable(path, format!("it is cut short or damaged ({error})")).help(kind::AGAIN)));
        }
    };
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    if let Some(what) = kind::of_archive(&names) {
        return Err(what.refuse(path));
    }
    let pickle_of = |name: &String| Some(name.strip_suffix("data.pkl")?.to_string());
    let Some(root) = names.iter().find_map(pickle_of) else {
        return Err(damaged("it is a zip file without `data.pkl`, so no PyTorch checkpoint".into()));
    };
    if read(&mut archive, &format!("{root}byteorder"), 16).is_ok_and(|order| order != b"little") {
        return Err(kind::BIG_ENDIAN.refuse(path));
    }
    let bytes = read(&mut archive, &format!("{root}data.pkl"), MAX_PICKLE).map_err(damaged)?;
    let pickle = Pickle::read(&bytes).map_err(damaged)?;
    let mut known = BTreeMap::new();
    let locate = |key: &str| match known.get(key) {
        Some(&extent) => Ok(extent),
        None => {
            let extent = locate(&mut archive, &format!("{root}data/{key}"))?;
            known.insert(key.to_string(), extent);
            Ok(extent)
        }
    };
    Contents::of(&pickle, locate).map_err(damaged)
}

/// An entry that is read whole, `limit` bytes at most.
fn read(archive: &mut Archive, name: &str, limit: u64) -> std::result::Result<Vec<u8>, String> {
    let entry = archive.by_name(name).map_err(|e| format!("`{name}`: {e}"))?;
    let mut bytes = Vec::new();
    entry.take(limit + 1).read_to_end(&mut bytes).map_err(|e| format!("`{name}`: {e}"))?;
    match bytes.len() as u64 > limit {
        true => Err(format!("`{name}` is longer than {limit} bytes")),
        false => Ok(bytes),
    }
}

/// Where an entry's numbers lie. They must be stored as they are, as PyTorch does: a compressed entry could
/// claim any size.
fn locate(archive: &mut Archive, name: &str) -> std::result::Result<Extent, String> {
    let entry = archive.by_name(name).map_err(|e| format!("`{name}`: {e}"))?;
    if entry.compression() != CompressionMethod::Stored {
        return Err(format!("`{name}` is compressed, which `torch.save` never does"));
    }
    match entry.data_start() {
        Some(at) => Ok(Extent { at, bytes: entry.size() }),
        None => Err(format!("`{name}` lies nowhere")),
    }
}
