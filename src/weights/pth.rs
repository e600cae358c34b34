//! `.pth` and `.pt`: the zip archives that `torch.save` writes since PyTorch 1.6.
//!
//! `NAME/data.pkl` says which tensors there are, `NAME/data/KEY` are their numbers, stored as they are.

use super::Result;
use super::file::{Contents, Stored, unreadable};
use super::pickle::{Id, Pickle, Refusal, Value, View};
use crate::base::{Diagnostic, codes};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// The longest pickle that is read, in bytes: state dicts of 100,000 tensors stay below it.
const MAX_PICKLE: u64 = 16 << 20;

/// Keys under which training scripts put the state dict, beside other things.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "weights"];

/// Prefixes that wrappers of modules put before every key.
const WRAPPERS: [(&str, &str); 2] = [("module.", "DataParallel"), ("_orig_mod.", "torch.compile")];

/// An archive in memory.
type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Where an entry of the archive lies in the file.
struct Entry {
    at: u64,
    bytes: u64,
}

/// The tensors of an archive.
pub(super) fn contents(path: &Path, bytes: &[u8]) -> Result<Contents> {
    let damaged = |why: String| unreadable(path, why);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(e.to_string()))?;
    let pickle_of = |name: zip::result::ZipResult<Cow<str>>| Some(name.ok()?.strip_suffix("data.pkl")?.to_string());
    let Some(root) = archive.file_names().find_map(pickle_of) else {
        return Err(damaged("it is a zip file without `data.pkl`, so no PyTorch checkpoint".into()));
    };
    if read(&mut archive, &format!("{root}byteorder"), 16).is_ok_and(|order| order != b"little") {
        return Err(damaged("its numbers are big-endian".into()));
    }
    let bytes = read(&mut archive, &format!("{root}data.pkl"), MAX_PICKLE).map_err(damaged)?;
    let pickle = Pickle::read(&bytes).map_err(|refusal| refused(path, refusal))?;
    let mut found = Contents::default();
    let state =
        state_dict(&pickle, &mut found.notes).ok_or_else(|| damaged("it holds no dictionary of tensors".into()))?;
    // A key that is set twice has its last value, as in Python.
    let state: BTreeMap<&String, &View> = state.iter().filter_map(|&pair| named_tensor(&pickle, pair)).collect();
    for (name, view) in state {
        let entry = locate(&mut archive, &format!("{root}data/{}", view.storage.key)).map_err(damaged)?;
        if view.storage.elements.checked_mul(view.storage.element.bytes()).map(|n| n as u64) != Some(entry.bytes) {
            return Err(damaged(format!("the storage of `{name}` is not as long as it says")));
        }
        found.tensors.push(Stored {
            name: name.clone(),
            element: view.storage.element,
            dims: view.dims.clone(),
            strides: Some(view.strides.clone()),
            start: view.start,
            storage_at: entry.at,
            storage_bytes: entry.bytes,
        });
    }
    strip_wrappers(&mut found);
    Ok(found)
}

fn named_tensor(pickle: &Pickle, (key, value): (Id, Id)) -> Option<(&String, &View)> {
    match (pickle.get(key), pickle.get(value)) {
        (Value::Str(name), Value::Tensor(view)) => Some((name, view)),
        _ => None,
    }
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
fn locate(archive: &mut Archive, name: &str) -> std::result::Result<Entry, String> {
    let entry = archive.by_name(name).map_err(|e| format!("`{name}`: {e}"))?;
    if entry.compression() != CompressionMethod::Stored {
        return Err(format!("`{name}` is compressed, which `torch.save` never does"));
    }
    match entry.data_start() {
        Some(at) => Ok(Entry { at, bytes: entry.size() }),
        None => Err(format!("`{name}` lies nowhere")),
    }
}

fn refused(path: &Path, refusal: Refusal) -> Box<Diagnostic> {
    match refusal {
        Refusal::Damaged(why) => unreadable(path, why),
        Refusal::Name(name) => {
            let message = format!("`{}` mentions `{name}`, which is no tensor; it was not called", path.display());
            let help = "save the tensors alone: torch.save(model.state_dict(), \"weights.pth\")";
            Box::new(Diagnostic::new(codes::WEIGHTS_REFUSED, message).help(help))
        }
    }
}

/// The dictionary of tensors: the pickle's result, or what it has under one of the usual keys.
fn state_dict<'a>(pickle: &'a Pickle, notes: &mut Vec<String>) -> Option<&'a [(Id, Id)]> {
    let dict = |id| match pickle.get(id) {
        Value::Dict(items) => Some(items.as_slice()),
        _ => None,
    };
    let root = dict(pickle.root)?;
    if root.is_empty() || root.iter().any(|&(_, value)| matches!(pickle.get(value), Value::Tensor(_))) {
        return Some(root);
    }
    NESTED.iter().find_map(|&name| {
        let is_it = |&&(key, _): &&(Id, Id)| matches!(pickle.get(key), Value::Str(text) if text == name);
        let inner = root.iter().find(is_it).and_then(|&(_, value)| dict(value))?;
        notes.push(format!("the tensors are those under its key `{name}`"));
        Some(inner)
    })
}

/// Takes off what a wrapper put before every key, and says so.
fn strip_wrappers(found: &mut Contents) {
    for (prefix, who) in WRAPPERS {
        if !found.tensors.is_empty() && found.tensors.iter().all(|t| t.name.starts_with(prefix)) {
            found.tensors.iter_mut().for_each(|t| drop(t.name.drain(..prefix.len())));
            found.notes.push(format!("`{prefix}`, which {who} puts before every key, was taken off"));
        }
    }
}
