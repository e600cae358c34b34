//! Convolutions as one product over windows laid out.

use super::windows::{Window, fold, unfold};
use crate::kernels::conv::ConvShape;
use candle_core::{Result, Tensor};

fn windows(s: &ConvShape) -> [Window; 2] {
    [0, 1].map(|a| Window {
        input: s.input[a],
        output: s.output[a],
        kernel: s.kernel[a],
        stride: s.stride[a],
        pad: s.pad[a],
        dilation: s.dilation[a],
    })
}

/// `x` `[N, C, …]` with weight `[O, C / groups, …]`, to sizes `dims`.
pub(in super::super) fn conv(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    s: &ConvShape,
    dims: &[usize],
) -> Result<Tensor> {
    let x = x.reshape((s.batch, s.channels, s.input[0], s.input[1]))?;
    let columns = unfold(&x, windows(s), 0.0)?.permute([1, 2, 4, 0, 3, 5])?.contiguous()?;
    let columns = columns.reshape((s.groups, s.depth(), s.batch * s.positions()))?;
    let weight = weight.contiguous()?.reshape((s.groups, s.group_width(), s.depth()))?;
    let y = weight.matmul(&columns)?.reshape((s.width, s.batch, s.positions()))?;
    with_bias(y.transpose(0, 1)?.contiguous()?, bias)?.reshape(dims)
}

/// `x` `[N, W, …]` with weight `[W, C / groups, …]`, to sizes `dims`: the transpose of [`conv`].
pub(in super::super) fn conv_transpose(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    s: &ConvShape,
    dims: &[usize],
) -> Result<Tensor> {
    let x = x.reshape((s.batch, s.width, s.positions()))?.transpose(0, 1)?.contiguous()?;
    let x = x.reshape((s.groups, s.group_width(), s.batch * s.positions()))?;
    let weight = weight.contiguous()?.reshape((s.groups, s.group_width(), s.depth()))?;
    let columns = weight.transpose(1, 2)?.contiguous()?.matmul(&x)?;
    let sizes = [s.channels, s.kernel[0], s.kernel[1], s.batch, s.output[0], s.output[1]];
    let y = fold(&columns.reshape(&sizes[..])?.permute([3, 0, 1, 4, 2, 5])?, windows(s))?;
    with_bias(y.reshape((s.batch, s.channels, s.input_positions()))?, bias)?.reshape(dims)
}

/// Adds `[C]` to `[N, C, P]`.
fn with_bias(y: Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match bias {
        Some(b) => y.broadcast_add(&b.reshape((1, b.elem_count(), 1))?),
        None => Ok(y),
    }
}
