//! Pools.

use super::compute::{Compute, Evaluation};
use super::native::{Arg, ArgGrads, Native, apply};
use super::portable::common::Slide;
use super::sizes::{maps, pair, with};
use super::{is_native, portable};
use crate::kernels::Elem;
use crate::kernels::memory::zeros;
use crate::kernels::pool::{self as kernel, PoolShape};
use crate::lower;
use crate::ops::pool::{AdaptiveAvgPool, AvgPool, GlobalPool, MaxPool};
use candle_core::{Result, Tensor, bail};
use std::sync::OnceLock;

/// Maximum over windows of `[N, C, L]` or `[N, C, H, W]`.
///
/// # Errors
/// Where no window fits.
pub fn max_pool(x: &Tensor, op: &MaxPool) -> Result<Tensor> {
    let shape = pool_shape(x.dims(), &op.kernel, &op.stride, &op.pad, &op.dilation, op.ceil)?;
    if !is_native(x) {
        return portable::pool::window_max(x, slides(&shape));
    }
    apply(Max { shape, index: OnceLock::new() }, &[x])
}

/// Mean over windows of `[N, C, L]` or `[N, C, H, W]`.
///
/// # Errors
/// Where no window fits.
pub fn avg_pool(x: &Tensor, op: &AvgPool) -> Result<Tensor> {
    let shape = pool_shape(x.dims(), &op.kernel, &op.stride, &op.pad, &vec![1; op.kernel.len()], op.ceil)?;
    if !is_native(x) {
        return portable::pool::window_mean(x, slides(&shape), op.count_pad);
    }
    apply(Avg { shape, count_pad: op.count_pad }, &[x])
}

/// Maximum or mean over all positions of `[N, C, …]`; spatial axes of size 1 stay.
///
/// # Errors
/// Where there is no spatial axis, or no position.
pub fn global_pool(x: &Tensor, op: &GlobalPool) -> Result<Tensor> {
    let (_, _, [h, w]) = maps(x.dims())?;
    if h * w == 0 {
        bail!("global pool: no positions in {:?}", x.dims())
    }
    match (op.max, is_native(x)) {
        (true, true) => apply(GlobalMax { index: OnceLock::new() }, &[x]),
        (true, false) => portable::pool::global_max_pool(x),
        (false, true) => apply(GlobalMean, &[x]),
        (false, false) => portable::pool::global_avg_pool(x),
    }
}

/// Mean over windows chosen to give the op's size.
///
/// # Errors
/// Where the size is not one entry per spatial axis.
pub fn adaptive_avg_pool(x: &Tensor, op: &AdaptiveAvgPool) -> Result<Tensor> {
    let (_, _, input) = maps(x.dims())?;
    let output = pair(&op.size, 1)?;
    if op.size.len() + 2 != x.rank() || input.contains(&0) {
        bail!("adaptive_avgpool: {:?} to {:?}", x.dims(), op.size)
    }
    if !is_native(x) {
        return portable::pool::adaptive_avg_pool(x, output);
    }
    apply(AdaptiveAvg { input, output }, &[x])
}

impl Compute for MaxPool {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(max_pool(node.x()?, self)?)
    }
}

impl Compute for AvgPool {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(avg_pool(node.x()?, self)?)
    }
}

impl Compute for GlobalPool {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(global_pool(node.x()?, self)?)
    }
}

impl Compute for AdaptiveAvgPool {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(adaptive_avg_pool(node.x()?, self)?)
    }
}

fn slides(s: &PoolShape) -> [Slide; 2] {
    [0, 1].map(|a| Slide {
        input: s.input[a],
        output: s.output[a],
        kernel: s.kernel[a],
        stride: s.stride[a],
        pad: s.pad[a],
        dilation: s.dilation[a],
    })
}

pub(super) fn pool_shape(
    dims: &[usize],
    kernel: &[usize],
    stride: &[usize],
    pad: &[usize],
    dilation: &[usize],
    ceil: bool,
) -> Result<PoolShape> {
    let (batch, channels, input) = maps(dims)?;
    let (kernel, stride, pad, dilation) = (pair(kernel, 1)?, pair(stride, 1)?, pair(pad, 0)?, pair(dilation, 1)?);
    if pad[0] * 2 > kernel[0] || pad[1] * 2 > kernel[1] {
        bail!("pool: padding {pad:?} is more than half the window {kernel:?}")
    }
    let size = |a: usize| PoolShape::output_size(input[a], kernel[a], stride[a], pad[a], dilation[a], ceil);
    let (Some(h), Some(w)) = (size(0), size(1)) else {
        bail!("pool: a window of {kernel:?} does not fit into {input:?}")
    };
    Ok(PoolShape { maps: batch * channels, input, output: [h, w], kernel, stride, pad, dilation })
}

struct Max {
    shape: PoolShape,
    index: OnceLock<Vec<u32>>,
}

/// Sizes of a pool's output, from its input's.
fn pooled(dims: &[usize], output: [usize; 2]) -> Vec<usize> {
    with(dims, dims[1], output)
}

/// Indices that forward kept.
fn kept(index: &OnceLock<Vec<u32>>) -> Result<&[u32]> {
    index.get().map(Vec::as_slice).ok_or_else(|| candle_core::Error::msg("pool: backward before forward"))
}

impl Native for Max {
    const NAME: &'static str = "maxpool";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let len = self.shape.maps * self.shape.positions();
        let (mut y, mut index) = (zeros(len), vec![0; len]);
        kernel::max(&self.shape, &args[0].data(), &mut y, &mut index);
        self.index.get_or_init(|| index);
        Ok((y, pooled(args[0].dims(), self.shape.output)))
    }

    fn backward<E: Elem>(&self, _args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = zeros(self.shape.maps * self.shape.plane());
        kernel::max_grad(&self.shape, kept(&self.index)?, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

struct Avg {
    shape: PoolShape,
    count_pad: bool,
}

impl Native for Avg {
    const NAME: &'static str = "avgpool";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let mut y = zeros(self.shape.maps * self.shape.positions());
        kernel::avg(&self.shape, self.count_pad, &args[0].data(), &mut y);
        Ok((y, pooled(args[0].dims(), self.shape.output)))
    }

    fn backward<E: Elem>(&self, _args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = zeros(self.shape.maps * self.shape.plane());
        kernel::avg_grad(&self.shape, self.count_pad, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

struct AdaptiveAvg {
    input: [usize; 2],
    output: [usize; 2],
}

impl Native for AdaptiveAvg {
    const NAME: &'static str = "adaptive_avgpool";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let dims = pooled(args[0].dims(), self.output);
        let mut y = zeros(dims.iter().product());
        kernel::adaptive_avg(self.input, self.output, &args[0].data(), &mut y);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = zeros(args[0].dims().iter().product());
        kernel::adaptive_avg_grad(self.input, self.output, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

/// Positions of a map.
fn positions(dims: &[usize]) -> usize {
    dims[2..].iter().product()
}

struct GlobalMean;

impl Native for GlobalMean {
    const NAME: &'static str = "avgpool(global)";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let dims = pooled(args[0].dims(), [1, 1]);
        let mut y = zeros(dims.iter().product());
        kernel::global_mean(positions(args[0].dims()), &args[0].data(), &mut y);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = zeros(args[0].dims().iter().product());
        kernel::global_mean_grad(positions(args[0].dims()), grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

struct GlobalMax {
    index: OnceLock<Vec<u32>>,
}

impl Native for GlobalMax {
    const NAME: &'static str = "maxpool(global)";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let dims = pooled(args[0].dims(), [1, 1]);
        let mut y = zeros(dims.iter().product());
        let mut index = vec![0; y.len()];
        kernel::global_max(positions(args[0].dims()), &args[0].data(), &mut y, &mut index);
        self.index.get_or_init(|| index);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = zeros(args[0].dims().iter().product());
        kernel::global_max_grad(positions(args[0].dims()), kept(&self.index)?, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}
