//! Windows laid out as columns (im2col), a range of positions at a time, and the reverse.
//!
//! Positions of the whole batch are counted through: position `p` is position
//! `p mod positions` of sample `p / positions`.

use super::ConvShape;
use crate::kernels::elem::Elem;
use crate::kernels::simd::simd;
use std::ops::Range;

/// Neighbouring output positions in one row of one sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub sample: usize,
    /// Output row.
    pub row: usize,
    /// First output column.
    pub col: usize,
    pub len: usize,
}

/// The runs that a range of positions consists of.
pub(super) fn runs(shape: &ConvShape, positions: Range<usize>) -> Vec<Run> {
    let width = shape.output[1];
    let mut runs = Vec::with_capacity(positions.len() / width + 2);
    let mut p = positions.start;
    while p < positions.end {
        let (line, col) = (p / width, p % width);
        let len = (width - col).min(positions.end - p);
        runs.push(Run { sample: line / shape.output[0], row: line % shape.output[0], col, len });
        p += len;
    }
    runs
}

/// Where the taps of a run that lie inside the map are: the first of them, how many, and the
/// column they read first.
#[inline(always)]
fn inside(shape: &ConvShape, run: &Run, kx: usize) -> (usize, usize, usize) {
    let (stride, pad, shift) = (shape.stride[1], shape.pad[1], kx * shape.dilation[1]);
    // Column of the input under output column `o`: o·stride + shift − pad.
    let first = pad.saturating_sub(shift).div_ceil(stride).max(run.col);
    let limit = (shape.input[1] + pad).saturating_sub(shift).div_ceil(stride).min(run.col + run.len);
    if first >= limit {
        return (0, 0, 0);
    }
    (first - run.col, limit - first, first * stride + shift - pad)
}

/// The input row under an output row, if it lies inside.
#[inline(always)]
fn input_row(shape: &ConvShape, row: usize, ky: usize) -> Option<usize> {
    (row * shape.stride[0] + ky * shape.dilation[0]).checked_sub(shape.pad[0]).filter(|&y| y < shape.input[0])
}

simd! {
    /// Fills `columns` `[rows, positions]`: row `r` of the matrix is channel `channel + r / taps` of the
    /// input under tap `r mod taps`.
    #[allow(clippy::needless_range_loop)]
    pub(super) fn gather<E: Elem>(shape: &ConvShape, x: &[E], channel: usize, rows: Range<usize>, runs: &[Run], columns: &mut [E]) {
        let stride = shape.stride[1];
        let plane = shape.input_positions();
        let length: usize = runs.iter().map(|r| r.len).sum();
        for (r, out) in rows.zip(columns.chunks_exact_mut(length)) {
            let (c, tap) = (channel + r / shape.taps(), r % shape.taps());
            let (ky, kx) = (tap / shape.kernel[1], tap % shape.kernel[1]);
            let mut at = 0;
            for run in runs {
                let out = &mut out[at..at + run.len];
                at += run.len;
                let Some(y) = input_row(shape, run.row, ky) else {
                    out.fill(E::ZERO);
                    continue;
                };
                let (first, len, from) = inside(shape, run, kx);
                let source = &x[(run.sample * shape.channels + c) * plane + y * shape.input[1]..][..shape.input[1]];
                out[..first].fill(E::ZERO);
                out[first + len..].fill(E::ZERO);
                let out = &mut out[first..first + len];
                if stride == 1 {
                    out.copy_from_slice(&source[from..from + len]);
                } else if len > 0 {
                    let source = &source[from..];
                    for i in 0..len {
                        out[i] = source[i * stride];
                    }
                }
            }
        }
    }

    /// The reverse of [`gather`]: adds `columns` to the input's gradient, here `dx` of the channels
    /// from `channel` on, of one sample.
    #[allow(clippy::needless_range_loop)]
    pub(super) fn scatter<E: Elem>(shape: &ConvShape, columns: &[E], rows: Range<usize>, runs: &[Run], dx: &mut [E]) {
        let stride = shape.stride[1];
        let plane = shape.input_positions();
        let length: usize = runs.iter().map(|r| r.len).sum();
        for (r, column) in rows.zip(columns.chunks_exact(length)) {
            let (c, tap) = (r / shape.taps(), r % shape.taps());
            let (ky, kx) = (tap / shape.kernel[1], tap % shape.kernel[1]);
            let mut at = 0;
            for run in runs {
                let column = &column[at..at + run.len];
                at += run.len;
                let Some(y) = input_row(shape, run.row, ky) else { continue };
                let (first, len, from) = inside(shape, run, kx);
                if len == 0 {
                    continue;
                }
                let target = &mut dx[c * plane + y * shape.input[1]..][..shape.input[1]][from..];
                let column = &column[first..first + len];
                if stride == 1 {
                    for (t, &v) in target.iter_mut().zip(column) {
                        *t += v;
                    }
                } else {
                    for i in 0..len {
                        target[i * stride] += column[i];
                    }
                }
            }
        }
    }
}
