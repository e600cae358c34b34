//! Does a file of weights fit a network?

use super::Result;
use super::file::{Stored, WeightFile};
use super::report::{Misfit, Report, Stray};
use super::suggest::suggest;
use crate::elaborate::Network;
use crate::ops::ParamSpec;
use std::collections::{BTreeMap, BTreeSet};

/// What to do about tensors that do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Refuse the file; nothing is changed.
    Strict,
    /// Load the others, and leave those as they are.
    Partial,
}

/// What the optimizer remembers, in the last checkpoint of a run: no network wants it, and it is no mistake there.
const MEMORY: &str = "optimizer/";

/// What a network wants of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The network's name.
    pub network: String,
    /// Its parameters as they came out: `classes = 10`.
    pub settings: BTreeMap<String, String>,
    /// Its tensors by path, in evaluation order.
    pub params: Vec<(String, ParamSpec)>,
}

impl Wanted {
    /// What a network wants.
    pub fn of(network: &Network) -> Self {
        let (name, settings) = (network.name.clone(), network.settings.clone());
        Self { network: name, settings, params: network.graph.named_params() }
    }
}

impl Fit {
    /// Accepts a report, or refuses the file.
    ///
    /// # Errors
    /// `E0812` where something does not fit and this is [`Fit::Strict`], or where nothing fits.
    pub fn accept(self, report: Report) -> Result<Report> {
        match (self == Self::Strict && !report.fits()) || (report.loaded == 0 && report.total > 0) {
            true => Err(Box::new(report.diagnostic())),
            false => Ok(report),
        }
    }
}

/// Which tensors of a file fit, by path and sizes.
pub fn compare(wanted: &Wanted, file: &WeightFile) -> Report {
    let params = &wanted.params;
    let absent = |(path, spec): &&(String, ParamSpec)| file.get(path).is_none() && !optional(spec);
    let missing: Vec<Stray> = params.iter().filter(absent).map(|(path, spec)| Stray::new(path, &spec.dims)).collect();
    let known: BTreeSet<&str> = params.iter().map(|(path, _)| path.as_str()).collect();
    let strange = |t: &&Stored| !known.contains(t.name.as_str()) && !t.name.starts_with(MEMORY);
    let mut unexpected: Vec<Stray> =
        file.tensors.iter().filter(strange).map(|t| Stray::new(&t.name, &t.dims)).collect();
    unexpected.sort_by(|a, b| a.name.cmp(&b.name));
    let misfit = |(path, spec): &(String, ParamSpec)| {
        let found = file.get(path)?.dims.clone();
        (found != spec.dims).then(|| Misfit { name: path.clone(), found, want: spec.dims.clone() })
    };
    let misshaped: Vec<Misfit> = params.iter().filter_map(misfit).collect();
    suggest(&missing, &mut unexpected);
    let total = params.len();
    let counters = params.iter().filter(|(path, spec)| optional(spec) && file.get(path).is_none()).count();
    Report {
        file: file.path().display().to_string(),
        network: wanted.network.clone(),
        settings: wanted.settings.clone(),
        total,
        loaded: total - counters - missing.len() - misshaped.len(),
        missing,
        unexpected,
        misshaped,
        notes: file.notes.clone(),
    }
}

/// Old checkpoints have no `num_batches_tracked`, and nothing is computed from it.
fn optional(spec: &ParamSpec) -> bool {
    spec.name == "num_batches_tracked"
}
