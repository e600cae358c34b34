//! The weight's gradient: `dy · columnsᵀ`, summed over positions of the whole batch.

use super::ConvShape;
use super::columns::Plan;
use crate::elem::Elem;
use crate::gemm::{Mat, Threads, gemm_into};
use crate::parallel::{Parts, tasks, threads};
use std::borrow::Cow;

/// Bytes of columns at a time.
const TILE_BYTES: usize = 512 << 10;
/// Positions below which samples are put together, so that products are deep enough.
const SMALL: usize = 384;

/// See [`super::weight_grad`]. A task owns some columns of the gradient, rows of the matrix of
/// windows, and goes through the batch; so sums do not depend on the number of threads.
pub(super) fn weight_grad<E: Elem>(shape: &ConvShape, x: &[E], dy: &[E], dw: &mut [E]) {
    if dy.is_empty() || dw.is_empty() {
        return dw.fill(E::ZERO);
    }
    let (depth, width, positions) = (shape.depth(), shape.group_width(), shape.positions());
    let joined = positions < SMALL && shape.batch > 1;
    let grad = if joined { Cow::Owned(join_samples(shape, dy)) } else { Cow::Borrowed(dy) };
    // Positions that lie side by side in a row of the gradient, and how often there are such.
    let (row, rows) = if joined { (shape.batch * positions, 1) } else { (positions, shape.batch) };
    let parts = (2 * threads()).div_ceil(shape.groups).max(depth.div_ceil(288)).min(depth.div_ceil(16));
    let block = depth.div_ceil(parts);
    let parts = depth.div_ceil(block);
    let tile = (TILE_BYTES / (block * size_of::<E>())).clamp(64, row.max(64));
    let plans: Vec<Plan> = (0..row).step_by(tile).map(|p| Plan::for_gather(shape, p..(p + tile).min(row))).collect();
    let dw = Parts::new(dw);
    tasks(shape.groups * parts, shape.work(), |i| {
        let (group, start) = (i / parts, i % parts * block);
        let wanted = start..(start + block).min(depth);
        let out = dw.pointer(group * width * depth + start, (width - 1) * depth + wanted.len());
        E::with_scratch(block * tile, |columns| {
            for (t, (n, plan)) in (0..rows).flat_map(|n| plans.iter().map(move |p| (n, p))).enumerate() {
                let x = &x[(n * shape.channels + group * shape.group_channels()) * shape.input_positions()..];
                let columns = &mut columns[..wanted.len() * plan.len];
                plan.gather(x, wanted.clone(), columns);
                let first = (n * shape.width + group * width) * row + t % plans.len() * tile;
                let grad = Mat::new(&grad[first..], width, plan.len, row);
                let windows = Mat::new(columns, wanted.len(), plan.len, plan.len).transposed();
                // SAFETY: `pointer` checked the extent; each task has columns of its own.
                unsafe { gemm_into(out, depth, t > 0, grad, windows, Threads::One) };
            }
        });
    });
}

/// `[N, O, P]` as `[O, N·P]`.
fn join_samples<E: Elem>(shape: &ConvShape, dy: &[E]) -> Vec<E> {
    let (positions, width) = (shape.positions(), shape.width);
    let mut out = Vec::with_capacity(dy.len());
    for o in 0..width {
        for n in 0..shape.batch {
            out.extend_from_slice(&dy[(n * width + o) * positions..][..positions]);
        }
    }
    out
}
