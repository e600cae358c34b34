//! How each skip edge is written: what is current where it stands, and which nodes its `via` and `by` hold.

use crate::graph::{Graph, NodeId, SkipEdge, SkipLength};
use crate::ops::conv::Conv;
use crate::ops::norm::BatchNorm;
use crate::ops::{Argument, Op};
use std::collections::BTreeMap;
use std::ops::Range;

/// A skip edge in words. Positions are those of [`EvalOrder`].
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
pub(super) struct EvalOrder {
    pub nodes: Vec<NodeId>,
    at: BTreeMap<NodeId, usize>,
}

impl EvalOrder {
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
pub(super) fn write(graph: &Graph, line: &EvalOrder, edge: &SkipEdge) -> Option<Written> {
    let operands = graph.operands(edge.merge);
    let last = line.at(edge.merge);
    let (mut carried, mut result) = (*operands.get(edge.source_operand)?, edge.result);
    let before = last.checked_sub(1).map(|i| line.nodes[i])?;
    let (mut fit, mut end) = (None, last);
    let (op, sized_by) = (&graph.node(before).op, graph.operands(before).get(1).copied());
    if matches!(op, Op::CropLike(_)) && before == carried && sized_by == Some(result) {
        (fit, end, carried) = (Some("crop"), last - 1, graph.operands(before)[0]);
    } else if matches!(op, Op::PadLike(_)) && before == result && sized_by == Some(carried) {
        (fit, end, result) = (Some("pad"), last - 1, graph.operands(before)[0]);
    }
    let floor = line.at(edge.source).max(line.at(result));
    let by = match matches!(graph.node(edge.merge).op, Op::Gate(_)) {
        true => Some(side(graph, line, *operands.get(2)?, floor.max(line.at(carried)), end)),
        false => None,
    };
    let via_end = by.as_ref().filter(|by| !by.nodes.is_empty()).map_or(end, |by| by.nodes.start);
    let via = (carried != edge.source).then(|| side(graph, line, carried, floor, via_end));
    let sides = [&via, &by].into_iter().flatten().filter(|side| !side.nodes.is_empty());
    let first = sides.map(|side| side.nodes.start).min().unwrap_or(end);
    let via = via.map(|via| named(graph, line, via, edge, result));
    Some(Written { head: head(graph, edge)?, source: edge.source, result, via, by, fit, first, last })
}

/// The nodes up to `end` that make a value, none of them before `floor`.
fn side(graph: &Graph, line: &EvalOrder, value: NodeId, floor: usize, end: usize) -> Side {
    let nodes = if line.at(value) > floor { line.start(graph, value, floor)..end } else { end..end };
    Side { nodes, value, word: None }
}

fn head(graph: &Graph, edge: &SkipEdge) -> Option<String> {
    let op = &graph.node(edge.merge).op;
    let mut said: Vec<String> =
        op.layer().arguments().iter().filter(|arg| !arg.is_default).map(named_argument).collect();
    match edge.source_operand {
        0 => {}
        1 if matches!(op, Op::Concat(_)) => said.push("order=last".into()),
        _ => return None,
    }
    let word = op.is_merge().then(|| op.layer().kind())?;
    let kind = if said.is_empty() { word.to_string() } else { format!("{word}({})", said.join(", ")) };
    let operands = graph.operands(edge.merge).len();
    let expected = if matches!(op, Op::Gate(_)) { 3 } else { 2 };
    let long = if edge.length == SkipLength::Long { "long " } else { "" };
    (operands == expected).then(|| format!("{long}skip {kind}"))
}

fn named_argument(argument: &Argument) -> String {
    format!("{}={}", argument.name, super::call::value_text(argument))
}

/// The side with the word that makes it, where there is one.
fn named(graph: &Graph, line: &EvalOrder, side: Side, edge: &SkipEdge, result: NodeId) -> Side {
    let nodes = &line.nodes[side.nodes.clone()];
    let chained =
        nodes.iter().zip([&[edge.source], nodes].concat()).all(|(&id, before)| graph.operands(id) == [before]);
    let ops: Vec<&Op> = nodes.iter().map(|&id| &graph.node(id).op).collect();
    let (from, to) = (graph.shape(edge.source), graph.shape(result));
    let width = if matches!(graph.node(edge.merge).op, Op::Concat(_)) { from.channels() } else { to.channels() };
    let steps = || from.spatial().iter().zip(to.spatial()).map(|(&a, &b)| if a == b { 1 } else { (a - 1) / b + 1 });
    let depth = |id: NodeId| graph.node(id).path.split('.').count();
    let labelled = |depth_below: usize| nodes.iter().all(|&id| depth(id) == depth(edge.merge) + depth_below);
    let nested = labelled(1) && nodes.first().is_some_and(|&id| graph.node(id).path.ends_with(".0"));
    let projects = || {
        if let [Op::Conv(conv), Op::BatchNorm(norm)] = ops.as_slice() {
            let plain = *conv == projection(conv.width, steps().collect()) && *norm == NORM;
            return plain && Some(conv.width) == width;
        }
        let [Op::Linear(linear)] = ops.as_slice() else { return false };
        let plain = linear.bias && linear.init.is_none() && linear.bias_init.is_none();
        plain && Some(linear.width) == width && edge.via.as_deref() == Some("project")
    };
    let word = match chained {
        true if matches!(ops.as_slice(), [Op::ZeroPad(_)]) && labelled(0) => Some("zero_pad"),
        true if nested && projects() => Some("project"),
        true | false => None,
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
