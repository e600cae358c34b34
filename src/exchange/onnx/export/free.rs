//! Which sizes can stay free in the file? Those at all of whose values the network is the same one.
//!
//! Every free size is tried at some hundred values: small ones, all around the planned one, so that all remainders are met,
//! and some far from it. Where `fit` cuts or pads at some of them only, the file is written as at sizes where it does so
//! everywhere: there, amounts are computed, and may be none.

use super::tried::{Fits, Resize, Sample, TIMES, Tried, differs, fitted};
use crate::analysis::sizes::Rule;
use crate::elaborate::{Compiled, Network};
use crate::graph::{Graph, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// How many other values of a free size are kept.
const ENOUGH: usize = 6;

/// The same network at other values of its free sizes.
pub struct Free {
    probes: Vec<Probe>,
    /// Free sizes that are fixed in the file, and why.
    pub fixed: Vec<(String, String)>,
    /// Sizes that are free, and the values that they can have.
    names: Vec<(String, Rule)>,
    /// The values of the free sizes that the file is written from.
    base: BTreeMap<String, usize>,
    tried: Vec<Tried>,
}

struct Probe {
    size: String,
    value: usize,
    network: Network,
}

impl Free {
    /// Tries other values of each free size but those that are `fixed` with a reason; gives the network that the file is to be
    /// written from, too.
    pub fn of(compiled: &Compiled, network: &Network, mut fixed: BTreeMap<String, String>) -> (Self, Network) {
        let resizer = compiled.resizer(network);
        let resize: Resize = &resizer;
        let sizes = network.free_sizes.iter();
        let mut tried: Vec<Tried> = sizes.map(|size| Tried::of(size, network, resize)).collect();
        for one in &tried {
            let alone = matches!(&one.rule, Rule::None) || matches!(&one.rule, Rule::Only(values) if values.len() < 2);
            let why = if alone { Some("no other size that was tried is valid".into()) } else { one.other.clone() };
            why.into_iter().for_each(|why| _ = fixed.entry(one.name.clone()).or_insert(why));
        }
        tried.retain(|one| !fixed.contains_key(&one.name));
        let (general, base) = general(network, &mut tried, resize, &mut fixed);
        let mut free = Self { probes: Vec::new(), fixed: Vec::new(), names: Vec::new(), base, tried };
        let fits = fitted(&general.graph);
        for one in &free.tried {
            match probes(one, &free.base, resize, (&general.graph, &fits)) {
                Ok(probes) => free.probes.extend(probes),
                Err(why) => {
                    // The others are tried again with this one as it was planned.
                    fixed.insert(one.name.clone(), why);
                    return Self::of(compiled, network, fixed);
                }
            }
            free.names.push((one.name.clone(), one.rule.clone()));
        }
        if let Some(why) = together(&free.base, resize, (&general.graph, &fits)) {
            fixed.extend(free.base.keys().map(|name| (name.clone(), why.clone())));
            return Self::of(compiled, network, fixed);
        }
        free.fixed = network.free_sizes.iter().filter_map(|size| fixed.remove_entry(&size.name)).collect();
        (free, general)
    }

    /// Whether a size of a free name stays free in the file.
    pub fn is_free(&self, name: &str) -> bool {
        self.names.iter().any(|(n, _)| n == name)
    }

    /// What a user should know of the sizes, in their order.
    pub fn notes(&self) -> Vec<String> {
        let fixed = self.fixed.iter().map(|(name, why)| format!("{name} is fixed in the file: {why}"));
        let limited = self.names.iter().filter(|(_, rule)| *rule != Rule::Every { from: 1, step: 1 });
        fixed.chain(limited.map(|(name, rule)| format!("{name} takes {}", rule.in_words()))).collect()
    }

    /// A value's sizes after the batch: those that the file is written from, and those at other values of the free sizes.
    pub fn all_dims(&self, graph: &Graph, id: NodeId) -> Vec<Vec<usize>> {
        let graphs = std::iter::once(graph).chain(self.probes.iter().map(|probe| &probe.network.graph));
        graphs.map(|graph| graph.shape(id).dims().to_vec()).collect()
    }

    /// Whether the size of a value along an axis after the batch changes.
    pub fn varies(&self, graph: &Graph, id: NodeId, axis: usize) -> bool {
        let dims = |graph: &Graph| graph.shape(id).dims().get(axis).copied();
        self.probes.iter().any(|probe| dims(&probe.network.graph) != dims(graph))
    }

    /// Whether no size of a value changes.
    pub fn still(&self, graph: &Graph, id: NodeId) -> bool {
        (0..graph.shape(id).dims().len()).all(|axis| !self.varies(graph, id, axis))
    }

    /// The free size that an axis always equals.
    pub fn name_of(&self, graph: &Graph, id: NodeId, axis: usize) -> Option<&str> {
        let dims = |graph: &Graph| graph.shape(id).dims().get(axis).copied();
        let equals = |name: &&str| {
            let base = self.base.get(*name).copied();
            let at_probes = self.probes.iter().all(|probe| {
                let wanted = if probe.size == **name { Some(probe.value) } else { base };
                dims(&probe.network.graph) == wanted
            });
            at_probes && dims(graph) == base
        };
        self.names.iter().map(|(name, _)| name.as_str()).find(equals)
    }

    /// What an op states and what its operand's sizes are, at every value of every size that is free.
    pub fn stated(&self, path: &str) -> Vec<&Sample> {
        self.tried.iter().filter_map(|one| one.stated.get(path)).flatten().collect()
    }

    /// The free sizes with which one of these sizes changes that an op states.
    pub fn deciding(&self, path: &str, places: &[usize]) -> Vec<String> {
        let own = |sizes: &[usize]| places.iter().map(|&place| sizes.get(place).copied()).collect::<Vec<_>>();
        let changes = |one: &&Tried| {
            let samples = one.stated.get(path).into_iter().flatten();
            samples.map(|(sizes, _)| own(sizes)).collect::<BTreeSet<_>>().len() > 1
        };
        self.tried.iter().filter(changes).map(|one| one.name.clone()).collect()
    }
}

/// The network that cuts and pads wherever `fit` does at some size, and its sizes. A size without such a network is fixed.
fn general(
    network: &Network,
    tried: &mut Vec<Tried>,
    resize: Resize,
    fixed: &mut BTreeMap<String, String>,
) -> (Network, BTreeMap<String, usize>) {
    let planned = fitted(&network.graph);
    let default = |name: &str| network.free_sizes.iter().find(|size| size.name == name).map_or(1, |size| size.default);
    let defaults = |tried: &[Tried]| tried.iter().map(|one| (one.name.clone(), default(&one.name))).collect();
    let all: Fits = tried.iter().flat_map(|one| &one.fits).cloned().collect();
    if all.is_subset(&planned) {
        return (network.clone(), defaults(tried));
    }
    // Often one size alone is enough, and the others can stay as planned.
    let alone = |one: &Tried| {
        let mut base: BTreeMap<String, usize> = defaults(tried);
        base.insert(one.name.clone(), one.most);
        base
    };
    let together = tried.iter().map(|one| (one.name.clone(), one.most)).collect();
    let sound =
        |found: &Network| differs(&network.graph, &found.graph).is_none() && all.is_subset(&fitted(&found.graph));
    let mut candidates = std::iter::once(together).chain(tried.iter().map(alone));
    let found = candidates.find_map(|base| Some((resize(&base).ok().filter(sound)?, base)));
    if let Some(found) = found {
        return found;
    }
    for one in tried.iter().filter(|one| !one.fits.is_subset(&planned)) {
        fixed.insert(one.name.clone(), FITS.into());
    }
    tried.retain(|one| !fixed.contains_key(&one.name));
    (network.clone(), defaults(tried))
}

/// Why a network is fixed whose fits are at other places than were seen.
const FITS: &str = "`fit` cuts or pads at other places at other sizes";

/// The network that a file is written from, and where it cuts and pads.
type General<'a> = (&'a Graph, &'a Fits);

/// Whether a network computes what the file does: at places where `fit` does nothing there, the file cuts and pads by nothing.
fn unlike(found: &Graph, (graph, fits): General) -> Option<String> {
    differs(graph, found).or_else(|| (!fitted(found).is_subset(fits)).then(|| FITS.into()))
}

/// The network at other values of one size, where it cuts and pads at the same places.
///
/// # Errors
/// Why the size must be fixed: the network is another at some value, or there is none at any.
fn probes(one: &Tried, base: &BTreeMap<String, usize>, resize: Resize, general: General) -> Result<Vec<Probe>, String> {
    let own = base.get(&one.name).copied().unwrap_or(1);
    let far = [own.saturating_mul(2), own.saturating_mul(3)];
    let near = (1..=128).map(|more| own.saturating_add(more)).chain((1..=64).filter_map(|less| own.checked_sub(less)));
    let mut probes = Vec::new();
    for value in far.into_iter().chain(near).filter(|&value| value > 0) {
        let mut sizes = base.clone();
        sizes.insert(one.name.clone(), value);
        let Ok(network) = resize(&sizes) else { continue };
        if let Some(why) = unlike(&network.graph, general) {
            return Err(why);
        }
        if fitted(&network.graph) == *general.1 {
            probes.push(Probe { size: one.name.clone(), value, network });
        }
        if probes.len() == ENOUGH {
            break;
        }
    }
    match probes.is_empty() {
        true => Err("no other size that was tried is valid with those of the others".into()),
        false => Ok(probes),
    }
}

/// Why the network is another where all free sizes are many times as large, if it is.
fn together(base: &BTreeMap<String, usize>, resize: Resize, general: General) -> Option<String> {
    let at = |times: usize| base.iter().map(|(name, size)| (name.clone(), size.saturating_mul(times))).collect();
    let tried = TIMES.into_iter().filter(|_| base.len() > 1);
    tried.filter_map(|times| resize(&at(times)).ok()).find_map(|network| unlike(&network.graph, general))
}
