//! How each skip edge is written: what is current where it stands, and which nodes its `via` and `by` hold.

use crate::graph::{Graph, NodeId, SkipEdge, SkipLength};
use crate::ops::Op;
use crate::ops::conv::Conv;
use crate::ops::norm::BatchNorm;
use std::collections::BTreeMap;
use std::ops::Range;

/// A skip edge in words. Positions are those of [`Line`].
pub(super) struct Written {
    /// `long skip add(scale=0.5)`
    pub head: String,
    pub source: NodeId,
    /// R: the current value.
    pub result: NodeId,
    pub via: Option<Side>,
    pub by: Option<Side>,
    /// `fit crop`, `fit pad`
    pub fit: Option<&'static str>,
    /// The first node that its words make.
    pub first: usize,
    /// The merge.
    pub last: usize,
}

/// What `via` or `by` makes of the source.
pub(super) struct Side {
    /// The nodes; none where a value made earlier is taken.
    pub nodes: Range<usize>,
    pub value: NodeId,
    /// `project` or `zero_pad`, where that makes these nodes.
    pub word: Option<&'static str>,
}

/// The nodes in evaluation order.
pub(super) struct Line {
    pub nodes: Vec<NodeId>,
    at: BTreeMap<NodeId, usize>,
}

impl Line {
    pub(super) fn of(graph: &Graph) -> Self {
        let nodes: Vec<NodeId> = graph.order().collect();
        Self { at: nodes.iter().enumerate().map(|(i, &id)| (id, i)).collect(), nodes }
    }

    pub(super) fn at(&self, id: NodeId) -> usize {
        self.at.get(&id).copied().unwrap_or(0)
    }

    /// The first node after `floor` that `value` is made of.
    fn start(&self, graph: &Graph, value: NodeId, floor: usize) -> usize {
        let (mut first, mut open, mut seen) = (self.at(value), vec![value], std::collections::BTreeSet::new());
        while let Some(id) = open.pop() {
            first = first.min(self.at(id));
            open.extend(graph.operands(id).into_iter().filter(|&o| self.at(o) > floor && seen.insert(o)));
        }
        first
    }
}

/// The words of an edge; `None` where they would not give it.
pub(super) fn write(graph: &Graph, line: &Line, edge: &SkipEdge) -> Option<Written> {
    let operands = graph.operands(edge.merge);
    let last = line.at(edge.merge);
    let (mut carried, mut result) = (*operands.get(edge.source_operand)?, edge.result);
    let before = last.checked_sub(1).map(|i| line.nodes[i])?;
    let (mut fit, mut end) = (None, last);
    match &graph.node(before).op {
        Op::CropLike(_) if before == carried && graph.operands(before).get(1) == Some(&result) => {
            (fit, end, carried) = (Some("crop"), last - 1, graph.operands(before)[0]);
        }
        Op::PadLike(_) if before == result && graph.operands(before).get(1) == Some(&carried) => {
            (fit, end, result) = (Some("pad"), last - 1, graph.operands(before)[0]);
        }
        _ => {}
    }
    let floor = line.at(edge.source).max(line.at(result));
    let by = match graph.node(edge.merge).op {
        Op::Gate(_) => Some(side(graph, line, *operands.get(2)?, floor.max(line.at(carried)), end)),
        _ => None,
    };
    let via_end = by.as_ref().filter(|by| !by.nodes.is_empty()).map_or(end, |by| by.nodes.start);
    let via = (carried != edge.source).then(|| side(graph, line, carried, floor, via_end));
    let sides = [&via, &by].into_iter().flatten().filter(|side| !side.nodes.is_empty());
    let first = sides.map(|side| side.nodes.start).min().unwrap_or(end);
    let via = via.map(|via| named(graph, line, via, edge, result));
    Some(Written { head: head(graph, edge)?, source: edge.source, result, via, by, fit, first, last })
}

/// The nodes up to `end` that make a value, none of them before `floor`.
fn side(graph: &Graph, line: &Line, value: NodeId, floor: usize, end: usize) -> Side {
    let nodes = if line.at(value) > floor { line.start(graph, value, floor)..end } else { end..end };
    Side { nodes, value, word: None }
}

fn head(graph: &Graph, edge: &SkipEdge) -> Option<String> {
    let kind = match (&graph.node(edge.merge).op, edge.source_operand) {
        (Op::Add(op), 0) => {
            let scale = (op.scale != 1.0).then(|| format!("scale={}", super::call::number(op.scale)));
            let drop = (op.drop_path != 0.0).then(|| format!("drop_path={}", super::call::number(op.drop_path)));
            let args: Vec<String> = scale.into_iter().chain(drop).collect();
            if args.is_empty() { "add".into() } else { format!("add({})", args.join(", ")) }
        }
        (Op::Concat(_), 0) => "concat".to_string(),
        (Op::Concat(_), 1) => "concat(order=last)".into(),
        (Op::Mul(_), 0) => "mul".into(),
        (Op::Gate(_), 0) => "gate".into(),
        _ => return None,
    };
    let operands = graph.operands(edge.merge).len();
    let expected = if kind == "gate" { 3 } else { 2 };
    let long = if edge.length == SkipLength::Long { "long " } else { "" };
    (operands == expected).then(|| format!("{long}skip {kind}"))
}

/// The side with the word that makes it, where there is one.
fn named(graph: &Graph, line: &Line, side: Side, edge: &SkipEdge, result: NodeId) -> Side {
    let nodes = &line.nodes[side.nodes.clone()];
    let chained =
        nodes.iter().zip([&[edge.source], nodes].concat()).all(|(&id, before)| graph.operands(id) == [before]);
    let ops: Vec<&Op> = nodes.iter().map(|&id| &graph.node(id).op).collect();
    let (from, to) = (graph.shape(edge.source), graph.shape(result));
    let width = match graph.node(edge.merge).op {
        Op::Concat(_) => from.channels(),
        _ => to.channels(),
    };
    let steps = || from.spatial().iter().zip(to.spatial()).map(|(&a, &b)| if a == b { 1 } else { (a - 1) / b + 1 });
    let depth = |id: NodeId| graph.node(id).path.split('.').count();
    let labelled = |depth_below: usize| nodes.iter().all(|&id| depth(id) == depth(edge.merge) + depth_below);
    let nested = labelled(1) && nodes.first().is_some_and(|&id| graph.node(id).path.ends_with(".0"));
    let word = match ops.as_slice() {
        _ if !chained => None,
        [Op::ZeroPad(_)] if labelled(0) => Some("zero_pad"),
        [Op::Conv(conv), Op::BatchNorm(norm)] if nested => {
            let plain = *conv == projection(conv.width, steps().collect()) && *norm == NORM;
            (plain && Some(conv.width) == width).then_some("project")
        }
        [Op::Linear(linear)] if nested => {
            let plain = linear.bias && linear.init.is_none() && linear.bias_init.is_none();
            (plain && Some(linear.width) == width && edge.via.as_deref() == Some("project")).then_some("project")
        }
        _ => None,
    };
    Side { word, ..side }
}

const NORM: BatchNorm = BatchNorm { eps: 1e-5, momentum: 0.1, affine: true, weight_init: 1.0, bias_init: 0.0 };

/// The convolution of `via project`.
fn projection(width: usize, stride: Vec<usize>) -> Conv {
    let axes = stride.len();
    Conv {
        width,
        kernel: vec![1; axes],
        stride,
        pad: vec![0; axes],
        dilation: vec![1; axes],
        groups: 1,
        bias: false,
        init: crate::ops::Init::KaimingNormal,
        bias_init: None,
    }
}
