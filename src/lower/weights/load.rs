//! Weights from a file into a store, by path, and back.

use super::checkpoint::Checkpoint;
use crate::lower::error::Result;
use crate::lower::store::ParamStore;
use crate::weights::{Fit, Report, compare};
use std::collections::BTreeMap;
use std::path::Path;

/// Loads a file of weights into a store, and says what fitted.
///
/// # Errors
/// `E0810` and `E0811` where the file cannot be read, `E0812` where it does not fit and `fit` is
/// [`Fit::Strict`], or where nothing in it fits. The store is unchanged then.
pub fn load(store: &ParamStore, path: &Path, fit: Fit) -> Result<Report> {
    let checkpoint = Checkpoint::open(path)?;
    let report = fit.accept(compare(&store.wanted(), &checkpoint))?;
    let mut values = Vec::with_capacity(report.loaded);
    for entry in store.entries() {
        if let Some(stored) = checkpoint.get(&entry.path).filter(|stored| stored.dims == entry.spec.dims) {
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
