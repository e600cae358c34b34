//! What a reader finds in a file, whatever its format.

use super::names::{MAX_NAME, counted};
use super::pickle::{Pickle, View};
use super::stored::Stored;
use super::tree::{Named, tree};
use std::collections::BTreeMap;

/// Something that stands where a tensor could, and is none that can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// Its name, as [`Stored::name`].
    pub name: String,
    /// How much of the name is the path of its dictionary.
    pub dict: usize,
    /// Its class or type.
    pub class: String,
}

/// What a reader finds in a file's header.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub tensors: Vec<Stored>,
    pub others: Vec<Other>,
    pub metadata: BTreeMap<String, String>,
    pub notes: Vec<String>,
    /// The root's keys and what stands there.
    pub keys: Vec<String>,
}

/// Where a storage's numbers lie in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub at: u64,
    pub bytes: u64,
}

impl Contents {
    /// What a pickle holds; `locate` finds a storage by its key.
    ///
    /// # Errors
    /// Where values hold one another without an end, or a storage is missing or of another length than it says.
    pub fn of(pickle: &Pickle, mut locate: impl FnMut(&str) -> Result<Extent, String>) -> Result<Self, String> {
        let tree = tree(pickle)?;
        let mut found = Self { keys: tree.keys, ..Self::default() };
        // A key that is set twice has its last value, as in Python.
        let tensors: BTreeMap<&str, &Named<&View>> = tree.tensors.iter().map(|t| (t.name.as_str(), t)).collect();
        for (name, &Named { dict, what: view, .. }) in tensors {
            let extent = locate(&view.storage.key)?;
            if view.storage.elements.checked_mul(view.storage.element.bytes()).map(|n| n as u64) != Some(extent.bytes) {
                return Err(format!("the storage of `{name}` is not as long as it says"));
            }
            found.tensors.push(Stored {
                name: name.to_string(),
                dict,
                element: view.storage.element,
                dims: view.dims.clone(),
                strides: Some(view.strides.clone()),
                start: view.start,
                shard: 0,
                storage_at: extent.at,
                storage_bytes: extent.bytes,
            });
        }
        let other = |o: &Named<&str>| Other { name: o.name.clone(), dict: o.dict, class: o.what.to_string() };
        found.others = tree.others.iter().map(other).collect();
        if let Some(class) = tree.models.first() {
            found.notes.push(format!("it holds a whole model (`{class}`): the tensors were read, no code was run"));
        }
        if tree.passed > 0 {
            let count = counted(tree.passed, "value");
            found.notes.push(format!("passed over: {count} with a name of more than {MAX_NAME} bytes, or too deep"));
        }
        Ok(found)
    }
}
