//! Weights named on the command line: a run's folder, or a file.

use super::compute::{fail, say};
use super::load::Loaded;
use super::shell::{Exit, Shell};
use archc::base::SourceMap;
use archc::elaborate::Network;
use archc::lower::{ParamStore, weights};
use archc::train::checkpoint::Run;
use archc::weights::{Ask, Fit, Numbers, Report, in_folder};
use clap::Args;
use std::path::{Path, PathBuf};

/// How weights are read, for every command that takes them.
#[derive(Clone, Debug, Default, Args)]
pub struct Reading {
    /// Load what fits, and say what does not.
    #[arg(long, requires = "weights")]
    pub partial: bool,
    /// Read what lies under this key of the file (state_dict, model.ema), or behind this prefix of its names.
    #[arg(long, value_name = "NAME", requires = "weights")]
    pub key: Option<String>,
}

impl Reading {
    /// The same, as readers are asked.
    pub fn ask(&self) -> Ask {
        Ask { fit: if self.partial { Fit::Partial } else { Fit::Strict }, key: self.key.clone() }
    }
}

/// Loads them into a store; with `--partial`, what fits, saying what does not.
///
/// # Errors
/// The exit status, after saying what is wrong.
pub fn load(store: &ParamStore, path: &Path, reading: &Reading, loaded: &Loaded, shell: &Shell) -> Result<(), Exit> {
    let read = weights::load(store, &file(path, shell)?, reading.ask());
    let report = read.map_err(|error| loaded.fail(error, shell))?;
    tell(&report, shell);
    Ok(())
}

/// The numbers of a network for the engine, as [`load`] would load them; drawn from a seed where there is no file, or where
/// a partial one lacks them.
///
/// # Errors
/// As [`load`].
pub fn numbers(
    loaded: &Loaded,
    path: Option<&Path>,
    reading: &Reading,
    seed: u64,
    shell: &Shell,
) -> Result<Numbers, Exit> {
    let Some(path) = path else { return Ok(Numbers::seeded(&loaded.network, seed)) };
    read(&loaded.network, &loaded.compiled.sources, path, (reading, seed), shell)
}

/// The same of any network that was compiled from these sources.
///
/// # Errors
/// As [`load`].
pub fn read(
    network: &Network,
    sources: &SourceMap,
    path: &Path,
    (reading, seed): (&Reading, u64),
    shell: &Shell,
) -> Result<Numbers, Exit> {
    let read = Numbers::load(network, &file(path, shell)?, reading.ask(), seed);
    let (numbers, report) = read.map_err(|error| fail(*error, sources, shell))?;
    tell(&report, shell);
    Ok(numbers)
}

/// The file itself: of a run's folder, its weights.
fn file(path: &Path, shell: &Shell) -> Result<PathBuf, Exit> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    match Run::open(path) {
        Ok(run) => Ok(run.weights()),
        // A folder as model hubs have them: its file is named where the folder is refused.
        Err(_) if in_folder(path).is_some() => Ok(path.to_path_buf()),
        Err(fault) => Err(say(*fault, shell)),
    }
}

/// Says how the file was read, and what did not fit; which ones are listed, of many the first unless all is asked for.
fn tell(report: &Report, shell: &Shell) {
    if !report.fits() {
        shell.note(&format!("note: {}", report.summary()));
        let lines = if shell.verbose { report.first_lines(usize::MAX) } else { report.lines() };
        lines.iter().for_each(|line| shell.note(&format!("  {line}")));
    }
    report.notes.iter().for_each(|note| shell.note(&format!("note: {note}")));
}
