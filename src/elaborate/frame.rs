//! What a step can see: variables, `set`s in force, the scope it stands in, and `it`.

use super::eval::{Env, Fault};
use super::flow::Flow;
use super::names::TableId;
use super::unroll::Unroller;
use super::value::weight;
use super::vocabulary::SIZES;
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, codes};
use crate::graph::ScopeId;
use crate::ops::Value;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Binding {
    /// A number, text or list.
    Value(Rc<Value>),
    /// A labelled value, given for a `name: value` parameter.
    Flow(Flow),
    /// Its value has failed and was reported.
    Poison,
}

/// Names of one block or model, innermost last.
#[derive(Debug, Default)]
pub(super) struct Vars<'p> {
    slots: BTreeMap<&'p str, Vec<Binding>>,
    order: Vec<&'p str>,
}

impl<'p> Vars<'p> {
    /// Where the current braces began.
    pub(super) fn mark(&self) -> usize {
        self.order.len()
    }

    /// Forgets the names bound since `mark`.
    pub(super) fn forget(&mut self, mark: usize) {
        for name in self.order.drain(mark..) {
            if let Some(slot) = self.slots.get_mut(name) {
                slot.pop();
            }
        }
    }

    /// Binds a name for the rest of the braces.
    pub(super) fn bind(&mut self, name: &'p str, binding: Binding) {
        self.slots.entry(name).or_default().push(binding);
        self.order.push(name);
    }

    /// What a name stands for.
    pub(super) fn get(&self, name: &str) -> Option<&Binding> {
        self.slots.get(name)?.last()
    }

    fn known(&self) -> impl Iterator<Item = &'p str> + '_ {
        self.slots.iter().filter(|(_, slot)| !slot.is_empty()).map(|(name, _)| *name)
    }
}

/// An argument given by `set`.
#[derive(Clone, Debug)]
pub(super) struct SetArg {
    /// Its value.
    pub value: Value,
    /// Where it was written.
    pub span: Span,
}

/// Arguments given by `set`, by layer and name.
pub(super) type Sets = BTreeMap<String, BTreeMap<String, SetArg>>;

/// Where unrolling stands.
#[derive(Debug)]
pub(super) struct Frame<'p> {
    /// The file of the block or model.
    pub module: usize,
    /// Its names.
    pub vars: Vars<'p>,
    /// The `set`s in force.
    pub sets: Rc<Sets>,
    /// The scope that nodes go to.
    pub scope: ScopeId,
    /// The labels of that scope.
    pub table: TableId,
}

/// The environment of an expression.
pub(super) struct View<'a, 'p> {
    pub unroller: &'a Unroller<'p>,
    pub frame: &'a Frame<'p>,
    pub it: Flow,
}

impl Env for View<'_, '_> {
    fn name(&self, name: &str, span: Span) -> Option<Result<Value, Fault>> {
        Some(match self.frame.vars.get(name)? {
            Binding::Value(value) => self.charge(weight(value), span).map(|()| Value::clone(value)),
            Binding::Poison | Binding::Flow(Flow::Poison) => Err(Fault::Silent),
            Binding::Flow(_) => {
                let message = format!("`{name}` is a labelled value, not a number");
                Err(Diagnostic::new(codes::WRONG_KIND, message).label(span, "a number is wanted here").into())
            }
        })
    }

    fn it(&self, field: &str, span: Span) -> Result<Value, Fault> {
        let node = match self.it {
            Flow::Poison => return Err(Fault::Silent),
            Flow::Nothing => {
                let error =
                    Diagnostic::new(codes::NO_IT, "there is no current value yet").label(span, "`it` is nothing here");
                return Err(error.help("`it` is known after `input`").into());
            }
            Flow::Node(node) => node,
        };
        let shape = self.unroller.graph.shape(node);
        let size = match (field, shape.spatial()) {
            ("rank", _) => Some(shape.rank()),
            ("channels", _) => shape.channels(),
            ("features", []) => shape.channels(),
            ("height", [height, _]) => Some(*height),
            ("width", [_, width]) => Some(*width),
            ("length", [length]) => Some(*length),
            _ => None,
        };
        if let Some(size) = size {
            return Ok(Value::Int(size as i64));
        }
        let message = format!("`it` is {shape}, which has no `{field}`");
        let near = nearest(field, SIZES.iter().copied()).filter(|_| !SIZES.contains(&field));
        let has = match shape.spatial().len() {
            0 => "a vector has `it.features` and `it.rank`",
            1 => "a sequence has `it.channels`, `it.length` and `it.rank`",
            _ => "a map has `it.channels`, `it.height`, `it.width` and `it.rank`",
        };
        let near = near.map(|near| format!("it.{near}"));
        Err(Diagnostic::new(codes::NO_IT, message).meant(span, near.as_deref(), || has.to_string()).into())
    }

    fn names(&self) -> Vec<String> {
        self.frame.vars.known().map(String::from).collect()
    }

    fn text(&self, span: Span) -> &str {
        let sources = &self.unroller.program.sources;
        if (span.file.0 as usize) < sources.files().len() { sources.text(span) } else { "…" }
    }

    fn charge(&self, work: usize, span: Span) -> Result<(), Fault> {
        self.unroller.charge(work, span)
    }
}
