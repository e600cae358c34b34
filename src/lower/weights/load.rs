//! Weights from a file into a store, by path, and back.

use super::checkpoint::Checkpoint;
use crate::lower::error::Result;
use crate::lower::store::ParamStore;
use crate::weights::{Ask, Assignment, Report, assign};
use std::collections::BTreeMap;
use std::path::Path;

/// Loads a file of weights into a store, and says what fitted.
///
/// # Errors
/// `E0810` where the file cannot be read, and as [`assign`]: `E0811` and `E0812`. The store is unchanged then.
pub fn load(store: &ParamStore, path: &Path, ask: impl Into<Ask>) -> Result<Report> {
    let checkpoint = Checkpoint::open(path)?;
    let Assignment { report, tensors } = assign(&store.wanted(), &checkpoint, &ask.into())?;
    let mut values = Vec::with_capacity(report.loaded);
    for entry in store.entries() {
        if let Some(stored) = tensors.get(&entry.path).and_then(|&at| checkpoint.tensors.get(at)) {
            values.push((entry, checkpoint.read(stored)?));
        }
    }
    values.iter().try_for_each(|(entry, value)| entry.set(value))?;
    Ok(report)
}

/// Saves every parameter and buffer of a store as `.safetensors`, whole or not at all.
///
/// # Errors
/// `E0813` where the file cannot be written.
pub fn save(store: &ParamStore, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
    let tensors = store.entries().iter().map(|e| (e.path.clone(), e.var.as_detached_tensor())).collect();
    super::safetensors::write(path, &tensors, metadata)
}
