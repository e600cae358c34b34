//! What `torch.save` wrote before PyTorch 1.6, and many published files still are: five pickles one after the other (a magic
//! number, a version, facts about the machine, the value itself, the keys of its storages), then every storage in the order of
//! the keys, with its number of elements before it.

use super::Result;
use super::contents::{Contents, Extent};
use super::element::Element;
use super::file::unreadable;
use super::kind;
use super::machine::CUT;
use super::pickle::{Id, Pickle, Value};
use crate::base::Diagnostic;
use std::collections::BTreeMap;
use std::path::Path;

/// The first pickle: the integer 0x1950a86a20f9469cfc6c, after the protocol.
const MAGIC: [u8; 13] = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];

/// The tensors of a bare pickle.
pub(super) fn contents(path: &Path, bytes: &[u8]) -> Result<Contents> {
    let Some(rest) = bytes.get(2..).and_then(|rest| rest.strip_prefix(&MAGIC)) else {
        let help = "save the tensors with PyTorch: torch.save(model.state_dict(), \"weights.pth\")";
        return Err(Box::new(unreadable(path, "it is a bare pickle, which `torch.save` did not write").help(help)));
    };
    let refused = |why: String| {
        let again = why.ends_with(CUT).then_some(kind::AGAIN);
        Box::new(again.into_iter().fold(unreadable(path, why), Diagnostic::help))
    };
    let version = Pickle::read(rest).map_err(refused)?;
    let facts = Pickle::read(version.rest).map_err(refused)?;
    if truth(&facts, "little_endian") == Some(false) {
        return Err(kind::BIG_ENDIAN.refuse(path));
    }
    parts(rest, facts.rest).map_err(refused)
}

/// The value, its keys and its storages; `rest` is what follows the facts about the machine.
fn parts(bytes: &[u8], rest: &[u8]) -> std::result::Result<Contents, String> {
    let value = Pickle::read(rest)?;
    let keys = Pickle::read(value.rest)?;
    let elements: BTreeMap<&str, Element> = value.heap.iter().filter_map(storage).collect();
    let extents = extents(&keys, &elements, bytes)?;
    // The start of the bytes is 15 bytes into the file: two of the protocol, and the magic number.
    let before = 2 + MAGIC.len() as u64;
    Contents::of(&value, |key| {
        let extent = extents.get(key).ok_or_else(|| format!("it has no storage `{key}`"))?;
        Ok(Extent { at: extent.at + before, bytes: extent.bytes })
    })
}

fn storage(value: &Value) -> Option<(&str, Element)> {
    match value {
        Value::Storage(storage) => Some((&*storage.key, storage.element)),
        _ => None,
    }
}

fn truth(pickle: &Pickle, name: &str) -> Option<bool> {
    let Value::Dict(items) = pickle.get(pickle.root) else { return None };
    let is = |&&(key, _): &&(Id, Id)| matches!(pickle.get(key), Value::Str(text) if text == name);
    match pickle.get(items.iter().find(is)?.1) {
        Value::Bool(truth) => Some(*truth),
        _ => None,
    }
}

/// Where each storage lies, counted from the start of `bytes`.
fn extents<'a>(
    keys: &'a Pickle,
    elements: &BTreeMap<&str, Element>,
    bytes: &[u8],
) -> std::result::Result<BTreeMap<&'a str, Extent>, String> {
    let Value::List(list) = keys.get(keys.root) else { return Err("it does not say where its numbers are".into()) };
    let mut at = bytes.len() - keys.rest.len();
    let mut found = BTreeMap::new();
    for &id in list {
        let Value::Str(key) = keys.get(id) else { return Err("it has a storage without a key".into()) };
        // Its length in bytes is not written: without its type, what follows cannot be found.
        let element = elements.get(key.as_str()).ok_or("it has a storage of a type that is not read")?;
        let count = bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|&count| u64::from_le_bytes(count));
        let length = count.and_then(|count| count.checked_mul(element.bytes() as u64));
        let end = length.and_then(|length| usize::try_from(length).ok()?.checked_add(at + 8));
        match (length, end.filter(|&end| end <= bytes.len())) {
            (Some(length), Some(end)) => {
                found.insert(key.as_str(), Extent { at: at as u64 + 8, bytes: length });
                at = end;
            }
            _ => return Err(format!("it {CUT}")),
        }
    }
    Ok(found)
}
