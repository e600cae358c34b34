//! Spatial sizes changed by gathering along one axis after the other.

use super::{constant, indices, surround};
use crate::kernels::{pad::sources, resize::Axis};
use crate::ops::resize::{Interpolation, PadMode};
use candle_core::{Result, Tensor};

/// Calls `f` for each spatial axis of a tensor, which are its last: the axis, and which of
/// `[rows, columns]` it is.
fn each_axis(x: &Tensor, mut f: impl FnMut(Tensor, usize, usize) -> Result<Tensor>) -> Result<Tensor> {
    let rank = x.rank();
    (2..rank).try_fold(x.clone(), |x, axis| f(x.contiguous()?, axis, axis + 2 - rank))
}

/// Interpolation to `output`.
pub(in super::super) fn upsample(
    x: &Tensor,
    input: [usize; 2],
    output: [usize; 2],
    mode: Interpolation,
) -> Result<Tensor> {
    each_axis(x, |x, axis, a| {
        let table = Axis::<f64>::new(input[a], output[a], mode.into());
        let low = x.index_select(&indices(table.low, &x)?, axis)?;
        if mode == Interpolation::Nearest {
            return Ok(low);
        }
        let high = x.index_select(&indices(table.high, &x)?, axis)?;
        let mut dims = vec![1; x.rank()];
        dims[axis] = output[a];
        let share = constant(table.share, dims, &x)?;
        low.broadcast_mul(&share.affine(-1.0, 1.0)?)? + high.broadcast_mul(&share)?
    })
}

/// Padding by `amounts`.
pub(in super::super) fn pad(
    x: &Tensor,
    input: [usize; 2],
    amounts: [(usize, usize); 2],
    mode: PadMode,
) -> Result<Tensor> {
    each_axis(x, |x, axis, a| match mode {
        PadMode::Zero => surround(&x, axis, amounts[a], 0.0),
        _ => {
            let sources = sources(input[a], amounts[a], mode.into()).into_iter().flatten().collect();
            x.index_select(&indices(sources, &x)?, axis)
        }
    })
}

/// A cut of `size` from `offset` on.
pub(in super::super) fn crop(x: &Tensor, offset: [usize; 2], size: [usize; 2]) -> Result<Tensor> {
    each_axis(x, |x, axis, a| x.narrow(axis, offset[a], size[a]))?.contiguous()
}

/// Every `stride`-th position, and channels of zeros around.
pub(in super::super) fn zero_pad(
    x: &Tensor,
    input: [usize; 2],
    stride: [usize; 2],
    around: (usize, usize),
) -> Result<Tensor> {
    let x = each_axis(x, |x, axis, a| {
        let kept = (0..input[a]).step_by(stride[a]).collect();
        x.index_select(&indices(kept, &x)?, axis)
    })?;
    surround(&x, 1, around, 0.0)
}
