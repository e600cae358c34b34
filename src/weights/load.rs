//! Does a file of weights fit a network, and which of its tensors is which parameter?

use super::choose::{Choice, choose};
use super::file::WeightFile;
use super::report::{Misfit, Report, Stray};
use super::said;
use super::suggest::suggest;
use super::trial::{Frame, Item, Trial, items};
use super::{Result, odd, refuse};
use crate::elaborate::Network;
use crate::ops::ParamSpec;
use std::collections::BTreeMap;

/// What to do about tensors that do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Refuse the file; nothing is changed.
    Strict,
    /// Load the others, and leave those as they are.
    Partial,
}

/// How a file is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// What to do about tensors that do not fit.
    pub fit: Fit,
    /// Only what lies under this key, or behind this prefix: `state_dict`, `model.ema`. Where it is `None`, what fits best is
    /// read.
    pub key: Option<String>,
}

impl From<Fit> for Ask {
    fn from(fit: Fit) -> Self {
        Self { fit, key: None }
    }
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

/// Which tensor of a file each parameter is.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// What fits, and what does not.
    pub report: Report,
    /// By the parameter's path, the place of a tensor of its sizes in [`WeightFile::tensors`].
    pub tensors: BTreeMap<String, usize>,
}

/// Finds a network's parameters in a file.
///
/// # Errors
/// `E0811` where something that cannot be read, or integers of 8 bits, stand in place of a tensor. `E0812` where nothing
/// fits, where something does not and [`Fit::Strict`] is asked for, where two parts of the file fit equally, and where there
/// is no such key.
pub fn assign(wanted: &Wanted, file: &WeightFile, ask: &Ask) -> Result<Assignment> {
    let mut items = items(file);
    items.retain(|item| !item.name.starts_with(MEMORY));
    if let Some(key) = &ask.key {
        items = under(items, key).ok_or_else(|| refuse::no_key(file, key))?;
    }
    if items.is_empty() && !wanted.params.is_empty() {
        return Err(refuse::no_tensors(file));
    }
    let tensor = |i: usize| items[i].dims.and_then(|_| file.tensors.get(items[i].at));
    let same = |a: usize, b: usize| tensor(a).zip(tensor(b)).is_some_and(|(a, b)| a.same_numbers(b));
    let Choice { trial, rivals } = choose(wanted, &items, same);
    if trial.found.is_empty() && refuse::are_memory(&items) {
        return Err(refuse::memory(file));
    }
    let mut report = report(wanted, file, &items, &trial, ask);
    if !rivals.is_empty() && (report.missing.is_empty() || ask.fit == Fit::Partial) {
        let frames: Vec<&Frame> = std::iter::once(&trial.frame).chain(&rivals).collect();
        return Err(refuse::ambiguous(file, &wanted.network, &frames, ask.key.as_deref()));
    }
    refuse::in_place(file, &items, &trial)?;
    if (ask.fit == Fit::Strict && !report.fits()) || (report.loaded == 0 && report.total > 0) {
        return Err(Box::new(report.diagnostic()));
    }
    let fits = |(path, spec): &(String, ParamSpec)| {
        let item = &items[trial.found.get(path.as_str())?.item];
        (item.dims == Some(&spec.dims)).then(|| (path.clone(), item.at))
    };
    let tensors = wanted.params.iter().filter_map(fits).collect();
    report.notes.extend(odd::note(wanted, file, &tensors));
    Ok(Assignment { tensors, report })
}

/// The items under a key, named from there on; `None` where there are none.
fn under<'a>(items: Vec<Item<'a>>, key: &str) -> Option<Vec<Item<'a>>> {
    let prefix = format!("{}.", key.trim_end_matches('.'));
    let cut = |item: Item<'a>| {
        let name = item.name.strip_prefix(prefix.as_str())?;
        let dict = item.dict.saturating_sub(prefix.len());
        Some(Item { name, dict, spellings: super::names::spellings(name), ..item })
    };
    let found: Vec<Item> = items.into_iter().filter_map(cut).collect();
    (!found.is_empty()).then_some(found)
}

/// What fits under the chosen prefix, and what does not.
fn report(wanted: &Wanted, file: &WeightFile, items: &[Item], trial: &Trial, ask: &Ask) -> Report {
    let params = &wanted.params;
    let found = |path: &str| trial.found.get(path).map(|found| &items[found.item]);
    let absent = |(path, spec): &&(String, ParamSpec)| found(path).is_none() && !optional(spec.name);
    let missing: Vec<Stray> = params.iter().filter(absent).map(|(path, spec)| Stray::new(path, &spec.dims)).collect();
    let misfit = |(path, spec): &(String, ParamSpec)| {
        let dims = found(path)?.dims?;
        (dims != spec.dims).then(|| Misfit { name: path.clone(), found: dims.into(), want: spec.dims.clone() })
    };
    let misshaped: Vec<Misfit> = params.iter().filter_map(misfit).collect();
    let stray = |&i: &usize| Some(Stray::new(items[i].shown(&trial.frame), items[i].dims?));
    let (passed, strange): (Vec<usize>, Vec<usize>) =
        strangers(items, trial).into_iter().partition(|&i| items[i].dims.is_none() || items[i].is_note());
    let mut unexpected: Vec<Stray> = strange.iter().filter_map(stray).collect();
    let mut beside: Vec<Stray> = trial.beside.iter().filter_map(stray).collect();
    unexpected.sort_by(|a, b| a.name.cmp(&b.name));
    suggest(&missing, &mut unexpected);
    suggest(&missing, &mut beside);
    for strays in [&mut unexpected, &mut beside] {
        unframed(&missing, strays, &trial.frame);
    }
    unexpected.extend(beside.into_iter().filter(|stray| stray.hint.is_some()));
    let total = params.len();
    let counters = params.iter().filter(|(path, spec)| optional(spec.name) && found(path).is_none()).count();
    let passed: Vec<usize> = passed.into_iter().chain(trial.beside.iter().copied()).collect();
    let others = if trial.found.is_empty() { refuse::other_keys(file) } else { None };
    let notes = file.notes.iter().cloned().chain(said::notes(items, trial, &passed, ask.key.as_deref()));
    Report {
        file: file.path().display().to_string(),
        network: wanted.network.clone(),
        settings: wanted.settings.clone(),
        total,
        loaded: total - counters - missing.len() - misshaped.len(),
        missing,
        unexpected,
        misshaped,
        notes: notes.chain(others).chain(said::too_long(file)).collect(),
    }
}

/// What is called as a missing tensor is, where the others' prefix was taken off or put before: the names are no help then.
fn unframed(missing: &[Stray], strays: &mut [Stray], Frame { taken, added, .. }: &Frame) {
    for stray in strays {
        let rest = |wanted: &Stray| stray.name.strip_suffix(&wanted.name).is_some_and(|rest| taken.starts_with(rest));
        let Some(name) = missing.iter().find(|wanted| rest(wanted)).map(|wanted| &wanted.name) else { continue };
        stray.hint = Some(match added.is_empty() {
            true => format!("the missing `{name}`, without the others' prefix: rename it `{taken}{name}`"),
            false => format!("the missing `{name}`: name the others with `{added}` before them"),
        });
    }
}

/// The items that the network has no place for. Where none has a place, all of the dictionary that is looked at.
fn strangers(items: &[Item], trial: &Trial) -> Vec<usize> {
    if !trial.found.is_empty() {
        return trial.strange.clone();
    }
    (0..items.len()).filter(|&i| items[i].name.starts_with(&trial.frame.taken)).collect()
}

/// Old checkpoints have no `num_batches_tracked`, and nothing is computed from it.
pub(super) fn optional(name: &str) -> bool {
    name == "num_batches_tracked"
}
