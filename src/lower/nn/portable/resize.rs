//! Spatial sizes changed by gathering along one axis after the other.

use super::common::{constant, indices, plane, surround};
use candle_core::{Result, Tensor};

/// Calls `f` for each spatial axis: the axis, and which of `[rows, columns]` it is.
fn each_axis(x: &Tensor, mut f: impl FnMut(Tensor, usize, usize) -> Result<Tensor>) -> Result<Tensor> {
    let rank = x.rank();
    // A line is one row: its only axis are the columns.
    (2..rank).try_fold(x.clone(), |x, axis| f(x.contiguous()?, axis, axis + 2 - rank))
}

/// Interpolation to `output`; bilinear has half-pixel centres.
pub fn upsample(x: &Tensor, output: [usize; 2], bilinear: bool) -> Result<Tensor> {
    let input = plane(x);
    each_axis(x, |x, axis, a| {
        if !bilinear {
            let low = (0..output[a]).map(|i| i * input[a] / output[a]).collect();
            return x.index_select(&indices(low, &x)?, axis);
        }
        let at = |i: usize| ((i as f64 + 0.5) * input[a] as f64 / output[a] as f64 - 0.5).max(0.0);
        let low: Vec<usize> = (0..output[a]).map(|i| (at(i) as usize).min(input[a] - 1)).collect();
        let high = low.iter().map(|low| (low + 1).min(input[a] - 1)).collect();
        let share = low.iter().enumerate().map(|(i, low)| at(i) - *low as f64).collect();
        let mut dims = vec![1; x.rank()];
        dims[axis] = output[a];
        let share = constant(share, &dims, &x)?;
        let low = x.index_select(&indices(low, &x)?, axis)?;
        let high = x.index_select(&indices(high, &x)?, axis)?;
        low.broadcast_mul(&share.affine(-1.0, 1.0)?)? + high.broadcast_mul(&share)?
    })
}

/// What padding is filled with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    Zero,
    Reflect,
    Replicate,
}

/// Padding by `(before, after)` of rows and of columns.
pub fn pad(x: &Tensor, amounts: [(usize, usize); 2], fill: Fill) -> Result<Tensor> {
    let input = plane(x);
    each_axis(x, |x, axis, a| {
        let (before, after) = amounts[a];
        if fill == Fill::Zero {
            return surround(&x, axis, amounts[a], 0.0);
        }
        let last = input[a] as isize - 1;
        let source = |i: usize| match (fill, i as isize - before as isize) {
            (Fill::Reflect, at) if at > last => 2 * last - at,
            (Fill::Reflect, at) => at.abs(),
            (_, at) => at.clamp(0, last),
        };
        let sources = (0..before + input[a] + after).map(|i| source(i) as usize).collect();
        x.index_select(&indices(sources, &x)?, axis)
    })
}

/// A cut of `size` from `offset` on.
pub fn crop(x: &Tensor, offset: [usize; 2], size: [usize; 2]) -> Result<Tensor> {
    each_axis(x, |x, axis, a| x.narrow(axis, offset[a], size[a]))?.contiguous()
}

/// Strided subsampling and zero channels (He et al. 2015, option A).
pub fn zero_pad(x: &Tensor, stride: [usize; 2], channels: (usize, usize)) -> Result<Tensor> {
    let input = plane(x);
    let x = each_axis(x, |x, axis, a| x.index_select(&indices((0..input[a]).step_by(stride[a]).collect(), &x)?, axis))?;
    surround(&x, 1, channels, 0.0)
}
