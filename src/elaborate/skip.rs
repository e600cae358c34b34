//! Skips made edges.

use super::bind;
use super::eval::{self, Fault, Words};
use super::flow::Flow;
use super::frame::Frame;
use super::length::{self, Loop};
use super::mismatch::{self, Ends};
use super::unroll::{NewNode, Unroller};
use super::vocabulary;
use crate::base::{Diagnostic, Spanned, codes};
use crate::graph::{NodeId, SkipEdge};
use crate::ops::{Op, ShapeError, Value, merge, resize};
use crate::shape::Shape;
use crate::syntax::ast::{Fit, MergeKind, Skip, StepKind};

/// Nodes between the ends of a skip that are looked at for one unit of work.
const VISITS_PER_WORK: usize = 16;

/// `scale`, `drop_path` and `order`, as they came out.
struct SkipArgs {
    scale: f64,
    drop_path: f64,
    last: bool,
}

impl<'p> Unroller<'p> {
    /// `[long] skip KIND …`
    pub(super) fn skip(&mut self, skip: &'p Skip, frame: &mut Frame<'p>, now: Flow) -> Flow {
        let args = self.skip_args(skip, frame, now);
        let sound = self.words_agree(skip, frame);
        let source = match &skip.from {
            Some(path) => self.look_up(path, frame, now),
            None => now,
        };
        if self.options.plain {
            return self.without_edge(skip, frame, now);
        }
        let result = match &skip.body {
            Some(body) => self.body(body, frame, now),
            None => now,
        };
        let (Flow::Node(s), Flow::Node(r)) = (source, result) else {
            self.side_steps(skip, frame);
            let missing = (now == Flow::Nothing).then(|| self.no_value(skip.head, frame));
            return missing.unwrap_or(Flow::Poison);
        };
        match (args, sound) {
            (Some(args), true) => self.edge(skip, &args, frame, s, r),
            _ => {
                self.side_steps(skip, frame);
                result
            }
        }
    }

    /// The plain twin: what the edge skips, without the edge. A factor without its edge is no layer: what
    /// `skip mul` encloses goes, too.
    fn without_edge(&mut self, skip: &'p Skip, frame: &mut Frame<'p>, now: Flow) -> Flow {
        match &skip.body {
            Some(body) if skip.kind.node != MergeKind::Mul => self.body(body, frame, now),
            _ => now,
        }
    }

    /// Names the labels of `via` and `by` where the edge itself has failed.
    fn side_steps(&mut self, skip: &'p Skip, frame: &mut Frame<'p>) {
        for step in [&skip.via, &skip.by].into_iter().flatten() {
            let special =
                matches!(&step.kind, StepKind::Call(c) if matches!(c.name.node.as_str(), "project" | "zero_pad"));
            if !special {
                self.step(step, frame, Flow::Poison);
            }
        }
    }

    /// Refuses words that do not go together.
    fn words_agree(&mut self, skip: &'p Skip, frame: &Frame<'p>) -> bool {
        let kind = skip.kind.node.name();
        let error = |message: &str| Diagnostic::new(codes::SKIP_WORDS, message);
        let wrong = match (skip.kind.node, &skip.by) {
            (MergeKind::Gate, None) => Some(
                error("a gate needs `by`, the step that says how far it opens")
                    .label(skip.head, "no `by`")
                    .help("skip gate by linear(it.features, bias_init=-2) { … }"),
            ),
            (MergeKind::Add | MergeKind::Concat | MergeKind::Mul, Some(by)) => {
                Some(error(&format!("`{kind}` has no gate")).label(by.span, "`by` belongs to `skip gate`"))
            }
            _ if skip.from.is_none() && skip.body.is_none() => Some(
                error("this skip skips nothing")
                    .label(skip.head, "neither `from` nor braces")
                    .help(format!("skip {kind} {{ … }}, or skip {kind} from NAME")),
            ),
            _ => None,
        };
        let sound = wrong.is_none();
        if let Some(error) = wrong {
            self.error(error, frame);
        }
        sound
    }

    fn skip_args(&mut self, skip: &'p Skip, frame: &Frame<'p>, now: Flow) -> Option<SkipArgs> {
        let callee = format!("skip {}", skip.kind.node.name());
        let names = vocabulary::skip_arguments(skip.kind.node.name());
        let matched = bind::matched(&callee, names, &skip.args);
        let mut sound = matched.errors.is_empty();
        matched.errors.into_iter().for_each(|error| self.error(error, frame));
        let mut args = SkipArgs { scale: 1.0, drop_path: 0.0, last: false };
        for (name, arg) in names.iter().zip(matched.args) {
            let Some(arg) = arg else { continue };
            let words = if *name == "order" { Words::Allowed } else { Words::Refused };
            let value = eval::eval(&arg.value, &self.view(frame, now), words);
            let checked = value.and_then(|value| checked(name, &value, &mut args, arg.value.span));
            sound &= self.take(checked, frame).is_some();
        }
        sound.then_some(args)
    }

    /// The merge, its operands, and the record of the edge.
    fn edge(&mut self, skip: &'p Skip, args: &SkipArgs, frame: &mut Frame<'p>, s: NodeId, r: NodeId) -> Flow {
        let Some(carried) = self.via(skip, frame, s, r) else { return self.recover(skip, r) };
        let gate = match &skip.by {
            Some(by) => match self.step(by, frame, Flow::Node(s)).node() {
                Some(gate) => Some(gate),
                None => return self.recover(skip, r),
            },
            None => None,
        };
        let Some((carried, met)) = self.fit(skip, frame, carried, r) else { return self.recover(skip, r) };
        let (op, operands, source_operand): (Op, Vec<NodeId>, usize) = match skip.kind.node {
            MergeKind::Add => {
                (merge::Add { scale: args.scale, drop_path: args.drop_path }.into(), vec![carried, met], 0)
            }
            MergeKind::Concat if args.last => (merge::Concat {}.into(), vec![met, carried], 1),
            MergeKind::Concat => (merge::Concat {}.into(), vec![carried, met], 0),
            MergeKind::Mul => (merge::Mul {}.into(), vec![carried, met], 0),
            MergeKind::Gate => (merge::Gate {}.into(), [carried, met].into_iter().chain(gate).collect(), 0),
        };
        let shapes: Vec<&Shape> = operands.iter().map(|&id| self.graph.shape(id)).collect();
        let shape = match op.layer().infer(&shapes) {
            Ok(shape) => shape,
            Err(error) => return self.ends_disagree(skip, frame, Ends { s, r, carried, met, gate }, &error),
        };
        // A factor that was stretched (squeeze-and-excitation) is no resolution of the main path.
        let stretched = self.graph.shape(met).spatial() != shape.spatial();
        let main = Some(if stretched { carried } else { met });
        let name = self.auto_label(skip.kind.node.name(), skip.head, frame);
        let new = NewNode { op, name: &name, shape, span: skip.head, operands: &operands, main };
        let flow = self.add(new, frame);
        if let Some(merge) = flow.node() {
            let verdict = self.classify(skip, frame, Loop { s, r, merge });
            let via = skip.via.as_ref().filter(|_| carried != s).map(|via| self.via_text(via));
            let span = skip.head;
            self.graph.skips.push(SkipEdge {
                merge,
                source: s,
                result: met,
                source_operand,
                length: verdict,
                via,
                span,
            });
        }
        flow
    }

    fn via_text(&self, via: &crate::syntax::ast::Step) -> String {
        let span = match &via.kind {
            StepKind::Call(call) => call.span,
            _ => via.span,
        };
        let text = self.program.sources.text(span);
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if joined.chars().count() > 40 { joined.chars().take(39).chain(['…']).collect() } else { joined }
    }

    fn ends_disagree(&mut self, skip: &'p Skip, frame: &Frame<'p>, ends: Ends, error: &ShapeError) -> Flow {
        // The walk back along the path is long: not for errors that will be folded away.
        let error = if self.report.has(codes::ENDS_DISAGREE, skip.head) {
            Diagnostic::new(codes::ENDS_DISAGREE, "").label(skip.head, "")
        } else {
            mismatch::ends_disagree(self, skip, &ends, error)
        };
        self.error(error, frame);
        let same_rank = self.graph.shape(ends.carried).rank() == self.graph.shape(ends.met).rank();
        if same_rank { self.recover(skip, ends.r) } else { Flow::Poison }
    }

    /// What the steps after a failed merge work on: the result, which an addition would not have changed.
    fn recover(&self, skip: &Skip, r: NodeId) -> Flow {
        if skip.kind.node == MergeKind::Concat { Flow::Poison } else { Flow::Node(r) }
    }

    /// Source and result after `fit`.
    fn fit(&mut self, skip: &'p Skip, frame: &Frame<'p>, s: NodeId, r: NodeId) -> Option<(NodeId, NodeId)> {
        let Some(fit) = &skip.fit else { return Some((s, r)) };
        let (from, to) = (self.graph.shape(s), self.graph.shape(r));
        if from.spatial() == to.spatial() {
            return Some((s, r));
        }
        if from.rank() != to.rank() || !from.spatial().iter().zip(to.spatial()).all(|(s, r)| s >= r) {
            let error = mismatch::cannot_fit(self, skip, fit, s, r);
            self.error(error, frame);
            return None;
        }
        let (op, operands): (Op, _) = match fit.node {
            Fit::Crop => (resize::CropLike {}.into(), [s, r]),
            Fit::Pad => (resize::PadLike {}.into(), [r, s]),
        };
        let kind = op.layer().kind();
        let name = self.auto_label(kind, fit.span, frame);
        let fitted = self.infer_and_add(op, &name, fit.span, &operands, frame).node()?;
        Some(if fit.node == Fit::Crop { (fitted, r) } else { (s, fitted) })
    }

    fn classify(&mut self, skip: &'p Skip, frame: &Frame<'p>, ends: Loop) -> crate::graph::SkipLength {
        let (verdict, visited) = length::classify(&self.graph, &self.resolutions, ends, skip.long.is_some());
        let charged = self.charge(visited / VISITS_PER_WORK, skip.head);
        self.take(charged, frame);
        if let Some(error) = length::disagreement(self, skip, ends, &verdict) {
            self.error(error, frame);
        }
        verdict.length
    }
}

fn checked(name: &str, value: &Value, args: &mut SkipArgs, span: crate::base::Span) -> Result<(), Fault> {
    let refused = |wants: &str| {
        Diagnostic::new(codes::ARGUMENT, format!("`{name}` must be {wants}, not {}", value.describe()))
            .label(span, "here")
    };
    let number = match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    };
    match (name, number, value) {
        ("scale", Some(x), _) => args.scale = x,
        ("drop_path", Some(p), _) if (0.0..1.0).contains(&p) => args.drop_path = p,
        ("order", _, Value::Word(w) | Value::Str(w)) if w == "last" || w == "first" => args.last = w == "last",
        ("scale", ..) => return Err(refused("a number").into()),
        ("drop_path", ..) => return Err(refused("a number from 0 to less than 1").into()),
        _ => return Err(refused("`first` or `last`").into()),
    }
    Ok(())
}

/// The words `fit crop` or `fit pad`.
pub(super) fn fit_words(fit: &Spanned<Fit>) -> &'static str {
    match fit.node {
        Fit::Crop => "fit crop",
        Fit::Pad => "fit pad",
    }
}
