//! From what `--data` says to a data set.

use super::dataset::Dataset;
use super::error::{DataError, Result};
use super::folder::names_in;
use super::{cifar, digits, idx};
use crate::base::{Diagnostic, nearest::nearest};
use std::path::Path;
use std::sync::Arc;

/// What the model wants of its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    /// The shape of its input without the batch: `[C, H, W]`, `[C, L]` or `[F]`.
    pub shape: Vec<usize>,
    /// Whether one broken file ends the run (`--strict`); otherwise it is named, counted and passed over.
    pub strict: bool,
    /// Bytes that one file may take up in memory.
    pub memory: u64,
}

impl Want {
    /// Data for a model with this input shape (without the batch); broken files are passed over.
    pub fn new(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), strict: false, memory: 4 << 30 }
    }
}

/// A data set in its two parts.
pub struct Split {
    /// What to learn from.
    pub train: Arc<dyn Dataset>,
    /// What to measure on.
    pub test: Option<Arc<dyn Dataset>>,
    /// Warnings found while opening: which files are broken, and how many.
    pub warnings: Vec<Diagnostic>,
}

impl Split {
    /// What to measure on: the test part, or the whole where there is no other.
    pub fn evaluation(&self) -> &Arc<dyn Dataset> {
        self.test.as_ref().unwrap_or(&self.train)
    }
}

/// The names that are no paths.
pub const NAMES: [&str; 3] = ["builtin:digits", "builtin:digits-canvas", "fashion-mnist"];

/// Opens what `--data` says, made to fit the model.
///
/// # Errors
/// [`DataError`], where there is no such data, or nothing in it can be used, or it does not fit the model.
pub fn open(spec: &str, want: &Want) -> Result<Split> {
    match spec {
        "builtin:digits" => return digits::digits(want),
        "builtin:digits-canvas" => return digits::canvases(want),
        "fashion-mnist" => return idx::fashion(want),
        _ => {}
    }
    let path = Path::new(spec);
    if path.is_dir() {
        directory(path, want)
    } else {
        Err(DataError::Unknown { spec: spec.to_string(), near: nearest(spec, NAMES).map(str::to_string) })
    }
}

fn directory(path: &Path, want: &Want) -> Result<Split> {
    let names = names_in(path)?;
    if idx::is_idx(&names) {
        return idx::open(path, Vec::new(), want);
    }
    if cifar::is_cifar(&names) {
        return cifar::open(path, want);
    }
    Err(DataError::Layout { path: path.display().to_string(), found: "".into() })
}
