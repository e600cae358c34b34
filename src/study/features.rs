//! How much each layer's weights read of each earlier layer (Huang et al. 2016, "Densely Connected Convolutional Networks", figure 5).
//!
//! Where a layer reads what a `concat` joined, its input channels come from several sources: the layers that made them, seen
//! through norms, activations and pools, which keep channels apart. Measured is the mean magnitude of the weights that read
//! each source.

use super::context::{Outcome, StudyContext};
use super::report::{Report, Table, mean, six};
use super::runs::{Given, Measurable, weights};
use super::subject::{Case, Subject};
use crate::base::{Diagnostic, codes};
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId};
use crate::lower::{ParamStore, Result};
use crate::ops::{Channels, Op};
use crate::tools::chart::{Axis, Body, Figure, Heat, Panel};
use crate::train::data::Split;
use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The network.
    pub case: Case,
    /// Its weights; without, it is trained first.
    pub weights: Option<Given>,
}

/// A layer that reads several others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reader {
    /// Its path.
    pub layer: String,
    /// What it reads, in the order of its channels: the source's path, its channels, and the mean magnitude of the weights.
    pub sources: Vec<(String, usize, f64)>,
}

/// Some channels that come from one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// The layer that made them.
    pub source: NodeId,
    /// How many there are.
    pub channels: usize,
}

/// For every node, which layers its channels come from.
pub fn sources(graph: &Graph) -> BTreeMap<NodeId, Vec<Segment>> {
    let mut all: BTreeMap<NodeId, Vec<Segment>> = BTreeMap::new();
    for id in graph.order() {
        let operands = graph.operands(id);
        let channels = graph.shape(id).channels().unwrap_or(0);
        let first = operands.first().and_then(|operand| all.get(operand));
        let kept = first.filter(|list| list.iter().map(|s| s.channels).sum::<usize>() == channels);
        let op = &graph.node(id).op;
        let keeps = operands.len() == 1 && op.nature().channels == Channels::Kept;
        let segments = match matches!(op, Op::Concat(_)) {
            true => operands.iter().filter_map(|operand| all.get(operand)).flatten().cloned().collect(),
            false => kept.filter(|_| keeps).cloned().unwrap_or_else(|| own(id, channels)),
        };
        all.insert(id, segments);
    }
    all
}

fn own(source: NodeId, channels: usize) -> Vec<Segment> {
    vec![Segment { source, channels }]
}

/// The layers that read several others, with the sources of their input channels.
fn reading(graph: &Graph) -> Vec<(NodeId, Vec<Segment>)> {
    let sources = sources(graph);
    let several = |&id: &NodeId| {
        let node = graph.node(id);
        let whole = matches!(&node.op, Op::Conv(conv) if conv.groups == 1) || matches!(node.op, Op::Linear(_));
        let read = graph.operands(id).first().and_then(|operand| sources.get(operand));
        let read = read.filter(|list| whole && list.len() > 1)?;
        Some((id, read.clone()))
    };
    graph.order().filter_map(|id| several(&id)).collect()
}

/// What the layers that read several others read of each.
///
/// # Errors
/// Where the device fails.
pub fn readers(graph: &Graph, store: &ParamStore) -> Result<Vec<Reader>> {
    let mut found = Vec::new();
    for (id, segments) in reading(graph) {
        let node = graph.node(id);
        let Some(entry) = store.get(&format!("{}.weight", node.path)) else { continue };
        let weights = entry.var.as_detached_tensor().to_dtype(DType::F64)?.abs()?;
        let (mut at, mut list) = (0, Vec::new());
        for segment in segments {
            let part = weights.narrow(1, at, segment.channels)?.mean_all()?.to_scalar::<f64>()?;
            list.push((graph.node(segment.source).path.clone(), segment.channels, part));
            at += segment.channels;
        }
        found.push(Reader { layer: node.path.clone(), sources: list });
    }
    Ok(found)
}

/// Whether there is something to see.
///
/// # Errors
/// `E0930` where no layer reads several others.
pub fn check(network: &Network) -> std::result::Result<(), Diagnostic> {
    if reading(&network.graph).is_empty() { Err(no_concat(&network.name)) } else { Ok(()) }
}

/// Reads the weights, and draws them.
///
/// # Errors
/// As [`check`]; where it is stopped, or weights do not fit.
pub fn run(
    subject: &Subject,
    question: &Question,
    data: &Split,
    device: &Device,
    context: &mut StudyContext,
) -> Outcome<Report> {
    let case = &question.case;
    check(&case.network)?;
    context.expect(1 + usize::from(question.weights.is_none()));
    let file = weights(subject, case, data, question.weights.as_ref(), device, context)?;
    let read: Vec<Reader> = context.part("weights", "reading the weights", |_, _| {
        let measured = Measurable::new(case, &file.file, device)?;
        Ok(readers(&case.network.graph, &measured.store)?)
    })?;
    Ok(report(subject, case, &read))
}

fn no_concat(model: &str) -> Diagnostic {
    let message =
        format!("no layer of `{model}` reads several earlier ones: nothing joins channels by `concat` before it");
    Diagnostic::new(codes::STUDY_UNFIT, message)
        .help("dense networks do, `archc study features examples/dense_digits.arch`, and U-Nets:  skip concat { … }")
}

/// Readers whose first source is the same: a dense block with what reads its end.
fn groups(read: &[Reader]) -> Vec<Vec<&Reader>> {
    let mut groups: Vec<Vec<&Reader>> = Vec::new();
    for reader in read {
        let first = |r: &Reader| r.sources.first().map(|s| s.0.clone());
        match groups.iter_mut().find(|group| group.first().map(|r| first(r)) == Some(first(reader))) {
            Some(group) => group.push(reader),
            None => groups.push(vec![reader]),
        }
    }
    groups
}

fn report(subject: &Subject, case: &Case, read: &[Reader]) -> Report {
    let groups = groups(read);
    let columns = groups.len().min(3);
    let figure = Figure {
        title: "Which earlier layers a layer reads".into(),
        subtitle: subject.line(case.recipe.seed),
        panels: groups.iter().enumerate().map(|(i, group)| panel(group, i)).collect(),
        columns,
        size: if columns == 1 { (620.0, 460.0) } else { (430.0, 400.0) },
        note: "Mean magnitude of the weights between a source's channels (columns) and a layer (rows), as a share of the layer's strongest: \
               1 is the source that it reads most. Rows follow each other as in the network, the first source is the block's input."
            .into(),
    };
    let (text, findings) = findings(case, read, &groups);
    Report { table: table(read), figure, findings, text }
}

/// The share of each source, the strongest being 1.
fn shares(reader: &Reader) -> Vec<f64> {
    let most = reader.sources.iter().map(|s| s.2).fold(0.0, f64::max);
    reader.sources.iter().map(|s| if most > 0.0 { s.2 / most } else { 0.0 }).collect()
}

fn panel(group: &[&Reader], index: usize) -> Panel {
    let longest = group.iter().max_by_key(|r| r.sources.len());
    let names: Vec<&str> = longest.into_iter().flat_map(|r| r.sources.iter().map(|s| s.0.as_str())).collect();
    let values = group.iter().map(|reader| {
        let shares = shares(reader);
        names.iter().map(|name| reader.sources.iter().position(|s| s.0 == *name).map(|i| shares[i])).collect()
    });
    let heat = Heat {
        columns: names.iter().map(|name| short(name)).collect(),
        rows: group.iter().map(|reader| short(&reader.layer)).collect(),
        values: values.collect(),
        label: "mean |weight|, the row's most = 1".into(),
        range: Some((0.0, 1.0)),
    };
    let x = Axis::new("reads from");
    Panel {
        title: format!("block {}", index + 1),
        x,
        y: Axis::new(if index == 0 { "layer" } else { "" }),
        body: Body::Heat(heat),
    }
}

/// The last parts of a path that fit: `block1.layer3.conv` is `layer3.conv`.
fn short(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let kept = parts.len().saturating_sub(2);
    parts[kept..].join(".")
}

fn table(read: &[Reader]) -> Table {
    let mut table = Table::new(&["layer", "source", "channels", "mean_abs_weight", "share"]);
    for reader in read {
        for ((source, channels, value), share) in reader.sources.iter().zip(shares(reader)) {
            table.add(vec![reader.layer.clone(), source.clone(), channels.to_string(), six(*value), six(share)]);
        }
    }
    table
}

/// A source counts as read where its weights are at least this share of the layer's strongest.
const READ: f64 = 0.25;

fn findings(case: &Case, read: &[Reader], groups: &[Vec<&Reader>]) -> (String, serde_json::Value) {
    // Of layers that read at least three sources: the one right before, and all those further back.
    let deep: Vec<&Reader> = read.iter().filter(|r| r.sources.len() > 2).collect();
    let near = mean(deep.iter().filter_map(|r| shares(r).last().copied()));
    let far = mean(deep.iter().flat_map(|r| shares(r).into_iter().rev().skip(1).collect::<Vec<_>>()));
    let used = mean(deep.iter().flat_map(|r| shares(r)).map(|s| f64::from(u8::from(s >= READ))));
    let mut lines = vec![format!("{} layers in {} blocks read several earlier ones.", read.len(), groups.len())];
    let ends: Vec<End> = groups.iter().filter_map(|group| end(group)).collect();
    if !deep.is_empty() {
        lines.push(format!(
            "Weights that read the layer right before are {near:.2} of a layer's strongest on average, those that read earlier layers {far:.2}: \
             {:.0} % of all connections are at least a quarter as strong as the strongest of their layer.",
            100.0 * used
        ));
        lines.extend(ends.iter().map(|end| {
            format!(
                "At the end of a block, `{}` reads {} of its {} sources that strongly: the earlier half at {:.2} on average, the later at {:.2}.",
                end.layer, end.read, end.sources, end.early, end.late
            )
        }));
    }
    lines.push(format!("Seed {}.", case.recipe.seed));
    let json = json!({
        "seed": case.recipe.seed, "layers": read.len(), "blocks": groups.len(), "near": near, "far": far, "used": used, "ends": ends,
    });
    (lines.join("\n"), json)
}

/// What the reader of a whole block reads of it.
#[derive(Debug, Serialize)]
struct End {
    layer: String,
    sources: usize,
    /// Sources that are read at least a quarter as strongly as the strongest.
    read: usize,
    /// The mean share of the earlier half of the sources.
    early: f64,
    /// The mean share of the later half.
    late: f64,
}

/// The last layer of a block that reads at least three sources.
fn end(group: &[&Reader]) -> Option<End> {
    let reader = group.last().filter(|reader| reader.sources.len() > 2)?;
    let shares = shares(reader);
    let half = shares.len() / 2;
    let read = shares.iter().filter(|share| **share >= READ).count();
    let (early, late) = (mean(shares.iter().copied().take(half)), mean(shares.iter().copied().rev().take(half)));
    Some(End { layer: reader.layer.clone(), sources: shares.len(), read, early, late })
}
