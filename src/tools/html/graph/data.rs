//! The network as the page's scripts read it: nodes, how they nest, and the edges beside the line.
//!
//! Names are short, since a network has hundreds of nodes: the page of ResNet-152 stays small. The script `web/layout.js` says what it
//! does with each.

use crate::analysis::cost;
use crate::analysis::field::{self, ReceptiveField};
use crate::base::SourceMap;
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId, SkipLength};
use crate::tools::picture::measure;
use crate::tools::picture::model::{Arc, Elem, Frame, Model, Repeats, Role, Seq, model};
use crate::tools::picture::style;
use crate::tools::tree::{self, ValueNames};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A node.
#[derive(Debug, Serialize)]
struct NodeRow {
    /// Its dotted path.
    path: String,
    /// The word in the language, or the merge's name.
    kind: &'static str,
    /// The arguments that matter: `3×3 /2`.
    detail: String,
    /// What its box says.
    caption: String,
    /// The class of its box, or the colour of a merge.
    look: &'static str,
    /// The sizes of its value.
    shape: String,
    /// Whether they differ from those of what it reads.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    changes: bool,
    #[serde(skip_serializing_if = "is_zero")]
    params: u64,
    #[serde(skip_serializing_if = "is_zero")]
    macs: u64,
    /// What it sees of the input.
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
    /// Parameters and buffers: names and sizes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weights: Vec<(&'static str, String)>,
    /// What it reads, by the names a reader knows, and the nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reads: Vec<(String, usize)>,
    /// Where it was written: a file, by number, and a line.
    at: (u32, usize),
    /// The output's name, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The network: `nodes` by number (`null` where the drawing has none), `root`, `arcs`, `files`.
pub fn data(network: &Network, sources: &SourceMap) -> Value {
    let graph = &network.graph;
    let model = model(graph, Repeats::Within);
    let nodes = Nodes { graph, sources, names: ValueNames::new(graph), fields: field::receptive_fields(graph) };
    let count = graph.order().next_back().map_or(0, |last| last.index() + 1);
    let mut rows: Vec<Option<NodeRow>> = (0..count).map(|_| None).collect();
    for id in graph.order().filter(|&id| !graph.node(id).op.is_fit()) {
        rows[id.index()] = Some(nodes.row(id));
    }
    json!({ "nodes": rows, "root": seq(&model.root), "arcs": arcs(&model), "files": files(&rows, sources) })
}

struct Nodes<'a> {
    graph: &'a Graph,
    sources: &'a SourceMap,
    names: ValueNames<'a>,
    fields: BTreeMap<NodeId, ReceptiveField>,
}

impl Nodes<'_> {
    fn row(&self, id: NodeId) -> NodeRow {
        let graph = self.graph;
        let node = graph.node(id);
        let layer = node.op.layer();
        let cost = cost::node_cost(graph, id);
        let sizes = |dims: &[usize]| dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        let weights = graph.params(id).iter().map(|param| (param.name, sizes(&param.dims))).collect();
        let reads = tree::operands(graph, id).into_iter();
        let merge = style::ink(crate::tools::text::Ink::of_merge(&node.op));
        let is_merge = merge != "line";
        NodeRow {
            path: node.path.clone(),
            kind: layer.kind(),
            detail: layer.detail(),
            caption: if is_merge { measure::merge_text(graph, id) } else { measure::caption(graph, id) },
            look: if is_merge { merge } else { measure::layer_class(graph, id) },
            shape: node.shape.times().replace(' ', ""),
            changes: measure::shape_text(graph, id).is_some(),
            params: cost.parameters,
            macs: cost.macs,
            field: self.fields[&id].to_string(),
            weights,
            reads: reads.map(|read| (self.names.name(read, id).to_string(), read.index())).collect(),
            at: (node.span.file.0, self.sources.line(node.span)),
            output: graph.outputs.iter().find(|output| output.node == id).map(|output| output.name.clone()),
        }
    }
}

/// A sequence: the value that comes `in`, its `elems`, and which of them read the one above (`linked`).
fn seq(seq: &Seq) -> Value {
    let elems: Vec<Value> = seq.elems.iter().map(elem).collect();
    json!({ "in": seq.entry.map(NodeId::index), "elems": elems, "linked": seq.linked })
}

fn elem(elem: &Elem) -> Value {
    match elem {
        Elem::Layer(id) => json!({ "layer": id.index() }),
        Elem::Merge(id) => json!({ "merge": id.index() }),
        Elem::Frame(frame) => json!({ "frame": head(frame), "body": seq(&frame.body) }),
        Elem::Split(columns) => {
            let column = |role: Role, line: &Seq| {
                let (word, ink, long) = match role {
                    Role::Main => ("main", "line", false),
                    Role::Path => ("path", "line", false),
                    Role::By => ("by", "line", false),
                    Role::Via(ink, length) => ("via", style::ink(ink), length == SkipLength::Long),
                };
                json!({ "role": word, "ink": ink, "long": long, "body": seq(line) })
            };
            json!({ "split": columns.iter().map(|c| column(c.role, &c.seq)).collect::<Vec<_>>() })
        }
    }
}

/// What a frame is called, and how many scopes it stands for.
fn head(frame: &Frame) -> Value {
    json!({
        "label": frame.label, "block": frame.block, "args": frame.args, "path": frame.path,
        "times": frame.times, "growing": frame.growing,
    })
}

fn arcs(model: &Model) -> Vec<Value> {
    let arc = |arc: &Arc| {
        let long = arc.length == SkipLength::Long;
        json!({ "from": arc.source.index(), "to": arc.target.index(), "ink": style::ink(arc.ink), "long": long, "note": arc.note })
    };
    model.arcs.iter().map(arc).collect()
}

/// The files that nodes were written in: names, and the lines that are pointed at.
fn files(rows: &[Option<NodeRow>], sources: &SourceMap) -> Vec<Value> {
    let mut lines: Vec<BTreeMap<usize, &str>> = vec![BTreeMap::new(); sources.files().len()];
    for (file, line) in rows.iter().flatten().map(|row| row.at) {
        let text = sources.files().get(file as usize).and_then(|source| source.text.lines().nth(line - 1));
        if let (Some(text), Some(lines)) = (text, lines.get_mut(file as usize)) {
            lines.insert(line, text.trim());
        }
    }
    let file = |(source, lines): (&crate::base::SourceFile, _)| json!({ "name": source.name, "lines": lines });
    sources.files().iter().zip(&lines).map(file).collect()
}
