//! Which sizes change with the free ones? Found by elaborating the network at other sizes.

use crate::elaborate::{Compiled, Network};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use std::collections::BTreeMap;
use std::mem::discriminant;

/// How many other values of a free size are enough.
const ENOUGH: usize = 4;

/// The same network at other values of its free sizes.
pub struct Free {
    probes: Vec<Probe>,
    /// Free sizes that are fixed in the file, and why.
    pub fixed: Vec<(String, String)>,
    names: Vec<String>,
}

struct Probe {
    size: String,
    value: usize,
    network: Network,
}

impl Free {
    /// Tries other values of each free size; one that changes what is computed, beyond the sizes of values, is fixed.
    pub fn of(compiled: &Compiled, network: &Network) -> Self {
        let mut free = Self { probes: Vec::new(), fixed: Vec::new(), names: Vec::new() };
        let resize = compiled.resizer(network);
        for size in &network.free_sizes {
            let others = other_values(size.default).into_iter().filter_map(|value| {
                let sizes = BTreeMap::from([(size.name.clone(), value)]);
                Some(Probe { size: size.name.clone(), value, network: resize(&sizes).ok()? })
            });
            let probes: Vec<Probe> = others.take(ENOUGH).collect();
            let because = probes.iter().find_map(|probe| differs(&network.graph, &probe.network.graph));
            match (probes.is_empty(), because) {
                (true, _) => free.fixed.push((size.name.clone(), "no other size that was tried is valid".into())),
                (_, Some(why)) => free.fixed.push((size.name.clone(), why)),
                _ => {
                    free.names.push(size.name.clone());
                    free.probes.extend(probes);
                }
            }
        }
        free
    }

    /// Whether a size of a free name stays free in the file.
    pub fn is_free(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == name)
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
    pub fn name_of(&self, network: &Network, id: NodeId, axis: usize) -> Option<&str> {
        let dims = |graph: &Graph| graph.shape(id).dims().get(axis).copied();
        let value = |network: &Network, name: &str| {
            network.free_sizes.iter().find(|size| size.name == name).map(|size| size.default)
        };
        let equals = |name: &&String| {
            let at_probes = self.probes.iter().all(|probe| {
                let wanted = if probe.size == **name { Some(probe.value) } else { value(network, name) };
                dims(&probe.network.graph) == wanted
            });
            at_probes && dims(&network.graph) == value(network, name)
        };
        self.names.iter().find(equals).map(String::as_str)
    }

    /// What a function of the graph gives at the planned sizes, and then at every probe.
    pub fn each<T>(&self, graph: &Graph, get: impl Fn(&Graph) -> Option<T>) -> Vec<Option<T>> {
        let probes = self.probes.iter().map(|probe| get(&probe.network.graph));
        std::iter::once(get(graph)).chain(probes).collect()
    }
}

/// Values worth trying: far from the default first, since a small change may be rounded away.
fn other_values(default: usize) -> Vec<usize> {
    let far = [default.checked_mul(2), default.checked_mul(3)];
    let near = (0..9).rev().map(|power| default.checked_add(1 << power));
    far.into_iter().chain(near).flatten().collect()
}

/// Where two elaborations of one program compute differently.
fn differs(a: &Graph, b: &Graph) -> Option<String> {
    if a.len() != b.len() {
        return Some(format!("it decides how many layers there are: {} or {}", a.len(), b.len()));
    }
    let changed = a.order().zip(b.order()).find(|&(x, y)| {
        a.node(x).path != b.node(y).path || a.operands(x) != b.operands(y) || !same(&a.node(x).op, &b.node(y).op)
    });
    changed.map(|(id, _)| format!("`{}` is made by it", a.node(id).path))
}

/// Whether two ops are the same at different sizes. What states a size outright may state another.
fn same(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Input(_), Op::Input(_)) | (Op::Reshape(_), Op::Reshape(_)) | (Op::Crop(_), Op::Crop(_)) => true,
        (Op::Upsample(x), Op::Upsample(y)) => x.mode == y.mode && discriminant(&x.size) == discriminant(&y.size),
        _ => a == b,
    }
}
