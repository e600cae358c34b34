//! Pools.

use super::args::{optional, required};
use super::rules::{self, Slide, no_macs, no_params, nothing_saved};
use super::{ArgError, ArgSpec, ArgType, Args, Field, Layer, LayerSpec, Op, ParamSpec, Saved, ShapeError};
use crate::shape::Shape;
use serde::Serialize;

/// Maximum over windows; ties go to the first in row-major order, as in PyTorch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MaxPool {
    /// Window, one entry per spatial axis.
    pub kernel: Vec<usize>,
    /// Step.
    pub stride: Vec<usize>,
    /// Padding with −∞ on each side; at most half the kernel.
    pub pad: Vec<usize>,
    /// Distance between taps.
    pub dilation: Vec<usize>,
    /// Round the output size up. A window that would start in the right padding is dropped.
    pub ceil: bool,
}

/// Mean over windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AvgPool {
    /// Window, one entry per spatial axis.
    pub kernel: Vec<usize>,
    /// Step.
    pub stride: Vec<usize>,
    /// Zeros on each side; at most half the kernel.
    pub pad: Vec<usize>,
    /// Round the output size up.
    pub ceil: bool,
    /// Whether padding counts in the divisor.
    pub count_pad: bool,
}

/// Maximum or mean over all positions; spatial axes of size 1 stay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GlobalPool {
    /// Maximum rather than mean.
    pub max: bool,
}

/// Mean over windows chosen to give `size`, PyTorch's `AdaptiveAvgPool`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdaptiveAvgPool {
    /// Output size, one entry per spatial axis.
    pub size: Vec<usize>,
}

const KERNEL: ArgSpec = required("kernel", ArgType::SizesOrGlobal);
const STRIDE: ArgSpec = optional("stride", ArgType::Sizes, "kernel");
const PAD: ArgSpec = optional("pad", ArgType::SizesOrZero, "0");
const CEIL: ArgSpec = optional("ceil", ArgType::Bool, "false");

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[
    LayerSpec {
        name: "maxpool",
        args: &[KERNEL, STRIDE, PAD, optional("dilation", ArgType::Sizes, "1"), CEIL],
        doc: "maximum over windows, padding counting as −∞; `maxpool(global)` over all positions",
        make: make_max,
    },
    LayerSpec {
        name: "avgpool",
        args: &[KERNEL, STRIDE, PAD, CEIL, optional("count_pad", ArgType::Bool, "true")],
        doc: "mean over windows; `avgpool(global)` over all positions",
        make: make_avg,
    },
    LayerSpec {
        name: "adaptive_avgpool",
        args: &[required("size", ArgType::Sizes)],
        doc: "mean over the windows [⌊i·in/out⌋, ⌈(i + 1)·in/out⌉), which give `size`",
        make: |args, input| Ok(AdaptiveAvgPool { size: args.sizes("size", input.spatial().len(), 1)? }.into()),
    },
];

fn make_max(args: &Args, input: &Shape) -> Result<Op, ArgError> {
    if args.is_word("kernel", "global") {
        return global(args, true);
    }
    let axes = input.spatial().len();
    let (kernel, stride, pad) = window(args, axes)?;
    let dilation = args.sizes_or("dilation", axes, 1, &[1])?;
    Ok(MaxPool { kernel, stride, pad, dilation, ceil: args.bool_or("ceil", false)? }.into())
}

fn make_avg(args: &Args, input: &Shape) -> Result<Op, ArgError> {
    if args.is_word("kernel", "global") {
        return global(args, false);
    }
    let (kernel, stride, pad) = window(args, input.spatial().len())?;
    let (ceil, count_pad) = (args.bool_or("ceil", false)?, args.bool_or("count_pad", true)?);
    Ok(AvgPool { kernel, stride, pad, ceil, count_pad }.into())
}

/// A global pool, which has no window to describe.
fn global(args: &Args, max: bool) -> Result<Op, ArgError> {
    match args.given.keys().find(|name| *name != "kernel") {
        Some(name) => Err(ArgError::at(name, format!("a global pool has no window, and so no `{name}`"))),
        None => Ok(GlobalPool { max }.into()),
    }
}

/// Kernel, stride and padding.
type Window = (Vec<usize>, Vec<usize>, Vec<usize>);

fn window(args: &Args, axes: usize) -> Result<Window, ArgError> {
    if let Some(super::Value::Word(word)) = args.get("kernel") {
        let message = format!("`kernel` must be {}, not `{word}`", ArgType::SizesOrGlobal.words());
        return Err(ArgError::at("kernel", message));
    }
    let kernel = args.sizes("kernel", axes, 1)?;
    let stride = args.sizes_or("stride", axes, 1, &kernel)?;
    let pad = args.sizes_or("pad", axes, 0, &[0])?;
    match kernel.iter().zip(&pad).find(|(k, p)| **p > **k / 2) {
        None => Ok((kernel, stride, pad)),
        Some((k, p)) => {
            let message = format!("`pad` is {p}, and may be at most half the kernel of {k}");
            Err(ArgError::at("pad", message).help(format!("pad={}", k / 2)))
        }
    }
}

/// `3×3 /2`; the stride is left out where it equals the kernel.
fn detail(kernel: &[usize], stride: &[usize], pad: &[usize]) -> String {
    let mut text = rules::times(kernel);
    if kernel != stride {
        text += &format!(" /{}", rules::short(stride));
    }
    if pad.iter().any(|&p| p != 0) {
        text += &format!(" pad {}", rules::short(pad));
    }
    text
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
    no_params!();
    no_macs!();

    fn kind(&self) -> &'static str {
        "maxpool"
    }

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

    fn detail(&self) -> String {
        detail(&self.kernel, &self.stride, &self.pad)
    }
}

impl Layer for AvgPool {
    no_params!();
    no_macs!();
    nothing_saved!();

    fn kind(&self) -> &'static str {
        "avgpool"
    }

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

    fn detail(&self) -> String {
        detail(&self.kernel, &self.stride, &self.pad)
    }
}

impl Layer for GlobalPool {
    no_params!();
    no_macs!();

    fn kind(&self) -> &'static str {
        if self.max { "maxpool" } else { "avgpool" }
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
    no_params!();
    no_macs!();
    nothing_saved!();

    fn kind(&self) -> &'static str {
        "adaptive_avgpool"
    }

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

    fn detail(&self) -> String {
        rules::times(&self.size)
    }
}
