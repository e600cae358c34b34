//! `model.safetensors.index.json`: a list of tensors, each with the file beside the list that holds it.

use super::Result;
use super::file::unreadable;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Most files that a list may name.
const MAX_SHARDS: usize = 1000;

/// Longest list that is read, in bytes: one of 100,000 tensors is a sixth of it.
const MAX_LIST: usize = 64 << 20;

/// What is read of a list: the rest is passed over without being kept.
#[derive(Deserialize)]
struct List {
    weight_map: Option<BTreeMap<String, String>>,
}

/// The files that a list names, in order; `None` where the bytes are no such list, or longer than one is.
///
/// # Errors
/// `E0810` where a file lies elsewhere, or there are too many.
pub(super) fn listed(path: &Path, bytes: &[u8]) -> Result<Option<Vec<PathBuf>>> {
    let Some(Ok(list)) = (bytes.len() <= MAX_LIST).then(|| serde_json::from_slice::<List>(bytes)) else {
        return Ok(None);
    };
    let Some(map) = list.weight_map else {
        // Of a list that came without its weights, and of a configuration.
        let other = unreadable(path, "it is a JSON text without a `weight_map`, not a file of weights");
        return Err(Box::new(other.help("name the file of weights beside it, such as model.safetensors")));
    };
    let names: BTreeSet<&str> = map.values().map(String::as_str).collect();
    if names.is_empty() || names.len() > MAX_SHARDS {
        return Err(Box::new(unreadable(path, format!("it lists {} files", names.len()))));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside = |name: &&str| matches!(Path::new(name).components().collect::<Vec<_>>()[..], [Component::Normal(_)]);
    match names.iter().find(|name| !beside(name)) {
        Some(name) => Err(Box::new(unreadable(path, format!("it names `{name}`, which is no file beside it")))),
        None => Ok(Some(names.into_iter().map(|name| folder.join(name)).collect())),
    }
}
