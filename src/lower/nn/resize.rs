//! Spatial sizes made larger or smaller.

use super::native::{Arg, ArgGrads, Native, apply};
use super::sizes::{maps, pair, with};
use super::{is_native, portable};
use crate::kernels::memory::zeros;
use crate::kernels::{Elem, pad as pad_kernel, resize as kernel};
use crate::ops::resize::{Interpolation, PadMode};
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
    apply(Upsample { input, output, mode }, &[x])
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
    apply(Pad { input, amounts, mode }, &[x])
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
    apply(Crop { input, offset, size }, &[x])
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

struct Upsample {
    input: [usize; 2],
    output: [usize; 2],
    mode: Interpolation,
}

impl Native for Upsample {
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

struct Pad {
    input: [usize; 2],
    amounts: [(usize, usize); 2],
    mode: PadMode,
}

impl Native for Pad {
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

struct Crop {
    input: [usize; 2],
    offset: [usize; 2],
    size: [usize; 2],
}

impl Native for Crop {
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
