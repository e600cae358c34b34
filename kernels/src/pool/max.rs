//! Maximum over windows.

use super::PoolShape;
use crate::elem::Elem;
use crate::parallel::{Parts, tasks};
use crate::simd::simd;

simd! {
    fn plane<E: Elem>(shape: &PoolShape, x: &[E], y: &mut [E], index: &mut [u32]) {
        y.fill(E::NEG_INFINITY);
        let width = shape.input[1];
        for row in 0..shape.output[0] {
            let y = &mut y[row * shape.output[1]..][..shape.output[1]];
            let index = &mut index[row * shape.output[1]..][..shape.output[1]];
            first_taps(shape, row, index);
            for ky in 0..shape.kernel[0] {
                let Some(from) = (row * shape.stride[0] + ky * shape.dilation[0]).checked_sub(shape.pad[0]) else { continue };
                if from >= shape.input[0] {
                    continue;
                }
                for kx in 0..shape.kernel[1] {
                    let (cols, left) = shape.inside(1, kx);
                    let start = from * width + left;
                    let source = &x[start..(from + 1) * width];
                    let (y, index) = (&mut y[cols.clone()], &mut index[cols]);
                    update(shape.stride[1], start as u32, source, y, index);
                }
            }
        }
    }
}

/// Where each window of a row starts: the index that stays when all is −∞.
#[inline(always)]
fn first_taps(shape: &PoolShape, row: usize, index: &mut [u32]) {
    let inside = |position: usize, axis: usize| {
        let start = position * shape.stride[axis];
        let missing = shape.pad[axis].saturating_sub(start).div_ceil(shape.dilation[axis]);
        start + missing * shape.dilation[axis] - shape.pad[axis]
    };
    let top = inside(row, 0) * shape.input[1];
    for (col, index) in index.iter_mut().enumerate() {
        *index = (top + inside(col, 1)) as u32;
    }
}

/// One tap of a row of windows. A later equal value does not win, NaN does.
#[inline(always)]
#[allow(clippy::needless_range_loop, clippy::eq_op)]
fn update<E: Elem>(stride: usize, start: u32, source: &[E], y: &mut [E], index: &mut [u32]) {
    let len = y.len();
    let index = &mut index[..len];
    let mut one = |i: usize, v: E| {
        let wins = v > y[i] || v.is_nan();
        y[i] = if wins { v } else { y[i] };
        index[i] = if wins { start + (i * stride) as u32 } else { index[i] };
    };
    match stride {
        1 => (0..len).for_each(|i| one(i, source[i])),
        2 => (0..len).for_each(|i| one(i, source[2 * i])),
        _ => (0..len).for_each(|i| one(i, source[i * stride])),
    }
}

/// Maxima, and where in its map each was found: the first in row-major order, as in PyTorch. NaN
/// propagates.
///
/// # Panics
/// Where slices are not as long as `shape` says.
pub fn max<E: Elem>(shape: &PoolShape, x: &[E], y: &mut [E], index: &mut [u32]) {
    shape.check(x.len(), y.len());
    shape.check(x.len(), index.len());
    let (size, out) = (shape.plane(), shape.positions());
    let (y, index) = (Parts::new(y), Parts::new(index));
    tasks(shape.maps, shape.maps * out * shape.kernel[0] * shape.kernel[1], |i| {
        // SAFETY: each task has a map of its own.
        let (y, index) = unsafe { (y.range(i * out, out), index.range(i * out, out)) };
        plane(shape, &x[i * size..][..size], y, index);
    });
}

/// Adds each output's gradient where its maximum was found.
///
/// # Panics
/// Where slices are not as long as `shape` says.
pub fn max_grad<E: Elem>(shape: &PoolShape, index: &[u32], dy: &[E], dx: &mut [E]) {
    shape.check(dx.len(), dy.len());
    let (size, out) = (shape.plane(), shape.positions());
    let dx = Parts::new(dx);
    tasks(shape.maps, shape.maps * (out + size), |i| {
        // SAFETY: each task has a map of its own.
        let dx = unsafe { dx.range(i * size, size) };
        dx.fill(E::ZERO);
        let pairs = index[i * out..][..out].iter().zip(&dy[i * out..][..out]);
        pairs.for_each(|(&at, &g)| dx[at as usize] += g);
    });
}
