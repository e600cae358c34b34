//! The forward pass as products of the weight with tiles of columns.

use super::ConvShape;
use super::columns::{gather, runs};
use crate::kernels::elem::Elem;
use crate::kernels::gemm::{Mat, Threads, gemm, gemm_into};
use crate::kernels::parallel::{Parts, tasks, threads};
use std::ops::Range;

/// Bytes of columns that a tile may take: what fits into the second-level cache beside the rest.
const TILE_BYTES: usize = 768 << 10;
/// Positions that a tile should be a multiple of: the micro-kernel's rows.
const GRAIN: usize = 48;

/// Ranges of positions of the whole batch, each inside one sample or made of whole samples.
pub(super) fn tiles(shape: &ConvShape, bytes: usize) -> Vec<Range<usize>> {
    let positions = shape.positions();
    let most = (TILE_BYTES / (shape.depth() * bytes).max(1)).clamp(2 * GRAIN, 4096);
    let wanted = threads().min(shape.batch * positions / GRAIN + 1);
    if positions * 2 > most {
        // At least enough tiles for the threads, as even as the grain allows.
        let parts = positions.div_ceil(most).max(wanted.div_ceil(shape.batch.max(1)));
        let len = positions.div_ceil(parts).next_multiple_of(GRAIN);
        let sample = |n: usize| {
            (0..positions).step_by(len).map(move |p| n * positions + p..n * positions + (p + len).min(positions))
        };
        return (0..shape.batch).flat_map(sample).collect();
    }
    let samples = (most / positions.max(1)).min(shape.batch.div_ceil(wanted)).max(1);
    (0..shape.batch).step_by(samples).map(|n| n * positions..(n + samples).min(shape.batch) * positions).collect()
}

/// See [`super::forward`].
pub(super) fn forward<E: Elem>(shape: &ConvShape, x: &[E], w: &[E], bias: Option<&[E]>, y: &mut [E]) {
    let tiles = tiles(shape, size_of::<E>());
    let y = Parts::new(y);
    tasks(tiles.len() * shape.groups, shape.work(), |i| {
        let (tile, group) = (&tiles[i / shape.groups], i % shape.groups);
        tile_forward(shape, group, tile.clone(), x, w, bias, &y);
    });
}

/// One group of one tile.
fn tile_forward<E: Elem>(
    shape: &ConvShape,
    group: usize,
    tile: Range<usize>,
    x: &[E],
    w: &[E],
    bias: Option<&[E]>,
    y: &Parts<E>,
) {
    let (depth, width, positions) = (shape.depth(), shape.group_width(), shape.positions());
    let weight = Mat::new(&w[group * width * depth..][..width * depth], width, depth, depth);
    let (sample, first) = (tile.start / positions, tile.start % positions);
    let whole = first + tile.len() <= positions;
    let len = tile.len();
    if whole && shape.is_pointwise() {
        let start = (sample * shape.channels + group * depth) * positions + first;
        let columns = Mat::new(&x[start..], depth, len, positions);
        return product(shape, group, sample, first, len, weight, columns, bias, y);
    }
    let extra = if whole { 0 } else { width * len };
    E::with_scratch(depth * len + extra, |scratch| {
        let (columns, out) = scratch.split_at_mut(depth * len);
        let runs = runs(shape, tile.clone());
        gather(shape, x, group * shape.group_channels(), 0..depth, &runs, columns);
        let columns = Mat::new(columns, depth, len, len);
        if whole {
            return product(shape, group, sample, first, len, weight, columns, bias, y);
        }
        gemm(out, len, false, weight, columns, Threads::One);
        for (n, at) in (0..len).step_by(positions).enumerate() {
            let start = ((sample + n) * shape.width + group * width) * positions;
            // SAFETY: this task owns these samples' maps of this group.
            let maps = unsafe { y.range(start, width * positions) };
            for (o, map) in maps.chunks_exact_mut(positions).enumerate() {
                let source = &out[o * len + at..][..positions];
                match bias {
                    Some(b) => add_into(map, source, b[group * width + o]),
                    None => map.copy_from_slice(source),
                }
            }
        }
    });
}

fn add_into<E: Elem>(out: &mut [E], source: &[E], b: E) {
    for (out, &v) in out.iter_mut().zip(source) {
        *out = v + b;
    }
}

/// The product of a tile inside one sample, written where it belongs.
#[allow(clippy::too_many_arguments)]
fn product<E: Elem>(
    shape: &ConvShape,
    group: usize,
    sample: usize,
    first: usize,
    len: usize,
    weight: Mat<E>,
    columns: Mat<E>,
    bias: Option<&[E]>,
    y: &Parts<E>,
) {
    let (width, positions) = (shape.group_width(), shape.positions());
    let start = (sample * shape.width + group * width) * positions + first;
    let out = y.pointer(start, (width - 1) * positions + len);
    // SAFETY: `pointer` checked that rows of `len` elements, `positions` apart, lie inside; this
    // task owns these positions of this group.
    unsafe { gemm_into(out, positions, false, weight, columns, Threads::One) };
    let Some(bias) = bias else { return };
    for o in 0..width {
        // SAFETY: as above.
        let row = unsafe { y.range(start + o * positions, len) };
        let b = bias[group * width + o];
        row.iter_mut().for_each(|v| *v += b);
    }
}
