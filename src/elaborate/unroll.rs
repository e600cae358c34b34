//! Bodies unrolled step by step into a graph.

use super::compile::Options;
use super::eval::Fault;
use super::flow::{Flow, Trail};
use super::frame::{Binding, Frame, Sets, View};
use super::names::{Entry, Names, TableId, is_blank};
use super::ports::Ports;
use super::program::Program;
use super::report::Reporter;
use super::sketch::Taken;
use crate::base::{Diagnostic, Limits, Span, codes};
use crate::graph::resolution::Resolutions;
use crate::graph::{Graph, Node, NodeId, Scope, ScopeId, ScopeKind};
use crate::ops::{Op, Value};
use crate::shape::Shape;
use crate::syntax::ast::{Body, Chain, Label, LabelPart, Step, StepKind};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Bytes of one path; longer ones come from labels that only a machine would write.
const PATH_BYTES: usize = 4096;
/// Bytes of all paths together.
const ALL_PATH_BYTES: usize = 24 << 20;
/// Units of work (expressions evaluated, list entries copied) for every step allowed.
const WORK_PER_STEP: usize = 16;

/// One elaboration in progress.
pub(super) struct Unroller<'p> {
    pub program: &'p Program,
    pub options: &'p Options,
    pub limits: &'p Limits,
    pub graph: Graph,
    pub names: Names<'p>,
    pub trail: Trail,
    pub resolutions: Resolutions,
    pub report: Reporter,
    /// Block calls that are open, outermost first.
    pub calls: Vec<(&'p str, Span)>,
    /// `set`s of each file as they stand after each of its items.
    pub file_sets: BTreeMap<usize, Vec<Rc<Sets>>>,
    pub ports: Ports,
    /// Every step that was taken, where somebody wants to know.
    pub taken: Option<Vec<Taken>>,
    /// Nothing more is unrolled: a limit was met, or there are too many errors.
    pub halted: bool,
    steps: usize,
    work: Cell<usize>,
    met: Cell<Option<&'static str>>,
    path_bytes: usize,
    depth: usize,
    max_depth: usize,
}

/// A scope that was entered, and what to go back to.
pub(super) struct Entered {
    scope: ScopeId,
    table: TableId,
    label: Option<String>,
}

impl<'p> Unroller<'p> {
    /// Begins. `max_depth` bodies may be open at once, which the thread's stack must hold.
    pub(super) fn new(program: &'p Program, options: &'p Options, max_depth: usize) -> Self {
        Self {
            program,
            options,
            limits: &options.limits,
            graph: Graph::default(),
            names: Names::default(),
            trail: Trail::default(),
            resolutions: Resolutions::default(),
            report: Reporter::default(),
            calls: Vec::new(),
            file_sets: BTreeMap::new(),
            ports: Ports::default(),
            taken: None,
            halted: false,
            steps: 0,
            work: Cell::new(0),
            met: Cell::new(None),
            path_bytes: 0,
            depth: 0,
            max_depth,
        }
    }

    /// Reports an error found in the frame's scope.
    pub(super) fn error(&mut self, diagnostic: Diagnostic, frame: &Frame<'p>) {
        let last = matches!(diagnostic.code, codes::LIMIT | codes::ENDLESS);
        self.report.push(diagnostic, frame.scope);
        self.halted |= last || self.report.len() >= self.limits.errors;
    }

    /// The value, or a report of why there is none.
    pub(super) fn take<T>(&mut self, result: Result<T, Fault>, frame: &Frame<'p>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Fault::Silent) => None,
            Err(Fault::Said(diagnostic)) => {
                self.error(*diagnostic, frame);
                None
            }
        }
    }

    /// The environment of an expression where `it` is the current value.
    pub(super) fn view<'a>(&'a self, frame: &'a Frame<'p>, it: Flow) -> View<'a, 'p> {
        View { unroller: self, frame, it }
    }

    /// Takes units of work from the budget.
    pub(super) fn charge(&self, work: usize, span: Span) -> Result<(), Fault> {
        let spent = self.work.get().saturating_add(work);
        self.work.set(spent);
        let allowed = self.limits.steps.saturating_mul(WORK_PER_STEP);
        if spent > allowed {
            Err(self.limit("steps", self.limits.steps, "unrolling takes too much work", span).into())
        } else {
            Ok(())
        }
    }

    /// The name of the limit that was met.
    pub(super) fn met(&self) -> Option<&'static str> {
        self.met.get()
    }

    /// The error for a limit that is met herewith.
    fn limit(&self, name: &'static str, allowed: usize, message: &str, span: Span) -> Diagnostic {
        self.met.set(Some(name));
        Diagnostic::new(codes::LIMIT, format!("{message}: more than {allowed} {}", name.replace('-', " ")))
            .label(span, "reached here")
            .help(format!("raise the limit if this is meant: `--limit {name}={}`", allowed.saturating_mul(10)))
    }

    /// Counts one step; `false` where no more may be taken.
    pub(super) fn tick(&mut self, span: Span, frame: &Frame<'p>) -> bool {
        self.steps += 1;
        if self.steps > self.limits.steps && !self.halted {
            let error = self.limit("steps", self.limits.steps, "unrolling does not come to an end", span);
            self.error(error, frame);
        }
        !self.halted
    }

    /// Whether a loop's iterations can all be taken; refused before the first, since each takes a step at least.
    pub(super) fn has_room(&mut self, iterations: i64, span: Span, frame: &Frame<'p>) -> bool {
        let left = self.limits.steps.saturating_sub(self.steps);
        if usize::try_from(iterations).is_ok_and(|iterations| iterations <= left) {
            return true;
        }
        self.steps = self.limits.steps;
        self.tick(span, frame)
    }

    /// A body: lets and sets end with it.
    pub(super) fn body(&mut self, body: &'p Body, frame: &mut Frame<'p>, now: Flow) -> Flow {
        self.braces(frame, now, body.span, |this, frame| this.lines(&body.lines, frame, now))
    }

    /// Runs `inside` in braces of its own.
    pub(super) fn braces(
        &mut self,
        frame: &mut Frame<'p>,
        now: Flow,
        span: Span,
        inside: impl FnOnce(&mut Self, &mut Frame<'p>) -> Flow,
    ) -> Flow {
        if self.depth >= self.max_depth {
            let error = self.limit("call-depth", self.limits.call_depth, "blocks and braces nest too deep", span);
            self.error(error, frame);
            return now;
        }
        self.depth += 1;
        let (mark, sets) = (frame.vars.mark(), Rc::clone(&frame.sets));
        let flow = inside(self, frame);
        frame.vars.forget(mark);
        frame.sets = sets;
        self.depth -= 1;
        flow
    }

    fn lines(&mut self, lines: &'p [Chain], frame: &mut Frame<'p>, now: Flow) -> Flow {
        lines.iter().fold(now, |now, line| self.line(line, frame, now))
    }

    /// One line.
    pub(super) fn line(&mut self, line: &'p [Step], frame: &mut Frame<'p>, mut now: Flow) -> Flow {
        for step in line {
            if !self.tick(step.span, frame) {
                return Flow::Poison;
            }
            now = self.step(step, frame, now);
        }
        now
    }

    /// One step.
    pub(super) fn step(&mut self, step: &'p Step, frame: &mut Frame<'p>, now: Flow) -> Flow {
        let (first, scope) = (self.graph.len(), frame.scope);
        let after = self.take_step(step, frame, now);
        if let Some(taken) = &mut self.taken {
            let nodes = first..self.graph.len();
            taken.push(Taken { span: step.span, scope, before: now.node(), after: after.node(), nodes });
        }
        after
    }

    fn take_step(&mut self, step: &'p Step, frame: &mut Frame<'p>, now: Flow) -> Flow {
        match &step.kind {
            StepKind::Call(call) => self.call(call, step, frame, now),
            StepKind::Let { name, value } => {
                self.no_label(step, frame);
                self.bind_let(name, value, frame, now)
            }
            StepKind::Set(set) => {
                self.no_label(step, frame);
                self.apply_set(set, frame, now);
                now
            }
            StepKind::From(path) => {
                self.no_label(step, frame);
                self.look_up(path, frame, now)
            }
            StepKind::Output(name) => {
                self.no_label(step, frame);
                self.output(name, frame, now);
                now
            }
            StepKind::Input { name, dims } => {
                self.no_label(step, frame);
                self.input(name, dims, step.span, frame, now)
            }
            _ => self.labelled(step, frame, now, |this, frame| this.braced(step, frame, now)),
        }
    }

    /// Steps with braces, in the scope that their label has opened.
    fn braced(&mut self, step: &'p Step, frame: &mut Frame<'p>, now: Flow) -> Flow {
        match &step.kind {
            StepKind::Group(body) => self.body(body, frame, now),
            StepKind::Skip(skip) => self.skip(skip, frame, now),
            StepKind::Parallel { kind, args, body } => self.parallel(kind, args, body, frame, now),
            StepKind::Repeat { count, body } => self.repeat(count, body, frame, now),
            StepKind::For { var, from, to, inclusive, body } => {
                self.for_loop((var, from, to, *inclusive), body, frame, now)
            }
            StepKind::If { arms, otherwise } => self.branch(arms, otherwise.as_ref(), frame, now),
            _ => now,
        }
    }

    fn no_label(&mut self, step: &'p Step, frame: &Frame<'p>) {
        if let Some(label) = &step.label {
            let error = Diagnostic::new(codes::LABEL, "this step makes no value that could be labelled")
                .label(label.span, "a label stands before a layer, a block or braces");
            self.error(error, frame);
        }
    }

    /// Runs `inside` in the scope of the step's label, if it has one.
    fn labelled(
        &mut self,
        step: &'p Step,
        frame: &mut Frame<'p>,
        now: Flow,
        inside: impl FnOnce(&mut Self, &mut Frame<'p>) -> Flow,
    ) -> Flow {
        let Some(label) = step.label.as_ref().filter(|label| !is_blank(label)) else {
            return inside(self, frame);
        };
        let Some(name) = self.label_text(label, frame, now) else {
            inside(self, frame);
            return Flow::Poison;
        };
        self.in_scope(&name, label.span, ScopeKind::Group, frame, inside)
    }

    /// Runs `inside` in a new scope of this name.
    pub(super) fn in_scope(
        &mut self,
        name: &str,
        span: Span,
        kind: ScopeKind,
        frame: &mut Frame<'p>,
        inside: impl FnOnce(&mut Self, &mut Frame<'p>) -> Flow,
    ) -> Flow {
        let entered = self.enter(name, span, false, kind, frame);
        let flow = inside(self, frame);
        self.leave(entered, flow, frame);
        flow
    }

    /// Opens a scope in the frame.
    pub(super) fn enter(
        &mut self,
        name: &str,
        span: Span,
        auto: bool,
        kind: ScopeKind,
        frame: &mut Frame<'p>,
    ) -> Entered {
        let visible = !matches!(kind, ScopeKind::Block(_));
        let inner = self.names.open(frame.table, visible);
        let entry = Entry { value: None, inner: Some(inner), span, auto };
        self.enter_label(name, entry, frame);
        let path = self.path(name, span, frame);
        let scope = self.graph.scopes.add(Scope { parent: frame.scope, path, kind });
        let entered = Entered { scope: frame.scope, table: frame.table, label: Some(name.to_string()) };
        (frame.scope, frame.table) = (scope, inner);
        entered
    }

    /// Opens the scope of a `_:` block, whose labels go to the scope around it.
    pub(super) fn enter_blank(&mut self, kind: ScopeKind, frame: &mut Frame<'p>) -> Entered {
        let path = self.graph.scopes.get(frame.scope).path.clone();
        let scope = self.graph.scopes.add(Scope { parent: frame.scope, path, kind });
        let entered = Entered { scope: frame.scope, table: frame.table, label: None };
        frame.scope = scope;
        entered
    }

    /// Goes back to the scope around, where the label now has a value.
    pub(super) fn leave(&mut self, entered: Entered, value: Flow, frame: &mut Frame<'p>) {
        (frame.scope, frame.table) = (entered.scope, entered.table);
        if let Some(label) = &entered.label {
            self.names.close(frame.table, label, value);
        }
    }

    /// Enters a label, or shows the two that are equal.
    pub(super) fn enter_label(&mut self, name: &str, entry: Entry, frame: &Frame<'p>) {
        let (span, auto) = (entry.span, entry.auto);
        if !auto && self.names.is_outermost(frame.table) && matches!(frame.vars.get(name), Some(Binding::Flow(_))) {
            let message = format!("the label `{name}` has the name of a value that this block takes");
            let error = Diagnostic::new(codes::TWICE, message)
                .label(span, format!("`from {name}` reads what the block takes, never this"))
                .help("rename one of them: the parameter, where a checkpoint has this name");
            self.error(error, frame);
        }
        let Err(earlier) = self.names.insert(frame.table, name, entry) else { return };
        let path = &self.graph.scopes.get(frame.scope).path;
        let place = if path.is_empty() { "the model".to_string() } else { format!("`{path}`") };
        let error = Diagnostic::new(codes::TWICE, format!("two labels `{name}` in {place}"));
        let error = if earlier.span == span {
            let iteration = if auto { "an iteration of this `repeat`" } else { "labelled again in every iteration" };
            error.label(span, iteration).help(format!("number the iterations: `{name}{{i}}:`, or label the braces"))
        } else if auto && name.starts_with(|c: char| c.is_ascii_digit()) {
            let label = error.label(span, "its iterations are numbered from 0").label(earlier.span, "and so are these");
            label.help("label one of them: `name: repeat …`")
        } else {
            let first = if earlier.auto { "named so by its kind and ordinal" } else { "the first" };
            error
                .label(span, "the second")
                .label(earlier.span, first)
                .help("rename one, or put each in labelled braces")
        };
        self.error(error, frame);
    }

    /// A label with its `{expr}`s filled in.
    pub(super) fn label_text(&mut self, label: &'p Label, frame: &Frame<'p>, now: Flow) -> Option<String> {
        let mut text = String::new();
        for part in &label.parts {
            match part {
                LabelPart::Text(piece) => text.push_str(piece),
                LabelPart::Expr(expr) => {
                    let value = super::eval::eval(expr, &self.view(frame, now), super::eval::Words::Refused);
                    match self.take(value, frame)? {
                        Value::Int(n) if n >= 0 => text.push_str(&n.to_string()),
                        Value::Str(s) if is_name(&s) => text.push_str(&s),
                        other => {
                            let message = format!("{} cannot be part of a label", other.describe());
                            let error = Diagnostic::new(codes::LABEL, message)
                                .label(expr.span, "a whole number from 0, or letters, digits and `_`");
                            self.error(error, frame);
                            return None;
                        }
                    }
                }
            }
        }
        Some(text)
    }

    /// The path of a label in the frame's scope.
    pub(super) fn path(&mut self, name: &str, span: Span, frame: &Frame<'p>) -> String {
        let scope = &self.graph.scopes.get(frame.scope).path;
        let path = if scope.is_empty() { name.to_string() } else { format!("{scope}.{name}") };
        self.path_bytes += path.len();
        if path.len() > PATH_BYTES || self.path_bytes > ALL_PATH_BYTES {
            let error = Diagnostic::new(codes::LIMIT, "the labels are too long")
                .label(span, format!("its path has {} bytes", path.len()))
                .help("use shorter labels, or fewer inside one another");
            self.error(error, frame);
        }
        path
    }

    /// Adds a node under `name` and marks the main path through `main`.
    pub(super) fn add(&mut self, new: NewNode<'_>, frame: &Frame<'p>) -> Flow {
        let NewNode { op, name, shape, span, operands, main } = new;
        if self.graph.len() >= self.limits.layers {
            let error = self.limit("layers", self.limits.layers, "the network is too large", span);
            self.error(error, frame);
            return Flow::Poison;
        }
        if shape.elements().is_none_or(|n| n > self.limits.elements) {
            let allowed = usize::try_from(self.limits.elements).unwrap_or(usize::MAX);
            let error = self.limit("elements", allowed, &format!("{shape} is too large"), span);
            self.error(error, frame);
            return Flow::Poison;
        }
        let path = self.path(name, span, frame);
        let same = main.is_some_and(|m| self.graph.shape(m).spatial() == shape.spatial());
        let id = self.graph.add(Node { op, path, shape, span, scope: frame.scope }, operands);
        self.trail.push(id, main, same);
        let (node, operands) = (self.graph.node(id), operands.iter().map(|o| o.index()).collect::<Vec<_>>());
        self.resolutions.push(&node.op, &node.shape, &operands, &self.graph.operand_shapes(id));
        Flow::Node(id)
    }
}

/// A node to be added.
pub(super) struct NewNode<'a> {
    pub op: Op,
    /// Its label in the frame's scope.
    pub name: &'a str,
    pub shape: Shape,
    pub span: Span,
    pub operands: &'a [NodeId],
    /// The node before on the main path.
    pub main: Option<NodeId>,
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
