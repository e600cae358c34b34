//! Which sizes can stay free in the file? Those at all of whose values the network is the same one.
//!
//! Every free size is tried at some hundred values: small ones, and all around the planned one, so that all remainders are
//! met. Where `fit` cuts or pads at some of them only, the file is written as at sizes where it does so everywhere: there,
//! amounts are computed, and may be none.

use super::tried::{Fits, Resize, Sample, Tried, differs, fitted};
use crate::analysis::sizes::Rule;
use crate::elaborate::{Compiled, Network};
use crate::graph::{Graph, NodeId};
use std::collections::BTreeMap;

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
            let probes = probes(one, &free.base, resize, (&general.graph, &fits));
            if probes.is_empty() {
                // The others are tried again with this one as it was planned.
                fixed.insert(one.name.clone(), "no other size that was tried is valid with those of the others".into());
                return Self::of(compiled, network, fixed);
            }
            free.names.push((one.name.clone(), one.rule.clone()));
            free.probes.extend(probes);
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

    /// The free sizes with which what an op states changes.
    pub fn deciding(&self, path: &str) -> Vec<String> {
        let changes = |one: &&Tried| {
            one.stated.get(path).is_some_and(|samples| samples.iter().any(|(sizes, _)| *sizes != samples[0].0))
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
    let base: BTreeMap<String, usize> = tried.iter().map(|one| (one.name.clone(), one.most)).collect();
    let sound =
        |found: &Network| differs(&network.graph, &found.graph).is_none() && all.is_subset(&fitted(&found.graph));
    if let Some(found) = resize(&base).ok().filter(sound) {
        return (found, base);
    }
    for one in tried.iter().filter(|one| !one.fits.is_subset(&planned)) {
        fixed.insert(one.name.clone(), "`fit` cuts or pads at other places at other sizes".into());
    }
    tried.retain(|one| !fixed.contains_key(&one.name));
    (network.clone(), defaults(tried))
}

/// The network at other values of one size, where it cuts and pads at the same places.
fn probes(one: &Tried, base: &BTreeMap<String, usize>, resize: Resize, (graph, fits): (&Graph, &Fits)) -> Vec<Probe> {
    let own = base.get(&one.name).copied().unwrap_or(1);
    let far = [own.saturating_mul(2), own.saturating_mul(3)];
    let near = (1..=128).map(|more| own.saturating_add(more)).chain((1..=64).filter_map(|less| own.checked_sub(less)));
    let values = far.into_iter().chain(near).filter(|&value| value > 0);
    let probe = |value: usize| {
        let mut sizes = base.clone();
        sizes.insert(one.name.clone(), value);
        let network = resize(&sizes).ok()?;
        let same = differs(graph, &network.graph).is_none() && fitted(&network.graph) == *fits;
        same.then(|| Probe { size: one.name.clone(), value, network })
    };
    values.filter_map(probe).take(ENOUGH).collect()
}
