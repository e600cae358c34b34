//! Inputs and outputs.

use super::eval::{self, Words};
use super::flow::Flow;
use super::frame::{Binding, Frame};
use super::names::{Entry, ROOT};
use super::network::{FreeSize, InputDecl};
use super::unroll::{NewNode, Unroller};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, codes};
use crate::graph::{Output, ScopeId};
use crate::ops::{Value, structure};
use crate::shape::{MOST_SIZES, Shape};
use crate::syntax::ast::{DimDecl, Expr, Ident, Label};
use std::collections::BTreeMap;

/// Inputs, outputs and named sizes found so far.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// As declared, in file order.
    pub inputs: Vec<InputDecl>,
    /// Named sizes without the batch, in file order.
    pub free: Vec<FreeSize>,
    /// Where each output was named.
    pub outputs: BTreeMap<String, Span>,
    sizes: BTreeMap<String, (usize, Span)>,
    batch: Option<(String, Span)>,
}

impl<'p> Unroller<'p> {
    /// `input name [N, C, H, W]`
    pub(super) fn input(
        &mut self,
        name: &'p Ident,
        dims: &'p [DimDecl],
        span: Span,
        frame: &mut Frame<'p>,
        now: Flow,
    ) -> Flow {
        if frame.scope != ScopeId(0) || frame.table != ROOT {
            let error = Diagnostic::new(codes::INPUT, "an input stands at the top of a model")
                .label(span, "inside other braces here")
                .help("move it to the first lines of the model; a block takes values by `name: value`");
            self.error(error, frame);
            return Flow::Poison;
        }
        let entry = Entry { value: Some(Flow::Poison), inner: None, span: name.span, auto: false };
        self.enter_label(&name.node, entry, frame);
        let Some((decl, shape)) = self.declare(name, dims, frame, now) else { return Flow::Poison };
        let op = structure::Input { shape: shape.clone() }.into();
        let node = NewNode { op, name: &name.node, shape, span, operands: &[], main: None };
        let flow = self.add(node, frame);
        if let Some(id) = flow.node() {
            self.graph.inputs.push(id);
            self.ports.inputs.push(decl);
        }
        self.names.close(frame.table, &name.node, flow);
        flow
    }

    fn declare(
        &mut self,
        name: &Ident,
        dims: &'p [DimDecl],
        frame: &mut Frame<'p>,
        now: Flow,
    ) -> Option<(InputDecl, Shape)> {
        let (batch, rest) = dims.split_first().or_else(|| {
            let error =
                Diagnostic::new(codes::INPUT, "an input has at least a batch").label(name.span, "no dimensions");
            self.error(error.help(format!("input {} [N, 3, 224, 224]", name.node)), frame);
            None
        })?;
        if !(1..=MOST_SIZES).contains(&rest.len()) {
            let text = format!("an input has 2 to {} sizes, and this one has {}", MOST_SIZES + 1, dims.len());
            let error =
                Diagnostic::new(codes::INPUT, text).label(name.span, "the batch, channels, and up to two of space");
            self.error(error.help(format!("input {} [N, 3, 224, 224]", name.node)), frame);
            return None;
        }
        let batch_name = self.batch(batch, frame);
        let sizes: Vec<Option<usize>> = (0..rest.len()).map(|i| self.dim(rest, i, frame, now)).collect();
        let sizes = sizes.into_iter().collect::<Option<Vec<usize>>>()?;
        let named = rest.iter().zip(&sizes).map(|(dim, &size)| {
            let free = dim.name.as_ref().filter(|n| self.ports.sizes.contains_key(&n.node));
            (free.map(|n| n.node.clone()), Some(size))
        });
        let dims = std::iter::once((Some(batch_name?), None)).chain(named).collect();
        Some((InputDecl { name: name.node.clone(), dims }, Shape::new(sizes)))
    }

    fn batch(&mut self, dim: &DimDecl, frame: &Frame<'p>) -> Option<String> {
        let Some(name) = dim.name.as_ref().filter(|_| dim.size.is_none()) else {
            let error = Diagnostic::new(codes::INPUT, "the batch stays free: it is a name without a size")
                .label(dim.span, "the first dimension is the batch")
                .help("[N, …]");
            self.error(error, frame);
            return None;
        };
        match &self.ports.batch {
            Some((first, span)) if *first != name.node => {
                let error = Diagnostic::new(codes::INPUT, "all inputs have the same batch")
                    .label(name.span, format!("named `{}` here", name.node))
                    .label(*span, format!("and `{first}` here"));
                self.error(error, frame);
                None
            }
            Some(_) => Some(name.node.clone()),
            None => {
                self.ports.batch = Some((name.node.clone(), name.span));
                Some(name.node.clone())
            }
        }
    }

    /// The size of the dimension at `index` after the batch.
    fn dim(&mut self, dims: &'p [DimDecl], index: usize, frame: &mut Frame<'p>, now: Flow) -> Option<usize> {
        let dim = &dims[index];
        let given = self.given_size(dims, index);
        let Some(name) = &dim.name else {
            let written = dim.size.as_ref().and_then(|size| self.size(size, frame, now));
            return given.or(written);
        };
        let known = self.ports.sizes.get(&name.node).copied();
        let variable = frame.vars.get(&name.node).cloned();
        let size = match (&dim.size, known, variable) {
            (_, _, _) if given.is_some() => given,
            (Some(size), ..) => self.size(size, frame, now),
            (None, Some((size, _)), _) => Some(size),
            // A parameter of the model is its value, not a free size.
            (None, None, Some(Binding::Value(value))) => return self.checked_size(&value, name.span, frame),
            (None, None, Some(_)) => return None,
            (None, None, None) => {
                let error = Diagnostic::new(codes::INPUT, format!("`{}` has no size to plan for", name.node))
                    .label(dim.span, "free, but shapes are inferred for some size")
                    .help(format!("give it a default: `{0}=224`, or a size: `--size {0}=224`", name.node));
                self.error(error, frame);
                None
            }
        }?;
        self.named_size(name, size, known, frame)
    }

    fn named_size(
        &mut self,
        name: &Ident,
        size: usize,
        known: Option<(usize, Span)>,
        frame: &Frame<'p>,
    ) -> Option<usize> {
        match known {
            Some((first, span)) if first != size => {
                let error = Diagnostic::new(codes::INPUT, format!("`{}` is {first} and {size}", name.node))
                    .label(name.span, format!("{size} here"))
                    .label(span, format!("{first} here"))
                    .help("equal names are equal sizes: give one of them another name");
                self.error(error, frame);
                None
            }
            Some(_) => Some(size),
            None => {
                self.ports.sizes.insert(name.node.clone(), (size, name.span));
                self.ports.free.push(FreeSize { name: name.node.clone(), default: size });
                Some(size)
            }
        }
    }

    /// The size that the options give to a dimension, by name or as one of the last spatial sizes.
    fn given_size(&self, dims: &[DimDecl], index: usize) -> Option<usize> {
        let by_name = dims[index].name.as_ref().and_then(|n| self.options.sizes.get(&n.node));
        let spatial = self.options.spatial.as_ref().filter(|s| !s.is_empty() && dims.len() == s.len() + 1);
        by_name.copied().or_else(|| spatial.and_then(|s| s.get(index.checked_sub(1)?).copied()))
    }

    fn size(&mut self, expr: &Expr, frame: &Frame<'p>, now: Flow) -> Option<usize> {
        let value = eval::eval(expr, &self.view(frame, now), Words::Refused);
        let value = self.take(value, frame)?;
        self.checked_size(&value, expr.span, frame)
    }

    fn checked_size(&mut self, value: &Value, span: Span, frame: &Frame<'p>) -> Option<usize> {
        if let Value::Int(n) = value
            && let Ok(size) = usize::try_from(*n)
            && size > 0
        {
            return Some(size);
        }
        let message = format!("a size must be a whole number, at least 1, not {}", value.describe());
        self.error(Diagnostic::new(codes::INPUT, message).label(span, "not a size"), frame);
        None
    }

    /// `output name`
    pub(super) fn output(&mut self, name: &'p Label, frame: &Frame<'p>, now: Flow) {
        let Some(text) = self.label_text(name, frame, now) else { return };
        if let Some(&first) = self.ports.outputs.get(&text) {
            let error = Diagnostic::new(codes::OUTPUT, format!("two outputs are named `{text}`"))
                .label(name.span, "the second")
                .label(first, "the first");
            return self.error(error, frame);
        }
        self.ports.outputs.insert(text.clone(), name.span);
        match now {
            Flow::Node(node) => self.graph.outputs.push(Output { name: text, node }),
            Flow::Poison => {}
            Flow::Nothing => {
                let error = Diagnostic::new(codes::NO_VALUE, "there is no value yet")
                    .label(name.span, "nothing to name")
                    .help("a model begins with `input image [N, 3, 224, 224]`");
                self.error(error, frame);
            }
        }
    }

    /// As many sizes as the first input with spatial sizes has: `64x64`. Those that were not given are as
    /// the last that was.
    fn all_sizes(&self, given: &[usize]) -> Option<String> {
        let axes = self.ports.inputs.iter().map(|input| input.dims.len().saturating_sub(2)).find(|&axes| axes > 0)?;
        let size = |axis: usize| given.get(axis).or(given.last()).map(usize::to_string);
        Some((0..axes).map(size).collect::<Option<Vec<_>>>()?.join("x"))
    }

    /// Refuses `--size NAME=…` and `--size HxW` that no input has, once all inputs are known.
    pub(super) fn check_sizes(&mut self, frame: &Frame<'p>) {
        if let Some(spatial) = self.options.spatial.as_ref().filter(|s| !s.is_empty())
            && !self.ports.inputs.is_empty()
            && !self.ports.inputs.iter().any(|input| input.dims.len() == spatial.len() + 2)
        {
            let axes = spatial.len();
            let message = format!("no input has {axes} spatial size{}", if axes == 1 { "" } else { "s" });
            let help = match self.all_sizes(spatial) {
                Some(all) => format!("give all of its sizes: `--size {all}`"),
                None => "leave `--size` out: no input has sizes besides its features".into(),
            };
            self.error(Diagnostic::new(codes::OPTION, message).help(help), frame);
        }
        let unknown = |name: &&String| !self.ports.sizes.contains_key(*name);
        for name in self.options.sizes.keys().filter(unknown).cloned().collect::<Vec<_>>() {
            let mut error = Diagnostic::new(codes::OPTION, format!("no input has a size named `{name}`"));
            let known: Vec<&str> = self.ports.sizes.keys().map(String::as_str).collect();
            if let Some(meant) = nearest(&name, known.iter().copied()) {
                error = error.help(format!("did you mean `--size {meant}=…`?"));
            } else if !known.is_empty() {
                error = error.help(format!("the named sizes are {}", known.join(", ")));
            } else if let Some(all) = self.options.sizes.get(&name).and_then(|&size| self.all_sizes(&[size])) {
                error = error.help(format!("no size has a name; give all of them: `--size {all}`"));
            }
            self.error(error, frame);
        }
    }
}
