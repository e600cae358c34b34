//! Weights named on the command line: a run's folder, or a file.

use super::compute::{fail, say};
use super::shell::{Exit, Shell};
use crate::elaborate::Network;
use crate::lower::{ParamStore, weights};
use crate::train::checkpoint::Run;
use crate::weights::{Fit, Numbers, Report};
use std::path::{Path, PathBuf};

/// Loads them into a store; with `partial`, what fits, saying what does not.
///
/// # Errors
/// The exit status, after saying what is wrong.
pub fn load(store: &ParamStore, path: &Path, partial: bool, shell: &Shell) -> Result<(), Exit> {
    let report = weights::load(store, &file(path, shell)?, fit(partial)).map_err(|error| fail(error, shell))?;
    tell(&report, shell);
    Ok(())
}

/// The numbers of a network for the engine, as [`load`] would load them; drawn from a seed where there is no file, or where
/// a partial one lacks them.
///
/// # Errors
/// As [`load`].
pub fn numbers(
    network: &Network,
    path: Option<&Path>,
    partial: bool,
    seed: u64,
    shell: &Shell,
) -> Result<Numbers, Exit> {
    let Some(path) = path else { return Ok(Numbers::seeded(network, seed)) };
    let loaded = Numbers::load(network, &file(path, shell)?, fit(partial), seed);
    let (numbers, report) = loaded.map_err(|error| say(*error, shell))?;
    tell(&report, shell);
    Ok(numbers)
}

/// The file itself: of a run's folder, its weights.
fn file(path: &Path, shell: &Shell) -> Result<PathBuf, Exit> {
    match path.is_dir() {
        true => Ok(Run::open(path).map_err(|error| fail(error, shell))?.weights()),
        false => Ok(path.to_path_buf()),
    }
}

fn fit(partial: bool) -> Fit {
    if partial { Fit::Partial } else { Fit::Strict }
}

/// Says what did not fit.
fn tell(report: &Report, shell: &Shell) {
    if !report.fits() {
        say(report.diagnostic(), shell);
    }
}
