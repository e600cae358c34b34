//! Pools.

use super::arguments::{Argument, Flag, Sizes, SizesOfKernel, SizesOrZero, Window, declared, op};
use super::nature::{Channels, Family, Nature, Scaling, Values};
use super::rules::{self, Slide, no_macs, no_params, nothing_saved};
use super::{ArgError, ArgSpec, ArgType, Args, Field, Layer, LayerSpec, Op, ParamSpec, Saved, ShapeError, Value};
use crate::shape::Shape;
use serde::Serialize;

op! {
    /// Maximum over windows; ties go to the first in row-major order, as in PyTorch.
    MaxPool = "maxpool", "maximum over windows, padding counting as −∞; `maxpool(global)` over all positions",
        settled by settled, restated by restated;
    /// Window, one entry per spatial axis.
    kernel: Vec<usize> [Window] => Times,
    /// Step.
    stride: Vec<usize> [SizesOfKernel = "kernel"] => Slash,
    /// Padding with −∞ on each side; at most half the kernel.
    pad: Vec<usize> [SizesOrZero = "0"] => Named,
    /// Distance between taps.
    dilation: Vec<usize> [Sizes = "1"],
    /// Round the output size up. A window that would start in the right padding is dropped.
    ceil: bool [Flag = "false"],
}

op! {
    /// Mean over windows.
    AvgPool = "avgpool", "mean over windows; `avgpool(global)` over all positions",
        settled by settled, restated by restated;
    /// Window, one entry per spatial axis.
    kernel: Vec<usize> [Window] => Times,
    /// Step.
    stride: Vec<usize> [SizesOfKernel = "kernel"] => Slash,
    /// Zeros on each side; at most half the kernel.
    pad: Vec<usize> [SizesOrZero = "0"] => Named,
    /// Round the output size up.
    ceil: bool [Flag = "false"],
    /// Whether padding counts in the divisor.
    count_pad: bool [Flag = "true"],
}

/// Maximum or mean over all positions; spatial axes of size 1 stay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GlobalPool {
    /// Maximum rather than mean.
    pub max: bool,
}

op! {
    /// Mean over windows chosen to give `size`, PyTorch's `AdaptiveAvgPool`.
    AdaptiveAvgPool = "adaptive_avgpool", "mean over the windows [⌊i·in/out⌋, ⌈(i + 1)·in/out⌉), which give `size`";
    /// Output size, one entry per spatial axis.
    size: Vec<usize> [Sizes] => Times,
}

/// The layers of this family. A pool with the window `global` has an op of its own.
pub const SPECS: &[LayerSpec] = &[
    LayerSpec {
        make: |args, input| global(args, true).unwrap_or_else(|| (MaxPool::SPEC.make)(args, input)),
        ..MaxPool::SPEC
    },
    LayerSpec {
        make: |args, input| global(args, false).unwrap_or_else(|| (AvgPool::SPEC.make)(args, input)),
        ..AvgPool::SPEC
    },
    AdaptiveAvgPool::SPEC,
];

/// A global pool, which has no window to describe, where one is asked for.
fn global(args: &Args, max: bool) -> Option<Result<Op, ArgError>> {
    if !args.is_word("kernel", "global") {
        return None;
    }
    Some(match args.given.keys().find(|name| *name != "kernel") {
        Some(name) => Err(ArgError::at(name, format!("a global pool has no window, and so no `{name}`"))),
        None => Ok(GlobalPool { max }.into()),
    })
}

/// The stride, which is the kernel where nothing else is said; padding is at most half the kernel.
fn settled_window(kernel: &[usize], stride: Vec<usize>, pad: &[usize]) -> Result<Vec<usize>, ArgError> {
    match kernel.iter().zip(pad).find(|(k, p)| **p > **k / 2) {
        None if stride.is_empty() => Ok(kernel.to_vec()),
        None => Ok(stride),
        Some((k, p)) => {
            let message = format!("`pad` is {p}, and may be at most half the kernel of {k}");
            Err(ArgError::at("pad", message).help(format!("pad={}", k / 2)))
        }
    }
}

/// The stride's default is the kernel.
fn restated_stride(mut arguments: Vec<Argument>, is_kernel: bool) -> Vec<Argument> {
    arguments.iter_mut().filter(|argument| argument.name == "stride").for_each(|stride| stride.is_default = is_kernel);
    arguments
}

impl MaxPool {
    fn settled(mut self, _: &Args) -> Result<Self, ArgError> {
        self.stride = settled_window(&self.kernel, self.stride, &self.pad)?;
        Ok(self)
    }

    fn restated(&self, arguments: Vec<Argument>) -> Vec<Argument> {
        restated_stride(arguments, self.stride == self.kernel)
    }
}

impl AvgPool {
    fn settled(mut self, _: &Args) -> Result<Self, ArgError> {
        self.stride = settled_window(&self.kernel, self.stride, &self.pad)?;
        Ok(self)
    }

    fn restated(&self, arguments: Vec<Argument>) -> Vec<Argument> {
        restated_stride(arguments, self.stride == self.kernel)
    }
}

/// Applies one axis's rule to every spatial axis.
fn each_axis(input: &Shape, rule: impl Fn(usize, usize) -> Result<usize, ShapeError>) -> Result<Shape, ShapeError> {
    rules::need_map(input)?;
    let sizes = input.spatial().iter().enumerate().map(|(i, &size)| rule(i, size));
    rules::bounded(input.with_spatial(&sizes.collect::<Result<Vec<_>, _>>()?))
}

/// Four bytes for each output, the position of its maximum.
fn indices(output: &Shape) -> Saved {
    Saved { extra_bytes: 4 * output.elements().unwrap_or(0), ..Saved::default() }
}

impl Layer for MaxPool {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Pool, Channels::Kept, Values::Moved, Scaling::Field)
    }

    no_params!();
    no_macs!();

    declared!();

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        each_axis(inputs[0], |i, size| {
            let (kernel, stride, pad, dilation) = (self.kernel[i], self.stride[i], self.pad[i], self.dilation[i]);
            Slide { kernel, stride, pad, dilation, ceil: self.ceil }.positions(i + 2, size)
        })
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Window { extent: rules::extents(&self.kernel, &self.dilation), stride: self.stride.clone() }
    }

    fn in_place(&self) -> &'static [usize] {
        &[]
    }

    fn saved(&self, _: &[&Shape], output: &Shape) -> Saved {
        indices(output)
    }
}

impl Layer for AvgPool {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Pool, Channels::Kept, Values::Moved, Scaling::Field)
    }

    no_params!();
    no_macs!();
    nothing_saved!();

    declared!();

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        each_axis(inputs[0], |i, size| {
            let (kernel, stride, pad) = (self.kernel[i], self.stride[i], self.pad[i]);
            Slide { kernel, stride, pad, dilation: 1, ceil: self.ceil }.positions(i + 2, size)
        })
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Window { extent: self.kernel.clone(), stride: self.stride.clone() }
    }

    fn in_place(&self) -> &'static [usize] {
        &[]
    }
}

impl Layer for GlobalPool {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Pool, Channels::Kept, Values::Moved, Scaling::Global)
    }

    no_params!();
    no_macs!();

    fn kind(&self) -> &'static str {
        if self.max { "maxpool" } else { "avgpool" }
    }

    fn arguments(&self) -> Vec<Argument> {
        vec![Argument::new("kernel", ArgType::SizesOrGlobal, Value::Word("global".into()))]
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        each_axis(inputs[0], |_, _| Ok(1))
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Global
    }

    fn in_place(&self) -> &'static [usize] {
        &[]
    }

    fn saved(&self, _: &[&Shape], output: &Shape) -> Saved {
        if self.max { indices(output) } else { Saved::default() }
    }

    fn detail(&self) -> String {
        "global".into()
    }
}

impl Layer for AdaptiveAvgPool {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Pool, Channels::Kept, Values::Moved, Scaling::Global)
    }

    no_params!();
    no_macs!();
    nothing_saved!();

    declared!();

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        each_axis(inputs[0], |i, _| Ok(self.size[i]))
    }

    /// The largest window, and the mean step rounded down; one window over everything is global.
    fn field(&self, inputs: &[&Shape]) -> Field {
        if self.size.iter().all(|&size| size == 1) {
            return Field::Global;
        }
        let axes = || inputs[0].spatial().iter().zip(&self.size);
        let widest = |(&from, &to): (&usize, &usize)| from.div_ceil(to) + usize::from(!from.is_multiple_of(to));
        let step = |(&from, &to): (&usize, &usize)| (from / to).max(1);
        Field::Window { extent: axes().map(widest).collect(), stride: axes().map(step).collect() }
    }

    fn in_place(&self) -> &'static [usize] {
        &[]
    }
}
