//! Layers and blocks.

use super::bind;
use super::eval::{self, Words};
use super::flow::Flow;
use super::frame::{Binding, Frame, Vars};
use super::names::{Entry, Missing, is_blank};
use super::program::Named;
use super::shape_errors;
use super::sketch::Taken;
use super::unroll::{NewNode, Unroller};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, codes};
use crate::graph::{BlockArg, BlockUse, NodeId, ScopeKind};
use crate::ops::{self, ArgType, Args, LayerSpec, Op, Value};
use crate::syntax::ast::{Block, Call, Expr, ExprKind, Label, LabelPart, Param, Path, Step};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The arguments of a layer, checked by name.
struct Bound {
    args: Args,
    spans: BTreeMap<String, Span>,
    /// Further operands, in the order of the layer's arguments.
    operands: Vec<NodeId>,
}

impl<'p> Unroller<'p> {
    /// `name(args)`: a layer or a block.
    pub(super) fn call(&mut self, call: &'p Call, step: &'p Step, frame: &mut Frame<'p>, now: Flow) -> Flow {
        if let Some(spec) = ops::layer(&call.name.node) {
            return self.layer(spec, call, step.label.as_ref(), frame, now);
        }
        match self.program.lookup(frame.module, &call.name.node) {
            Some(Named::Block { module, item }) => match self.program.block(module, item) {
                Some(block) => self.block((block, module, item), call, step.label.as_ref(), frame, now),
                None => Flow::Poison,
            },
            named => {
                let error = self.no_such_step(call, matches!(named, Some(Named::Model { .. })), frame);
                self.error(error, frame);
                if let Some(label) = &step.label {
                    self.label_poison(label, frame, now);
                }
                Flow::Poison
            }
        }
    }

    fn no_such_step(&self, call: &Call, is_model: bool, frame: &Frame<'p>) -> Diagnostic {
        let name = &call.name.node;
        if matches!(name.as_str(), "project" | "zero_pad") {
            return Diagnostic::new(codes::PROJECT, format!("`{name}` stands after `via`"))
                .label(call.name.span, "knows its width only where a skip's ends meet")
                .help(format!("skip add via {name} {{ … }}"));
        }
        if is_model {
            return Diagnostic::new(codes::UNKNOWN_STEP, format!("`{name}` is a model, not a block"))
                .label(call.name.span, "a step is a layer or a block")
                .help("make a `block` of what both need");
        }
        let blocks = self.program.block_names(frame.module);
        let known = ops::layers().iter().map(|l| l.name).chain(blocks.iter().copied());
        let error = Diagnostic::new(codes::UNKNOWN_STEP, format!("there is no layer or block named `{name}`"));
        let neither = || "neither a layer, nor a block of this file, nor imported".to_string();
        error.meant(call.name.span, nearest(name, known), neither)
    }

    fn label_poison(&mut self, label: &'p Label, frame: &Frame<'p>, now: Flow) {
        if let Some(name) = self.label_text(label, frame, now) {
            let entry = Entry { value: Some(Flow::Poison), inner: None, span: label.span, auto: false };
            self.enter_label(&name, entry, frame);
        }
    }

    /// A layer: its arguments, its shape, its node.
    fn layer(
        &mut self,
        spec: &'static LayerSpec,
        call: &'p Call,
        label: Option<&'p Label>,
        frame: &Frame<'p>,
        now: Flow,
    ) -> Flow {
        let bound = self.bind_layer(spec, call, frame, now);
        let name = match label.filter(|label| !is_blank(label)) {
            None => self.auto_label(spec.name, call.span, frame),
            Some(label) => {
                let Some(name) = self.label_text(label, frame, now) else { return Flow::Poison };
                let entry = Entry { value: Some(Flow::Poison), inner: None, span: label.span, auto: false };
                self.enter_label(&name, entry, frame);
                name
            }
        };
        let flow = match (bound, now) {
            (Some(bound), Flow::Node(input)) => self.place(spec, call, bound, &name, frame, input),
            (_, Flow::Nothing) => self.no_value(call.span, frame),
            _ => Flow::Poison,
        };
        self.names.close(frame.table, &name, flow);
        flow
    }

    /// The error for a step that has nothing to work on.
    pub(super) fn no_value(&mut self, span: Span, frame: &Frame<'p>) -> Flow {
        let error = Diagnostic::new(codes::NO_VALUE, "there is no value yet")
            .label(span, "nothing to work on")
            .help("a model begins with `input image [N, 3, 224, 224]`");
        self.error(error, frame);
        Flow::Poison
    }

    fn place(
        &mut self,
        spec: &'static LayerSpec,
        call: &'p Call,
        bound: Bound,
        name: &str,
        frame: &Frame<'p>,
        input: NodeId,
    ) -> Flow {
        let op = match (spec.make)(&bound.args, self.graph.shape(input)) {
            Ok(op) => op,
            Err(refused) => {
                let span = refused.arg.as_ref().and_then(|arg| bound.spans.get(arg)).copied();
                let mut error = Diagnostic::new(codes::ARGUMENT, refused.message);
                error = match span {
                    Some(span) => error.label(span, format!("of `{}`", spec.name)),
                    None => error.label(call.span, "here"),
                };
                error.help = refused.help.map(String::into_boxed_str);
                self.error(error, frame);
                return Flow::Poison;
            }
        };
        let mut operands = vec![input];
        operands.extend(bound.operands);
        self.infer_and_add(op, name, call.span, &operands, frame)
    }

    /// Adds a layer's node, or says why its operands do not fit.
    pub(super) fn infer_and_add(
        &mut self,
        op: Op,
        name: &str,
        span: Span,
        operands: &[NodeId],
        frame: &Frame<'p>,
    ) -> Flow {
        let shapes: Vec<_> = operands.iter().map(|&id| self.graph.shape(id)).collect();
        match op.layer().infer(&shapes) {
            Ok(shape) => {
                let main = operands.first().copied();
                self.add(NewNode { op, name, shape, span, operands, main }, frame)
            }
            Err(error) => {
                let error = shape_errors::refused(&self.graph, &self.trail, &op, &error, span, operands);
                self.error(error, frame);
                Flow::Poison
            }
        }
    }

    fn bind_layer(&mut self, spec: &'static LayerSpec, call: &'p Call, frame: &Frame<'p>, now: Flow) -> Option<Bound> {
        let names: Vec<&str> = spec.args.iter().map(|a| a.name).collect();
        let matched = bind::matched(spec.name, &names, &call.args);
        let mut sound = matched.errors.is_empty();
        matched.errors.into_iter().for_each(|error| self.error(error, frame));
        let mut bound = Bound { args: Args::default(), spans: BTreeMap::new(), operands: Vec::new() };
        let sets = frame.sets.get(spec.name);
        for (known, given) in spec.args.iter().zip(matched.args) {
            let set = sets.and_then(|s| s.get(known.name));
            let (value, span) = match (given, set) {
                (Some(arg), _) if known.ty == ArgType::Operand => {
                    (self.operand(&arg.value, frame, &mut bound), arg.value.span)
                }
                (Some(arg), _) => {
                    let value = eval::eval(&arg.value, &self.view(frame, now), bind::words(known.ty));
                    (self.take(value, frame), arg.value.span)
                }
                (None, Some(set)) => (Some(set.value.clone()), set.span),
                (None, None) => {
                    if known.default.is_none() && sound {
                        self.error(bind::missing(spec.name, known.name, call.span, &spec.signature()), frame);
                        sound = false;
                    }
                    continue;
                }
            };
            let Some(value) = value else {
                sound = false;
                continue;
            };
            bound.args.given.insert(known.name.to_string(), value);
            bound.spans.insert(known.name.to_string(), span);
        }
        sound.then_some(bound)
    }

    /// A labelled value as an argument: a further operand.
    fn operand(&mut self, expr: &'p Expr, frame: &Frame<'p>, bound: &mut Bound) -> Option<Value> {
        let id = self.value_argument(expr, frame)?.node()?;
        bound.operands.push(id);
        Some(Value::Word(self.graph.node(id).path.clone()))
    }

    /// The labelled value that an argument names.
    fn value_argument(&mut self, expr: &'p Expr, frame: &Frame<'p>) -> Option<Flow> {
        let path = match &expr.node {
            ExprKind::Name(name) => match frame.vars.get(name) {
                Some(Binding::Flow(flow)) => return Some(*flow),
                Some(Binding::Poison) => return None,
                _ => vec![name.clone()],
            },
            ExprKind::Dotted(path) => self.segments(path, frame, Flow::Nothing)?,
            _ => {
                let error = Diagnostic::new(codes::WRONG_KIND, "the name of a labelled value is wanted here")
                    .label(expr.span, "not a name");
                self.error(error, frame);
                return None;
            }
        };
        let flow = self.find(&path, expr.span, frame);
        (flow != Flow::Poison).then_some(flow)
    }

    fn segments(&mut self, path: &'p Path, frame: &Frame<'p>, now: Flow) -> Option<Vec<String>> {
        path.segments.iter().map(|label| self.label_text(label, frame, now)).collect()
    }

    /// `from path`
    pub(super) fn look_up(&mut self, path: &'p Path, frame: &Frame<'p>, now: Flow) -> Flow {
        if let [Label { parts, .. }] = path.segments.as_slice()
            && let [LabelPart::Text(name)] = parts.as_slice()
        {
            match frame.vars.get(name) {
                Some(Binding::Flow(flow)) => return *flow,
                Some(Binding::Poison) => return Flow::Poison,
                _ => {}
            }
        }
        match self.segments(path, frame, now) {
            Some(segments) => self.find(&segments, path.span, frame),
            None => Flow::Poison,
        }
    }

    fn find(&mut self, path: &[String], span: Span, frame: &Frame<'p>) -> Flow {
        let missing = match self.names.find(frame.table, path) {
            Ok(flow) => {
                let end = self.graph.len();
                if let Some(taken) = &mut self.taken {
                    let (node, scope) = (flow.node(), frame.scope);
                    taken.push(Taken { span, scope, before: node, after: node, nodes: end..end });
                }
                return flow;
            }
            Err(missing) => missing,
        };
        let error = Diagnostic::new(codes::NO_SUCH_VALUE, format!("there is no value named `{}` here", path.join(".")));
        let error = match missing {
            Missing::Unknown { segment, near: Some(near) } => {
                let meant = [&path[..segment], &[near], &path[segment + 1..]].concat().join(".");
                // What holds `{expr}` may mean something else in the next iteration.
                match self.program.sources.text(span) == path.join(".") {
                    true => error.meant(span, Some(&meant), String::new),
                    false => error.label(span, format!("did you mean `{meant}`?")),
                }
            }
            Missing::Unknown { segment: 0, near: None } if self.calls.is_empty() => {
                error.label(span, "no label before this has this name")
            }
            Missing::Unknown { segment: 0, near: None } => error
                .label(span, "not a label of this block, nor one of its parameters")
                .help(format!("a block takes a value of its caller by a parameter: `{}: value`", path[0])),
            Missing::Unknown { segment, near: None } => {
                error.label(span, format!("`{}` has no `{}` inside", path[..segment].join("."), path[segment]))
            }
            Missing::Open { span: label } => {
                error.label(span, "its braces are still open here").label(label, "the label")
            }
            Missing::Leaf { segment, span: label } => {
                error.label(span, "here").label(label, format!("`{}` is one layer: nothing is inside", path[segment]))
            }
            Missing::Auto { span: step } => error
                .label(span, "a name that was given by counting")
                .label(step, "not labelled")
                .help("label it: `name: …`, then `from name`"),
        };
        self.error(error, frame);
        Flow::Poison
    }

    /// A block: a scope, its parameters, its body.
    fn block(
        &mut self,
        (block, module, item): (&'p Block, usize, usize),
        call: &'p Call,
        label: Option<&'p Label>,
        frame: &mut Frame<'p>,
        now: Flow,
    ) -> Flow {
        if self.calls.len() >= self.limits.call_depth {
            let error = self.endless(block, call);
            self.error(error, frame);
            return Flow::Poison;
        }
        let vars = self.bind_block(block, call, frame, now);
        let args = block_args(block, &vars);
        let kind = ScopeKind::Block(BlockUse { block: block.name.node.clone(), args, call: call.span });
        let entered = match label {
            Some(label) if is_blank(label) => self.enter_blank(kind, frame),
            Some(label) => match self.label_text(label, frame, now) {
                Some(name) => self.enter(&name, label.span, false, kind, frame),
                None => return Flow::Poison,
            },
            None => {
                let name = self.names.ordinal(frame.table, &block.name.node);
                self.enter(&name, call.span, true, kind, frame)
            }
        };
        let sets = self.sets_at(module, item, frame);
        let mut inner = Frame { module, vars, sets, scope: frame.scope, table: frame.table };
        self.calls.push((&block.name.node, call.span));
        let flow = self.body(&block.body, &mut inner, now);
        self.calls.pop();
        self.leave(entered, flow, frame);
        flow
    }

    fn endless(&self, block: &Block, call: &Call) -> Diagnostic {
        let name = block.name.node.as_str();
        let last = self.calls.iter().rposition(|(n, _)| *n == name);
        let cycle = last.map_or(&self.calls[..], |at| &self.calls[at..]);
        let chain: Vec<&str> = cycle.iter().map(|(n, _)| *n).chain([name]).take(8).collect();
        let message = match last {
            Some(_) => format!("`{name}` does not stop calling itself"),
            None => format!("blocks call one another more than {} deep", self.limits.call_depth),
        };
        Diagnostic::new(codes::ENDLESS, message)
            .label(call.span, format!("{} calls are open here", self.calls.len()))
            .label(block.name.span, "the block")
            .note(format!("the chain is {} → …", chain.join(" → ")))
            .help(format!(
                "end it with `if depth > 0 {{ … }}`, or allow more: `--limit call-depth={}`",
                self.limits.call_depth.saturating_mul(2)
            ))
    }

    fn bind_block(&mut self, block: &'p Block, call: &'p Call, frame: &Frame<'p>, now: Flow) -> Vars<'p> {
        let names: Vec<&str> = block.params.iter().map(|p| p.name.node.as_str()).collect();
        let matched = bind::matched(&block.name.node, &names, &call.args);
        matched.errors.into_iter().for_each(|error| self.error(error, frame));
        let mut vars = Vars::default();
        for (param, given) in block.params.iter().zip(matched.args) {
            let binding = match (given, &param.default) {
                (Some(arg), _) if param.value => self.value_argument(&arg.value, frame).map(Binding::Flow),
                (Some(arg), _) => {
                    let value = eval::eval(&arg.value, &self.view(frame, now), Words::Refused);
                    self.take(value, frame).map(|value| Binding::Value(Rc::new(value)))
                }
                (None, Some(default)) => {
                    let (value, inner) = self.default_value(default, vars, frame, now);
                    vars = inner;
                    value
                }
                (None, None) => {
                    self.error(bind::missing(&block.name.node, &param.name.node, call.span, &signature(block)), frame);
                    None
                }
            };
            vars.bind(&param.name.node, binding.unwrap_or(Binding::Poison));
        }
        vars
    }

    /// A parameter's default, which sees the parameters before it and `it`.
    pub(super) fn default_value(
        &mut self,
        default: &Expr,
        vars: Vars<'p>,
        frame: &Frame<'p>,
        now: Flow,
    ) -> (Option<Binding>, Vars<'p>) {
        let inner =
            Frame { module: frame.module, vars, sets: Rc::clone(&frame.sets), scope: frame.scope, table: frame.table };
        let value = eval::eval(default, &self.view(&inner, now), Words::Refused);
        let value = self.take(value, frame).map(|value| Binding::Value(Rc::new(value)));
        (value, inner.vars)
    }
}

fn signature(block: &Block) -> String {
    let param = |p: &Param| match (p.value, &p.default) {
        (true, _) => format!("{}: value", p.name.node),
        (false, Some(_)) => format!("{}=…", p.name.node),
        (false, None) => p.name.node.clone(),
    };
    format!("{}({})", block.name.node, block.params.iter().map(param).collect::<Vec<_>>().join(", "))
}

/// A block's parameters as they came out, but for values of the network.
fn block_args(block: &Block, vars: &Vars<'_>) -> Vec<BlockArg> {
    let one = |p: &Param| match vars.get(&p.name.node) {
        Some(Binding::Value(value)) => Some(BlockArg { name: p.name.node.clone(), value: value.as_ref().clone() }),
        _ => None,
    };
    block.params.iter().filter_map(one).collect()
}
