//! Windows laid out as columns (im2col), a range of positions at a time, and the reverse.
//!
//! Where a range's elements lie is the same for every channel and for every sample, so it is worked
//! out once, as a list of pieces to copy for each tap.

use super::ConvShape;
use crate::elem::Elem;
use std::ops::Range;

/// Neighbouring columns that read neighbouring samples (`stride` apart) of one map.
#[derive(Clone, Copy, Debug)]
struct Piece {
    to: usize,
    from: usize,
    len: usize,
}

/// What one tap reads.
#[derive(Clone, Debug, Default)]
struct Tap {
    copies: Vec<Piece>,
    /// Start and length of what lies outside the map; done after the copies, which may run over it.
    zeros: Vec<(usize, usize)>,
}

/// Where the columns of a range of positions come from. Positions count through the maps of
/// successive samples, from the first of the range on.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    taps: Vec<Tap>,
    /// Columns.
    pub len: usize,
    stride: usize,
    plane: usize,
}

impl Plan {
    /// For [`Plan::gather`]: pieces are as long as possible.
    pub fn for_gather(shape: &ConvShape, positions: Range<usize>) -> Self {
        Self::new(shape, positions, true)
    }

    /// For [`Plan::scatter`]: pieces hold nothing that lies outside.
    pub fn for_scatter(shape: &ConvShape, positions: Range<usize>) -> Self {
        Self::new(shape, positions, false)
    }

    fn new(shape: &ConvShape, positions: Range<usize>, join: bool) -> Self {
        let tap = |t: usize| {
            let mut tap = Tap::default();
            let mut to = 0;
            for (line, cols) in lines(shape, positions.clone()) {
                tap.add_line(shape, (t / shape.kernel[1], t % shape.kernel[1]), line, cols.clone(), to, join);
                to += cols.len();
            }
            tap
        };
        let taps = (0..shape.taps()).map(tap).collect();
        Self { taps, len: positions.len(), stride: shape.stride[1], plane: shape.input_positions() }
    }

    /// Fills `columns` `[rows, len]`: row `r` of the matrix is channel `r / taps` of `x` under tap
    /// `r mod taps`.
    pub fn gather<E: Elem>(&self, x: &[E], rows: Range<usize>, columns: &mut [E]) {
        let taps = self.taps.len();
        for (r, out) in rows.zip(columns.chunks_exact_mut(self.len)) {
            let x = &x[r / taps * self.plane..];
            let tap = &self.taps[r % taps];
            for piece in &tap.copies {
                let out = &mut out[piece.to..piece.to + piece.len];
                match self.stride {
                    1 => out.copy_from_slice(&x[piece.from..piece.from + piece.len]),
                    2 => every(2, &x[piece.from..], out),
                    stride => every(stride, &x[piece.from..], out),
                }
            }
            for &(to, len) in &tap.zeros {
                out[to..to + len].fill(E::ZERO);
            }
        }
    }

    /// The reverse: adds `columns` of the matrix's `rows` to `dx`, whose first channel is row 0's.
    pub fn scatter<E: Elem>(&self, columns: &[E], rows: Range<usize>, dx: &mut [E]) {
        let taps = self.taps.len();
        for (r, column) in rows.zip(columns.chunks_exact(self.len)) {
            let dx = &mut dx[r / taps * self.plane..];
            for piece in &self.taps[r % taps].copies {
                let column = &column[piece.to..piece.to + piece.len];
                if self.stride == 1 {
                    dx[piece.from..piece.from + piece.len].iter_mut().zip(column).for_each(|(d, &v)| *d += v);
                } else {
                    dx[piece.from..].iter_mut().step_by(self.stride).zip(column).for_each(|(d, &v)| *d += v);
                }
            }
        }
    }
}

/// Every `stride`-th element of `x`.
#[inline(always)]
fn every<E: Elem>(stride: usize, x: &[E], out: &mut [E]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = x[i * stride];
    }
}

/// The output rows, counted through samples, and columns that a range of positions consists of.
fn lines(shape: &ConvShape, positions: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let width = shape.output[1];
    let (start, end) = (positions.start, positions.end);
    let lines = if start < end { start / width..(end - 1) / width + 1 } else { 0..0 };
    lines.map(move |line| (line, start.max(line * width) - line * width..end.min((line + 1) * width) - line * width))
}

impl Tap {
    /// What tap `(ky, kx)` reads under some columns of an output row, which go to column `to` on.
    fn add_line(
        &mut self,
        shape: &ConvShape,
        (ky, kx): (usize, usize),
        line: usize,
        cols: Range<usize>,
        to: usize,
        join: bool,
    ) {
        let (sample, row) = (line / shape.output[0], line % shape.output[0]);
        let y = (row * shape.stride[0] + ky * shape.dilation[0]).checked_sub(shape.pad[0]);
        let Some(y) = y.filter(|&y| y < shape.input[0]) else {
            self.zeros.push((to, cols.len()));
            return;
        };
        let (stride, pad, shift) = (shape.stride[1], shape.pad[1], kx * shape.dilation[1]);
        // The input column under output column `o` is o·stride + shift − pad.
        let first = pad.saturating_sub(shift).div_ceil(stride).max(cols.start);
        let limit = (shape.input[1] + pad).saturating_sub(shift).div_ceil(stride).min(cols.end);
        if first >= limit {
            self.zeros.push((to, cols.len()));
            return;
        }
        let (before, after) = (first - cols.start, cols.end - limit);
        let from = (sample * shape.channels * shape.input[0] + y) * shape.input[1] + first * stride + shift - pad;
        self.zeros.extend([(to, before), (to + cols.len() - after, after)].into_iter().filter(|z| z.1 > 0));
        let piece = Piece { to: to + before, from, len: limit - first };
        match self.copies.last_mut() {
            // The same distance from source to target: one longer copy, and zeros put over the gap.
            Some(last) if join && stride == 1 && piece.to - last.to == piece.from.wrapping_sub(last.from) => {
                last.len = piece.to - last.to + piece.len;
            }
            _ => self.copies.push(piece),
        }
    }
}
