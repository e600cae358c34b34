//! Pools, other sizes, channels side by side, and other layouts.

use super::{Call, Context, Job, kernels_of_one, pair};
use crate::graph::NodeId;
use crate::kernels::blocked::convert::{Convert, Place};
use crate::kernels::blocked::pool::Pool;
use crate::kernels::blocked::resize::{Bilinear, Gather};
use crate::kernels::pad::sources;
use crate::kernels::pool::PoolShape;
use crate::kernels::resize::Axis;
use crate::ops::pool::{AvgPool, GlobalPool, MaxPool};
use crate::ops::resize::{Interpolation, Pad, PadMode, Upsample, ZeroPad};
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

/// The kernel, which lists positions; of a plan that is looked at, its name alone.
fn listing(context: &Context, name: &'static str, kernel: impl FnOnce() -> Box<dyn Call>) -> Box<dyn Call> {
    if context.store.is_dry() { Box::new(Named(name)) } else { kernel() }
}

kernels_of_one! {
    Convert = "convert",
    Pool = "pool",
    Gather = "gather",
    Bilinear = "bilinear",
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

/// What a map is made of: channels, and `[rows, columns]` before and after.
struct Sizes {
    channels: usize,
    input: [usize; 2],
    output: [usize; 2],
}

impl Sizes {
    fn of(context: &Context, step: &Step, node: NodeId) -> Self {
        let from = step.reads[0].node;
        Self { channels: context.channels(from), input: context.plane(from), output: context.plane(node) }
    }

    /// Windows of these sizes along the one or two axes.
    fn windows(&self, kernel: &[usize], stride: &[usize], pad: &[usize], dilation: &[usize]) -> PoolShape {
        PoolShape {
            maps: 0,
            input: self.input,
            output: self.output,
            kernel: pair(kernel, 1),
            stride: pair(stride, 1),
            pad: pair(pad, 0),
            dilation: pair(dilation, 1),
        }
    }

    /// A map whose positions are picked along each axis.
    fn gather(&self, sources: impl Fn(usize) -> Sources) -> Box<dyn Call> {
        let (channels, input) = (self.channels, self.input);
        Box::new(Gather { channels, width: channels, before: 0, input, rows: sources(0), cols: sources(1) })
    }
}

/// Maxima of windows.
pub fn max_pool(context: &Context, step: &Step, node: NodeId, op: &MaxPool) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    let windows = || sizes.windows(&op.kernel, &op.stride, &op.pad, &op.dilation);
    listing(context, "pool", || Box::new(Pool::max(sizes.channels, &windows())))
}

/// Means of windows.
pub fn avg_pool(context: &Context, step: &Step, node: NodeId, op: &AvgPool) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    let windows = || sizes.windows(&op.kernel, &op.stride, &op.pad, &[1, 1]);
    listing(context, "pool", || Box::new(Pool::mean(sizes.channels, &windows(), op.count_pad)))
}

/// The maximum or mean of all positions.
pub fn global_pool(context: &Context, step: &Step, node: NodeId, op: &GlobalPool) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    listing(context, "pool", || Box::new(Pool::global(sizes.channels, sizes.input, op.max)))
}

/// Means of windows that give a size.
pub fn adaptive_pool(context: &Context, step: &Step, node: NodeId) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    listing(context, "pool", || Box::new(Pool::adaptive(sizes.channels, sizes.input, sizes.output)))
}

/// Interpolation.
pub fn upsample(context: &Context, step: &Step, node: NodeId, op: &Upsample) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    let (channels, input, output) = (sizes.channels, sizes.input, sizes.output);
    let nearest = |a: usize| Axis::<f32>::new(input[a], output[a], op.mode.into()).low.into_iter().map(Some).collect();
    match op.mode {
        Interpolation::Bilinear => listing(context, "bilinear", || Box::new(Bilinear::new(channels, input, output))),
        Interpolation::Nearest => listing(context, "gather", || sizes.gather(nearest)),
    }
}

/// Padding.
pub fn pad(context: &Context, step: &Step, node: NodeId, op: &Pad) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    let around = |a: usize| op.amount.iter().rev().nth(1 - a).copied().unwrap_or((0, 0));
    listing(context, "gather", || sizes.gather(|a| sources(sizes.input[a], around(a), op.mode.into())))
}

/// Centred zero padding to a size.
pub fn pad_like(context: &Context, step: &Step, node: NodeId) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    let (input, output) = (sizes.input, sizes.output);
    let around = |a: usize| ((output[a] - input[a]) / 2, output[a] - input[a] - (output[a] - input[a]) / 2);
    listing(context, "gather", || sizes.gather(|a| sources(input[a], around(a), PadMode::Zero.into())))
}

/// A centre crop.
pub fn crop(context: &Context, step: &Step, node: NodeId) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    let kept = |a: usize| {
        let margin = (sizes.input[a] - sizes.output[a]) / 2;
        (margin..margin + sizes.output[a]).map(Some).collect()
    };
    listing(context, "gather", || sizes.gather(kept))
}

/// Strided subsampling and zero channels.
pub fn zero_pad(context: &Context, step: &Step, node: NodeId, op: &ZeroPad) -> Box<dyn Call> {
    let Sizes { channels, input, .. } = Sizes::of(context, step, node);
    let stride = if op.stride.is_empty() { [1, 1] } else { pair(&op.stride, 1) };
    listing(context, "gather", || {
        let [rows, cols] = [0, 1].map(|a| (0..input[a]).step_by(stride[a]).map(Some).collect());
        Box::new(Gather { channels, width: op.width, before: (op.width - channels) / 2, input, rows, cols })
    })
}

/// Channels one after another.
pub fn concat(context: &Context, step: &Step, node: NodeId) -> Box<dyn Call> {
    let mut before = 0;
    let place = |read: &crate::opt::TensorRef| {
        let channels = context.channels(read.node);
        let (width, positions) = (context.channels(node), context.positions(node));
        let place = Place { channels, width, before, positions, layout: step.makes.layout.into() };
        before += channels;
        place
    };
    Box::new(Concat(step.reads.iter().map(place).collect()))
}
