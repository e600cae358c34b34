//! Skips whose ends disagree: who made each size differ, and which fix would work.

use super::skip::fit_words;
use super::transform::stride_between;
use super::unroll::Unroller;
use super::value::spatial;
use crate::base::{Diagnostic, Span, Spanned, codes};
use crate::graph::{Graph, NodeId};
use crate::ops::ShapeError;
use crate::shape::Shape;
use crate::syntax::ast::{Fit, MergeKind, Skip};

/// The values at a skip: its source and result, the same after `via` and `fit`, and the gate's.
pub(super) struct Ends {
    pub s: NodeId,
    pub r: NodeId,
    pub carried: NodeId,
    pub met: NodeId,
    pub gate: Option<NodeId>,
}

/// `adds [N, 64, 56, 56] to [N, 128, 28, 28]`, as a diagnostic with both ends labelled.
pub(super) fn ends_disagree(unroller: &Unroller<'_>, skip: &Skip, ends: &Ends, error: &ShapeError) -> Diagnostic {
    let graph = &unroller.graph;
    let (from, to) = (graph.shape(ends.carried), graph.shape(ends.met));
    if let (Some(gate), ShapeError::Mismatch { operand: 2, .. } | ShapeError::Rank { operand: 2, .. }) =
        (ends.gate, error)
    {
        return gate_disagrees(unroller, skip, gate, to);
    }
    let message = match skip.kind.node {
        MergeKind::Add => format!("this skip adds {from} to {to}"),
        MergeKind::Concat => format!("this skip concatenates {from} and {to}"),
        MergeKind::Mul => format!("this skip multiplies {from} by {to}"),
        MergeKind::Gate => format!("this skip gates between {from} and {to}"),
    };
    let mut report = Diagnostic::new(codes::ENDS_DISAGREE, message).label(skip.head, origin(unroller, ends));
    for (span, text) in blame(unroller, skip, ends) {
        report = report.label(span, text);
    }
    match fix(unroller, skip, from, to) {
        Some(Advice::Head { what, words }) => {
            let brace = if skip.body.is_some() { " {" } else { "" };
            let head = unroller.program.sources.text(skip.head).trim_end().len() as u32;
            let report = report.help(format!("{what}:  {words}{brace}"));
            report.fix(what, Span { end: skip.head.start + head, ..skip.head }, words)
        }
        Some(Advice::Words(help)) => report.help(help),
        None => report,
    }
}

/// `the skipped value, [N, 64, 56, 56], comes from layer1.2 (line 31)`
fn origin(unroller: &Unroller<'_>, ends: &Ends) -> String {
    let graph = &unroller.graph;
    let source = graph.node(ends.s);
    let line = unroller.program.sources.line(source.span);
    let after = match ends.carried == ends.s {
        true => String::new(),
        false => format!(", and is {} after `via`", graph.shape(ends.carried)),
    };
    format!("the skipped value, {}, comes from `{}` (line {line}){after}", source.shape, source.path)
}

/// The places that made the result's sizes and channels differ from the source's.
fn blame(unroller: &Unroller<'_>, skip: &Skip, ends: &Ends) -> Vec<(Span, String)> {
    let graph = &unroller.graph;
    let (from, to) = (graph.shape(ends.carried), graph.shape(ends.met));
    let mut places = Vec::new();
    if from.rank() == to.rank()
        && from.spatial() != to.spatial()
        && let Some((id, before)) =
            last_change(unroller, ends, |graph, id, before| graph.shape(id).spatial() != graph.shape(before).spatial())
    {
        let (before, after) = (graph.shape(before).spatial(), graph.shape(id).spatial());
        places.push((graph.node(id).span, resizes(before, after)));
    }
    let matters = skip.kind.node != MergeKind::Concat;
    if matters
        && from.channels() != to.channels()
        && let Some((id, _)) = last_change(unroller, ends, decides_channels)
    {
        let what = if to.spatial().is_empty() { "features" } else { "channels" };
        let text = format!("the result has {} {what}", to.channels().unwrap_or(0));
        let span = graph.node(id).span;
        match places.iter_mut().find(|(s, _)| *s == span) {
            Some((_, said)) => *said = format!("{said}; {text}"),
            None => places.push((span, text)),
        }
    }
    places
}

fn last_change(
    unroller: &Unroller<'_>,
    ends: &Ends,
    changes: impl Fn(&Graph, NodeId, NodeId) -> bool,
) -> Option<(NodeId, NodeId)> {
    let mut at = ends.met;
    while at > ends.s {
        let before = unroller.trail.before(at)?;
        if changes(&unroller.graph, at, before) {
            return Some((at, before));
        }
        at = before;
    }
    None
}

fn decides_channels(graph: &Graph, id: NodeId, before: NodeId) -> bool {
    graph.node(id).op.mixes_channels() || graph.shape(id).channels() != graph.shape(before).channels()
}

/// `halves 56×56 to 28×28`
pub(super) fn resizes(before: &[usize], after: &[usize]) -> String {
    let all = |f: fn(usize, usize) -> bool| before.iter().zip(after).all(|(&b, &a)| f(b, a));
    let verb = match before.len() == after.len() {
        true if all(|b, a| b == 2 * a || (b + 1 == 2 * a && a > 1)) => "halves",
        true if all(|b, a| a == 2 * b) => "doubles",
        true if all(|b, a| a < b) => "shrinks",
        true if all(|b, a| a > b) => "grows",
        _ => "changes",
    };
    format!("{verb} {} to {}", spatial(before), spatial(after))
}

/// What would make the ends agree.
enum Advice {
    /// Another head of the skip.
    Head { what: &'static str, words: String },
    /// In words.
    Words(String),
}

/// The words to write instead, where they make the ends agree.
fn fix(unroller: &Unroller<'_>, skip: &Skip, from: &Shape, to: &Shape) -> Option<Advice> {
    let words = unroller.program.sources.text(skip.head).trim_end();
    if from.rank() != to.rank() {
        let flat = |shape: &Shape| shape.rank() == 2;
        return (flat(to) && !flat(from) && skip.body.is_some())
            .then(|| Advice::Words("put `flatten` after the braces rather than inside".into()));
    }
    let target = match (skip.kind.node, from.channels()) {
        (MergeKind::Concat, Some(channels)) => to.with_channels(channels),
        _ => to.clone(),
    };
    let shrinks = from.spatial().iter().zip(to.spatial()).all(|(s, r)| s >= r);
    let same_size = from.spatial() == to.spatial();
    let strided = stride_between(from, &target).is_some();
    let channels_fit = skip.kind.node == MergeKind::Concat || from.channels() == to.channels();
    let fits = shrinks && !same_size && skip.fit.is_none();
    let crop =
        || Advice::Head { what: "crop the skipped value to the result's size", words: format!("{words} fit crop") };
    if fits && channels_fit && !halved(from, to) {
        return Some(crop());
    }
    if strided && skip.via.is_none() && skip.kind.node != MergeKind::Concat {
        let words = insert_via(skip, words);
        return Some(Advice::Head { what: "project the skipped value where shapes differ", words });
    }
    if fits && channels_fit {
        return Some(crop());
    }
    if strided && skip.via.is_some() {
        return Some(Advice::Words("`via project` makes the skipped value the result's shape".into()));
    }
    let grows = from.spatial().iter().zip(to.spatial()).all(|(s, r)| s <= r);
    (grows && !same_size && skip.via.is_none()).then(|| {
        let size = to.spatial().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Advice::Words(format!("enlarge the skipped value on its way: `via upsample(size=[{size}])`"))
    })
}

/// `via project` where the grammar wants it: after `from NAME`, or after the kind.
fn insert_via(skip: &Skip, words: &str) -> String {
    match skip.fit.as_ref().and_then(|fit| words.rfind(fit_words(fit))) {
        Some(at) => format!("{}via project {}", &words[..at], &words[at..]),
        None => format!("{words} via project"),
    }
}

/// Whether a whole stride leads from one size to the other.
fn halved(from: &Shape, to: &Shape) -> bool {
    from.spatial().iter().zip(to.spatial()).all(|(s, r)| s == r || *r * 2 <= s + 1)
}

fn gate_disagrees(unroller: &Unroller<'_>, skip: &Skip, gate: NodeId, to: &Shape) -> Diagnostic {
    let shape = unroller.graph.shape(gate);
    let place = skip.by.as_ref().map_or(skip.head, |by| by.span);
    let what = if to.spatial().is_empty() {
        format!("linear({})", to.channels().unwrap_or(1))
    } else {
        format!("conv({}, 3)", to.channels().unwrap_or(1))
    };
    Diagnostic::new(codes::ENDS_DISAGREE, format!("the gate is {shape}, what it opens {to}"))
        .label(skip.head, format!("the result is {to}"))
        .label(place, format!("ends in {shape}"))
        .help(format!("by {what}"))
}

/// The error where `fit` would have to make the larger end larger still.
pub(super) fn cannot_fit(unroller: &Unroller<'_>, skip: &Skip, fit: &Spanned<Fit>, s: NodeId, r: NodeId) -> Diagnostic {
    let (from, to) = (unroller.graph.shape(s), unroller.graph.shape(r));
    let (message, label) = match fit.node {
        Fit::Crop => {
            (format!("`fit crop` cannot cut {from} to the size of {to}"), "crops the source to the result's size")
        }
        Fit::Pad => {
            (format!("`fit pad` cannot pad {to} to the size of {from}"), "pads the result to the source's size")
        }
    };
    Diagnostic::new(codes::FIT, message)
        .label(fit.span, label)
        .label(skip.keyword.to(skip.kind.span), "here the result is the larger of the two")
        .help(match from.rank() == to.rank() {
            true => "make the result no larger than the source: crop it, or use a smaller upsampling",
            false => "bring both to the same number of axes first",
        })
}
