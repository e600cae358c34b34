//! Weights from a file into a store, by path.

use super::checkpoint::{Checkpoint, Stored};
use super::report::{Misfit, Report, Stray};
use super::suggest::suggest;
use crate::lower::error::Result;
use crate::lower::store::{Entry, ParamStore};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What to do about tensors that do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Refuse the file; nothing is changed.
    Strict,
    /// Load the others, and leave those as they are.
    Partial,
}

/// Loads a file of weights into a store, and says what fitted.
///
/// # Errors
/// `E0810` and `E0811` where the file cannot be read, `E0812` where it does not fit and `fit` is
/// [`Fit::Strict`], or where nothing in it fits. The store is unchanged then.
pub fn load(store: &ParamStore, path: &Path, fit: Fit) -> Result<Report> {
    let checkpoint = Checkpoint::open(path)?;
    let report = compare(store, &checkpoint, &path.display().to_string());
    if (fit == Fit::Strict && !report.fits()) || report.loaded == 0 && report.total > 0 {
        return Err(report.diagnostic().into());
    }
    let mut values = Vec::with_capacity(report.loaded);
    for (entry, stored) in pairs(store, &checkpoint).filter(|(entry, stored)| entry.spec.dims == stored.dims) {
        values.push((entry, checkpoint.read(stored)?));
    }
    values.iter().try_for_each(|(entry, value)| entry.set(value))?;
    Ok(report)
}

/// Which tensors of a checkpoint fit a store, without loading any. `file` is its name for messages.
pub fn compare(store: &ParamStore, checkpoint: &Checkpoint, file: &str) -> Report {
    let found: BTreeSet<&str> = checkpoint.tensors.iter().map(|t| t.name.as_str()).collect();
    let absent = |e: &&Entry| !found.contains(e.path.as_str()) && !optional(e);
    let missing: Vec<Stray> =
        store.entries().iter().filter(absent).map(|e| Stray::new(&e.path, &e.spec.dims)).collect();
    let strange = |t: &&Stored| store.get(&t.name).is_none();
    let mut unexpected: Vec<Stray> =
        checkpoint.tensors.iter().filter(strange).map(|t| Stray::new(&t.name, &t.dims)).collect();
    unexpected.sort_by(|a, b| a.name.cmp(&b.name));
    let misshaped = pairs(store, checkpoint).filter(|(e, t)| e.spec.dims != t.dims).map(|(e, t)| Misfit {
        name: e.path.clone(),
        found: t.dims.clone(),
        want: e.spec.dims.clone(),
    });
    let misshaped: Vec<Misfit> = misshaped.collect();
    suggest(&missing, &mut unexpected);
    let total = store.entries().len();
    let counters = store.entries().iter().filter(|e| optional(e) && !found.contains(e.path.as_str())).count();
    Report {
        file: file.into(),
        network: store.network().into(),
        settings: store.settings().clone(),
        total,
        loaded: total - counters - missing.len() - misshaped.len(),
        missing,
        unexpected,
        misshaped,
        notes: checkpoint.notes.clone(),
    }
}

/// Old checkpoints have no `num_batches_tracked`, and nothing is computed from it.
fn optional(entry: &Entry) -> bool {
    entry.spec.name == "num_batches_tracked"
}

fn pairs<'a>(store: &'a ParamStore, checkpoint: &'a Checkpoint) -> impl Iterator<Item = (&'a Entry, &'a Stored)> {
    let found: BTreeMap<&str, &Stored> = checkpoint.tensors.iter().map(|t| (t.name.as_str(), t)).collect();
    store.entries().iter().filter_map(move |entry| found.get(entry.path.as_str()).map(|&stored| (entry, stored)))
}

/// Saves every parameter and buffer of a store as `.safetensors`, whole or not at all.
///
/// # Errors
/// `E0813` where the file cannot be written.
pub fn save(store: &ParamStore, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
    let tensors = store.entries().iter().map(|e| (e.path.clone(), e.var.as_detached_tensor())).collect();
    super::safetensors::write(path, &tensors, metadata)
}
