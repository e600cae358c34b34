//! Spatial sizes made larger or smaller.

use super::compute::{Compute, Evaluation};
use super::native::{Arg, ArgGrads, Native, apply};
use super::sizes::{maps, pair, with};
use super::{is_native, portable};
use crate::kernels::memory::zeros;
use crate::kernels::{Elem, pad as pad_kernel, resize as kernel};
use crate::lower;
use crate::ops::resize::{Crop, CropLike, Interpolation, Pad, PadLike, PadMode, Upsample, ZeroPad};
use candle_core::{Result, Tensor, bail};

/// Interpolates `[N, C, L]` or `[N, C, H, W]` to spatial sizes `size`.
///
/// # Errors
/// Where `size` is not one entry above 0 per spatial axis.
pub fn upsample(x: &Tensor, size: &[usize], mode: Interpolation) -> Result<Tensor> {
    let (_, _, input) = spatial("upsample", x, size.len())?;
    let output = pair(size, 1)?;
    if input.contains(&0) || output.contains(&0) {
        bail!("upsample: {:?} to {size:?}", x.dims())
    }
    if !is_native(x) {
        return portable::resize::upsample(x, output, mode == Interpolation::Bilinear);
    }
    apply(Interpolate { input, output, mode }, &[x])
}

/// Pads each spatial axis by `(before, after)`.
///
/// # Errors
/// Where there is not one pair per spatial axis, or a reflection is not smaller than the size.
pub fn pad(x: &Tensor, amounts: &[(usize, usize)], mode: PadMode) -> Result<Tensor> {
    let (_, _, input) = spatial("pad", x, amounts.len())?;
    let amounts = pair(amounts, (0, 0))?;
    for (size, (before, after)) in input.into_iter().zip(amounts) {
        if mode == PadMode::Reflect && before.max(after) >= size.max(1) || size == 0 {
            bail!("pad: {before} and {after} around {size}")
        }
    }
    if amounts == [(0, 0); 2] {
        return Ok(x.clone());
    }
    if !is_native(x) {
        return portable::resize::pad(x, amounts, fill(mode));
    }
    apply(Surround { input, amounts, mode }, &[x])
}

fn fill(mode: PadMode) -> portable::resize::Fill {
    match mode {
        PadMode::Zero => portable::resize::Fill::Zero,
        PadMode::Reflect => portable::resize::Fill::Reflect,
        PadMode::Replicate => portable::resize::Fill::Replicate,
    }
}

/// Cuts spatial sizes `size` out, from `offset` on.
///
/// # Errors
/// Where the cut does not lie inside.
pub fn crop(x: &Tensor, offset: &[usize], size: &[usize]) -> Result<Tensor> {
    let (_, _, input) = spatial("crop", x, size.len())?;
    let (offset, size) = (pair(offset, 0)?, pair(size, 1)?);
    if (0..2).any(|a| offset[a] + size[a] > input[a]) {
        bail!("crop: {size:?} from {offset:?} of {input:?}")
    }
    if size == input {
        return Ok(x.clone());
    }
    if !is_native(x) {
        return portable::resize::crop(x, offset, size);
    }
    apply(Cut { input, offset, size }, &[x])
}

/// The parameter-free shortcut of ResNet's option A: every `stride`-th position, and channels of zeros
/// around the input's up to `width`, `⌊(width − C) / 2⌋` of them before.
///
/// # Errors
/// Where `width` is less than the channels.
pub fn zero_pad(x: &Tensor, width: usize, stride: &[usize]) -> Result<Tensor> {
    let (_, channels, input) = maps(x.dims())?;
    let stride = if stride.is_empty() { [1, 1] } else { pair(stride, 1)? };
    if width < channels || stride.contains(&0) {
        bail!("zero_pad: {channels} channels to {width}")
    }
    let before = (width - channels) / 2;
    if !is_native(x) {
        return portable::resize::zero_pad(x, stride, (before, width - channels - before));
    }
    apply(Subsample { channels, width, before, input, stride }, &[x])
}

impl Compute for Upsample {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(upsample(node.x()?, node.size(), self.mode)?)
    }
}

impl Compute for Pad {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(pad(node.x()?, &self.amount, self.mode)?)
    }
}

impl Compute for Crop {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        cut_to_size(&node)
    }
}

impl Compute for CropLike {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        cut_to_size(&node)
    }
}

/// Zeros around the spatial axes: `⌊difference / 2⌋` before, the rest after.
impl Compute for PadLike {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        let (x, size) = (node.x()?, node.size());
        let before = margins(&node, |x, size| size.checked_sub(x))?;
        let sizes = x.dims()[2..].iter().zip(size);
        let amounts: Vec<_> = sizes.zip(&before).map(|((x, size), &before)| (before, size - x - before)).collect();
        Ok(pad(x, &amounts, PadMode::Zero)?)
    }
}

impl Compute for ZeroPad {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(zero_pad(node.x()?, self.width, &self.stride)?)
    }
}

/// The middle of the operand.
fn cut_to_size(node: &Evaluation) -> lower::Result<Tensor> {
    Ok(crop(node.x()?, &margins(node, usize::checked_sub)?, node.size())?)
}

/// Half of the difference between the spatial sizes of the operand and of the value, rounded down, along each axis.
fn margins(node: &Evaluation, less: fn(usize, usize) -> Option<usize>) -> lower::Result<Vec<usize>> {
    let (x, size) = (node.x()?, node.size());
    let wrong = || lower::Error::internal(format!("`{}` fits {:?} to {size:?}", node.step.path, x.dims()));
    let half = |(&x, &size)| Some(less(x, size)? / 2);
    let spatial = x.dims().get(2..).unwrap_or(&[]);
    spatial.iter().zip(size).map(half).collect::<Option<_>>().ok_or_else(wrong)
}

/// Sizes of a tensor with `axes` spatial axes.
fn spatial(name: &str, x: &Tensor, axes: usize) -> Result<(usize, usize, [usize; 2])> {
    if x.rank() != axes + 2 {
        bail!("{name}: {:?} has not {axes} spatial axes", x.dims())
    }
    maps(x.dims())
}

/// Sizes of the result, with the channels of the argument.
fn sized(dims: &[usize], size: [usize; 2]) -> Vec<usize> {
    with(dims, dims[1], size)
}

/// Room for a result of these sizes.
fn room<E: Elem>(dims: &[usize]) -> Vec<E> {
    zeros(dims.iter().product())
}

struct Interpolate {
    input: [usize; 2],
    output: [usize; 2],
    mode: Interpolation,
}

impl Native for Interpolate {
    const NAME: &'static str = "upsample";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let dims = sized(args[0].dims(), self.output);
        let mut y = room(&dims);
        kernel::forward(self.mode.into(), self.input, self.output, &args[0].data(), &mut y);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = room(args[0].dims());
        kernel::grad(self.mode.into(), self.input, self.output, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

struct Surround {
    input: [usize; 2],
    amounts: [(usize, usize); 2],
    mode: PadMode,
}

impl Native for Surround {
    const NAME: &'static str = "pad";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let size = [0, 1].map(|a| self.amounts[a].0 + self.input[a] + self.amounts[a].1);
        let dims = sized(args[0].dims(), size);
        let mut y = room(&dims);
        pad_kernel::pad(self.mode.into(), self.input, self.amounts, &args[0].data(), &mut y);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = room(args[0].dims());
        pad_kernel::pad_grad(self.mode.into(), self.input, self.amounts, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

struct Cut {
    input: [usize; 2],
    offset: [usize; 2],
    size: [usize; 2],
}

impl Native for Cut {
    const NAME: &'static str = "crop";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let dims = sized(args[0].dims(), self.size);
        let mut y = room(&dims);
        pad_kernel::crop(self.input, self.offset, self.size, &args[0].data(), &mut y);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let amounts = [0, 1].map(|a| (self.offset[a], self.input[a] - self.offset[a] - self.size[a]));
        let mut dx = room(args[0].dims());
        pad_kernel::pad(PadMode::Zero.into(), self.size, amounts, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

struct Subsample {
    channels: usize,
    width: usize,
    before: usize,
    input: [usize; 2],
    stride: [usize; 2],
}

impl Native for Subsample {
    const NAME: &'static str = "zero_pad";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let size = [0, 1].map(|a| self.input[a].div_ceil(self.stride[a]));
        let dims = with(args[0].dims(), self.width, size);
        let mut y = room(&dims);
        let Self { channels, width, before, input, stride } = *self;
        pad_kernel::subsample(channels, width, before, input, stride, &args[0].data(), &mut y);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = room(args[0].dims());
        let Self { channels, width, before, input, stride } = *self;
        pad_kernel::subsample_grad(channels, width, before, input, stride, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}
