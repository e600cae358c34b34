//! Blocked maps of another size: what only picks positions (nearest upsampling, padding, cropping, the parameter-free
//! shortcut), and bilinear interpolation.

use super::lanes::{load, store};
use super::{Cpu, blocks};
use crate::isa::Kernel;
use crate::resize::Axis;
use crate::resize::Interpolation;
use crate::vector::{LANES, Vector};
use crate::view::{Dst, Src};

/// A map whose every position is one of the input's, or zero: `y[c, i, j] = x[c − before, rows[i], cols[j]]`.
#[derive(Clone, Debug)]
pub struct Gather {
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub width: usize,
    /// Channels of zeros before the input's.
    pub before: usize,
    /// Size of the input.
    pub input: [usize; 2],
    /// For each row of the output the row of the input; `None` for zeros.
    pub rows: Vec<Option<usize>>,
    /// For each column of the output the column of the input; `None` for zeros.
    pub cols: Vec<Option<usize>>,
}

impl Gather {
    /// `[N, C, H, W]` to `[N, width, rows, cols]`.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, y: Dst) {
        let (planes, row) = (blocks(self.width), self.cols.len() * LANES);
        assert_eq!(x.len(), blocks(self.channels) * self.input[0] * self.input[1] * LANES, "the input fits");
        assert_eq!(y.len(), planes * self.rows.len() * row, "the output fits");
        cpu.thread_pool.run(y.samples() * planes * self.rows.len(), &|_, task| {
            let (plane, i) = (task / self.rows.len(), task % self.rows.len());
            let (n, block) = (plane / planes, plane % planes);
            // SAFETY: each task has a row of its own.
            let y = unsafe { y.part(n, (block * self.rows.len() + i) * row, row) };
            match self.rows[i] {
                Some(from) => self.row(x.sample(n), block, from, y),
                None => y.fill(0.0),
            }
        });
    }

    /// One row of an output block.
    fn row(&self, x: &[f32], block: usize, from: usize, y: &mut [f32]) {
        let shift = self.before % LANES;
        let high = block.checked_sub(self.before / LANES);
        let of_row = |source: Option<usize>| {
            let source = source.filter(|&b| b < blocks(self.channels))?;
            let start = (source * self.input[0] + from) * self.input[1] * LANES;
            Some(&x[start..start + self.input[1] * LANES])
        };
        let (high, low) = (of_row(high), of_row(high.and_then(|b| b.checked_sub(1)).filter(|_| shift > 0)));
        for (y, &col) in y.chunks_exact_mut(LANES).zip(&self.cols) {
            let pick = |row: Option<&[f32]>, to: &mut [f32], lane: usize| match (row, col) {
                (Some(row), Some(col)) => to.copy_from_slice(&row[col * LANES + lane..][..to.len()]),
                _ => to.fill(0.0),
            };
            let (before, after) = y.split_at_mut(shift);
            pick(low, before, LANES - shift);
            pick(high, after, 0);
        }
    }
}

/// Bilinear interpolation with half-pixel centres (`align_corners=False`).
#[derive(Clone, Debug)]
pub struct Bilinear {
    /// Channels.
    pub channels: usize,
    /// Size of the input.
    pub input: [usize; 2],
    rows: Axis<f32>,
    cols: Axis<f32>,
}

impl Bilinear {
    /// Maps of size `input` to maps of size `output`; neither may be 0.
    pub fn new(channels: usize, input: [usize; 2], output: [usize; 2]) -> Self {
        let axis = |i: usize| Axis::new(input[i], output[i], Interpolation::Bilinear);
        Self { channels, input, rows: axis(0), cols: axis(1) }
    }

    /// `[N, C, H, W]` to `[N, C, rows, cols]`.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, y: Dst) {
        let (planes, row) = (blocks(self.channels), self.cols.low.len() * LANES);
        let (size, height) = (self.input[0] * self.input[1] * LANES, self.rows.low.len());
        assert_eq!(x.len(), planes * size, "the input fits");
        assert_eq!(y.len(), planes * height * row, "the output fits");
        cpu.thread_pool.run(y.samples() * planes * height, &|_, task| {
            let (plane, i) = (task / height, task % height);
            let (n, block) = (plane / planes, plane % planes);
            // SAFETY: each task has a row of its own.
            let y = unsafe { y.part(n, (block * height + i) * row, row) };
            let x = &x.sample(n)[block * size..][..size];
            cpu.isa.run(Row { of: self, i, x, y });
        });
    }
}

struct Row<'a> {
    of: &'a Bilinear,
    i: usize,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let (rows, cols) = (&self.of.rows, &self.of.cols);
        let width = self.of.input[1] * LANES;
        let (low, high) = (&self.x[rows.low[self.i] * width..][..width], &self.x[rows.high[self.i] * width..][..width]);
        let share = rows.share[self.i];
        for (j, y) in self.y.chunks_exact_mut(LANES).enumerate() {
            let left: V = mix(load(&low[cols.low[j] * LANES..]), load(&high[cols.low[j] * LANES..]), share);
            let right = mix(load(&low[cols.high[j] * LANES..]), load(&high[cols.high[j] * LANES..]), share);
            store(mix(left, right, cols.share[j]), y);
        }
    }
}

/// `(1 − share)·a + share·b`. No closure: those are not compiled for the instruction set.
#[inline(always)]
fn mix<V: Vector>(a: V, b: V, share: f32) -> V {
    a.mul(V::splat(1.0 - share)).add(b.mul(V::splat(share)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Map, cpus};
    use super::*;
    use crate::pad::PadMode;
    use crate::pad::sources;
    use crate::testing::Rng;

    #[test]
    fn positions_are_picked() {
        let mut rng = Rng::new(5);
        for case in 0..40 {
            let (batch, channels) = (1 + rng.below(3), 1 + rng.below(40));
            let input = [2 + rng.below(6), 2 + rng.below(6)];
            let mode = [PadMode::Zero, PadMode::Reflect, PadMode::Replicate][case % 3];
            let mut amount = || (rng.below(2), rng.below(2));
            let (rows, cols) = (sources(input[0], amount(), mode), sources(input[1], amount(), mode));
            let before = if case % 4 == 0 { rng.below(40) } else { 0 };
            let width = channels + before + if case % 4 == 0 { rng.below(20) } else { 0 };
            let gather = Gather { channels, width, before, input, rows, cols };
            let x = Map::random(batch, channels, input, case as u64);
            let output = [gather.rows.len(), gather.cols.len()];
            let want = Map::from_fn(batch, width, output, |n, c, i, j| match (gather.rows[i], gather.cols[j]) {
                (Some(i), Some(j)) if c >= before && c < before + channels => x.at(n, c - before, i, j),
                _ => 0.0,
            });
            cpus(|cpu| want.check(&x, |x, y| gather.run(cpu, x, y), 0.0));
        }
    }

    #[test]
    fn bilinear_agrees_with_the_plain_kernel() {
        let mut rng = Rng::new(6);
        for case in 0..20 {
            let (batch, channels) = (1 + rng.below(3), 1 + rng.below(40));
            let input = [1 + rng.below(6), 1 + rng.below(6)];
            let output = [1 + rng.below(12), 1 + rng.below(12)];
            let x = Map::random(batch, channels, input, case);
            let mut want = Map::from_fn(batch, channels, output, |_, _, _, _| 0.0);
            crate::resize::forward(Interpolation::Bilinear, input, output, &x.values, &mut want.values);
            let bilinear = Bilinear::new(channels, input, output);
            cpus(|cpu| want.check(&x, |x, y| bilinear.run(cpu, x, y), 1e-6));
        }
    }
}
