//! Short and long skips.

use super::flow::Trail;
use super::unroll::Unroller;
use super::value::spatial;
use crate::base::{Diagnostic, Span, codes};
use crate::graph::{Graph, NodeId, SkipLength};
use crate::syntax::ast::Skip;
use std::cell::Cell;

/// What the main path from a skip's source to its merge visits.
pub(super) struct Verdict {
    /// Short or long.
    pub length: SkipLength,
    /// The node that first made a size that is neither the source's nor the result's.
    leaves: Option<NodeId>,
    /// The node that made the result's size what it is.
    returns: Option<NodeId>,
}

/// Long where the main path visits a spatial size that is neither the source's nor the result's.
/// Values without spatial sizes have no resolution. `spent` counts the runs looked at.
pub(super) fn classify(graph: &Graph, trail: &Trail, s: NodeId, r: NodeId, spent: &Cell<usize>) -> Verdict {
    let size = |id: NodeId| graph.shape(id).spatial();
    let short = Verdict { length: SkipLength::Short, leaves: None, returns: None };
    if size(s).is_empty() || size(r).is_empty() {
        return short;
    }
    let mut leaves = None;
    let mut returns = None;
    for run in trail.runs(s, r) {
        spent.set(spent.get() + 1);
        let visited = size(run.first);
        returns = returns.or(Some(run.first));
        if !visited.is_empty() && visited != size(s) && visited != size(r) {
            leaves = Some(run.first);
        }
    }
    match leaves {
        Some(_) => Verdict { length: SkipLength::Long, leaves, returns },
        None => short,
    }
}

/// The error where the file says `long` of a short skip, or does not say it of a long one.
pub(super) fn disagreement(
    unroller: &Unroller<'_>,
    skip: &Skip,
    s: NodeId,
    r: NodeId,
    verdict: &Verdict,
) -> Option<Diagnostic> {
    let sources = &unroller.program.sources;
    let words = sources.text(skip.head).trim_end();
    match (verdict.length, skip.long) {
        (SkipLength::Long, None) => Some(says_nothing(unroller, skip, s, r, verdict, words)),
        (SkipLength::Short, Some(long)) => {
            let graph = &unroller.graph;
            let (from, to) = (graph.shape(s).spatial(), graph.shape(r).spatial());
            let why = if from.is_empty() || to.is_empty() {
                "its ends have no resolution".to_string()
            } else if from == to {
                format!("all of its path has {}", spatial(from))
            } else {
                format!("its path goes from {} to {} and visits no other size", spatial(from), spatial(to))
            };
            let fix = words.strip_prefix("long").unwrap_or(words).trim_start();
            let brace = if skip.body.is_some() { " {" } else { "" };
            Some(
                Diagnostic::new(codes::NOT_LONG, "this skip does not leave its resolution: it is a short skip")
                    .label(long, why)
                    .help(format!("write `{fix}{brace}`"))
                    .fix("leave `long` out", Span { end: skip.keyword.start, ..long }, ""),
            )
        }
        _ => None,
    }
}

fn says_nothing(
    unroller: &Unroller<'_>,
    skip: &Skip,
    s: NodeId,
    r: NodeId,
    verdict: &Verdict,
    words: &str,
) -> Diagnostic {
    let graph = &unroller.graph;
    let (from, to) = (graph.shape(s).spatial(), graph.shape(r).spatial());
    let named = |id: NodeId| {
        let node = graph.node(id);
        let name = node.path.rsplit('.').next().unwrap_or(&node.path);
        format!("`{name}`, line {}", unroller.program.sources.line(node.span))
    };
    let through = verdict
        .leaves
        .map_or(String::new(), |id| format!(", through {} ({})", spatial(graph.shape(id).spatial()), named(id)));
    let back = verdict.returns.map_or(String::new(), |id| format!(" ({})", named(id)));
    let (message, end) = if from == to {
        (format!("this skip leaves {} and comes back to it: it is a long skip", spatial(from)), "back to")
    } else {
        (
            format!(
                "this skip's path leaves {} and ends at {} by way of other sizes: it is a long skip",
                spatial(from),
                spatial(to)
            ),
            "to",
        )
    };
    let brace = if skip.body.is_some() { " {" } else { "" };
    Diagnostic::new(codes::IS_LONG, message)
        .label(skip.keyword.to(skip.kind.span), format!("from {}{through}, {end} {}{back}", spatial(from), spatial(to)))
        .help(format!("write `long {words}{brace}`"))
        .fix("say `long skip`", Span { end: skip.keyword.start, ..skip.keyword }, "long ")
}
