//! ONNX files, written and read.

use super::load::Loaded;
use super::shell::{Exit, Shell};
use super::{files, weights};
use archc::exchange::onnx::export;
use std::path::Path;

/// Weights for an export: a file or a seed.
pub struct Source<'a> {
    /// A run's folder or a file.
    pub weights: Option<&'a Path>,
    /// How they are read.
    pub reading: &'a weights::Reading,
    /// Where there is no file.
    pub seed: u64,
}

/// Writes a network with its weights.
///
/// # Errors
/// The exit status, after saying what is wrong.
pub fn write(path: &Path, loaded: &Loaded, source: &Source, shell: &Shell) -> Result<(), Exit> {
    let numbers = weights::numbers(loaded, source.weights, source.reading, source.seed, shell)?;
    if source.weights.is_none() {
        shell.note(&format!("no --weights: the parameters are random, from seed {}", source.seed));
    }
    let exported = export::export(&loaded.compiled, &loaded.network, &numbers);
    let exported = exported.map_err(|error| loaded.fail(*error, shell))?;
    exported.notes.iter().for_each(|note| shell.note(note));
    files::write_bytes(path, &exported.bytes, shell)
}
