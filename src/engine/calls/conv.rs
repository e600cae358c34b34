//! Convolutions, transposed convolutions and linear layers, with all that is fused into them.

use super::{Call, Context, Job, activation_of, internal, pair};
use crate::engine::Result;
use crate::engine::fold::{Affine, in_blocks};
use crate::engine::store::Parameters;
use crate::graph::NodeId;
use crate::kernels::Arena;
use crate::kernels::blocked::{Conv, ConvTranspose, Epilogue, Prologue, Sum};
use crate::kernels::conv::ConvShape;
use crate::ops::activation::Activation;
use crate::ops::conv;
use crate::opt::{After, Step};
use std::sync::Arc;

/// What follows a convolution, as its kernel takes it.
#[derive(Clone, Debug, Default)]
struct Tail {
    first: Option<Activation>,
    /// Factors of the result and of the other summand.
    sum: Option<(f32, f32)>,
    last: Option<Activation>,
}

/// What comes before it.
#[derive(Clone, Debug)]
struct Head {
    /// Whether it folds into the weights.
    folds: bool,
    act: Option<Activation>,
}

/// A kernel of this family.
trait Kernel: Send + Sync + 'static {
    fn scratch(&self) -> usize;
    fn name(&self) -> String;
    fn run(&self, job: &mut Job, packed: &[f32], prologue: Option<Prologue>, epilogue: &Epilogue);
}

struct Fused<K> {
    kernel: K,
    parameters: Arc<Parameters>,
    head: Option<Head>,
    tail: Tail,
    /// Which operand the sum is with.
    summand: usize,
}

impl<K: Kernel> Call for Fused<K> {
    fn scratch(&self) -> usize {
        self.kernel.scratch()
    }

    fn parameter_bytes(&self) -> usize {
        self.parameters.packed.as_ref().map_or(0, Arena::len) * size_of::<f32>()
    }

    fn name(&self) -> String {
        self.kernel.name()
    }

    fn run(&self, mut job: Job) {
        let channels = &self.parameters.channels;
        let sum = self.tail.sum.map(|(own, other)| Sum { value: job.other(self.summand), own, other });
        let epilogue = Epilogue { bias: Some(&channels[0]), first: self.tail.first, sum, last: self.tail.last };
        let read = self.head.as_ref().filter(|head| !head.folds);
        let prologue = read.map(|head| Prologue { scale: &channels[1], shift: &channels[2], act: head.act });
        let packed = self.parameters.packed.as_ref().map_or(&[][..], Arena::floats);
        self.kernel.run(&mut job, packed, prologue, &epilogue);
    }
}

impl Kernel for Conv {
    fn scratch(&self) -> usize {
        Conv::scratch(self)
    }
    fn name(&self) -> String {
        Conv::name(self).to_string()
    }
    fn run(&self, job: &mut Job, packed: &[f32], prologue: Option<Prologue>, epilogue: &Epilogue) {
        let (y, scratch) = job.result();
        Conv::run(self, &job.cpu, job.operand(0), packed, prologue, epilogue, y, scratch);
    }
}

impl Kernel for ConvTranspose {
    fn scratch(&self) -> usize {
        ConvTranspose::scratch(self)
    }
    fn name(&self) -> String {
        ConvTranspose::name(self).to_string()
    }
    fn run(&self, job: &mut Job, packed: &[f32], _: Option<Prologue>, epilogue: &Epilogue) {
        let (y, scratch) = job.result();
        ConvTranspose::run(self, &job.cpu, job.operand(0), packed, epilogue, y, scratch);
    }
}

/// A convolution.
pub fn conv(context: &Context, step: &Step, node: NodeId, op: &conv::Conv) -> Result<Box<dyn Call>> {
    let input = context.graph.operands(node)[0];
    let shape = ConvShape {
        batch: context.terms.batch,
        channels: context.channels(input),
        width: op.width,
        groups: op.groups,
        input: context.plane(input),
        output: context.plane(node),
        kernel: pair(&op.kernel, 1),
        stride: pair(&op.stride, 1),
        pad: pair(&op.pad, 0),
        dilation: pair(&op.dilation, 1),
    };
    let head = head(context, step, shape.pad == [0, 0]);
    let kernel = Conv::new(shape, step.reads[0].layout, context.terms.threads, context.terms.isa);
    let packing = kernel.packing();
    let key = key(context, step, &packing);
    let parameters = context.store.parameters(key, || {
        let folded = folded(context, step, node, op.groups, head.as_ref())?;
        folded.pack(packing.len(), |weight, out| packing.pack(weight, out))
    })?;
    finish(context, step, kernel, parameters, head)
}

/// A linear layer is a convolution over one position.
pub fn linear(context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
    let input = context.graph.operands(node)[0];
    let one = [1, 1];
    let shape = ConvShape {
        batch: context.terms.batch,
        channels: context.channels(input),
        width: context.channels(node),
        groups: 1,
        input: one,
        output: one,
        kernel: one,
        stride: one,
        pad: [0, 0],
        dilation: one,
    };
    let head = head(context, step, true);
    let kernel = Conv::new(shape, step.reads[0].layout, context.terms.threads, context.terms.isa);
    let packing = kernel.packing();
    let key = key(context, step, &packing);
    let parameters = context.store.parameters(key, || {
        let folded = folded(context, step, node, 1, head.as_ref())?;
        folded.pack(packing.len(), |weight, out| packing.pack(weight, out))
    })?;
    finish(context, step, kernel, parameters, head)
}

/// A transposed convolution.
pub fn transpose(context: &Context, step: &Step, node: NodeId, op: &conv::ConvTranspose) -> Result<Box<dyn Call>> {
    let input = context.graph.operands(node)[0];
    let shape = ConvShape {
        batch: context.terms.batch,
        channels: context.channels(input),
        width: op.width,
        groups: op.groups,
        input: context.plane(input),
        output: context.plane(node),
        kernel: pair(&op.kernel, 1),
        stride: pair(&op.stride, 1),
        pad: pair(&op.pad, 0),
        dilation: pair(&op.dilation, 1),
    };
    let kernel = ConvTranspose::new(shape, context.terms.threads, context.terms.isa);
    let packing = kernel.packing();
    let key = key(context, step, &packing);
    let parameters = context.store.parameters(key, || {
        let mut weight = context.store.weight(context.graph, node)?;
        let bias = context.store.numbers(context.graph, node, "bias")?;
        let map = leading(context, step, node)?;
        // The weight is [I, O/groups, …]: what follows scales its second axis.
        let rows = op.width / op.groups;
        let taps = op.kernel.iter().product::<usize>();
        let per_group = weight.len() / op.groups.max(1);
        for (group, weight) in weight.floats_mut().chunks_mut(per_group.max(1)).enumerate() {
            for (i, tap) in weight.chunks_mut(taps).enumerate() {
                let scale = map.scale[group * rows + i % rows];
                tap.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
            }
        }
        let bias = map.fold_rows(&mut [], bias.as_deref());
        let folded = Folded { weight, bias, width: op.width, prologue: None };
        folded.pack(packing.len(), |weight, out| packing.pack(weight, out))
    })?;
    finish(context, step, kernel, parameters, None)
}

/// Weights with what folds into them.
struct Folded {
    weight: Arena,
    bias: Vec<f32>,
    width: usize,
    prologue: Option<Affine>,
}

impl Folded {
    fn pack(self, len: usize, pack: impl FnOnce(&[f32], &mut [f32])) -> Result<Parameters> {
        let mut packed = Arena::mapped(len);
        pack(self.weight.floats(), packed.floats_mut());
        let mut channels = vec![in_blocks(self.bias, self.width)];
        if let Some(map) = self.prologue {
            let count = map.scale.len();
            let narrow = |values: Vec<f64>| in_blocks(values.into_iter().map(|x| x as f32), count);
            channels.extend([narrow(map.scale), narrow(map.shift)]);
        }
        Ok(Parameters { packed: Some(packed), channels })
    }
}

/// The weights of a convolution or linear layer: what follows it folded in, what comes before folded in or kept for the
/// prologue.
fn folded(context: &Context, step: &Step, node: NodeId, groups: usize, head: Option<&Head>) -> Result<Folded> {
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
    for after in &step.after {
        let &After::Affine(node) = after else { break };
        map = map.then(&Affine::of(context.graph, node, context.store)?);
    }
    Ok(map)
}

/// The affine maps that a step applies to what it reads.
fn before(context: &Context, step: &Step, node: NodeId) -> Result<Affine> {
    let channels = context.channels(context.graph.operands(node)[0]);
    let affine = step.before.iter().filter(|&&node| activation_of(context.graph, node).is_none());
    affine.copied().try_fold(Affine::identity(channels), |map, node| {
        Ok(map.then(&Affine::of(context.graph, node, context.store)?))
    })
}

fn head(context: &Context, step: &Step, unpadded: bool) -> Option<Head> {
    let last = *step.before.last()?;
    let act = activation_of(context.graph, last);
    Some(Head { folds: unpadded && act.is_none(), act })
}

/// Under what packed weights are shared: the nodes that they are made of, and their order.
fn key(context: &Context, step: &Step, packing: &impl std::fmt::Debug) -> String {
    let paths: Vec<&str> = step.nodes().iter().map(|&node| context.graph.node(node).path.as_str()).collect();
    format!("{} {packing:?}", paths.join("+"))
}

fn finish<K: Kernel>(
    context: &Context,
    step: &Step,
    kernel: K,
    parameters: Arc<Parameters>,
    head: Option<Head>,
) -> Result<Box<dyn Call>> {
    let tail = tail(context, step)?;
    Ok(Box::new(Fused { kernel, parameters, head, tail, summand: step.reads.len() }))
}

/// `[affine]*, [activation], [sum], [activation]`, the affine maps being folded.
fn tail(context: &Context, step: &Step) -> Result<Tail> {
    let mut tail = Tail::default();
    for after in step.after.iter().skip_while(|after| matches!(after, After::Affine(_))) {
        match *after {
            After::Sum { own, other, .. } if tail.sum.is_none() => tail.sum = Some((own as f32, other as f32)),
            After::Activation(node) => {
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
