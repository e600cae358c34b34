//! Pools, other sizes, channels side by side, and other layouts.

use super::{Call, Context, Job, Prepare, kernels_of_one, pair};
use crate::engine::Result;
use crate::graph::NodeId;
use crate::kernels::blocked::convert::{Convert, Place};
use crate::kernels::blocked::pool::Pool;
use crate::kernels::blocked::resize::{Bilinear, Gather};
use crate::kernels::pad::sources;
use crate::kernels::pool::PoolShape;
use crate::kernels::resize::Axis;
use crate::ops::pool::{AdaptiveAvgPool, AvgPool, GlobalPool, MaxPool};
use crate::ops::resize::{Crop, CropLike, Interpolation, Pad, PadLike, PadMode, Upsample, ZeroPad};
use crate::ops::{merge, structure};
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
fn copy(context: &Context, step: &Step) -> Box<dyn Call> {
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

/// Ops that leave the numbers as they are, under another shape.
macro_rules! copies {
    ($($op:ty,)*) => {$(
        impl Prepare for $op {
            fn prepare(&self, context: &Context, step: &Step, _: NodeId) -> Result<Box<dyn Call>> {
                Ok(copy(context, step))
            }
        }
    )*};
}

copies! {
    structure::Input,
    structure::Dropout,
    structure::Identity,
    structure::Flatten,
    structure::Reshape,
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
impl Prepare for MaxPool {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let sizes = Sizes::of(context, step, node);
        let windows = || sizes.windows(&self.kernel, &self.stride, &self.pad, &self.dilation);
        Ok(listing(context, "pool", || Box::new(Pool::max(sizes.channels, &windows()))))
    }
}

/// Means of windows.
impl Prepare for AvgPool {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let sizes = Sizes::of(context, step, node);
        let windows = || sizes.windows(&self.kernel, &self.stride, &self.pad, &[1, 1]);
        Ok(listing(context, "pool", || Box::new(Pool::mean(sizes.channels, &windows(), self.count_pad))))
    }
}

/// The maximum or mean of all positions.
impl Prepare for GlobalPool {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let sizes = Sizes::of(context, step, node);
        Ok(listing(context, "pool", || Box::new(Pool::global(sizes.channels, sizes.input, self.max))))
    }
}

/// Means of windows that give a size.
impl Prepare for AdaptiveAvgPool {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let sizes = Sizes::of(context, step, node);
        Ok(listing(context, "pool", || Box::new(Pool::adaptive(sizes.channels, sizes.input, sizes.output))))
    }
}

/// Interpolation.
impl Prepare for Upsample {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let sizes = Sizes::of(context, step, node);
        let (channels, input, output) = (sizes.channels, sizes.input, sizes.output);
        let nearest =
            |a: usize| Axis::<f32>::new(input[a], output[a], self.mode.into()).low.into_iter().map(Some).collect();
        Ok(match self.mode {
            Interpolation::Bilinear => {
                listing(context, "bilinear", || Box::new(Bilinear::new(channels, input, output)))
            }
            Interpolation::Nearest => listing(context, "gather", || sizes.gather(nearest)),
        })
    }
}

/// Padding.
impl Prepare for Pad {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let sizes = Sizes::of(context, step, node);
        let around = |a: usize| self.amount.iter().rev().nth(1 - a).copied().unwrap_or((0, 0));
        Ok(listing(context, "gather", || sizes.gather(|a| sources(sizes.input[a], around(a), self.mode.into()))))
    }
}

/// Centred zero padding to a size.
impl Prepare for PadLike {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let sizes = Sizes::of(context, step, node);
        let (input, output) = (sizes.input, sizes.output);
        let around = |a: usize| ((output[a] - input[a]) / 2, output[a] - input[a] - (output[a] - input[a]) / 2);
        Ok(listing(context, "gather", || sizes.gather(|a| sources(input[a], around(a), PadMode::Zero.into()))))
    }
}

/// A centre crop.
fn crop(context: &Context, step: &Step, node: NodeId) -> Box<dyn Call> {
    let sizes = Sizes::of(context, step, node);
    let kept = |a: usize| {
        let margin = (sizes.input[a] - sizes.output[a]) / 2;
        (margin..margin + sizes.output[a]).map(Some).collect()
    };
    listing(context, "gather", || sizes.gather(kept))
}

impl Prepare for Crop {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        Ok(crop(context, step, node))
    }
}

impl Prepare for CropLike {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        Ok(crop(context, step, node))
    }
}

/// Strided subsampling and zero channels.
impl Prepare for ZeroPad {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let Sizes { channels, input, .. } = Sizes::of(context, step, node);
        let stride = if self.stride.is_empty() { [1, 1] } else { pair(&self.stride, 1) };
        Ok(listing(context, "gather", || {
            let [rows, cols] = [0, 1].map(|a| (0..input[a]).step_by(stride[a]).map(Some).collect());
            Box::new(Gather { channels, width: self.width, before: (self.width - channels) / 2, input, rows, cols })
        }))
    }
}

/// Channels one after another.
impl Prepare for merge::Concat {
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>> {
        let mut before = 0;
        let place = |read: &crate::opt::TensorRef| {
            let channels = context.channels(read.node);
            let (width, positions) = (context.channels(node), context.positions(node));
            let place = Place { channels, width, before, positions, layout: step.makes.layout.into() };
            before += channels;
            place
        };
        Ok(Box::new(Concat(step.reads.iter().map(place).collect())))
    }
}
