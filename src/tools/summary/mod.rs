//! `archc summary`: what a network is made of, as data. [`table`] makes it text.

pub mod rows;
pub mod table;

use super::tree::{self, ValueNames};
use crate::analysis::cost::{self, Cost, NodeCost};
use crate::analysis::field::{self, ReceptiveField};
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId, SkipEdge, SkipLength};
use crate::shape::Shape;
use serde::Serialize;

pub use table::render;

/// A network in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The model's name.
    pub model: String,
    /// Its inputs with their sizes for one sample.
    pub inputs: Vec<Port>,
    /// Its outputs.
    pub outputs: Vec<Port>,
    /// Parameters (trainable), buffers, multiply-accumulates and bytes; activations for one sample.
    #[serde(flatten)]
    pub cost: Cost,
    /// Layers in the order of the file, inputs left out.
    pub layers: Vec<LayerRow>,
    /// Skip edges, in order of their merges.
    pub skips: Vec<SkipRow>,
}

/// An input or an output.
#[derive(Clone, Debug, Serialize)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its sizes after the batch.
    pub shape: Shape,
}

/// One layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerRow {
    /// Its dotted path.
    pub path: String,
    /// The word in the language, or the merge's name.
    pub kind: &'static str,
    /// The arguments that matter: `3×3 /2`.
    pub detail: String,
    /// Paths of what it reads.
    pub from: Vec<String>,
    /// The sizes of its value after the batch.
    pub output: Shape,
    /// What it costs for one sample.
    #[serde(flatten)]
    pub cost: NodeCost,
    /// What it sees of the input.
    pub field: ReceptiveField,
}

/// One skip edge.
#[derive(Clone, Debug, Serialize)]
pub struct SkipRow {
    /// `add`, `concat`, `mul` or `gate`.
    pub kind: &'static str,
    /// Short or long.
    pub length: SkipLength,
    /// The skipped value, by the name a reader knows it by.
    pub from: String,
    /// The path of the merge.
    pub to: String,
    /// How the skipped value is transformed.
    pub via: Option<String>,
}

/// The summary of a network.
pub fn summarize(network: &Network) -> Summary {
    let graph = &network.graph;
    let fields = field::receptive_fields(graph);
    let names = ValueNames::new(graph);
    let layers = graph.order().filter(|&id| !tree::is_input(graph, id));
    Summary {
        model: network.name.clone(),
        inputs: graph.inputs.iter().map(|&id| port(graph, &graph.node(id).path, id)).collect(),
        outputs: graph.outputs.iter().map(|output| port(graph, &output.name, output.node)).collect(),
        cost: cost::cost(graph),
        layers: layers.map(|id| layer_row(graph, id, fields[&id].clone())).collect(),
        skips: graph.skips.iter().map(|skip| skip_row(graph, &names, skip)).collect(),
    }
}

fn port(graph: &Graph, name: &str, id: NodeId) -> Port {
    Port { name: name.into(), shape: graph.shape(id).clone() }
}

fn layer_row(graph: &Graph, id: NodeId, field: ReceptiveField) -> LayerRow {
    let layer = graph.node(id).op.layer();
    LayerRow {
        path: graph.node(id).path.clone(),
        kind: layer.kind(),
        detail: layer.detail(),
        from: graph.operands(id).into_iter().map(|operand| graph.node(operand).path.clone()).collect(),
        output: graph.shape(id).clone(),
        cost: cost::node_cost(graph, id),
        field,
    }
}

fn skip_row(graph: &Graph, names: &ValueNames, skip: &SkipEdge) -> SkipRow {
    let merge = graph.node(skip.merge);
    SkipRow {
        kind: merge.op.layer().kind(),
        length: skip.length,
        from: names.name(skip.source, skip.merge).into(),
        to: merge.path.clone(),
        via: skip.via.clone(),
    }
}

impl Summary {
    /// `16 add (3 via project), all short`; `no skips` where there are none.
    pub fn skips_in_words(&self) -> String {
        let mut kinds: Vec<&str> = Vec::new();
        self.skips.iter().for_each(|skip| {
            if !kinds.contains(&skip.kind) {
                kinds.push(skip.kind);
            }
        });
        let words: Vec<String> = kinds.iter().map(|kind| self.kind_in_words(kind)).collect();
        let long = self.skips.iter().filter(|skip| skip.length == SkipLength::Long).count();
        let lengths = match (self.skips.len() - long, long) {
            (0, 0) => return "no skips".into(),
            (_, 0) => "all short".into(),
            (0, _) => "all long".into(),
            (short, long) => format!("{short} short, {long} long"),
        };
        format!("{}, {lengths}", words.join(", "))
    }

    fn kind_in_words(&self, kind: &str) -> String {
        let of_kind = || self.skips.iter().filter(|skip| skip.kind == kind);
        let mut vias: Vec<(&str, usize)> = Vec::new();
        for via in of_kind().filter_map(|skip| skip.via.as_deref()) {
            match vias.iter_mut().find(|(name, _)| *name == via) {
                Some((_, count)) => *count += 1,
                None => vias.push((via, 1)),
            }
        }
        let vias: Vec<String> = vias.iter().map(|(via, count)| format!("{count} via {via}")).collect();
        let via = if vias.is_empty() { String::new() } else { format!(" ({})", vias.join(", ")) };
        format!("{} {kind}{via}", of_kind().count())
    }
}
