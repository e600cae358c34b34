//! Pools, other sizes, channels side by side, and other layouts.

use super::{Call, Context, Job, internal, pair};
use crate::base::Diagnostic;
use crate::engine::Result;
use crate::graph::NodeId;
use crate::kernels::blocked::convert::{Convert, Place};
use crate::kernels::blocked::pool::Pool;
use crate::kernels::blocked::resize::{Bilinear, Gather};
use crate::kernels::pad::sources;
use crate::kernels::pool::PoolShape;
use crate::kernels::resize::Axis;
use crate::ops::Op;
use crate::ops::resize::{Interpolation, PadMode};
use crate::opt::Step;
use crate::shape::Layout;

/// The input position of each output position along an axis; `None` for zero.
type Sources = Vec<Option<usize>>;

/// A step that is looked at and never run: it lists no positions, of which a map may have more than memory.
struct Named(&'static str);

impl Call for Named {
    fn name(&self) -> String {
        self.0.into()
    }

    fn run(&self, _: Job) {
        unreachable!("an outline is never run");
    }
}

/// What the kernel of an op that makes a map of another size is called.
fn kernel(op: &Op) -> Option<&'static str> {
    match op {
        Op::MaxPool(_) | Op::AvgPool(_) | Op::GlobalPool(_) | Op::AdaptiveAvgPool(_) => Some("pool"),
        Op::Upsample(op) if op.mode == Interpolation::Bilinear => Some("bilinear"),
        Op::Upsample(_) | Op::Pad(_) | Op::PadLike(_) | Op::Crop(_) | Op::CropLike(_) | Op::ZeroPad(_) => {
            Some("gather")
        }
        // These list nothing.
        Op::Concat(_) => None,
        // Others have rooms of their own.
        Op::Input(_) | Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_) | Op::Scale(_) | Op::Prelu(_) => None,
        Op::BatchNorm(_) | Op::GroupNorm(_) | Op::LayerNorm(_) | Op::InstanceNorm(_) | Op::Softmax(_) => None,
        Op::Activation(_) | Op::Add(_) | Op::Mul(_) | Op::Gate(_) => None,
        Op::Dropout(_) | Op::Identity(_) | Op::Flatten(_) | Op::Reshape(_) => None,
    }
}

impl Call for Convert {
    fn name(&self) -> String {
        "convert".into()
    }

    fn run(&self, mut job: Job) {
        let (y, _) = job.result();
        Convert::run(self, &job.cpu, job.operand(0), y);
    }
}

impl Call for Pool {
    fn name(&self) -> String {
        "pool".into()
    }

    fn run(&self, mut job: Job) {
        let (y, _) = job.result();
        Pool::run(self, &job.cpu, job.operand(0), y);
    }
}

impl Call for Gather {
    fn name(&self) -> String {
        "gather".into()
    }

    fn run(&self, mut job: Job) {
        let (y, _) = job.result();
        Gather::run(self, &job.cpu, job.operand(0), y);
    }
}

impl Call for Bilinear {
    fn name(&self) -> String {
        "bilinear".into()
    }

    fn run(&self, mut job: Job) {
        let (y, _) = job.result();
        Bilinear::run(self, &job.cpu, job.operand(0), y);
    }
}

/// Operands in their places, those apart that were written there already.
struct Concat(Vec<Place>);

impl Call for Concat {
    fn name(&self) -> String {
        "concat".into()
    }

    fn run(&self, mut job: Job) {
        let (y, _) = job.result();
        for (i, place) in self.0.iter().enumerate() {
            if let Some(x) = job.apart(i) {
                place.run(&job.cpu, x, &y);
            }
        }
    }
}

/// The value that is read, in the layout of the result.
pub fn convert(context: &Context, step: &Step) -> Box<dyn Call> {
    let (from, node) = (step.reads[0], step.makes.node);
    let (channels, positions) = (context.channels(node), context.positions(node));
    Box::new(Convert { channels, positions, from: from.layout.into(), to: step.makes.layout.into() })
}

/// The numbers that are read, in the same order, under another shape.
pub fn copy(context: &Context, step: &Step) -> Box<dyn Call> {
    let from = step.reads[0];
    let (channels, positions) = (context.channels(from.node), context.positions(from.node));
    let (made, there) = (context.channels(step.makes.node), context.positions(step.makes.node));
    match (from.layout, step.makes.layout) {
        // A vector of all numbers in row-major order, zeros at its end.
        (Layout::Blocked, Layout::Blocked) if (channels, positions) != (made, there) => {
            Box::new(Flatten(Convert { channels, positions, from: Layout::Blocked.into(), to: Layout::Plain.into() }))
        }
        (from, to) => Box::new(Convert { channels, positions, from: from.into(), to: to.into() }),
    }
}

struct Flatten(Convert);

impl Call for Flatten {
    fn name(&self) -> String {
        "flatten".into()
    }

    fn run(&self, mut job: Job) {
        let (mut y, _) = job.result();
        let (channels, positions) = (self.0.channels, self.0.positions);
        (0..y.samples()).for_each(|n| y.sample(n)[channels * positions..].fill(0.0));
        self.0.run(&job.cpu, job.operand(0), y.shortened(channels * positions));
    }
}

/// A step that makes a map of another size, or of several.
///
/// # Errors
/// Where the op is none of these.
pub fn map(context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
    if let Some(name) = kernel(&context.graph.node(node).op).filter(|_| context.store.is_dry()) {
        return Ok(Box::new(Named(name)));
    }
    let from = step.reads[0].node;
    let (channels, input, output) = (context.channels(from), context.plane(from), context.plane(node));
    let pool = |kernel: &[usize], stride: &[usize], pad: &[usize], dilation: &[usize]| PoolShape {
        maps: 0,
        input,
        output,
        kernel: pair(kernel, 1),
        stride: pair(stride, 1),
        pad: pair(pad, 0),
        dilation: pair(dilation, 1),
    };
    let gather = |[rows, cols]: [Sources; 2]| -> Box<dyn Call> {
        Box::new(Gather { channels, width: channels, before: 0, input, rows, cols })
    };
    Ok(match &context.graph.node(node).op {
        Op::MaxPool(op) => Box::new(Pool::max(channels, &pool(&op.kernel, &op.stride, &op.pad, &op.dilation))),
        Op::AvgPool(op) => {
            Box::new(Pool::mean(channels, &pool(&op.kernel, &op.stride, &op.pad, &[1, 1]), op.count_pad))
        }
        Op::GlobalPool(op) => Box::new(Pool::global(channels, input, op.max)),
        Op::AdaptiveAvgPool(_) => Box::new(Pool::adaptive(channels, input, output)),
        Op::Upsample(op) => match op.mode {
            Interpolation::Bilinear => Box::new(Bilinear::new(channels, input, output)),
            Interpolation::Nearest => gather(
                [0, 1]
                    .map(|a| Axis::<f32>::new(input[a], output[a], op.mode.into()).low.into_iter().map(Some).collect()),
            ),
        },
        Op::Pad(op) => {
            let around = |a: usize| op.amount.iter().rev().nth(1 - a).copied().unwrap_or((0, 0));
            gather([0, 1].map(|a| sources(input[a], around(a), op.mode.into())))
        }
        Op::PadLike(_) => gather([0, 1].map(|a| {
            let before = (output[a] - input[a]) / 2;
            sources(input[a], (before, output[a] - input[a] - before), PadMode::Zero.into())
        })),
        Op::Crop(_) | Op::CropLike(_) => gather([0, 1].map(|a| {
            let margin = (input[a] - output[a]) / 2;
            (margin..margin + output[a]).map(Some).collect()
        })),
        Op::ZeroPad(op) => {
            let stride = if op.stride.is_empty() { [1, 1] } else { pair(&op.stride, 1) };
            let [rows, cols] = [0, 1].map(|a| (0..input[a]).step_by(stride[a]).map(Some).collect());
            Box::new(Gather { channels, width: op.width, before: (op.width - channels) / 2, input, rows, cols })
        }
        Op::Concat(_) => concat(context, step, node),
        Op::Input(_) | Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_) | Op::Scale(_) => return Err(no_map(node)),
        Op::BatchNorm(_) | Op::GroupNorm(_) | Op::LayerNorm(_) | Op::InstanceNorm(_) => return Err(no_map(node)),
        Op::Activation(_) | Op::Prelu(_) | Op::Softmax(_) | Op::Dropout(_) => return Err(no_map(node)),
        Op::Flatten(_) | Op::Reshape(_) | Op::Identity(_) => return Err(no_map(node)),
        Op::Add(_) | Op::Mul(_) | Op::Gate(_) => return Err(no_map(node)),
    })
}

fn no_map(node: NodeId) -> Box<Diagnostic> {
    internal(format!("node {} makes no map of another size", node.index()))
}

fn concat(context: &Context, step: &Step, node: NodeId) -> Box<dyn Call> {
    let mut before = 0;
    let place = |read: &crate::opt::Held| {
        let channels = context.channels(read.node);
        let (width, positions) = (context.channels(node), context.positions(node));
        let place = Place { channels, width, before, positions, layout: step.makes.layout.into() };
        before += channels;
        place
    };
    Box::new(Concat(step.reads.iter().map(place).collect()))
}
