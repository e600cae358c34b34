//! Which of a file's tensors are the network's? The prefix is sought under which most names and sizes fit: the path of a
//! dictionary, what wrappers and other code put before names, or both.

use super::load::{Wanted, optional};
use super::names::starts;
use super::trial::{Frame, Item, Specs, Trial, specs};
use std::collections::{BTreeMap, BTreeSet};

/// Most places in which the end of a name is looked for; shorter ends are in too many places to tell anything.
const MAX_PLACES: usize = 64;

/// Most frames that are tried in full.
const MAX_TRIALS: usize = 24;

/// Keys under which training scripts put the state dict: the first that a file has is looked at where nothing fits.
const USUAL: [&str; 9] =
    ["state_dict", "model_state_dict", "model", "net", "network", "network_weights", "params", "module", "weights"];

/// What was chosen, and what fits as well.
pub(super) struct Choice<'a> {
    /// The frame that fits best.
    pub trial: Trial<'a>,
    /// Other frames under which as much fits, of other numbers.
    pub rivals: Vec<Frame>,
}

/// The frame that fits best; `same` says whether two items are of the same numbers.
pub(super) fn choose<'a>(wanted: &'a Wanted, items: &[Item], same: impl Fn(usize, usize) -> bool) -> Choice<'a> {
    let specs = specs(wanted);
    let mut best = Trial::new(plain(items), items, &specs);
    let frames = frames(items, &specs);
    let others = frames.iter().filter(|frame| **frame != best.frame);
    let tried = others.map(|frame| Trial::new(frame.clone(), items, &specs));
    let mut others: Vec<Trial> = tried.filter(|trial| trial.plausible(specs.len())).collect();
    for trial in &mut others {
        if trial.score() > best.score() || (trial.score() == best.score() && trial.simplicity() < best.simplicity()) {
            std::mem::swap(trial, &mut best);
        }
    }
    others.retain(|trial| trial.score() == best.score() && trial.fitting > 0);
    others.sort_by(|a, b| a.simplicity().cmp(&b.simplicity()));
    let mut all = vec![best];
    for trial in others {
        if !all.iter().any(|other| trial.alike(other, &same)) {
            all.push(trial);
        }
    }
    let Choice { trial, rivals } = settle(all);
    let whole = trial.complete(items, &specs, optional);
    match if whole { None } else { partly(&frames, items, &specs, same) } {
        Some(trial) => Choice { trial, rivals: Vec::new() },
        None => Choice { trial, rivals },
    }
}

/// The frame under which everything fits where only some of the names have a prefix (`backbone.conv.weight` beside `fc.weight`);
/// `None` where two frames give different numbers.
fn partly<'a>(
    frames: &[Frame],
    items: &[Item],
    specs: &Specs<'a>,
    same: impl Fn(usize, usize) -> bool,
) -> Option<Trial<'a>> {
    let tried = frames.iter().filter_map(|frame| {
        // The innermost dictionary around the prefix; what has a prefix of its own lies beside that dictionary.
        let around = items.iter().map(Item::dictionary).filter(|path| frame.taken.starts_with(path));
        let around = around.filter(|path| *path != frame.taken || !frame.added.is_empty());
        let others = around.max_by_key(|path| path.len()).unwrap_or_default();
        let differs = others != frame.taken || !frame.added.is_empty();
        let frame = Frame { others: Some(others.to_string()), ..frame.clone() };
        differs.then(|| Trial::new(frame, items, specs))
    });
    let mut all: Vec<Trial> = tried.filter(|trial| trial.complete(items, specs, optional)).collect();
    all.sort_by(|a, b| a.simplicity().cmp(&b.simplicity()));
    let first = all.first()?;
    all.iter().all(|trial| trial.alike(first, &same)).then(|| all.swap_remove(0))
}

/// Among frames that fit alike, of other numbers each, the one around all others whose names fit as they stand. Where there is
/// none, nobody but the user knows which is meant, whatever else lies beside each.
fn settle<'a>(mut all: Vec<Trial<'a>>) -> Choice<'a> {
    let read: BTreeSet<usize> = all.iter().flat_map(|trial| trial.found.values().map(|found| found.item)).collect();
    if all.len() > 1 {
        for trial in &mut all {
            let (beside, strange) = trial.strange.iter().partition(|item| read.contains(item));
            trial.strange = strange;
            trial.beside.extend::<Vec<usize>>(beside);
        }
    }
    let around = |trial: &Trial| {
        let Frame { taken, added, .. } = &trial.frame;
        let inside =
            |Frame { taken: t, added: a, .. }: &Frame| t.starts_with(taken.as_str()) && a.starts_with(added.as_str());
        trial.stands() && all.iter().all(|other| inside(&other.frame))
    };
    match all.iter().position(around) {
        Some(at) => Choice { trial: all.swap_remove(at), rivals: Vec::new() },
        None => {
            let trial = all.remove(0);
            Choice { trial, rivals: all.into_iter().map(|other| other.frame).collect() }
        }
    }
}

/// Names as they stand: in the dictionary that is called as state dicts are, or else in the one of most tensors.
fn plain(items: &[Item]) -> Frame {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    items.iter().filter(|item| item.dims.is_some()).for_each(|item| *sizes.entry(item.dictionary()).or_default() += 1);
    let usual = USUAL.iter().map(|key| format!("{key}.")).find(|key| sizes.contains_key(key.as_str()));
    let largest = || sizes.iter().max_by_key(|(name, size)| (**size, std::cmp::Reverse(name.len())));
    let taken = usual.or_else(|| largest().map(|(name, _)| name.to_string())).unwrap_or_default();
    Frame { taken, added: String::new(), others: None }
}

/// Frames for which the ends of names speak, most votes first.
fn frames(items: &[Item], specs: &Specs) -> Vec<Frame> {
    let mut ends: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in specs.keys() {
        // A last part alone, such as `weight`, says nothing.
        let told = |&at: &usize| at == 0 || path[at..].contains('.');
        starts(path).filter(told).for_each(|at| ends.entry(&path[at..]).or_default().push(path));
    }
    let mut votes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for item in items {
        for text in item.spellings.iter().map(|spelling| spelling.text.as_str()) {
            for at in starts(text) {
                let (taken, end) = text.split_at(at);
                let paths = ends.get(end).map_or(&[][..], Vec::as_slice);
                let few = if paths.len() > MAX_PLACES { &[] } else { paths };
                for path in few.iter().copied().chain(specs.get_key_value(end).map(|(path, _)| *path)) {
                    let added = &path[..path.len() - end.len()];
                    // With a longer end in common, a shorter prefix does the same.
                    if taken.is_empty() || added.is_empty() || last(taken) != last(added) {
                        let fits = specs.get(path).is_some_and(|spec| item.dims == Some(&spec.dims[..]));
                        *votes.entry((taken, added)).or_default() += 1 + usize::from(fits);
                    }
                }
            }
        }
    }
    let mut ranked: Vec<_> = votes.into_iter().collect();
    ranked.sort_by_key(|&(frame, votes)| (std::cmp::Reverse(votes), frame));
    let frame =
        |((taken, added), _): ((&str, &str), usize)| Frame { taken: taken.into(), added: added.into(), others: None };
    ranked.into_iter().take(MAX_TRIALS).map(frame).collect()
}

/// The last part of a prefix.
fn last(prefix: &str) -> Option<&str> {
    prefix.strip_suffix('.')?.rsplit('.').next()
}
