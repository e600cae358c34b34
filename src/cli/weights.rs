//! Weights named on the command line: a run's folder, or a file.

use super::compute::say;
use super::load::Loaded;
use super::shell::{Exit, Shell};
use crate::lower::{ParamStore, weights};
use crate::train::checkpoint::Run;
use crate::weights::{Fit, Numbers, Report};
use std::path::{Path, PathBuf};

/// Loads them into a store; with `partial`, what fits, saying what does not.
///
/// # Errors
/// The exit status, after saying what is wrong.
pub fn load(store: &ParamStore, path: &Path, partial: bool, loaded: &Loaded, shell: &Shell) -> Result<(), Exit> {
    let read = weights::load(store, &file(path, shell)?, fit(partial));
    let report = read.map_err(|error| loaded.fail(error, shell))?;
    tell(&report, loaded, shell);
    Ok(())
}

/// The numbers of a network for the engine, as [`load`] would load them; drawn from a seed where there is no file, or where
/// a partial one lacks them.
///
/// # Errors
/// As [`load`].
pub fn numbers(loaded: &Loaded, path: Option<&Path>, partial: bool, seed: u64, shell: &Shell) -> Result<Numbers, Exit> {
    let Some(path) = path else { return Ok(Numbers::seeded(&loaded.network, seed)) };
    let read = Numbers::load(&loaded.network, &file(path, shell)?, fit(partial), seed);
    let (numbers, report) = read.map_err(|error| loaded.fail(*error, shell))?;
    tell(&report, loaded, shell);
    Ok(numbers)
}

/// The file itself: of a run's folder, its weights.
fn file(path: &Path, shell: &Shell) -> Result<PathBuf, Exit> {
    match path.is_dir() {
        true => Ok(Run::open(path).map_err(|fault| say(*fault, shell))?.weights()),
        false => Ok(path.to_path_buf()),
    }
}

fn fit(partial: bool) -> Fit {
    if partial { Fit::Partial } else { Fit::Strict }
}

/// Says what did not fit.
fn tell(report: &Report, loaded: &Loaded, shell: &Shell) {
    if !report.fits() {
        loaded.fail(report.diagnostic(), shell);
    }
}
