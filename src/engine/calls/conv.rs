//! Convolutions, transposed convolutions and linear layers, with all that is fused into them.

use super::{Call, Context, Job, Prepare, activation_of, internal, pair};
use crate::base::{Diagnostic, codes};
use crate::engine::Result;
use crate::engine::fold::{Affine, in_blocks};
use crate::engine::planned::PlanKey;
use crate::engine::store::Parameters;
use crate::graph::NodeId;
use crate::kernels::Arena;
use crate::kernels::activation::Activation;
use crate::kernels::blocked::{Conv, Epilogue, MapShape, Method, Operands, Packing, Prologue, Sum};
use crate::kernels::conv::ConvShape;
use crate::ops::conv;
use crate::ops::linear::Linear;
use crate::opt::{EpilogueOp, Step};
use std::sync::Arc;

/// What follows a convolution, as its kernel takes it.
#[derive(Clone, Debug, Default)]
struct EpilogueParts {
    first: Option<Activation>,
    /// Factors of the result and of the other summand.
    sum: Option<(f32, f32)>,
    last: Option<Activation>,
}

/// What comes before it.
#[derive(Clone, Debug)]
struct PrologueParts {
    /// Whether it folds into the weights.
    folds: bool,
    act: Option<Activation>,
}

struct Fused {
    kernel: Conv,
    parameters: Arc<Parameters>,
    head: Option<PrologueParts>,
    tail: EpilogueParts,
    /// Which operand the sum is with.
    summand: usize,
}

impl Call for Fused {
    fn scratch(&self) -> usize {
        self.kernel.scratch()
    }

    fn weights(&self) -> &[f32] {
        self.parameters.packed.as_ref().map_or(&[], Arena::floats)
    }

    fn name(&self) -> String {
        self.kernel.name().to_string()
    }

    fn run(&self, mut job: Job) {
        let channels = &self.parameters.channels;
        let sum = self.tail.sum.map(|(own, other)| Sum { value: job.other(self.summand), own, other });
        let epilogue = Epilogue { bias: Some(&channels[0]), first: self.tail.first, sum, last: self.tail.last };
        let read = self.head.as_ref().filter(|head| !head.folds);
        let prologue = read.map(|head| Prologue { scale: &channels[1], shift: &channels[2], act: head.act });
        let packed = self.weights();
        let x = job.operand(0);
        let (y, scratch) = job.result();
        self.kernel.run(&job.cpu, &Operands { x, packed, prologue, epilogue: &epilogue, y }, scratch);
    }
}

/// The sizes of an op that takes windows.
macro_rules! shape_of {
    ($context:expr, $node:expr, $op:expr) => {{
        let input = $context.graph.operands($node)[0];
        ConvShape {
            batch: $context.terms.batch,
            channels: $context.channels(input),
            width: $op.width,
            groups: $op.groups,
            input: $context.plane(input),
            output: $context.plane($node),
            kernel: pair(&$op.kernel, 1),
            stride: pair(&$op.stride, 1),
            pad: pair(&$op.pad, 0),
            dilation: pair(&$op.dilation, 1),
        }
    }};
}

/// A convolution.
impl Prepare for conv::Conv {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        forward(context, step, node, shape_of!(context, node, self))
    }
}

/// A linear layer is a convolution over one position.
impl Prepare for Linear {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let [one, zero] = [[1, 1], [0, 0]];
        let shape = ConvShape {
            batch: context.terms.batch,
            channels: context.channels(context.graph.operands(node)[0]),
            width: context.channels(node),
            groups: 1,
            input: one,
            output: one,
            kernel: one,
            stride: one,
            pad: zero,
            dilation: one,
        };
        forward(context, step, node, shape)
    }
}

fn forward(context: &Context, step: &Step, node: NodeId, shape: ConvShape) -> Result<Box<dyn Call>> {
    within_reach(context, node, &shape)?;
    let head = head(context, step, shape.pad == [0, 0]);
    let prologue = head.as_ref().is_some_and(|head| !head.folds);
    let map = MapShape { shape, layout: step.reads[0].layout.into(), prologue };
    let PlanKey { threads, isa, direct, .. } = context.terms;
    let kernel = if direct { Conv::by(Method::Direct, map, threads, isa) } else { Conv::new(map, threads, isa) };
    let folded = || folded(context, step, node, shape.groups, head.as_ref());
    let parameters = parameters(context, step, &kernel, folded)?;
    finish(context, step, kernel, parameters, head)
}

/// The most phases of a transposed convolution, each a convolution of its own: those of a stride of 256 by 256.
const PHASES: usize = 1 << 16;

/// Refuses strides that no network has: their phases alone would fill the memory.
fn phases(context: &Context, node: NodeId, shape: &ConvShape) -> Result<()> {
    let count = [0, 1].map(|a| shape.stride[a].min(shape.output[a])).into_iter().fold(1, usize::saturating_mul);
    if count <= PHASES {
        return Ok(());
    }
    let path = &context.graph.node(node).path;
    let [rows, columns] = shape.stride;
    let text =
        format!("`{path}` is a transposed convolution of stride {rows} × {columns}, which is {count} convolutions");
    Err(Box::new(Diagnostic::new(codes::PLAN_TOO_LARGE, text).help("a stride of 256 × 256 is the largest that runs")))
}

/// The most positions that a window reaches over, which a kernel may keep a copy of: those of 2,048 by 2,048.
const REACH: usize = 1 << 22;

/// Refuses windows that no network has: what they reach over, padding for the most part, would fill the memory.
fn within_reach(context: &Context, node: NodeId, shape: &ConvShape) -> Result<()> {
    let along = |a: usize| (shape.kernel[a] - 1).saturating_mul(shape.dilation[a]).saturating_add(1);
    let [rows, columns] = [along(0), along(1)];
    if rows.saturating_mul(columns) <= REACH {
        return Ok(());
    }
    let path = &context.graph.node(node).path;
    let text = format!("`{path}` looks through windows that reach over {rows} × {columns} positions");
    let help = "windows that reach over 2048 × 2048 are the largest that run, dilation counted";
    Err(Box::new(Diagnostic::new(codes::PLAN_TOO_LARGE, text).help(help)))
}

/// A transposed convolution.
impl Prepare for conv::ConvTranspose {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let shape = shape_of!(context, node, self);
        phases(context, node, &shape)?;
        within_reach(context, node, &shape)?;
        let kernel = Conv::transposed(shape, context.terms.threads, context.terms.isa);
        let folded = || {
            let mut weight = context.store.weight(context.graph, node)?;
            let bias = context.store.numbers(context.graph, node, "bias")?;
            let map = leading(context, step, node)?;
            // The weight is [I, O/groups, …]: what follows scales its second axis.
            let (rows, taps) = (shape.group_width(), shape.taps());
            let per_group = weight.len() / self.groups.max(1);
            for (group, weight) in weight.floats_mut().chunks_mut(per_group.max(1)).enumerate() {
                for (i, tap) in weight.chunks_mut(taps).enumerate() {
                    let scale = map.scale[group * rows + i % rows];
                    tap.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
                }
            }
            let bias = map.fold_rows(&mut [], bias.as_deref());
            Ok(Folded { weight, bias, width: self.width, prologue: None })
        };
        let parameters = parameters(context, step, &kernel, folded)?;
        finish(context, step, kernel, parameters, None)
    }
}

/// The packed weights of a step: made, or found where another plan has made them.
fn parameters(
    context: &Context,
    step: &Step,
    kernel: &Conv,
    folded: impl FnOnce() -> Result<Folded>,
) -> Result<Arc<Parameters>> {
    let packing = kernel.packing();
    let key = key(context, step, &packing);
    context.store.parameters(key, || Ok(folded()?.pack(&packing)))
}

/// Weights with what folds into them.
struct Folded {
    weight: Arena,
    bias: Vec<f32>,
    width: usize,
    prologue: Option<Affine>,
}

impl Folded {
    fn pack(self, packing: &Packing) -> Parameters {
        let mut packed = Arena::mapped(packing.len());
        packing.pack(self.weight.floats(), packed.floats_mut());
        let mut channels = vec![in_blocks(self.bias, self.width)];
        if let Some(map) = self.prologue {
            let count = map.scale.len();
            let narrow = |values: Vec<f64>| in_blocks(values.into_iter().map(|x| x as f32), count);
            channels.extend([narrow(map.scale), narrow(map.shift)]);
        }
        Parameters { packed: Some(packed), channels }
    }
}

/// The weights of a convolution or linear layer: what follows it folded in, what comes before folded in or kept for the
/// prologue.
fn folded(context: &Context, step: &Step, node: NodeId, groups: usize, head: Option<&PrologueParts>) -> Result<Folded> {
    let mut weight = context.store.weight(context.graph, node)?;
    let bias = context.store.numbers(context.graph, node, "bias")?;
    let width = context.channels(node);
    let mut bias = bias.unwrap_or_else(|| vec![0.0; width]);
    let mut prologue = None;
    if let Some(head) = head {
        let map = before(context, step, node)?;
        if head.folds {
            let depth = map.scale.len() / groups;
            let taps = weight.len() / (width * depth).max(1);
            map.fold_columns(weight.floats_mut(), taps, groups, &mut bias);
        } else {
            prologue = Some(map);
        }
    }
    let map = leading(context, step, node)?;
    let bias = map.fold_rows(weight.floats_mut(), Some(&bias));
    Ok(Folded { weight, bias, width, prologue })
}

/// The affine maps that follow a step's op at once.
fn leading(context: &Context, step: &Step, node: NodeId) -> Result<Affine> {
    let mut map = Affine::identity(context.channels(node));
    for after in &step.epilogue {
        let &EpilogueOp::Affine(node) = after else { break };
        map = map.then(&Affine::of(context.graph, node, context.store)?);
    }
    Ok(map)
}

/// The affine maps that a step applies to what it reads.
fn before(context: &Context, step: &Step, node: NodeId) -> Result<Affine> {
    let channels = context.channels(context.graph.operands(node)[0]);
    let affine = step.prologue.iter().filter(|&&node| activation_of(context.graph, node).is_none());
    affine.copied().try_fold(Affine::identity(channels), |map, node| {
        Ok(map.then(&Affine::of(context.graph, node, context.store)?))
    })
}

fn head(context: &Context, step: &Step, unpadded: bool) -> Option<PrologueParts> {
    let last = *step.prologue.last()?;
    let act = activation_of(context.graph, last);
    Some(PrologueParts { folds: unpadded && act.is_none(), act })
}

/// Under what packed weights are shared: the nodes that they are made of, and their order.
fn key(context: &Context, step: &Step, packing: &Packing) -> String {
    let paths: Vec<&str> = step.nodes().iter().map(|&node| context.graph.node(node).path.as_str()).collect();
    format!("{} {packing:?}", paths.join("+"))
}

fn finish(
    context: &Context,
    step: &Step,
    kernel: Conv,
    parameters: Arc<Parameters>,
    head: Option<PrologueParts>,
) -> Result<Box<dyn Call>> {
    let tail = tail(context, step)?;
    Ok(Box::new(Fused { kernel, parameters, head, tail, summand: step.reads.len() }))
}

/// `[affine]*, [activation], [sum], [activation]`, the affine maps being folded.
fn tail(context: &Context, step: &Step) -> Result<EpilogueParts> {
    let mut tail = EpilogueParts::default();
    for after in step.epilogue.iter().skip_while(|after| matches!(after, EpilogueOp::Affine(_))) {
        match *after {
            EpilogueOp::Sum { own, other, .. } if tail.sum.is_none() => tail.sum = Some((own as f32, other as f32)),
            EpilogueOp::Activation(node) => {
                let slot = if tail.sum.is_some() { &mut tail.last } else { &mut tail.first };
                *slot = activation_of(context.graph, node);
            }
            _ => {
                let path = &context.graph.node(step.makes.node).path;
                return Err(internal(format!("`{path}` cannot be computed in one step")));
            }
        }
    }
    Ok(tail)
}
