//! What a task sees of a map, and how it lies in memory.

use super::geometry::{Bundles, Phase};

/// Part of a map: `[unit][row][column modulo the stride][column over the stride][lanes]`, so that the columns of
/// neighbouring positions lie side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    /// Floats of all of it.
    pub len: usize,
    /// Floats from a unit to the next.
    pub unit: usize,
    /// Floats from a row to the next.
    pub row: usize,
    /// The stride of columns.
    pub stride: usize,
    /// Floats from the columns of a remainder to those of the next.
    pub remainder: usize,
    /// Floats of a column.
    pub lanes: usize,
}

impl Region {
    /// Room for what any part of so many outputs sees.
    pub fn new(bundles: &Bundles, phases: &[Phase], part: [usize; 2]) -> Self {
        let span = |a: usize| {
            let low = phases.iter().map(|p| p.span(a, 0, part[a]).0).min().unwrap_or(0);
            let high = phases.iter().map(|p| p.span(a, 0, part[a]).1).max().unwrap_or(0);
            (high - low) as usize
        };
        let stride = phases.first().map_or(1, |phase| phase.stride[1]);
        let remainder = span(1).div_ceil(stride) * bundles.lanes;
        let row = stride * remainder;
        let unit = span(0) * row;
        Self { len: bundles.units() * unit, unit, row, stride, remainder, lanes: bundles.lanes }
    }

    /// A map as it is.
    pub fn whole(size: [usize; 2], lanes: usize) -> Self {
        let row = size[1] * lanes;
        Self { len: 0, unit: size[0] * row, row, stride: 1, remainder: row, lanes }
    }

    /// Floats from the first column to another.
    pub fn column(&self, column: usize) -> usize {
        column % self.stride * self.remainder + column / self.stride * self.lanes
    }

    /// Where the taps of a phase lie from the first.
    pub fn taps(&self, phase: &Phase) -> Vec<usize> {
        let tap = |i: usize, j: usize| i * phase.tap_step[0] * self.row + self.column(j * phase.tap_step[1]);
        (0..phase.taps[0]).flat_map(|i| (0..phase.taps[1]).map(move |j| tap(i, j))).collect()
    }
}
