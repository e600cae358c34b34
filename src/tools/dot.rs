//! `archc graph --dot`: the graph for Graphviz, scopes as clusters, skips in their colours.

use super::picture::style;
use super::text::Ink;
use super::tree::{self, Item};
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId, SkipEdge, SkipLength};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The network in Graphviz's language. Every node is drawn; skips do not decide the ranks, so that the main
/// path runs straight down.
pub fn dot(network: &Network) -> String {
    let graph = &network.graph;
    let mut text = format!(
        "digraph {} {{\n  rankdir=TB; fontname=\"Helvetica\"; compound=true;\n  \
         node [shape=box, style=\"rounded,filled\", fillcolor=\"#f2f4f6\", color=\"#9aa5b1\", fontname=\"Helvetica\", fontsize=11];\n  \
         edge [color=\"#7b8794\", fontname=\"Helvetica\", fontsize=10];\n",
        quoted(&network.name)
    );
    items(graph, &tree::tree(graph), 1, &mut text);
    let skips: BTreeMap<NodeId, &SkipEdge> = graph.skips.iter().map(|skip| (skip.merge, skip)).collect();
    for id in graph.order().filter(|&id| !tree::is_fit(&graph.node(id).op)) {
        for (position, operand) in tree::operands(graph, id).into_iter().enumerate() {
            let skip = skips.get(&id).filter(|skip| skip.source_operand == position);
            edge(graph, operand, id, skip.copied(), &mut text);
        }
    }
    for output in &graph.outputs {
        let name = quoted(&format!("output {}", output.name));
        let _ = writeln!(text, "  {name} [label={}, shape=plaintext, style=\"\"];", quoted(&output.name));
        let _ = writeln!(text, "  {} -> {name};", quoted(&graph.node(output.node).path));
    }
    text + "}\n"
}

fn items(graph: &Graph, list: &[Item], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    for item in list {
        // Writing to a string cannot fail.
        let _ = match item {
            Item::Leaf(id) => writeln!(text, "{indent}{}", node(graph, *id)),
            Item::Group(group) => {
                let label = format!("{} {}", group.label, group.block);
                let name = quoted(&format!("cluster {}", group.path));
                let look = "style=\"rounded\"; color=\"#c9d1d9\"; fontsize=11;";
                let _ = writeln!(text, "{indent}subgraph {name} {{ label={}; {look}", quoted(label.trim()));
                items(graph, &group.items, depth + 1, text);
                writeln!(text, "{indent}}}")
            }
        };
    }
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
