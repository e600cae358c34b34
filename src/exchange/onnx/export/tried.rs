//! One free size at every value that is tried: is the network the same, but for what `fit` cuts and pads?

use crate::analysis::sizes::{Rule, explore};
use crate::base::Diagnostic;
use crate::elaborate::{FreeSize, Network};
use crate::graph::{Graph, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// Elaborates the network at other sizes.
pub type Resize<'a> = &'a dyn Fn(&BTreeMap<String, usize>) -> Result<Network, Diagnostic>;

/// Places where `fit` cuts or pads: the merge's path and the operand's position.
pub type Fits = BTreeSet<(String, usize)>;

/// Sizes that an op states, and those of its operand after the batch.
pub type Sample = (Vec<usize>, Vec<usize>);

/// What was found out about one free size.
pub struct Tried {
    /// Its name.
    pub name: String,
    /// The values that are valid.
    pub rule: Rule,
    /// Why the network is another at some value.
    pub other: Option<String>,
    /// Everything that `fit` cuts or pads at some value.
    pub fits: Fits,
    /// The value nearest to the planned one at which it does so at most places.
    pub most: usize,
    /// What each op states at some value; what it states at several only once.
    pub stated: BTreeMap<String, BTreeSet<Sample>>,
}

/// Every network is taken to have so many layers at least, so that some hundred values are tried, of small ones no more.
const LAYERS: usize = 1568;

/// Values far from the planned one are so many times as large,
pub const TIMES: [usize; 4] = [2, 3, 4, 10];
/// and some around those at which programs like to decide.
const FAR: [usize; 5] = [511, 512, 1000, 1023, 2049];

impl Tried {
    /// Tries values of a size, the others being as planned: small ones, all around the planned one, and some far from it.
    pub fn of(size: &FreeSize, network: &Network, resize: Resize) -> Self {
        let mut trial = Trial {
            size,
            network,
            resize,
            other: None,
            fits: Fits::new(),
            most: (fitted(&network.graph).len(), size.default),
            stated: BTreeMap::new(),
        };
        let report = explore(size, &[], network.graph.len().max(LAYERS), |value| trial.at(value));
        let times = TIMES.iter().map(|times| size.default.saturating_mul(*times));
        for value in times.chain(FAR) {
            // Where it does not work there is nothing to compare.
            _ = trial.at(value);
        }
        let Trial { other, fits, most, stated, .. } = trial;
        let other = other.map(|(_, why)| why);
        Self { name: size.name.clone(), rule: report.rule, other, fits, most: most.1, stated }
    }
}

/// What is known of a size while it is tried.
struct Trial<'a> {
    size: &'a FreeSize,
    network: &'a Network,
    resize: Resize<'a>,
    /// How far from the planned value the network is another, and why.
    other: Option<(usize, String)>,
    fits: Fits,
    /// At how many places `fit` cuts or pads at most, and at which value.
    most: (usize, usize),
    stated: BTreeMap<String, BTreeSet<Sample>>,
}

impl Trial<'_> {
    /// Compares the network at a value with the planned one.
    fn at(&mut self, value: usize) -> Result<(), String> {
        let sizes = BTreeMap::from([(self.size.name.clone(), value)]);
        let found = (self.resize)(&sizes).map_err(|error| error.message)?;
        let far = value.abs_diff(self.size.default);
        if let Some(why) = differs(&self.network.graph, &found.graph) {
            if self.other.as_ref().is_none_or(|(nearest, _)| far < *nearest) {
                self.other = Some((far, why));
            }
            return Ok(());
        }
        let own = fitted(&found.graph);
        let (count, best) = self.most;
        if own.len() > count || (own.len() == count && far < best.abs_diff(self.size.default)) {
            self.most = (own.len(), value);
        }
        self.fits.extend(own);
        sample(&found.graph, &mut self.stated);
        Ok(())
    }
}

/// Where `fit` cuts or pads.
pub fn fitted(graph: &Graph) -> Fits {
    let fits = graph.order().filter(|&id| graph.node(id).op.is_fit());
    let read = fits.flat_map(|id| {
        let places = move |user: NodeId| {
            let operands = graph.operands(user).into_iter().enumerate();
            operands.filter(move |(_, operand)| *operand == id).map(move |(i, _)| (graph.node(user).path.clone(), i))
        };
        graph.users(id).into_iter().flat_map(places)
    });
    read.collect()
}

fn sample(graph: &Graph, into: &mut BTreeMap<String, BTreeSet<Sample>>) {
    for id in graph.order() {
        let node = graph.node(id);
        if let (Some(sizes), Some(operand)) = (node.op.nature().sizes, graph.operands(id).first()) {
            into.entry(node.path.clone()).or_default().insert((sizes.to_vec(), graph.shape(*operand).dims().to_vec()));
        }
    }
}

/// The nodes that are no fits, and the place among them of every value; a fit's is that of what it cuts or pads.
fn skeleton(graph: &Graph) -> (Vec<NodeId>, BTreeMap<NodeId, usize>) {
    let (mut nodes, mut places) = (Vec::new(), BTreeMap::new());
    for id in graph.order() {
        match graph.operands(id).first().filter(|_| graph.node(id).op.is_fit()).and_then(|of| places.get(of).copied()) {
            Some(place) => _ = places.insert(id, place),
            None => {
                places.insert(id, nodes.len());
                nodes.push(id);
            }
        }
    }
    (nodes, places)
}

/// Where two elaborations of one program compute differently, apart from fits.
pub fn differs(a: &Graph, b: &Graph) -> Option<String> {
    let ((nodes_a, at_a), (nodes_b, at_b)) = (skeleton(a), skeleton(b));
    if nodes_a.len() != nodes_b.len() {
        return Some(format!("it decides how many layers there are: {} or {}", nodes_a.len(), nodes_b.len()));
    }
    let reads = |graph: &Graph, at: &BTreeMap<NodeId, usize>, id| -> Vec<Option<usize>> {
        graph.operands(id).iter().map(|operand| at.get(operand).copied()).collect()
    };
    let changed = nodes_a.iter().zip(&nodes_b).find(|&(&x, &y)| {
        let sizes = |graph: &Graph, id| graph.params(id).into_iter().map(|spec| spec.dims).collect::<Vec<_>>();
        a.node(x).path != b.node(y).path
            || reads(a, &at_a, x) != reads(b, &at_b, y)
            || !a.node(x).op.same_but_sizes(&b.node(y).op)
            || sizes(a, x) != sizes(b, y)
    });
    changed.map(|(id, _)| format!("`{}` is made by it", a.node(*id).path))
}
