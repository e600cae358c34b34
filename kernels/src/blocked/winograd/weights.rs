//! Weights transformed and packed.

use super::points::{FOUR, Points, SIX, TWO};
use crate::Isa;
use crate::blocked::blocks;
use crate::isa::Kernel;
use crate::vector::{LANES, Vector};

/// The order of transformed weights: `[output tile][tap][input block][16][columns·16]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packing {
    pub(super) channels: usize,
    pub(super) width: usize,
    pub(super) tile: usize,
    pub(super) columns: usize,
}

impl Packing {
    /// Taps of a transformed tile.
    pub fn taps(&self) -> usize {
        (self.tile + 2) * (self.tile + 2)
    }

    /// Groups of output blocks; the last may have fewer.
    pub(super) fn groups(&self) -> usize {
        blocks(self.width).div_ceil(self.columns)
    }

    /// Output blocks of a group.
    fn wide(&self, group: usize) -> usize {
        self.columns.min(blocks(self.width) - group * self.columns)
    }

    /// Where the weights of a group at a tap begin.
    pub(super) fn place(&self, group: usize, tap: usize) -> usize {
        let depth = blocks(self.channels) * LANES * LANES;
        (group * self.columns * self.taps() + tap * self.wide(group)) * depth
    }

    /// Floats.
    pub fn len(&self) -> usize {
        self.taps() * blocks(self.channels) * blocks(self.width) * LANES * LANES
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Packs `[O, I, 3, 3]`, in double precision, rounded once; lanes past the last channel are zero.
    ///
    /// # Panics
    /// Where a slice does not fit the sizes.
    pub fn pack(&self, weight: &[f32], out: &mut [f32]) {
        assert_eq!(weight.len(), self.width * self.channels * 9, "the weight fits");
        assert_eq!(out.len(), self.len(), "the packed weights fit");
        let task = Pack { packing: *self, weight, out };
        // The instructions change the pace alone: nothing is fused that is not written so.
        Isa::best().run(task);
    }
}

struct Pack<'a> {
    packing: Packing,
    weight: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        match self.packing.tile {
            2 => self.all::<1, 4>(&TWO),
            4 => self.all::<2, 6>(&FOUR),
            _ => self.all::<3, 8>(&SIX),
        }
    }
}

impl Pack<'_> {
    #[inline(always)]
    fn all<const H: usize, const N: usize>(self, points: &Points<H>) {
        let Packing { channels, width, columns, .. } = self.packing;
        let depth = blocks(channels) * LANES;
        for block in 0..blocks(width) {
            let rows = LANES.min(width - block * LANES);
            let (group, wide) = (block / columns, self.packing.wide(block / columns) * LANES);
            let start = self.packing.place(group, 0) + block % columns * LANES;
            for c in 0..depth {
                let mut taps = [[0.0; LANES]; 9];
                if c < channels {
                    for lane in 0..rows {
                        let from = ((block * LANES + lane) * channels + c) * 9;
                        for (tap, &w) in taps.iter_mut().zip(&self.weight[from..from + 9]) {
                            tap[lane] = f64::from(w);
                        }
                    }
                }
                let at = start + c * wide;
                scatter::<H, N>(points, &taps, &mut self.out[at..], depth * wide);
            }
        }
    }
}

/// Writes `G·g·Gᵀ` of sixteen weights, its taps `stride` apart.
#[inline(always)]
fn scatter<const H: usize, const N: usize>(
    points: &Points<H>,
    taps: &[[f64; LANES]; 9],
    out: &mut [f32],
    stride: usize,
) {
    let mut columns = [[[0.0; LANES]; N]; 3];
    for (j, column) in columns.iter_mut().enumerate() {
        points.weight([&taps[j], &taps[3 + j], &taps[6 + j]], column);
    }
    for i in 0..N {
        let mut row = [[0.0; LANES]; N];
        points.weight([&columns[0][i], &columns[1][i], &columns[2][i]], &mut row);
        for (j, lanes) in row.iter().enumerate() {
            let to = &mut out[(i * N + j) * stride..][..LANES];
            to.iter_mut().zip(lanes).for_each(|(to, &w)| *to = w as f32);
        }
    }
}
