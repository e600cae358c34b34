//! Weights named on the command line: a run's folder, or a file.

use super::compute::{fail, say};
use super::shell::{Exit, Shell};
use crate::lower::ParamStore;
use crate::lower::weights::{self, Fit};
use crate::train::checkpoint::Run;
use std::path::Path;

/// Loads them into a store; with `partial`, what fits, saying what does not.
///
/// # Errors
/// The exit status, after saying what is wrong.
pub fn load(store: &ParamStore, path: &Path, partial: bool, shell: &Shell) -> Result<(), Exit> {
    let file = match path.is_dir() {
        true => Run::open(path).map_err(|error| fail(error, shell))?.weights(),
        false => path.to_path_buf(),
    };
    let fit = if partial { Fit::Partial } else { Fit::Strict };
    let report = weights::load(store, &file, fit).map_err(|error| fail(error, shell))?;
    if !report.fits() {
        say(report.diagnostic(), shell);
    }
    Ok(())
}
