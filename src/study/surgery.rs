//! Networks with blocks taken out.

use crate::elaborate::Network;
use crate::graph::{Graph, Node, NodeId, SkipEdge};
use crate::ops::{Op, structure};
use std::collections::{BTreeMap, BTreeSet};

/// A node that gives way to one of the values before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The node.
    pub at: NodeId,
    /// What its readers read instead; it has the same shape.
    pub instead: NodeId,
}

/// A block that a skip bridges.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its path.
    pub name: String,
    /// What takes it out and leaves the skip.
    pub cut: Cut,
    /// Whether the skip carries its source as it is; otherwise sizes change in this block.
    pub identity: bool,
    /// The paths of the nodes that the skip goes round.
    pub body: BTreeSet<String>,
    /// The path of the body's last node.
    pub result: String,
}

/// The blocks that can be taken out: those whose skip has the shape of their merge, as those of `add` and `gate` have.
pub fn blocks(graph: &Graph) -> Vec<Block> {
    let mut names = BTreeSet::new();
    graph.skips.iter().filter_map(|skip| block(graph, skip, &mut names)).collect()
}

fn block(graph: &Graph, skip: &SkipEdge, names: &mut BTreeSet<String>) -> Option<Block> {
    let merge = graph.node(skip.merge);
    let instead = graph.operands(skip.merge).get(skip.source_operand).copied()?;
    if matches!(merge.op, Op::Concat(_)) || graph.shape(instead) != &merge.shape {
        return None;
    }
    let scope = merge.path.rsplit_once('.').map_or(merge.path.as_str(), |(scope, _)| scope);
    let name = if names.contains(scope) { merge.path.clone() } else { scope.to_string() };
    names.insert(name.clone());
    let body = between(graph, skip.source, skip.result);
    let result = graph.node(skip.result).path.clone();
    Some(Block { name, cut: Cut { at: skip.merge, instead }, identity: instead == skip.source, body, result })
}

/// The paths of what lies between two values, the later included.
fn between(graph: &Graph, source: NodeId, result: NodeId) -> BTreeSet<String> {
    let (mut paths, mut open) = (BTreeSet::new(), vec![result]);
    while let Some(id) = open.pop().filter(|_| paths.len() <= graph.len()) {
        // What comes before the source is none of the block's.
        if id > source && paths.insert(graph.node(id).path.clone()) {
            open.extend(graph.operands(id));
        }
    }
    paths
}

/// In a plain twin, what takes out the layers of a block; `None` where its ends have different shapes.
pub fn plain_cut(graph: &Graph, block: &Block) -> Option<Cut> {
    let at = graph.order().find(|&id| graph.node(id).path == block.result)?;
    let mut instead = at;
    while block.body.contains(&graph.node(instead).path) {
        instead = graph.operands(instead).first().copied()?;
    }
    (graph.shape(instead) == graph.shape(at)).then_some(Cut { at, instead })
}

/// The network with these cuts made; what nothing reads any more is left out.
pub fn without(network: &Network, cuts: &[Cut]) -> Network {
    let graph = &network.graph;
    let cut: BTreeMap<NodeId, NodeId> = cuts.iter().map(|cut| (cut.at, cut.instead)).collect();
    let operands = |id: NodeId| cut.get(&id).map_or_else(|| graph.operands(id), |&instead| vec![instead]);
    let mut wanted: BTreeSet<NodeId> = graph.inputs.iter().copied().collect();
    let mut open: Vec<NodeId> = graph.outputs.iter().map(|output| output.node).collect();
    while let Some(id) = open.pop() {
        if wanted.insert(id) {
            open.extend(operands(id));
        }
    }
    let mut left = Graph::default();
    left.scopes = graph.scopes.clone();
    let mut moved: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for id in graph.order().filter(|id| wanted.contains(id)) {
        let node = graph.node(id).clone();
        let op = if cut.contains_key(&id) { structure::Identity {}.into() } else { node.op };
        let read: Vec<NodeId> = operands(id).iter().filter_map(|operand| moved.get(operand).copied()).collect();
        moved.insert(id, left.add(Node { op, ..node }, &read));
    }
    let place = |id: &NodeId| moved.get(id).copied();
    left.inputs = graph.inputs.iter().filter_map(place).collect();
    left.outputs = graph.outputs.clone();
    for output in &mut left.outputs {
        output.node = place(&output.node).unwrap_or(output.node);
    }
    Network { graph: left, ..network.clone() }
}
