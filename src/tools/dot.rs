//! `archc graph --dot`: the graph for Graphviz, scopes as clusters, skips in their colours.

use super::folded::{Edge, Part, folded};
use super::picture::style;
use super::text::Ink;
use super::tree;
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId, SkipLength};
use std::fmt::Write;

/// The network in Graphviz's language. Blocks that repeat are drawn once with their count, unless `expand`.
/// Skips do not decide the ranks, so that the main path runs straight down.
pub fn dot(network: &Network, expand: bool) -> String {
    let graph = &network.graph;
    let mut text = format!(
        "digraph {} {{\n  rankdir=TB; fontname=\"Helvetica\"; compound=true;\n  \
         node [shape=box, style=\"rounded,filled\", fillcolor=\"#f2f4f6\", color=\"#9aa5b1\", fontname=\"Helvetica\", fontsize=11];\n  \
         edge [color=\"#7b8794\", fontname=\"Helvetica\", fontsize=10];\n",
        quoted(&network.name)
    );
    let drawing = folded(graph, expand);
    write_parts(graph, &drawing.parts, 1, &mut text);
    drawing.edges.iter().for_each(|edge| write_edge(graph, edge, &mut text));
    for (name, node) in drawing.outputs {
        let output = quoted(&format!("output {name}"));
        let _ = writeln!(text, "  {output} [label={}, shape=plaintext, style=\"\"];", quoted(name));
        let _ = writeln!(text, "  {} -> {output};", quoted(&graph.node(node).path));
    }
    text + "}\n"
}

fn write_parts(graph: &Graph, parts: &[Part], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    for part in parts {
        // Writing to a string cannot fail.
        let _ = match part {
            Part::Node(id) => writeln!(text, "{indent}{}", node(graph, *id)),
            Part::Scope { path, title, parts } => {
                let (name, label) = (quoted(&format!("cluster {path}")), quoted(title));
                let look = "style=\"rounded\"; color=\"#c9d1d9\"; fontsize=11;";
                let _ = writeln!(text, "{indent}subgraph {name} {{ label={label}; {look}");
                write_parts(graph, parts, depth + 1, text);
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
    let fill = style::fill(&node.op);
    format!("{} [label={}, fillcolor=\"{fill}\"];", quoted(&node.path), quoted(&label.replace(" \n", "\n")))
}

fn write_edge(graph: &Graph, edge: &Edge, text: &mut String) {
    let (from, target) = (quoted(&graph.node(edge.from).path), quoted(&graph.node(edge.to).path));
    let look = edge.skip.map_or(String::new(), |skip| {
        let color = style::color(Ink::of_merge(&graph.node(edge.to).op));
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
