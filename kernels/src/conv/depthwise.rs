//! Convolutions in which every output channel sees one input channel: no product of matrices, a
//! few multiples of shifted rows.

use super::ConvShape;
use crate::elem::Elem;
use crate::parallel::{Parts, tasks};
use crate::simd::simd;
use std::ops::Range;

/// Output columns for which tap `k` of an axis lies inside, and the input position under the first.
#[inline(always)]
fn inside(shape: &ConvShape, axis: usize, k: usize) -> (Range<usize>, usize) {
    let (stride, pad, shift) = (shape.stride[axis], shape.pad[axis], k * shape.dilation[axis]);
    let first = pad.saturating_sub(shift).div_ceil(stride);
    let limit = (shape.input[axis] + pad).saturating_sub(shift).div_ceil(stride).min(shape.output[axis]);
    if first >= limit { (0..0, 0) } else { (first..limit, first * stride + shift - pad) }
}

/// Calls `f(tap, output columns, input columns from)` for each tap that touches output row `row`,
/// with the input row's start.
#[inline(always)]
fn each_tap(shape: &ConvShape, mut f: impl FnMut(usize, usize, usize, Range<usize>, usize)) {
    for ky in 0..shape.kernel[0] {
        let (rows, top) = inside(shape, 0, ky);
        for kx in 0..shape.kernel[1] {
            let (cols, left) = inside(shape, 1, kx);
            for row in rows.clone() {
                let y = top + (row - rows.start) * shape.stride[0];
                f(ky * shape.kernel[1] + kx, row, y, cols.clone(), left);
            }
        }
    }
}

simd! {
    fn plane_forward<E: Elem>(shape: &ConvShape, x: &[E], w: &[E], bias: E, y: &mut [E]) {
        y.fill(bias);
        let stride = shape.stride[1];
        each_tap(shape, |tap, row, from, cols, left| {
            if cols.is_empty() {
                return;
            }
            let source = &x[from * shape.input[1] + left..(from + 1) * shape.input[1]];
            let out = &mut y[row * shape.output[1]..][cols];
            let w = w[tap];
            if stride == 1 {
                out.iter_mut().zip(source).for_each(|(y, &x)| *y += w * x);
            } else {
                out.iter_mut().zip(source.iter().step_by(stride)).for_each(|(y, &x)| *y += w * x);
            }
        });
    }

    fn plane_input_grad<E: Elem>(shape: &ConvShape, dy: &[E], w: &[E], dx: &mut [E]) {
        let stride = shape.stride[1];
        each_tap(shape, |tap, row, to, cols, left| {
            if cols.is_empty() {
                return;
            }
            let target = &mut dx[to * shape.input[1] + left..(to + 1) * shape.input[1]];
            let grad = &dy[row * shape.output[1]..][cols];
            let w = w[tap];
            if stride == 1 {
                target.iter_mut().zip(grad).for_each(|(t, &g)| *t += w * g);
            } else {
                target.iter_mut().step_by(stride).zip(grad).for_each(|(t, &g)| *t += w * g);
            }
        });
    }

    fn plane_weight_grad<E: Elem>(shape: &ConvShape, x: &[E], dy: &[E], sums: &mut [f64]) {
        const LANES: usize = 16;
        let stride = shape.stride[1];
        each_tap(shape, |tap, row, from, cols, left| {
            if cols.is_empty() {
                return;
            }
            let source = &x[from * shape.input[1] + left..(from + 1) * shape.input[1]];
            let grad = &dy[row * shape.output[1]..][cols];
            let mut sum = E::ZERO;
            if stride == 1 {
                let mut lanes = [E::ZERO; LANES];
                let source = &source[..grad.len()];
                let (xs, gs) = (source.chunks_exact(LANES), grad.chunks_exact(LANES));
                let rest = xs.remainder().iter().zip(gs.remainder()).map(|(&x, &g)| x * g);
                sum += rest.sum();
                for (x, g) in xs.zip(gs) {
                    for i in 0..LANES {
                        lanes[i] += x[i] * g[i];
                    }
                }
                sum += lanes.into_iter().sum();
            } else {
                sum += source.iter().step_by(stride).zip(grad).map(|(&x, &g)| x * g).sum();
            }
            sums[tap] += sum.to_f64();
        });
    }
}

/// See [`super::forward`].
pub(super) fn forward<E: Elem>(shape: &ConvShape, x: &[E], w: &[E], bias: Option<&[E]>, y: &mut [E]) {
    let (plane, out, taps) = (shape.input_positions(), shape.positions(), shape.taps());
    let y = Parts::new(y);
    tasks(shape.batch * shape.width, shape.work(), |i| {
        let (n, o) = (i / shape.width, i % shape.width);
        let c = o / shape.group_width();
        // SAFETY: each task has a map of its own.
        let y = unsafe { y.range(i * out, out) };
        let bias = bias.map_or(E::ZERO, |b| b[o]);
        plane_forward(shape, &x[(n * shape.channels + c) * plane..][..plane], &w[o * taps..][..taps], bias, y);
    });
}

/// See [`super::input_grad`].
pub(super) fn input_grad<E: Elem>(shape: &ConvShape, dy: &[E], w: &[E], dx: &mut [E]) {
    let (plane, out, taps) = (shape.input_positions(), shape.positions(), shape.taps());
    let dx = Parts::new(dx);
    tasks(shape.batch * shape.channels, shape.work(), |i| {
        let (n, c) = (i / shape.channels, i % shape.channels);
        // SAFETY: each task has a map of its own.
        let dx = unsafe { dx.range(i * plane, plane) };
        dx.fill(E::ZERO);
        for o in c * shape.group_width()..(c + 1) * shape.group_width() {
            plane_input_grad(shape, &dy[(n * shape.width + o) * out..][..out], &w[o * taps..][..taps], dx);
        }
    });
}

/// See [`super::weight_grad`].
pub(super) fn weight_grad<E: Elem>(shape: &ConvShape, x: &[E], dy: &[E], dw: &mut [E]) {
    let (plane, out, taps) = (shape.input_positions(), shape.positions(), shape.taps());
    let dw = Parts::new(dw);
    tasks(shape.width, shape.work(), |o| {
        let c = o / shape.group_width();
        let mut sums = vec![0.0; taps];
        for n in 0..shape.batch {
            let x = &x[(n * shape.channels + c) * plane..][..plane];
            plane_weight_grad(shape, x, &dy[(n * shape.width + o) * out..][..out], &mut sums);
        }
        // SAFETY: each task has a filter of its own.
        let dw = unsafe { dw.range(o * taps, taps) };
        dw.iter_mut().zip(sums).for_each(|(d, s)| *d = E::from_f64(s));
    });
}
