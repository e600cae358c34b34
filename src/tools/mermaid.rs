//! `archc graph --mermaid`: the graph as a Mermaid flowchart, for Markdown pages that draw it. Scopes are subgraphs, skips have their
//! colours, dotted where long.

use super::folded::{Edge, Part, folded};
use super::picture::style;
use super::text::Ink;
use super::tree;
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId, SkipLength};
use std::fmt::Write;

/// Classes of boxes: the name, the fill and the border. Text is dark on all of them, on dark pages too.
const CLASSES: [(&str, &str, &str); 7] = [
    ("weights", "#e3edfb", "#9dbce8"),
    ("norm", "#eeeaf8", "#bfb2e2"),
    ("activation", "#fdf3d8", "#e3c56d"),
    ("pool", "#fbe6e1", "#e5a898"),
    ("resize", "#def3ec", "#8fcdb8"),
    ("port", "#ffffff", "#52606d"),
    ("other", "#f2f4f6", "#b8c1cb"),
];

/// The network in Mermaid's language. Blocks that repeat are drawn once with their count, unless `expand`.
pub fn mermaid(network: &Network, expand: bool) -> String {
    let graph = &network.graph;
    let drawing = folded(graph, expand);
    let title = network.name.replace('"', "'");
    let mut text = format!("---\ntitle: \"{title}\"\n---\nflowchart TB\n");
    let mut chart = Chart { graph, text: &mut text, scopes: 0 };
    chart.parts(&drawing.parts, 1);
    drawing.edges.iter().for_each(|edge| chart.edge(edge));
    for (i, (name, node)) in drawing.outputs.iter().enumerate() {
        let _ = writeln!(text, "  n{} --> out{i}([{}]):::port", node.index(), quoted(name));
    }
    write_looks(graph, &drawing.edges, &mut text);
    text
}

struct Chart<'a> {
    graph: &'a Graph,
    text: &'a mut String,
    scopes: usize,
}

impl Chart<'_> {
    fn parts(&mut self, parts: &[Part], depth: usize) {
        let indent = "  ".repeat(depth);
        for part in parts {
            // Writing to a string cannot fail.
            let _ = match part {
                Part::Node(id) => writeln!(self.text, "{indent}{}", node(self.graph, *id)),
                Part::Scope { title, parts, .. } => {
                    let _ = writeln!(self.text, "{indent}subgraph s{}[{}]", self.scopes, quoted(title));
                    self.scopes += 1;
                    self.parts(parts, depth + 1);
                    writeln!(self.text, "{indent}end")
                }
            };
        }
    }

    fn edge(&mut self, edge: &Edge) {
        let arrow = match edge.skip {
            Some(skip) if skip.length == SkipLength::Long => "-.->",
            _ => "-->",
        };
        let words = edge.skip.map_or(String::new(), |_| {
            let kind = self.graph.node(edge.to).op.layer().kind();
            format!("|{kind}|")
        });
        let _ = writeln!(self.text, "  n{} {arrow}{words} n{}", edge.from.index(), edge.to.index());
    }
}

fn node(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let layer = node.op.layer();
    let shape = node.shape.times().replace(' ', "");
    if tree::is_input(graph, id) {
        return format!("n{}([{}]):::port", id.index(), quoted(&format!("{} {shape}", node.path)));
    }
    let words = format!("{} {}", layer.kind(), layer.detail());
    let label = quoted(&format!("{}\n{shape}", words.trim_end()));
    let open = if style::ink(Ink::of_merge(&node.op)) == "line" { ["[", "]"] } else { ["((", "))"] };
    // A merge is a disc, and says its kind alone.
    let label = if open[0] == "((" { quoted(layer.kind()) } else { label };
    format!("n{}{}{label}{}:::{}", id.index(), open[0], open[1], style::layer(&node.op))
}

/// Colours of boxes, and of skips by the number of their link.
fn write_looks(graph: &Graph, edges: &[Edge], text: &mut String) {
    for (name, fill, border) in CLASSES {
        let _ = writeln!(text, "  classDef {name} fill:{fill},stroke:{border},color:#1f2933");
    }
    for ink in [Ink::Add, Ink::Concat, Ink::Mul, Ink::Gate] {
        let of_ink = |edge: &Edge| edge.skip.is_some() && Ink::of_merge(&graph.node(edge.to).op) == ink;
        let numbers = edges.iter().enumerate().filter(|(_, edge)| of_ink(edge)).map(|(i, _)| i.to_string());
        let numbers = numbers.collect::<Vec<_>>().join(",");
        if !numbers.is_empty() {
            let _ = writeln!(text, "  linkStyle {numbers} stroke:{},stroke-width:2px", style::color(ink));
        }
    }
}

/// A label as Mermaid reads it: nothing in it can end it, or be taken for Markdown or HTML.
fn quoted(text: &str) -> String {
    let sign = |c: char| match c {
        '"' => "#quot;".to_string(),
        '#' => "#35;".to_string(),
        '&' => "#amp;".to_string(),
        '<' => "#lt;".to_string(),
        '>' => "#gt;".to_string(),
        '`' => "#96;".to_string(),
        '\n' => "<br/>".to_string(),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(sign).collect::<String>())
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels_cannot_end_themselves() {
        assert_eq!(super::quoted("a\"<b>#\n`"), "\"a#quot;#lt;b#gt;#35;<br/>#96;\"");
    }
}
