//! The weight's gradient: `dy · columnsᵀ`, summed over positions of the whole batch.

use super::ConvShape;
use super::columns::{gather, runs};
use crate::kernels::elem::Elem;
use crate::kernels::gemm::{Mat, Threads, gemm_into};
use crate::kernels::parallel::{Parts, tasks, threads};
use std::borrow::Cow;

/// Bytes of columns at a time.
const TILE_BYTES: usize = 512 << 10;
/// Positions below which samples are put together, so that products are deep enough.
const SMALL: usize = 384;

/// See [`super::weight_grad`]. A task owns some columns of the gradient, rows of the matrix of
/// windows, and goes through the batch; so sums do not depend on the number of threads.
pub(super) fn weight_grad<E: Elem>(shape: &ConvShape, x: &[E], dy: &[E], dw: &mut [E]) {
    let (depth, width, positions) = (shape.depth(), shape.group_width(), shape.positions());
    let total = shape.batch * positions;
    let joined = positions < SMALL && shape.batch > 1;
    let grad = if joined { Cow::Owned(join_samples(shape, dy)) } else { Cow::Borrowed(dy) };
    let parts = (2 * threads()).div_ceil(shape.groups).max(depth.div_ceil(288)).min(depth.div_ceil(16)).max(1);
    let block = depth.div_ceil(parts);
    let parts = depth.div_ceil(block);
    let tile = (TILE_BYTES / (block * size_of::<E>())).clamp(64, if joined { total } else { positions }.max(64));
    let dw = Parts::new(dw);
    tasks(shape.groups * parts, shape.work(), |i| {
        let (group, start) = (i / parts, i % parts * block);
        let rows = start..(start + block).min(depth);
        let channel = group * shape.group_channels();
        let out = dw.pointer(group * width * depth + rows.start, (width - 1) * depth + rows.len());
        E::with_scratch(rows.len() * tile, |columns| {
            let limit = if joined { total } else { positions };
            let mut p = 0;
            while p < total {
                let len = tile.min(limit - p % limit);
                let (row, stride) = if joined {
                    (p, total)
                } else {
                    (p / positions * shape.width * positions + p % positions, positions)
                };
                let grad = Mat::new(&grad[row + group * width * stride..], width, len, stride);
                let columns = &mut columns[..rows.len() * len];
                gather(shape, x, channel, rows.clone(), &runs(shape, p..p + len), columns);
                let windows = Mat::new(columns, rows.len(), len, len).transposed();
                // SAFETY: `pointer` checked the extent; each task has columns of its own.
                unsafe { gemm_into(out, depth, p > 0, grad, windows, Threads::One) };
                p += len;
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
