//! Pools: maxima gathered, means as products with averaging matrices.

use super::constant;
use super::windows::{Window, unfold};
use crate::kernels::pool::PoolShape;
use candle_core::{D, DType, Result, Tensor};
use std::ops::Range;

/// Maximum over windows, to sizes `dims`.
pub(in super::super) fn max(x: &Tensor, s: &PoolShape, dims: &[usize]) -> Result<Tensor> {
    let maps = x.reshape((s.maps, 1, s.input[0], s.input[1]))?;
    let window = [0, 1].map(|a| Window {
        input: s.input[a],
        output: s.output[a],
        kernel: s.kernel[a],
        stride: s.stride[a],
        pad: s.pad[a],
        dilation: s.dilation[a],
    });
    let windows = unfold(&maps, window, f64::NEG_INFINITY)?.permute([0, 1, 3, 5, 2, 4])?.contiguous()?;
    first_max(&windows.reshape((s.maps * s.positions(), s.kernel[0] * s.kernel[1]))?)?.reshape(dims)
}

/// The maximum of each map, to sizes `dims`.
pub(in super::super) fn global_max(x: &Tensor, dims: &[usize]) -> Result<Tensor> {
    let maps: usize = dims.iter().product();
    first_max(&x.reshape((maps, ()))?)?.reshape(dims)
}

/// The mean of each map, to sizes `dims`.
pub(in super::super) fn global_mean(x: &Tensor, dims: &[usize]) -> Result<Tensor> {
    let maps: usize = dims.iter().product();
    x.reshape((maps, ()))?.mean(1)?.reshape(dims)
}

/// The maximum of each row, its gradient going to the first of equals; to the last NaN if there is one.
fn first_max(rows: &Tensor) -> Result<Tensor> {
    let len = rows.dim(1)?;
    let plain = rows.detach();
    let numbers = |f: &dyn Fn(usize) -> usize| -> Result<Tensor> {
        constant((0..len).map(|i| f(i) as f64).collect(), (1, len), rows)?.broadcast_as(rows.shape())
    };
    // Each element's claim: the earlier the higher for maxima, above all of them for NaN.
    let equal = plain.broadcast_eq(&plain.max_keepdim(D::Minus1)?)?;
    let claim = equal.where_cond(&numbers(&|i| len - i)?, &rows.zeros_like()?)?;
    let claim = plain.ne(&plain)?.where_cond(&numbers(&|i| len + 1 + i)?, &claim)?;
    let best = claim.max_keepdim(D::Minus1)?;
    let limit = (best.ones_like()? * len as f64)?;
    let index = best.gt(&limit)?.where_cond(&(&best - (len + 1) as f64)?, &(&limit - &best)?)?;
    rows.gather(&index.to_dtype(DType::U32)?, D::Minus1)
}

/// Sums over the `windows` of an axis as a matrix `[input, outputs]` of ones.
fn membership(input: usize, windows: &[Range<usize>], like: &Tensor) -> Result<Tensor> {
    let inside = (0..input).flat_map(|i| windows.iter().map(move |w| if w.contains(&i) { 1.0 } else { 0.0 }));
    constant(inside.collect(), (input, windows.len()), like)
}

/// Sums over windows that are products of ranges, times `factors`, to sizes `dims`.
fn sums(
    x: &Tensor,
    input: [usize; 2],
    windows: [Vec<Range<usize>>; 2],
    factors: Vec<f64>,
    dims: &[usize],
) -> Result<Tensor> {
    let [rows, cols] = &windows;
    let maps = dims[0] * dims[1];
    let y = x.reshape((maps * input[0], input[1]))?.matmul(&membership(input[1], cols, x)?)?;
    let y = y.reshape((maps, input[0], cols.len()))?.transpose(1, 2)?.contiguous()?;
    let y = y.reshape((maps * cols.len(), input[0]))?.matmul(&membership(input[0], rows, x)?)?;
    let y = y.reshape((maps, cols.len(), rows.len()))?.transpose(1, 2)?.contiguous()?;
    y.broadcast_mul(&constant(factors, (1, rows.len(), cols.len()), x)?)?.reshape(dims)
}

/// Mean over windows, to sizes `dims`; `factors` are one over the divisors.
pub(in super::super) fn avg(x: &Tensor, s: &PoolShape, factors: Vec<f64>, dims: &[usize]) -> Result<Tensor> {
    let window = |i: usize, a: usize| {
        let start = i * s.stride[a];
        start.saturating_sub(s.pad[a])..(start + s.kernel[a]).saturating_sub(s.pad[a]).min(s.input[a])
    };
    let windows = [0, 1].map(|a| (0..s.output[a]).map(|i| window(i, a)).collect());
    sums(x, s.input, windows, factors, dims)
}

/// Mean over windows chosen to give a size, to sizes `dims`.
pub(in super::super) fn adaptive_avg(
    x: &Tensor,
    input: [usize; 2],
    output: [usize; 2],
    dims: &[usize],
) -> Result<Tensor> {
    let window = |i: usize, a: usize| i * input[a] / output[a]..((i + 1) * input[a]).div_ceil(output[a]);
    let windows = [0, 1].map(|a| (0..output[a]).map(|i| window(i, a)).collect::<Vec<_>>());
    let [rows, cols] = &windows;
    let factors = rows.iter().flat_map(|r| cols.iter().map(move |c| 1.0 / (r.len() * c.len()) as f64)).collect();
    sums(x, input, windows, factors, dims)
}
