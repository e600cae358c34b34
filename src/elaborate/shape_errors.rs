//! Shape rules' refusals with their places.

use super::flow::Trail;
use super::mismatch::resizes;
use crate::base::{Code, Diagnostic, Span, codes};
use crate::graph::{Graph, NodeId};
use crate::ops::{Op, ShapeError};
use crate::shape::Shape;

/// The error for a layer whose operands do not fit.
pub(super) fn refused(
    graph: &Graph,
    trail: &Trail,
    op: &Op,
    error: &ShapeError,
    span: Span,
    operands: &[NodeId],
) -> Diagnostic {
    let kind = op.layer().kind();
    let shapes: Vec<_> = operands.iter().map(|&id| graph.shape(id)).collect();
    let index = match error {
        ShapeError::Mismatch { operand, .. } | ShapeError::Rank { operand, .. } => *operand,
        _ => 0,
    };
    let mut report = Diagnostic::new(code(error, op, &shapes), error.message(kind, &shapes));
    let Some(&operand) = operands.get(index) else { return report.label(span, "here") };
    report = report.label(span, format!("its input is {}", graph.shape(operand)));
    let source = graph.node(operand);
    if let Some((at, before)) = shrinker(graph, trail, operand).filter(|_| matches!(error, ShapeError::TooSmall { .. }))
    {
        let text = resizes(graph.shape(before).spatial(), graph.shape(at).spatial());
        report = report.label(graph.node(at).span, text);
    } else if source.span != span {
        report = report.label(source.span, format!("`{}` gives {}", source.path, source.shape));
    }
    match help(error, kind).or_else(|| error.help().map(String::from)) {
        Some(text) => report.help(text),
        None => report,
    }
}

/// The error for paths of a `parallel` that cannot be merged.
pub(super) fn paths_disagree(
    graph: &Graph,
    kind: &str,
    span: Span,
    error: &ShapeError,
    paths: &[(NodeId, Span)],
) -> Diagnostic {
    let index = match error {
        ShapeError::Mismatch { operand, .. } | ShapeError::Rank { operand, .. } => *operand,
        _ => 0,
    };
    let first = paths.first().copied();
    let other = paths.get(index).copied().filter(|_| index > 0);
    let shape = |at: Option<(NodeId, Span)>| at.map_or(String::new(), |(id, _)| graph.shape(id).to_string());
    let message = match kind {
        "add" => format!("this `parallel` adds {} and {}", shape(first), shape(other)),
        "concat" => format!("this `parallel` concatenates {} and {}", shape(first), shape(other)),
        _ => format!("this `parallel` multiplies {} and {}", shape(first), shape(other)),
    };
    let mut report = Diagnostic::new(codes::PATHS_DISAGREE, message).label(span, "all paths must agree here");
    if let Some((id, at)) = first {
        report = report.label(at, format!("this path ends in {}", graph.shape(id)));
    }
    if let Some((id, at)) = other.filter(|(_, at)| Some(*at) != first.map(|f| f.1)) {
        report = report.label(at, format!("this path ends in {}", graph.shape(id)));
    }
    match kind {
        "concat" => {
            report.help("give the paths equal spatial sizes: the same strides, and padding that keeps the size")
        }
        _ => report.help("give the paths equal channels and equal spatial sizes"),
    }
}

fn code(error: &ShapeError, op: &Op, shapes: &[&Shape]) -> Code {
    match error {
        ShapeError::Other { .. } if matches!(op, Op::Linear(_)) && shapes[0].rank() != 2 => codes::RANK,
        ShapeError::Rank { .. } => codes::RANK,
        ShapeError::TooSmall { .. } => codes::TOO_SMALL,
        ShapeError::Indivisible { .. } => codes::INDIVISIBLE,
        _ => codes::SHAPE,
    }
}

fn help(error: &ShapeError, kind: &str) -> Option<String> {
    Some(match error {
        ShapeError::Rank { expected: "[N, F]", found, .. } if *found > 2 => {
            format!("make a vector of it first: `avgpool(global) -> flatten -> {kind}`, or `flatten -> {kind}`")
        }
        ShapeError::TooSmall { .. } => "use a smaller window or more `pad`, or shrink the map less before".into(),
        ShapeError::Indivisible { size, by, what, .. } => {
            let divisors: Vec<String> =
                (1..=(*size).min(4096)).filter(|d| size % d == 0).map(|d| d.to_string()).collect();
            let near = divisors.len().saturating_sub(8);
            match *size > 0 && *size <= 4096 && by > &0 {
                true => format!("`{what}` may be {}", divisors[near..].join(", ")),
                false => return None,
            }
        }
        _ => return None,
    })
}

/// The last node on the main path that made the map smaller, and the node before it.
fn shrinker(graph: &Graph, trail: &Trail, from: NodeId) -> Option<(NodeId, NodeId)> {
    let mut at = from;
    loop {
        let before = trail.before(at)?;
        let smaller = |(a, b): (&usize, &usize)| a < b;
        if graph.shape(at).spatial().iter().zip(graph.shape(before).spatial()).any(smaller) {
            return Some((at, before));
        }
        at = before;
    }
}
