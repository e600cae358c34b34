//! `archc graph --dot`: the graph for Graphviz, scopes as clusters, skips in their colours.

use super::picture::style;
use super::text::Ink;
use super::tree::{self, Item};
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId, SkipEdge, SkipLength};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The network in Graphviz's language. Blocks that repeat are drawn once with their count, unless `expand`.
/// Skips do not decide the ranks, so that the main path runs straight down.
pub fn dot(network: &Network, expand: bool) -> String {
    let graph = &network.graph;
    let text = format!(
        "digraph {} {{\n  rankdir=TB; fontname=\"Helvetica\"; compound=true;\n  \
         node [shape=box, style=\"rounded,filled\", fillcolor=\"#f2f4f6\", color=\"#9aa5b1\", fontname=\"Helvetica\", fontsize=11];\n  \
         edge [color=\"#7b8794\", fontname=\"Helvetica\", fontsize=10];\n",
        quoted(&network.name)
    );
    let mut drawing = Drawing { graph, expand, twins: BTreeMap::new(), text };
    drawing.items(&tree::tree(graph), 1);
    drawing.edges();
    let Drawing { twins, mut text, .. } = drawing;
    for output in &graph.outputs {
        let name = quoted(&format!("output {}", output.name));
        let _ = writeln!(text, "  {name} [label={}, shape=plaintext, style=\"\"];", quoted(&output.name));
        let node = first_twin(&twins, output.node);
        let _ = writeln!(text, "  {} -> {name};", quoted(&graph.node(node).path));
    }
    text + "}\n"
}

struct Drawing<'g> {
    graph: &'g Graph,
    expand: bool,
    /// For nodes of repeats that are not drawn: the same node of the first.
    twins: BTreeMap<NodeId, NodeId>,
    text: String,
}

impl Drawing<'_> {
    fn items(&mut self, list: &[Item], depth: usize) {
        let indent = "  ".repeat(depth);
        let mut rest = list;
        while let Some(item) = rest.first() {
            let run = rest.iter().take_while(|other| !self.expand && item.repeats(other)).count().max(1);
            for twin in &rest[1..run] {
                self.twins.extend(twin.nodes().into_iter().zip(item.nodes()));
            }
            // Writing to a string cannot fail.
            let _ = match item {
                Item::Leaf(id) => writeln!(self.text, "{indent}{}", node(self.graph, *id)),
                Item::Group(group) => {
                    let times = if run > 1 { format!(" ×{run}") } else { String::new() };
                    let label = quoted(format!("{} {}{times}", group.label, group.block).trim());
                    let name = quoted(&format!("cluster {}", group.path));
                    let look = "style=\"rounded\"; color=\"#c9d1d9\"; fontsize=11;";
                    let _ = writeln!(self.text, "{indent}subgraph {name} {{ label={label}; {look}");
                    self.items(&group.items, depth + 1);
                    writeln!(self.text, "{indent}}}")
                }
            };
            rest = &rest[run..];
        }
    }

    fn edges(&mut self) {
        let graph = self.graph;
        let skips: BTreeMap<NodeId, &SkipEdge> = graph.skips.iter().map(|skip| (skip.merge, skip)).collect();
        let drawn = |id: &NodeId| !tree::is_fit(&graph.node(*id).op) && !self.twins.contains_key(id);
        for id in graph.order().filter(drawn) {
            for (position, operand) in tree::operands(graph, id).into_iter().enumerate() {
                let skip = skips.get(&id).filter(|skip| skip.source_operand == position);
                let from = first_twin(&self.twins, operand);
                edge(graph, from, id, skip.copied(), &mut self.text);
            }
        }
    }
}

/// The node that is drawn for one of a repeat, which may stand in a repeat itself.
fn first_twin(twins: &BTreeMap<NodeId, NodeId>, mut id: NodeId) -> NodeId {
    while let Some(&twin) = twins.get(&id) {
        id = twin;
    }
    id
}

fn node(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let layer = node.op.layer();
    let label = match tree::is_input(graph, id) {
        true => format!("{}\n{}", node.path, node.shape),
        false => format!("{} {}\n{}", layer.kind(), layer.detail(), node.shape),
    };
    let fill = style::fill(layer.kind());
    format!("{} [label={}, fillcolor=\"{fill}\"];", quoted(&node.path), quoted(&label.replace(" \n", "\n")))
}

fn edge(graph: &Graph, from: NodeId, to: NodeId, skip: Option<&SkipEdge>, text: &mut String) {
    let (from, target) = (quoted(&graph.node(from).path), quoted(&graph.node(to).path));
    let look = skip.map_or(String::new(), |skip| {
        let color = style::color(Ink::of_merge(&graph.node(to).op));
        let dashed = if skip.length == SkipLength::Long { ", style=dashed" } else { "" };
        format!(" [color=\"{color}\", penwidth=1.6{dashed}, constraint=false]")
    });
    let _ = writeln!(text, "  {from} -> {target}{look};");
}

/// A text as Graphviz reads it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_cannot_end_a_name() {
        assert_eq!(super::quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c\\nd\"");
    }
}
