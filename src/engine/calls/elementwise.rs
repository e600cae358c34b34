//! Element by element, in place or not.

use super::{Call, Context, Job, Prepare, final_activation, plane};
use crate::engine::Result;
use crate::engine::fold::{self, in_blocks};
use crate::engine::store::Parameters;
use crate::graph::NodeId;
use crate::kernels::activation::Activation;
use crate::kernels::blocked::Other;
use crate::kernels::blocked::elementwise::{self as kernel, Extent};
use crate::kernels::blocked::stretch::{self, Meet};
use crate::kernels::layout::Layout;
use crate::ops::activation::{self, Prelu};
use crate::ops::linear::Scale;
use crate::ops::merge;
use crate::ops::norm::BatchNorm;
use crate::opt::Step;
use std::sync::Arc;

/// Operands that are gathered at once, so that nothing is allocated for them.
const FEW: usize = 32;

/// Which numbers a channel an affine step has, in the order that they are kept in.
#[derive(Clone, Copy)]
enum Has {
    Nothing,
    ScaleAndShift,
    Slope,
}

struct Affine {
    extent: Extent,
    has: Has,
    act: Option<Activation>,
    parameters: Arc<Parameters>,
    name: &'static str,
}

struct Add {
    extent: Extent,
    factors: Vec<f32>,
    act: Option<Activation>,
}

struct Stretch {
    meet: Meet,
    layout: Layout,
    size: [usize; 3],
    operands: Vec<[usize; 3]>,
    act: Option<Activation>,
}

impl Call for Affine {
    fn name(&self) -> String {
        self.name.into()
    }

    fn run(&self, mut job: Job) {
        let at = |i: usize| self.parameters.channels.get(i).map(Vec::as_slice);
        let (scale, shift, slope) = match self.has {
            Has::Nothing => (None, None, None),
            Has::ScaleAndShift => (at(0), at(1), None),
            Has::Slope => (None, None, at(0)),
        };
        let (y, _) = job.result();
        let kernel = kernel::Affine { extent: self.extent, scale, shift, slope, act: self.act };
        kernel.run(&job.cpu, job.other(0), y);
    }
}

impl Call for Add {
    fn name(&self) -> String {
        "add".into()
    }

    fn run(&self, mut job: Job) {
        let (mut y, _) = job.result();
        in_turns(&job, self.factors.len(), |turn| {
            // What came before this turn counts once: the one factor that is not 1 is that of operand 1.
            let factors = &self.factors[turn.next - turn.before..][..turn.operands.len()];
            let kernel = kernel::Add { extent: self.extent, factors, act: self.act.filter(|_| turn.last) };
            kernel.run(&job.cpu, turn.operands, y.reborrow());
        });
    }
}

impl Call for Stretch {
    fn name(&self) -> String {
        if self.meet == Meet::Gate { "gate".into() } else { "multiply".into() }
    }

    fn run(&self, mut job: Job) {
        let (mut y, _) = job.result();
        in_turns(&job, self.operands.len(), |turn| {
            let mut sizes = [self.size; FEW];
            let operands = &mut sizes[..turn.operands.len()];
            operands[turn.before..].copy_from_slice(&self.operands[turn.next..][..turn.operands.len() - turn.before]);
            let (meet, layout, size) = (self.meet, self.layout, self.size);
            let kernel = stretch::Stretch { meet, layout, size, operands, act: self.act.filter(|_| turn.last) };
            kernel.run(&job.cpu, turn.operands, y.reborrow());
        });
    }
}

/// Some of the operands of a step that has many.
struct Portion<'a> {
    operands: &'a [Other<'a>],
    /// 1 where the first of them is what the turns before made, 0 in the first turn.
    before: usize,
    /// Which operand comes first after that.
    next: usize,
    /// Whether no turn follows.
    last: bool,
}

/// Calls `f` with all operands, or with [`FEW`] at a time. Steps of more are never computed over an operand, as
/// `opt::in_place` has it.
fn in_turns(job: &Job, count: usize, mut f: impl FnMut(Portion)) {
    let mut next = 0;
    while next < count {
        let before = usize::from(next > 0);
        let taken = (count - next).min(FEW - before);
        let mut operands = [Other::InPlace; FEW];
        operands[before..][..taken].iter_mut().enumerate().for_each(|(i, operand)| *operand = job.other(next + i));
        let operands = &operands[..before + taken];
        f(Portion { operands, before, next, last: next + taken == count });
        next += taken;
    }
}

fn extent(context: &Context, step: &Step) -> Extent {
    let node = step.makes.node;
    Extent { layout: step.makes.layout.into(), channels: context.channels(node), positions: context.positions(node) }
}

/// A batch norm by its running statistics, or a learned factor.
fn affine(context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
    let channels = context.channels(node);
    let parameters = context.store.parameters(format!("{} affine", context.graph.node(node).path), || {
        let map = fold::Affine::of(context.graph, node, context.store)?;
        let narrow = |values: Vec<f64>| in_blocks(values.into_iter().map(|x| x as f32), channels);
        Ok(Parameters { packed: None, channels: vec![narrow(map.scale), narrow(map.shift)] })
    })?;
    let (extent, act) = (extent(context, step), final_activation(context, step));
    Ok(Box::new(Affine { extent, has: Has::ScaleAndShift, act, parameters, name: "scale and shift" }))
}

impl Prepare for BatchNorm {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        affine(context, step, node)
    }
}

impl Prepare for Scale {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        affine(context, step, node)
    }
}

/// Leaky ReLU with learned slopes.
impl Prepare for Prelu {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let channels = context.channels(node);
        let parameters = context.store.parameters(format!("{} slope", context.graph.node(node).path), || {
            let weight = context.store.need(context.graph, node, "weight")?;
            let slopes = (0..channels).map(|c| weight[c % weight.len()]);
            Ok(Parameters { packed: None, channels: vec![in_blocks(slopes, channels)] })
        })?;
        Ok(Box::new(Affine { extent: extent(context, step), has: Has::Slope, act: None, parameters, name: "prelu" }))
    }
}

/// An activation by itself.
impl Prepare for activation::Activation {
    fn prepare(&self, context: &Context, step: &Step, _: NodeId) -> Result<Box<dyn Call>> {
        let (parameters, act) = (Arc::new(Parameters::default()), Some((*self).into()));
        Ok(Box::new(Affine { extent: extent(context, step), has: Has::Nothing, act, parameters, name: "activation" }))
    }
}

/// `operand 0 + scale·operand 1 (+ operand 2 …)`
impl Prepare for merge::Add {
    fn prepare(&self, context: &Context, step: &Step, _: NodeId) -> Result<Box<dyn Call>> {
        let mut factors = vec![1.0; step.reads.len()];
        factors[1..2].fill(self.scale as f32);
        Ok(Box::new(Add { extent: extent(context, step), factors, act: final_activation(context, step) }))
    }
}

/// The product of the operands, sizes of 1 stretched.
impl Prepare for merge::Mul {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        Ok(Box::new(stretch(context, step, node, Meet::Product)))
    }
}

/// `t·R + (1 − t)·S` with `t = sigmoid(T)`; operands S, R, T.
impl Prepare for merge::Gate {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        Ok(Box::new(stretch(context, step, node, Meet::Gate)))
    }
}

fn stretch(context: &Context, step: &Step, node: NodeId, meet: Meet) -> Stretch {
    let size = |node: NodeId| {
        let [rows, cols] = plane(context.graph.shape(node));
        [context.channels(node), rows, cols]
    };
    let operands = step.reads.iter().map(|read| size(read.node)).collect();
    Stretch { meet, layout: step.makes.layout.into(), size: size(node), operands, act: final_activation(context, step) }
}
