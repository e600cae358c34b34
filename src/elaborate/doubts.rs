//! Texts that mean something else than they seem to say.

use super::names::plain;
use super::program::Program;
use crate::base::{Diagnostic, Span, codes};
use crate::ops::activation;
use crate::syntax::ast::*;
use crate::syntax::walk::{Walk, walk_step};
use std::collections::{BTreeMap, BTreeSet};

/// Layers after which a value may still be called as the one before.
const PASSIVE: [&str; 4] = ["dropout", "identity", "flatten", "reshape"];

/// Warnings about the texts of all files.
pub(super) fn check(program: &Program) -> Vec<Diagnostic> {
    let reach = Reach::of(program);
    let mut found = Vec::new();
    for file in program.files() {
        for (i, item) in file.items.iter().enumerate() {
            let body = match item {
                Item::Block(block) => &block.body,
                Item::Model(model) => &model.body,
                Item::Set(set) => {
                    let below = file.items[i + 1..].iter().filter_map(body_of);
                    found.extend(reach.dead(set, below.flat_map(calls).collect(), "below it in this file"));
                    continue;
                }
                _ => continue,
            };
            let mut doubts = Doubts { reach: &reach, found: &mut found };
            doubts.body(body);
        }
    }
    found
}

fn body_of(item: &Item) -> Option<&Body> {
    match item {
        Item::Block(block) => Some(&block.body),
        Item::Model(model) => Some(&model.body),
        _ => None,
    }
}

/// What steps call, by name.
#[derive(Default)]
struct Calls<'a>(BTreeSet<&'a str>);

impl<'a> Walk<'a> for Calls<'a> {
    fn step(&mut self, step: &'a Step) {
        if let StepKind::Call(call) = &step.kind {
            // The norm of a projection takes its `eps` from `set`, too.
            let norm = (call.name.node == "project").then_some("batch_norm");
            self.0.extend(norm.into_iter().chain([call.name.node.as_str()]));
        }
        walk_step(self, step);
    }
}

fn calls(body: &Body) -> BTreeSet<&str> {
    let mut calls = Calls::default();
    calls.body(body);
    calls.0
}

/// What each block calls, by name.
struct Reach<'a>(BTreeMap<&'a str, BTreeSet<&'a str>>);

impl<'a> Reach<'a> {
    fn of(program: &'a Program) -> Self {
        let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for item in program.files().flat_map(|file| &file.items) {
            if let Item::Block(block) = item {
                all.entry(&block.name.node).or_default().extend(calls(&block.body));
            }
        }
        Self(all)
    }

    /// A block among these that uses a layer, itself or by what it calls.
    fn block(&self, layer: &str, names: &BTreeSet<&'a str>) -> Option<&'a str> {
        let uses = |name: &str| {
            let (mut open, mut seen) = (vec![name], BTreeSet::new());
            while let Some(name) = open.pop() {
                let Some(inner) = self.0.get(name).filter(|_| seen.insert(name)) else { continue };
                if inner.contains(layer) {
                    return true;
                }
                open.extend(inner);
            }
            false
        };
        names.iter().copied().find(|name| uses(name))
    }

    /// The warning where a `set` changes nothing: no call among those that it reaches is of its layer.
    fn dead(&self, set: &Set, reached: BTreeSet<&'a str>, place: &str) -> Option<Diagnostic> {
        let layer = set.layer.node.as_str();
        if reached.contains(layer) {
            return None;
        }
        let message = format!("this `set` changes nothing: no `{layer}` stands {place}");
        let warning = Diagnostic::new(codes::DEAD_SET, message);
        Some(match self.block(layer, &reached) {
            Some(block) => warning
                .label(set.span, format!("does not reach into `{block}`, which is called here"))
                .help(format!("write it at the top of the file where `{block}` is, before the block")),
            None => warning.label(set.span, "nothing uses it").help("leave it out"),
        })
    }
}

struct Doubts<'a, 'f> {
    reach: &'f Reach<'a>,
    found: &'f mut Vec<Diagnostic>,
}

impl<'a> Walk<'a> for Doubts<'a, '_> {
    fn body(&mut self, body: &'a Body) {
        let steps: Vec<&Step> = body.lines.iter().flatten().collect();
        for (i, step) in steps.iter().enumerate() {
            match &step.kind {
                StepKind::Set(set) => {
                    let mut after = Calls::default();
                    steps[i + 1..].iter().for_each(|step| after.step(step));
                    self.found.extend(self.reach.dead(set, after.0, "below it in these braces"));
                }
                StepKind::Output(name) => self.found.extend(other_value(name, step.span, &steps[..i])),
                _ => {}
            }
            self.step(step);
        }
    }
}

/// The warning where an output has the label of a value before it, and is another value.
fn other_value(name: &Label, span: Span, before: &[&Step]) -> Option<Diagnostic> {
    let text = plain(name)?;
    let named = |label: &Label| plain(label) == Some(text);
    let mut labelled: Option<(&Label, bool)> = None;
    for step in before {
        match (&step.kind, &mut labelled) {
            (_, _) if step.label.as_ref().is_some_and(named) => {
                labelled = step.label.as_ref().map(|label| (label, false));
            }
            (StepKind::From(path), Some((_, moved))) => *moved = !matches!(&path.segments[..], [one] if named(one)),
            (StepKind::Let { .. } | StepKind::Set(_) | StepKind::Output(_), _) => {}
            (StepKind::Call(call), Some(_)) if passive(&call.name.node) => {}
            (_, Some((_, moved))) => *moved = true,
            (_, None) => {}
        }
    }
    let (label, true) = labelled? else { return None };
    let message = format!("the output `{text}` is not the value that is labelled `{text}`");
    let warning = Diagnostic::new(codes::OTHER_OUTPUT, message)
        .label(span, "the current value, which other steps made")
        .label(label.span, format!("`{text}` is this one"));
    let title = format!("give out the value of `{text}`");
    Some(warning.help(format!("write `from {text} -> output {text}`, or name the output otherwise")).fix(
        title,
        span,
        format!("from {text} -> output {text}"),
    ))
}

fn passive(layer: &str) -> bool {
    PASSIVE.contains(&layer) || activation::is_function(layer)
}
