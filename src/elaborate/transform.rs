//! What a skip's source passes on its way: `via project`, `via zero_pad`, `via STEP`.

use super::flow::Flow;
use super::frame::Frame;
use super::names::is_blank;
use super::unroll::Unroller;
use crate::base::{Diagnostic, Span, codes};
use crate::graph::{NodeId, ScopeKind};
use crate::ops::{self, Args, Op, Value, resize};
use crate::shape::Shape;
use crate::syntax::ast::{Call, MergeKind, Skip, Step, StepKind};

/// Layers of a projection whose `set`s it does not take: a projection starts as a plain one does.
const OWN_START: [&str; 2] = ["weight_init", "bias_init"];

impl<'p> Unroller<'p> {
    /// The source after `via`; `None` where that has failed.
    pub(super) fn via(&mut self, skip: &'p Skip, frame: &mut Frame<'p>, s: NodeId, r: NodeId) -> Option<NodeId> {
        let Some(via) = &skip.via else { return Some(s) };
        match &via.kind {
            StepKind::Call(call) if call.name.node == "project" => self.project((skip, via, call), frame, s, r),
            StepKind::Call(call) if call.name.node == "zero_pad" => self.zero_pad((skip, via, call), frame, s, r),
            _ => self.step(via, frame, Flow::Node(s)).node(),
        }
    }

    /// The shape that the source should get: the result's, or for a concatenation its sizes alone.
    fn target(&self, skip: &Skip, s: NodeId, r: NodeId) -> Shape {
        let (from, to) = (self.graph.shape(s), self.graph.shape(r));
        match (skip.kind.node, from.channels()) {
            (MergeKind::Concat, Some(channels)) if to.channels().is_some() => to.with_channels(channels),
            _ => to.clone(),
        }
    }

    fn no_args(&mut self, call: &Call, frame: &Frame<'p>) {
        if let Some(arg) = call.args.first() {
            let error = Diagnostic::new(codes::TOO_MANY, format!("`{}` takes no arguments", call.name.node))
                .label(arg.value.span, "the width and the stride come from the skip's ends");
            self.error(error, frame);
        }
    }

    /// The identity, or a 1×1 convolution and a batch norm (of vectors, a linear layer).
    fn project(
        &mut self,
        (skip, via, call): (&'p Skip, &'p Step, &'p Call),
        frame: &mut Frame<'p>,
        s: NodeId,
        r: NodeId,
    ) -> Option<NodeId> {
        self.no_args(call, frame);
        let (from, to) = (self.graph.shape(s).clone(), self.target(skip, s, r));
        if from == to {
            return Some(s);
        }
        let Some(stride) = stride_between(&from, &to) else {
            return self.cannot_project(call, &from, &to, frame);
        };
        let layers = if to.spatial().is_empty() {
            vec![make("linear", &[("width", to.channels()?.into())], &from)?]
        } else {
            let sizes = |sizes: &[usize]| Value::List(sizes.iter().map(|&s| Value::Int(s as i64)).collect());
            let conv = [
                ("width", to.channels()?.into()),
                ("kernel", Size(1)),
                ("bias", Is(false)),
                ("stride", Sizes(sizes(&stride))),
            ];
            vec![make("conv", &conv, &from)?, self.projection_norm(&to, frame)?]
        };
        let flow = self.via_scope(via, call.span, "project", frame, |this, frame| {
            let mut now = s;
            for (i, op) in layers.into_iter().enumerate() {
                match this.infer_and_add(op, &i.to_string(), call.span, &[now], frame).node() {
                    Some(next) => now = next,
                    None => return Flow::Poison,
                }
            }
            Flow::Node(now)
        });
        flow.node()
    }

    fn projection_norm(&self, to: &Shape, frame: &Frame<'p>) -> Option<Op> {
        let mut args = Args::default();
        for (name, set) in frame.sets.get("batch_norm").into_iter().flatten() {
            if !OWN_START.contains(&name.as_str()) {
                args.given.insert(name.clone(), set.value.clone());
            }
        }
        // A refused `set` was reported where a batch norm takes it; the projection falls back to the defaults.
        let spec = ops::layer("batch_norm")?;
        (spec.make)(&args, to).or_else(|_| (spec.make)(&Args::default(), to)).ok()
    }

    /// The identity, or strided subsampling and zero channels.
    fn zero_pad(
        &mut self,
        (skip, via, call): (&'p Skip, &'p Step, &'p Call),
        frame: &mut Frame<'p>,
        s: NodeId,
        r: NodeId,
    ) -> Option<NodeId> {
        self.no_args(call, frame);
        let (from, to) = (self.graph.shape(s).clone(), self.target(skip, s, r));
        if from == to {
            return Some(s);
        }
        let stride = stride_between(&from, &to).filter(|_| to.channels() >= from.channels());
        let Some(stride) = stride else { return self.cannot_project(call, &from, &to, frame) };
        let op: Op = resize::ZeroPad { width: to.channels()?, stride }.into();
        let label = via.label.as_ref().filter(|label| !is_blank(label));
        let name = match label {
            Some(label) => {
                let name = self.label_text(label, frame, Flow::Node(s))?;
                let entry =
                    super::names::Entry { value: Some(Flow::Poison), inner: None, span: label.span, auto: false };
                self.enter_label(&name, entry, frame);
                name
            }
            None => self.auto_label("zero_pad", call.span, frame),
        };
        let flow = self.infer_and_add(op, &name, call.span, &[s], frame);
        self.names.close(frame.table, &name, flow);
        flow.node()
    }

    fn via_scope(
        &mut self,
        via: &'p Step,
        span: Span,
        kind: &'p str,
        frame: &mut Frame<'p>,
        inside: impl FnOnce(&mut Self, &mut Frame<'p>) -> Flow,
    ) -> Flow {
        let (name, span, auto) = match &via.label {
            Some(label) if is_blank(label) => return inside(self, frame),
            Some(label) => match self.label_text(label, frame, Flow::Nothing) {
                Some(name) => (name, label.span, false),
                None => return Flow::Poison,
            },
            None => (self.names.ordinal(frame.table, kind), span, true),
        };
        let entered = self.enter(&name, span, auto, ScopeKind::Group, frame);
        let flow = inside(self, frame);
        self.leave(entered, flow, frame);
        flow
    }

    fn cannot_project(&mut self, call: &Call, from: &Shape, to: &Shape, frame: &Frame<'p>) -> Option<NodeId> {
        let name = &call.name.node;
        let error = Diagnostic::new(codes::PROJECT, format!("`{name}` cannot make {to} of {from}"));
        let error = if name == "zero_pad" && to.channels() < from.channels() {
            error.label(call.span, "zero channels only add").help("via project")
        } else {
            let error = error.label(call.span, "no stride leads from one to the other");
            let smaller = from.rank() == to.rank() && from.spatial().iter().zip(to.spatial()).all(|(s, r)| s >= r);
            match (smaller, to.channels()) {
                (true, _) => error.help(format!("crop it on its way: `via crop({})`", list(to.spatial()))),
                (false, Some(width)) if from.rank() == to.rank() => {
                    let size = list(to.spatial());
                    error.help(format!("enlarge it on its way: `via {{ upsample(size={size}) -> conv({width}, 1) }}`"))
                }
                _ => error,
            }
        };
        self.error(error, frame);
        None
    }
}

fn list(sizes: &[usize]) -> String {
    format!("[{}]", sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

/// The strides with which a 1×1 window leads from one shape to the other.
pub(super) fn stride_between(from: &Shape, to: &Shape) -> Option<Vec<usize>> {
    if from.rank() != to.rank() || from.channels().is_none() {
        return None;
    }
    let stride = |(&a, &b): (&usize, &usize)| match (a, b) {
        (a, b) if a == b => Some(1),
        // The smallest s with ⌊(a − 1) / s⌋ + 1 = b.
        (a, b) if b >= 1 && b < a => Some((a - 1) / b + 1).filter(|s| (a - 1) / s + 1 == b),
        _ => None,
    };
    from.spatial().iter().zip(to.spatial()).map(stride).collect()
}

enum Given {
    Size(usize),
    Is(bool),
    Sizes(Value),
}
use Given::{Is, Size, Sizes};

impl From<usize> for Given {
    fn from(size: usize) -> Self {
        Size(size)
    }
}

fn make(layer: &str, given: &[(&str, Given)], input: &Shape) -> Option<Op> {
    let value = |given: &Given| match given {
        Size(n) => Value::Int(*n as i64),
        Is(b) => Value::Bool(*b),
        Sizes(value) => value.clone(),
    };
    let given = given.iter().map(|(name, v)| (name.to_string(), value(v))).collect();
    (ops::layer(layer)?.make)(&Args { given }, input).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_are_those_that_lead_there() {
        let stride = |from: &[usize], to: &[usize]| {
            stride_between(&Shape::new([&[8][..], from].concat()), &Shape::new([&[16][..], to].concat()))
        };
        assert_eq!(stride(&[56, 56], &[28, 28]), Some(vec![2, 2]));
        assert_eq!(stride(&[57, 56], &[29, 28]), Some(vec![2, 2]));
        assert_eq!(stride(&[56, 56], &[56, 14]), Some(vec![1, 4]));
        assert_eq!(stride(&[32], &[28]), None);
        assert_eq!(stride(&[28], &[56]), None);
    }
}
