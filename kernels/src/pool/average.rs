//! Mean over windows.

use super::PoolShape;
use crate::elem::Elem;
use crate::parallel::{Parts, tasks};
use crate::simd::simd;

/// How many positions window `i` of an axis counts: those between the paddings' outer ends, or
/// between the map's.
fn counts(shape: &PoolShape, axis: usize, count_pad: bool) -> Vec<f64> {
    let one = |i: usize| {
        let (start, pad, input) = (i * shape.stride[axis], shape.pad[axis], shape.input[axis]);
        let end = (start + shape.kernel[axis]).min(input + 2 * pad);
        if count_pad { end - start } else { end.min(input + pad).saturating_sub(start.max(pad)) }
    };
    (0..shape.output[axis]).map(|i| one(i) as f64).collect()
}

/// One over the divisor of each output position, as [`avg`] has it.
pub fn avg_factors<E: Elem>(shape: &PoolShape, count_pad: bool) -> Vec<E> {
    let (rows, cols) = (counts(shape, 0, count_pad), counts(shape, 1, count_pad));
    rows.iter().flat_map(|r| cols.iter().map(move |c| E::from_f64(1.0 / (r * c)))).collect()
}

simd! {
    fn plane<E: Elem>(shape: &PoolShape, factors: &[E], x: &[E], y: &mut [E]) {
        y.fill(E::ZERO);
        each_tap(shape, |row, from, cols, stride| {
            let y = &mut y[row];
            let x = &x[from];
            if stride == 1 {
                y[cols].iter_mut().zip(x).for_each(|(y, &x)| *y += x);
            } else {
                y[cols].iter_mut().zip(x.iter().step_by(stride)).for_each(|(y, &x)| *y += x);
            }
        });
        y.iter_mut().zip(factors).for_each(|(y, &f)| *y *= f);
    }

    fn plane_grad<E: Elem>(shape: &PoolShape, factors: &[E], dy: &[E], dx: &mut [E]) {
        dx.fill(E::ZERO);
        each_tap(shape, |row, to, cols, stride| {
            let (dy, factors) = (&dy[row.clone()][cols.clone()], &factors[row][cols]);
            let dx = dx[to].iter_mut().step_by(stride);
            dx.zip(dy).zip(factors).for_each(|((dx, &dy), &f)| *dx += dy * f);
        });
    }
}

/// Calls `f` for each tap and row: the output row's elements, the input elements under the tap from
/// its first column on, the output columns that see it, and the stride.
#[inline(always)]
fn each_tap(
    shape: &PoolShape,
    mut f: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>, std::ops::Range<usize>, usize),
) {
    for ky in 0..shape.kernel[0] {
        let (rows, top) = shape.inside(0, ky);
        for kx in 0..shape.kernel[1] {
            let (cols, left) = shape.inside(1, kx);
            if cols.is_empty() {
                continue;
            }
            for row in rows.clone() {
                let from = (top + (row - rows.start) * shape.stride[0]) * shape.input[1];
                let out = row * shape.output[1];
                f(out..out + shape.output[1], from + left..from + shape.input[1], cols.clone(), shape.stride[1]);
            }
        }
    }
}

/// Means, by PyTorch's divisor: `count_pad` counts padding, but never what `ceil` adds beyond it.
///
/// # Panics
/// Where slices are not as long as `shape` says.
pub fn avg<E: Elem>(shape: &PoolShape, count_pad: bool, x: &[E], y: &mut [E]) {
    shape.check(x.len(), y.len());
    let (size, out) = (shape.plane(), shape.positions());
    let factors = avg_factors::<E>(shape, count_pad);
    let y = Parts::new(y);
    tasks(shape.maps, shape.maps * out * shape.kernel[0] * shape.kernel[1], |i| {
        // SAFETY: each task has a map of its own.
        plane(shape, &factors, &x[i * size..][..size], unsafe { y.range(i * out, out) });
    });
}

/// The backward pass of [`avg`].
///
/// # Panics
/// Where slices are not as long as `shape` says.
pub fn avg_grad<E: Elem>(shape: &PoolShape, count_pad: bool, dy: &[E], dx: &mut [E]) {
    shape.check(dx.len(), dy.len());
    let (size, out) = (shape.plane(), shape.positions());
    let factors = avg_factors::<E>(shape, count_pad);
    let dx = Parts::new(dx);
    tasks(shape.maps, shape.maps * out * shape.kernel[0] * shape.kernel[1], |i| {
        // SAFETY: each task has a map of its own.
        plane_grad(shape, &factors, &dy[i * out..][..out], unsafe { dx.range(i * size, size) });
    });
}
