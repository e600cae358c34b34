//! Convolutions.

use super::compute::{Compute, Evaluation};
use super::native::{Arg, ArgGrads, Native, apply};
use super::portable::common::Slide;
use super::sizes::{channels, maps, pair, with};
use super::{is_native, portable};
use crate::kernels::conv::{self as kernel, ConvShape};
use crate::kernels::memory::zeros;
use crate::kernels::{Elem, linear};
use crate::lower;
use crate::ops::conv::{Conv, ConvTranspose};
use candle_core::{Result, Tensor, bail};

/// Convolution of `[N, C, L]` or `[N, C, H, W]` with weight `[width, C / groups, kernel…]` and bias `[width]`.
///
/// # Errors
/// Where sizes do not fit.
pub fn conv(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, op: &Conv) -> Result<Tensor> {
    let shape = conv_shape(x.dims(), op)?;
    check_weight("conv", weight, &[op.width, shape.group_channels()], &op.kernel, bias, op.width)?;
    if !is_native(x) {
        return portable::conv::convolve(x, weight, bias, slides(&shape), shape.groups);
    }
    apply(Forward { shape }, &with_bias(x, weight, bias))
}

/// Transposed convolution of `[N, C, L]` or `[N, C, H, W]` with weight `[C, width / groups, kernel…]` and
/// bias `[width]`.
///
/// # Errors
/// Where sizes do not fit.
pub fn conv_transpose(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, op: &ConvTranspose) -> Result<Tensor> {
    let shape = transpose_shape(x.dims(), op)?;
    check_weight("conv_transpose", weight, &[shape.width, shape.group_channels()], &op.kernel, bias, op.width)?;
    if !is_native(x) {
        return portable::conv::convolve_back(x, weight, bias, slides(&shape), shape.groups);
    }
    apply(Transposed { shape }, &with_bias(x, weight, bias))
}

impl Compute for Conv {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(conv(node.x()?, node.weight()?, node.params().get("bias"), self)?)
    }
}

impl Compute for ConvTranspose {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(conv_transpose(node.x()?, node.weight()?, node.params().get("bias"), self)?)
    }
}

fn slides(s: &ConvShape) -> [Slide; 2] {
    [0, 1].map(|a| Slide {
        input: s.input[a],
        output: s.output[a],
        kernel: s.kernel[a],
        stride: s.stride[a],
        pad: s.pad[a],
        dilation: s.dilation[a],
    })
}

fn with_bias<'a>(x: &'a Tensor, weight: &'a Tensor, bias: Option<&'a Tensor>) -> Vec<&'a Tensor> {
    [x, weight].into_iter().chain(bias).collect()
}

fn check_weight(
    name: &str,
    weight: &Tensor,
    channels: &[usize],
    kernel: &[usize],
    bias: Option<&Tensor>,
    width: usize,
) -> Result<()> {
    let want = [channels, kernel].concat();
    if weight.dims() != want {
        bail!("{name}: the weight is {:?}, want {want:?}", weight.dims())
    }
    match bias {
        Some(b) if b.dims() != [width] => bail!("{name}: the bias is {:?}, want [{width}]", b.dims()),
        _ => Ok(()),
    }
}

/// The sizes of a convolution of a tensor of sizes `dims`.
pub(super) fn conv_shape(dims: &[usize], op: &Conv) -> Result<ConvShape> {
    let (batch, channels, input) = maps(dims)?;
    let (kernel, stride) = (pair(&op.kernel, 1)?, pair(&op.stride, 1)?);
    let (pad, dilation) = (pair(&op.pad, 0)?, pair(&op.dilation, 1)?);
    if op.groups == 0 || !channels.is_multiple_of(op.groups) || !op.width.is_multiple_of(op.groups) {
        bail!("conv: {} groups of {channels} channels in and {} out", op.groups, op.width)
    }
    let size = |a: usize| ConvShape::output_size(input[a], kernel[a], stride[a], pad[a], dilation[a]);
    let (Some(h), Some(w)) = (size(0), size(1)) else {
        bail!("conv: a window of {kernel:?} does not fit into {input:?}")
    };
    let (width, groups) = (op.width, op.groups);
    Ok(ConvShape { batch, channels, width, groups, input, output: [h, w], kernel, stride, pad, dilation })
}

/// The convolution whose input gradient a transposed convolution is: its output is `dims`.
pub(super) fn transpose_shape(dims: &[usize], op: &ConvTranspose) -> Result<ConvShape> {
    let (batch, width, output) = maps(dims)?;
    let (kernel, stride) = (pair(&op.kernel, 1)?, pair(&op.stride, 1)?);
    let (pad, dilation) = (pair(&op.pad, 0)?, pair(&op.dilation, 1)?);
    let out_pad = pair(&op.out_pad, 0)?;
    if op.groups == 0 || !width.is_multiple_of(op.groups) || !op.width.is_multiple_of(op.groups) {
        bail!("conv_transpose: {} groups of {width} channels in and {} out", op.groups, op.width)
    }
    let size = |a: usize| {
        let reach = (output[a].checked_sub(1)?) * stride[a] + dilation[a] * kernel[a].checked_sub(1)? + out_pad[a] + 1;
        reach.checked_sub(2 * pad[a]).filter(|&s| s > 0)
    };
    let (Some(h), Some(w)) = (size(0), size(1)) else {
        bail!("conv_transpose: nothing is left of {output:?} with padding {pad:?}")
    };
    let (channels, groups) = (op.width, op.groups);
    Ok(ConvShape { batch, channels, width, groups, input: [h, w], output, kernel, stride, pad, dilation })
}

/// The sum of a gradient over all but channels.
fn bias_grad<E: Elem>(dims: &[usize], grad: &[E]) -> Result<Vec<E>> {
    let shape = channels(dims)?;
    let mut db = zeros(shape.channels);
    if shape.positions == 1 {
        linear::bias_grad(shape.channels, grad, &mut db);
    } else {
        kernel::bias_grad(shape.channels, shape.positions, grad, &mut db);
    }
    Ok(db)
}

struct Forward {
    shape: ConvShape,
}

impl Native for Forward {
    const NAME: &'static str = "conv";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let shape = &self.shape;
        let mut y = zeros(shape.batch * shape.width * shape.positions());
        let bias = args.get(2).map(Arg::data);
        kernel::forward(shape, &args[0].data(), &args[1].data(), bias.as_deref(), &mut y);
        Ok((y, with(args[0].dims(), shape.width, shape.output)))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let (x, w) = (args[0].data(), args[1].data());
        let mut grads = vec![None; args.len()];
        if wanted[0] {
            let mut dx = zeros(x.len());
            kernel::input_grad(&self.shape, grad, &w, &mut dx);
            grads[0] = Some(dx);
        }
        if wanted[1] {
            let mut dw = zeros(w.len());
            kernel::weight_grad(&self.shape, &x, grad, &mut dw);
            grads[1] = Some(dw);
        }
        if wanted.get(2) == Some(&true) {
            grads[2] = Some(bias_grad(out.dims(), grad)?);
        }
        Ok(grads)
    }
}

/// A transposed convolution, which is `shape`'s input gradient: what is in here is out there.
struct Transposed {
    shape: ConvShape,
}

impl Native for Transposed {
    const NAME: &'static str = "conv_transpose";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let shape = &self.shape;
        let mut y = zeros(shape.batch * shape.channels * shape.input_positions());
        kernel::input_grad(shape, &args[0].data(), &args[1].data(), &mut y);
        if let Some(bias) = args.get(2) {
            kernel::add_bias(shape.input_positions(), &bias.data(), &mut y);
        }
        Ok((y, with(args[0].dims(), shape.channels, shape.input)))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let (x, w) = (args[0].data(), args[1].data());
        let mut grads = vec![None; args.len()];
        if wanted[0] {
            let mut dx = zeros(x.len());
            kernel::forward(&self.shape, grad, &w, None, &mut dx);
            grads[0] = Some(dx);
        }
        if wanted[1] {
            let mut dw = zeros(w.len());
            kernel::weight_grad(&self.shape, grad, &x, &mut dw);
            grads[1] = Some(dw);
        }
        if wanted.get(2) == Some(&true) {
            grads[2] = Some(bias_grad(out.dims(), grad)?);
        }
        Ok(grads)
    }
}
