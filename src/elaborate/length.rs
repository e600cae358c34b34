//! Short and long skips.

use super::unroll::Unroller;
use super::value::spatial;
use crate::base::{Diagnostic, Span, codes};
use crate::graph::resolution::Resolutions;
use crate::graph::{Graph, NodeId, SkipLength};
use crate::syntax::ast::Skip;

/// A skip in the graph: it goes from `s` to `merge`, where it meets `r`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loop {
    pub s: NodeId,
    pub r: NodeId,
    pub merge: NodeId,
}

/// What the paths from a skip's source to its merge visit.
pub(super) struct Verdict {
    /// Short or long.
    pub length: SkipLength,
    /// The first value of a resolution that is neither the source's nor the merge's.
    leaves: Option<NodeId>,
    /// Whether `long` is the writer's to say: the resolution that is left to is of size 1 at this size of the input.
    free: bool,
}

/// Long where the paths from the source to the merge leave the resolutions of both, or may do so and the file says `long`.
/// With how many nodes were looked at.
pub(super) fn classify(graph: &Graph, resolutions: &Resolutions, ends: Loop, says: bool) -> (Verdict, usize) {
    let operands =
        |id: usize, each: &mut dyn FnMut(usize)| graph.sources(NodeId::new(id)).for_each(|id| each(id.index()));
    let visits = resolutions.visits(ends.s.index(), ends.merge.index(), operands);
    let leaves = visits.leaves.map(NodeId::new);
    let free = leaves.is_none() && visits.may_leave;
    let length = if leaves.is_some() || (free && says) { SkipLength::Long } else { SkipLength::Short };
    (Verdict { length, leaves, free }, visits.nodes)
}

/// The error where the file says `long` of a short skip, or does not say it of a long one.
pub(super) fn disagreement(unroller: &Unroller<'_>, skip: &Skip, ends: Loop, verdict: &Verdict) -> Option<Diagnostic> {
    let sources = &unroller.program.sources;
    let words = sources.text(skip.head).trim_end();
    match (verdict.length, skip.long) {
        _ if verdict.free => None,
        (SkipLength::Long, None) => Some(says_nothing(unroller, skip, ends, verdict, words)),
        (SkipLength::Short, Some(long)) => {
            let graph = &unroller.graph;
            let (from, to) = (graph.shape(ends.s).spatial(), graph.shape(ends.merge).spatial());
            let has = |id: NodeId| unroller.resolutions.has(id.index());
            let none = !has(ends.s) || !has(ends.merge);
            let why = if none {
                "its ends have no resolution".to_string()
            } else if from == to {
                format!("nothing on its paths leaves the resolution of {}", spatial(from))
            } else {
                format!("its paths go from {} to {} and visit no other resolution", spatial(from), spatial(to))
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

fn says_nothing(unroller: &Unroller<'_>, skip: &Skip, ends: Loop, verdict: &Verdict, words: &str) -> Diagnostic {
    let graph = &unroller.graph;
    let (from, to) = (graph.shape(ends.s).spatial(), graph.shape(ends.merge).spatial());
    let named = |id: NodeId| {
        let node = graph.node(id);
        let name = node.path.rsplit('.').next().unwrap_or(&node.path);
        format!("`{name}`, line {}", unroller.program.sources.line(node.span))
    };
    let through = verdict
        .leaves
        .map_or(String::new(), |id| format!(", through {} ({})", spatial(graph.shape(id).spatial()), named(id)));
    let start = Some(unroller.trail.start(ends.r)).filter(|&start| start > ends.s);
    let back = start.map_or(String::new(), |id| format!(" ({})", named(id)));
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
