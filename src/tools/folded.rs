//! A network as nested scopes and edges between them, repeats once: what the languages of graph drawing programs want.

use super::tree::{self, Group, Item};
use crate::graph::{Graph, NodeId, SkipEdge};
use std::collections::BTreeMap;

/// A network before it is written in some language.
pub struct Folded<'g> {
    /// Nodes and scopes, in evaluation order.
    pub parts: Vec<Part>,
    /// Edges between the nodes that are drawn, in order of their targets.
    pub edges: Vec<Edge<'g>>,
    /// Outputs: their names, and the nodes that are drawn for them.
    pub outputs: Vec<(&'g str, NodeId)>,
}

/// A node, or a scope with what stands in it.
pub enum Part {
    /// A node.
    Node(NodeId),
    /// A scope.
    Scope {
        /// Its dotted path.
        path: String,
        /// `layer1 Stage`, `1–2 Bottleneck ×2`.
        title: String,
        /// What stands in it; in the first of several.
        parts: Vec<Part>,
    },
}

/// An edge.
pub struct Edge<'g> {
    /// The value's node.
    pub from: NodeId,
    /// The reader.
    pub to: NodeId,
    /// The skip that it belongs to.
    pub skip: Option<&'g SkipEdge>,
}

/// The network's scopes and edges. Blocks that repeat are there once with their count, unless `expand`.
pub fn folded(graph: &Graph, expand: bool) -> Folded<'_> {
    let mut twins = BTreeMap::new();
    let parts = parts(graph, &tree::tree(graph), expand, &mut twins);
    let outputs = graph.outputs.iter().map(|output| (output.name.as_str(), first_twin(&twins, output.node)));
    Folded { parts, edges: edges(graph, &twins), outputs: outputs.collect() }
}

/// The parts; notes in `twins` for each node of a repeat that is not drawn the same node of the first.
fn parts(graph: &Graph, items: &[Item], expand: bool, twins: &mut BTreeMap<NodeId, NodeId>) -> Vec<Part> {
    let mut found = Vec::new();
    let mut rest = items;
    while let Some(item) = rest.first() {
        let run = rest.iter().take_while(|other| !expand && tree::alike(graph, item, other)).count().max(1);
        for twin in &rest[1..run] {
            twins.extend(twin.nodes().into_iter().zip(item.nodes()));
        }
        found.push(match item {
            Item::Leaf(id) => Part::Node(*id),
            Item::Group(group) => {
                let parts = parts(graph, &group.items, expand, twins);
                Part::Scope { path: group.path.clone(), title: title(group, &rest[..run]), parts }
            }
        });
        rest = &rest[run..];
    }
    found
}

fn title(group: &Group, run: &[Item]) -> String {
    let last = run.last().and_then(Item::group).map_or(group.label.as_str(), |last| last.label.as_str());
    let label = tree::span_of_labels(&group.label, last);
    let growing = if run.iter().all(|item| item.repeats(&run[0])) { "" } else { ", first shown" };
    let times = if run.len() > 1 { format!(" ×{}{growing}", run.len()) } else { String::new() };
    format!("{label} {}{times}", group.block).trim().to_string()
}

fn edges<'g>(graph: &'g Graph, twins: &BTreeMap<NodeId, NodeId>) -> Vec<Edge<'g>> {
    let skips: BTreeMap<NodeId, &SkipEdge> = graph.skips.iter().map(|skip| (skip.merge, skip)).collect();
    let drawn = |id: &NodeId| !graph.node(*id).op.is_fit() && !twins.contains_key(id);
    let mut edges = Vec::new();
    for to in graph.order().filter(drawn) {
        for (position, operand) in tree::operands(graph, to).into_iter().enumerate() {
            let skip = skips.get(&to).filter(|skip| skip.source_operand == position).copied();
            edges.push(Edge { from: first_twin(twins, operand), to, skip });
        }
    }
    edges
}

/// The node that is drawn for one of a repeat, which may stand in a repeat itself.
fn first_twin(twins: &BTreeMap<NodeId, NodeId>, mut id: NodeId) -> NodeId {
    while let Some(&twin) = twins.get(&id) {
        id = twin;
    }
    id
}
