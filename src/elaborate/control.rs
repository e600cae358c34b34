//! `let`, `set`, `repeat`, `for`, `if` and `parallel`.

use super::eval::{self, Words};
use super::flow::Flow;
use super::frame::{Binding, Frame, SetArg};
use super::unroll::{NewNode, Unroller};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, Spanned, codes};
use crate::graph::{NodeId, ScopeKind};
use crate::ops::{self, ArgType, Op, Value, merge};
use crate::syntax::ast::{Arg, Body, Chain, Expr, Ident, MergeKind, Set, Step, StepKind};
use std::rc::Rc;

/// The head of a `for`: variable, bounds, and whether the upper one is included.
pub(super) type ForHead<'p> = (&'p Ident, &'p Expr, &'p Expr, bool);

/// A line of a `parallel` that was unrolled: its end, and where that was written.
struct Branch {
    end: Flow,
    span: Span,
}

impl<'p> Unroller<'p> {
    /// `let name = value`
    pub(super) fn bind_let(&mut self, name: &'p Ident, value: &Expr, frame: &mut Frame<'p>, now: Flow) -> Flow {
        let value = eval::eval(value, &self.view(frame, now), Words::Refused);
        let binding = self.take(value, frame).map_or(Binding::Poison, |value| Binding::Value(Rc::new(value)));
        frame.vars.bind(&name.node, binding);
        now
    }

    /// `set layer(arg=value)`
    pub(super) fn apply_set(&mut self, set: &'p Set, frame: &mut Frame<'p>, now: Flow) {
        let Some(spec) = ops::layer(&set.layer.node) else {
            let near = nearest(&set.layer.node, ops::layers().iter().map(|l| l.name));
            let message = format!("there is no layer named `{}`", set.layer.node);
            let error = Diagnostic::new(codes::UNKNOWN_STEP, message);
            return self.error(error.meant(set.layer.span, near, || "not a layer".into()), frame);
        };
        for arg in &set.args {
            let Some(name) = &arg.name else {
                let error = Diagnostic::new(codes::UNKNOWN_ARGUMENT, "`set` takes arguments by name")
                    .label(arg.value.span, "which argument?")
                    .help(format!("set {}({}=…)", spec.name, spec.args.first().map_or("name", |a| a.name)));
                self.error(error, frame);
                continue;
            };
            let Some(known) = spec.args.iter().find(|a| a.name == name.node && a.ty != ArgType::Operand) else {
                let names: Vec<&str> = spec.args.iter().map(|a| a.name).collect();
                self.error(super::bind::unknown(spec.name, name, &names), frame);
                continue;
            };
            let value = eval::eval(&arg.value, &self.view(frame, now), super::bind::words(known.ty));
            if let Some(value) = self.take(value, frame) {
                let layer = Rc::make_mut(&mut frame.sets).entry(set.layer.node.clone()).or_default();
                layer.insert(name.node.clone(), SetArg { value, span: arg.value.span });
            }
        }
    }

    /// `repeat n { … }`: each iteration in a scope named by its number.
    pub(super) fn repeat(&mut self, count: &Expr, body: &'p Body, frame: &mut Frame<'p>, mut now: Flow) -> Flow {
        let Some(iterations) = self.count(count, "the number of iterations", frame, now) else { return Flow::Poison };
        if !self.has_room(iterations, count.span, frame) {
            return Flow::Poison;
        }
        for iteration in 0..iterations {
            if !self.tick(count.span, frame) {
                return Flow::Poison;
            }
            let entered = self.enter(&iteration.to_string(), body.span, true, ScopeKind::Iteration, frame);
            now = self.body(body, frame, now);
            self.leave(entered, now, frame);
        }
        now
    }

    /// `for i in a..b { … }`
    pub(super) fn for_loop(&mut self, head: ForHead<'p>, body: &'p Body, frame: &mut Frame<'p>, mut now: Flow) -> Flow {
        let Some(range) = self.range(head, frame, now) else { return Flow::Poison };
        if !self.has_room(range.end.saturating_sub(range.start).max(0), body.span, frame) {
            return Flow::Poison;
        }
        for i in range {
            if !self.tick(body.span, frame) {
                return Flow::Poison;
            }
            let mark = frame.vars.mark();
            frame.vars.bind(&head.0.node, Binding::Value(Rc::new(Value::Int(i))));
            now = self.body(body, frame, now);
            frame.vars.forget(mark);
        }
        now
    }

    /// `if c { … } else { … }`
    pub(super) fn branch(
        &mut self,
        arms: &'p [(Expr, Body)],
        otherwise: Option<&'p Body>,
        frame: &mut Frame<'p>,
        now: Flow,
    ) -> Flow {
        match self.chosen(arms, otherwise, frame, now) {
            Ok(Some(body)) => self.body(body, frame, now),
            Ok(None) => now,
            Err(()) => Flow::Poison,
        }
    }

    fn chosen(
        &mut self,
        arms: &'p [(Expr, Body)],
        otherwise: Option<&'p Body>,
        frame: &mut Frame<'p>,
        now: Flow,
    ) -> Result<Option<&'p Body>, ()> {
        for (test, body) in arms {
            let holds = eval::condition(test, &self.view(frame, now));
            match self.take(holds, frame) {
                Some(true) => return Ok(Some(body)),
                Some(false) => {}
                None => return Err(()),
            }
        }
        Ok(otherwise)
    }

    fn range(&mut self, head: ForHead<'p>, frame: &Frame<'p>, now: Flow) -> Option<std::ops::Range<i64>> {
        let (_, from, to, inclusive) = head;
        let start = eval::integer(from, &self.view(frame, now), "the start of a `for`");
        let start = self.take(start, frame)?;
        let end = eval::integer(to, &self.view(frame, now), "the end of a `for`");
        Some(start..self.take(end, frame)?.saturating_add(i64::from(inclusive)))
    }

    fn count(&mut self, expr: &Expr, what: &str, frame: &Frame<'p>, now: Flow) -> Option<i64> {
        let value = eval::integer(expr, &self.view(frame, now), what);
        let value = self.take(value, frame)?;
        if value >= 0 {
            return Some(value);
        }
        let error =
            Diagnostic::new(codes::ARGUMENT, format!("{what} is {value}")).label(expr.span, "must be at least 0");
        self.error(error, frame);
        None
    }

    /// `parallel kind { … }`: every line from the same value.
    pub(super) fn parallel(
        &mut self,
        kind: &'p Spanned<MergeKind>,
        args: &'p [Arg],
        body: &'p Body,
        frame: &mut Frame<'p>,
        now: Flow,
    ) -> Flow {
        if let Some(arg) = args.first() {
            let error = Diagnostic::new(codes::TOO_MANY, format!("`parallel {}` takes no arguments", kind.node.name()))
                .label(arg.value.span, "leave this out");
            self.error(error, frame);
        }
        let mut branches = Vec::new();
        self.braces(frame, now, body.span, |this, frame| {
            this.branches(&body.lines, frame, now, &mut branches);
            now
        });
        let op: Op = match kind.node {
            MergeKind::Add => merge::Add { scale: 1.0, drop_path: 0.0 }.into(),
            MergeKind::Concat => merge::Concat {}.into(),
            MergeKind::Mul => merge::Mul {}.into(),
            MergeKind::Gate => {
                let error = Diagnostic::new(codes::SKIP_WORDS, "`parallel` cannot gate")
                    .label(kind.span, "`add`, `concat` or `mul`")
                    .help("a gate is a skip: `skip gate by linear(…) { … }`");
                self.error(error, frame);
                return Flow::Poison;
            }
        };
        if branches.is_empty() {
            let error = Diagnostic::new(codes::EMPTY, "this `parallel` has no path")
                .label(body.span, "write one path a line; `identity` is a path, too");
            self.error(error, frame);
            return Flow::Poison;
        }
        self.join(op, kind, &branches, frame, now)
    }

    /// Unrolls the lines of a `parallel`; a `for` or an `if` alone on its line gives its own lines.
    fn branches(&mut self, lines: &'p [Chain], frame: &mut Frame<'p>, now: Flow, found: &mut Vec<Branch>) {
        for line in lines {
            if !self.tick(line.first().map_or(Span::default(), |s| s.span), frame) {
                return;
            }
            match line.as_slice() {
                [Step { label: None, kind: StepKind::For { var, from, to, inclusive, body }, .. }] => {
                    let Some(range) = self.range((var, from, to, *inclusive), frame, now) else { continue };
                    if !self.has_room(range.end.saturating_sub(range.start).max(0), body.span, frame) {
                        return;
                    }
                    for i in range {
                        if !self.tick(body.span, frame) {
                            return;
                        }
                        self.braces(frame, now, body.span, |this, frame| {
                            frame.vars.bind(&var.node, Binding::Value(Rc::new(Value::Int(i))));
                            this.branches(&body.lines, frame, now, found);
                            now
                        });
                    }
                }
                [Step { label: None, kind: StepKind::If { arms, otherwise }, .. }] => {
                    if let Ok(Some(body)) = self.chosen(arms, otherwise.as_ref(), frame, now) {
                        self.braces(frame, now, body.span, |this, frame| {
                            this.branches(&body.lines, frame, now, found);
                            now
                        });
                    }
                }
                [step] if matches!(step.kind, StepKind::Let { .. } | StepKind::Set(_)) => {
                    self.step(step, frame, now);
                }
                line => {
                    let end = self.line(line, frame, now);
                    let span = line.last().map_or(Span::default(), |step| step.span);
                    found.push(Branch { end, span });
                }
            }
        }
    }

    fn join(&mut self, op: Op, kind: &Spanned<MergeKind>, branches: &[Branch], frame: &Frame<'p>, now: Flow) -> Flow {
        let Some(ends) = branches.iter().map(|b| b.end.node()).collect::<Option<Vec<NodeId>>>() else {
            return Flow::Poison;
        };
        if let [only] = ends.as_slice() {
            return Flow::Node(*only);
        }
        let shapes: Vec<_> = ends.iter().map(|&end| self.graph.shape(end)).collect();
        match op.layer().infer(&shapes) {
            Ok(shape) => {
                let main = now.node().unwrap_or(ends[0]);
                let name = self.auto_label(kind.node.name(), kind.span, frame);
                let operands = &ends;
                self.add(NewNode { op, name: &name, shape, span: kind.span, operands, main: Some(main) }, frame)
            }
            Err(error) => {
                let kind_name = kind.node.name();
                let paths: Vec<(NodeId, Span)> = ends.iter().copied().zip(branches.iter().map(|b| b.span)).collect();
                let error = super::shape_errors::paths_disagree(&self.graph, kind_name, kind.span, &error, &paths);
                self.error(error, frame);
                Flow::Poison
            }
        }
    }

    /// A label for an unlabelled step, entered in the frame's scope.
    pub(super) fn auto_label(&mut self, kind: &'p str, span: Span, frame: &Frame<'p>) -> String {
        let name = self.names.ordinal(frame.table, kind);
        let entry = super::names::Entry { value: Some(Flow::Poison), inner: None, span, auto: true };
        self.enter_label(&name, entry, frame);
        name
    }
}
