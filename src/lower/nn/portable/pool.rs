//! Pools: maxima gathered, means as products with averaging matrices.

use super::common::{Slide, constant, plane, resized, unfold};
use candle_core::{D, DType, Result, Tensor};
use std::ops::Range;

/// Maximum over windows; padding counts as −∞. Its gradient goes to the first of equals.
pub fn window_max(x: &Tensor, slides: [Slide; 2]) -> Result<Tensor> {
    let (n, c, [rows, cols]) = (x.dim(0)?, x.dim(1)?, slides);
    let windows = unfold(&x.reshape((n * c, 1, rows.input, cols.input))?, slides, f64::NEG_INFINITY)?;
    let windows = windows.permute([0, 1, 3, 5, 2, 4])?.contiguous()?;
    let windows = windows.reshape((n * c * rows.output * cols.output, rows.kernel * cols.kernel))?;
    first_max(&windows)?.reshape(resized(x, c, [rows.output, cols.output]))
}

/// The maximum of each map.
pub fn global_max_pool(x: &Tensor) -> Result<Tensor> {
    let (n, c) = (x.dim(0)?, x.dim(1)?);
    first_max(&x.reshape((n * c, ()))?)?.reshape(resized(x, c, [1, 1]))
}

/// The mean of each map.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    let (n, c) = (x.dim(0)?, x.dim(1)?);
    x.reshape((n * c, ()))?.mean(1)?.reshape(resized(x, c, [1, 1]))
}

/// The maximum of each row, gathered from the first of equals, or from the last NaN.
fn first_max(rows: &Tensor) -> Result<Tensor> {
    let len = rows.dim(1)?;
    let plain = rows.detach();
    let numbers = |f: &dyn Fn(usize) -> usize| -> Result<Tensor> {
        constant((0..len).map(|i| f(i) as f64).collect(), &[1, len], rows)?.broadcast_as(rows.shape())
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

/// Sums over windows that are products of ranges, times `factors`, as products with matrices of ones.
fn sums(x: &Tensor, windows: [Vec<Range<usize>>; 2], factors: Vec<f64>) -> Result<Tensor> {
    let (maps, input, [rows, cols]) = (x.dim(0)? * x.dim(1)?, plane(x), &windows);
    let inside = |input: usize, windows: &[Range<usize>]| {
        let ones = (0..input).flat_map(|i| windows.iter().map(move |w| if w.contains(&i) { 1.0 } else { 0.0 }));
        constant(ones.collect(), &[input, windows.len()], x)
    };
    let y = x.reshape((maps * input[0], input[1]))?.matmul(&inside(input[1], cols)?)?;
    let y = y.reshape((maps, input[0], cols.len()))?.transpose(1, 2)?.contiguous()?;
    let y = y.reshape((maps * cols.len(), input[0]))?.matmul(&inside(input[0], rows)?)?;
    let y = y.reshape((maps, cols.len(), rows.len()))?.transpose(1, 2)?.contiguous()?;
    let factors = constant(factors, &[1, rows.len(), cols.len()], x)?;
    y.broadcast_mul(&factors)?.reshape(resized(x, x.dim(1)?, [rows.len(), cols.len()]))
}

/// Mean over windows; `count_pad` counts padding in the divisor.
pub fn window_mean(x: &Tensor, slides: [Slide; 2], count_pad: bool) -> Result<Tensor> {
    let window = |i: usize, s: &Slide| {
        let start = i * s.stride;
        start.saturating_sub(s.pad)..(start + s.kernel).saturating_sub(s.pad).min(s.input)
    };
    let count = |i: usize, s: &Slide| match count_pad {
        true => ((i * s.stride + s.kernel).min(s.input + 2 * s.pad) - i * s.stride) as f64,
        false => window(i, s).len() as f64,
    };
    let [rows, cols] = &slides;
    let places = (0..rows.output).flat_map(|r| (0..cols.output).map(move |c| (r, c)));
    let factors = places.map(|(r, c)| 1.0 / (count(r, rows) * count(c, cols))).collect();
    sums(x, slides.map(|s| (0..s.output).map(|i| window(i, &s)).collect()), factors)
}

/// Mean over the windows `[⌊i·in/out⌋, ⌈(i + 1)·in/out⌉)`.
pub fn adaptive_avg_pool(x: &Tensor, output: [usize; 2]) -> Result<Tensor> {
    let input = plane(x);
    let window = |i: usize, a: usize| i * input[a] / output[a]..((i + 1) * input[a]).div_ceil(output[a]);
    let windows = [0, 1].map(|a| (0..output[a]).map(|i| window(i, a)).collect::<Vec<_>>());
    let [rows, cols] = &windows;
    let factors = rows.iter().flat_map(|r| cols.iter().map(move |c| 1.0 / (r.len() * c.len()) as f64)).collect();
    sums(x, windows, factors)
}
