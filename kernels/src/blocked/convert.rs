//! Between layouts: `[C, H, W]` and blocks of sixteen channels; and channels side by side.

use super::{Cpu, Layout, blocks};
use crate::vector::LANES;
use crate::view::{Dst, Src};

/// Positions that a task takes of sixteen channels.
const RUN: usize = 256;

/// A value in another layout, or a copy of it in the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convert {
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub positions: usize,
    /// How the operand lies.
    pub from: Layout,
    /// How the result lies.
    pub to: Layout,
}

impl Convert {
    /// `[N, C, H, W]`.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, y: Dst) {
        assert_eq!(x.len(), self.from.len(self.channels, self.positions), "the input fits");
        assert_eq!(y.len(), self.to.len(self.channels, self.positions), "the output fits");
        if self.from == self.to {
            return copy(cpu, x, &y, 0);
        }
        let (planes, runs) = (blocks(self.channels), self.positions.div_ceil(RUN));
        cpu.thread_pool.run(y.samples() * planes * runs, &|_, task| {
            let (plane, first) = (task / runs, task % runs * RUN);
            let (n, block) = (plane / planes, plane % planes);
            let count = RUN.min(self.positions - first);
            let used = (self.channels - block * LANES).min(LANES);
            let plain = |lane: usize| (block * LANES + lane) * self.positions + first;
            let blocked = (block * self.positions + first) * LANES;
            let x = x.sample(n);
            if self.to == Layout::Plain {
                let x = &x[blocked..blocked + count * LANES];
                for lane in 0..used {
                    // SAFETY: each task has positions of its own of the channels of its block.
                    let y = unsafe { y.part(n, plain(lane), count) };
                    y.iter_mut().zip(x.chunks_exact(LANES)).for_each(|(y, x)| *y = x[lane]);
                }
                return;
            }
            // SAFETY: each task has positions of its own of a block.
            let y = unsafe { y.part(n, blocked, count * LANES) };
            if used < LANES {
                y.fill(0.0);
            }
            for lane in 0..used {
                let x = &x[plain(lane)..][..count];
                y.chunks_exact_mut(LANES).zip(x).for_each(|(y, &x)| y[lane] = x);
            }
        });
    }
}

/// Floats that a task copies.
const PIECE: usize = 1 << 13;

/// Copies each sample to `start` of the result's.
fn copy(cpu: &Cpu, x: Src, y: &Dst, start: usize) {
    let pieces = x.len().div_ceil(PIECE);
    cpu.thread_pool.run(y.samples() * pieces, &|_, task| {
        let (n, first) = (task / pieces, task % pieces * PIECE);
        let x = &x.sample(n)[first..x.len().min(first + PIECE)];
        // SAFETY: each task has a piece of its own.
        unsafe { y.part(n, start + first, x.len()) }.copy_from_slice(x);
    });
}

/// An operand of a `concat`, put in its place in the result. Operands go one after another in ascending order: in
/// the block where two meet, each zeroes the lanes after its own, and leaves those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Channels of the operand.
    pub channels: usize,
    /// Channels of the result.
    pub width: usize,
    /// Channels before the operand's.
    pub before: usize,
    /// Positions of a map.
    pub positions: usize,
    /// How both lie.
    pub layout: Layout,
}

impl Place {
    /// `[N, C, H, W]` into `[N, width, H, W]`.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, y: &Dst) {
        assert!(self.before + self.channels <= self.width, "the operand has its place in the result");
        assert_eq!(x.len(), self.layout.len(self.channels, self.positions), "the operand fits");
        assert_eq!(y.len(), self.layout.len(self.width, self.positions), "the output fits");
        if self.layout == Layout::Plain {
            return copy(cpu, x, y, self.before * self.positions);
        }
        let (first, shift) = (self.before / LANES, self.before % LANES);
        let size = self.positions * LANES;
        if shift == 0 {
            return copy(cpu, x, y, first * size);
        }
        let planes = (self.before + self.channels).div_ceil(LANES) - first;
        cpu.thread_pool.run(y.samples() * planes, &|_, task| {
            let (n, block) = (task / planes, task % planes);
            // SAFETY: each task has a block of its own.
            let y = unsafe { y.part(n, (first + block) * size, size) };
            let of = |block: usize| x.sample(n).get(block * size..(block + 1) * size);
            let (low, high) = (block.checked_sub(1).and_then(of), of(block));
            for (position, y) in y.chunks_exact_mut(LANES).enumerate() {
                let (before, after) = y.split_at_mut(shift);
                if let Some(low) = low {
                    before.copy_from_slice(&low[position * LANES + LANES - shift..][..shift]);
                }
                match high {
                    Some(high) => after.copy_from_slice(&high[position * LANES..][..LANES - shift]),
                    None => after.fill(0.0),
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Map, cpus};
    use super::*;
    use crate::testing::Rng;

    #[test]
    fn layouts_hold_the_same_numbers() {
        let mut rng = Rng::new(7);
        for case in 0..20 {
            let (batch, channels, size) = (1 + rng.below(3), 1 + rng.below(50), [1 + rng.below(9), 1 + rng.below(70)]);
            let x = Map::random(batch, channels, size, case);
            for from in [Layout::Plain, Layout::Blocked] {
                for to in [Layout::Plain, Layout::Blocked] {
                    let convert = Convert { channels, positions: size[0] * size[1], from, to };
                    let ((source, at), (want, place)) = (x.lay(from), x.lay(to));
                    cpus(|cpu| {
                        let (mut got, _) = x.lay(to);
                        got.floats_mut().fill(1e9);
                        convert.run(cpu, source.read(&at), got.write(&place));
                        assert_eq!(got.floats(), want.floats());
                    });
                }
            }
        }
    }

    #[test]
    fn operands_lie_side_by_side() {
        let mut rng = Rng::new(8);
        for case in 0..30 {
            let (batch, size) = (1 + rng.below(3), [1 + rng.below(5), 1 + rng.below(5)]);
            let counts: Vec<usize> = (0..1 + rng.below(4)).map(|_| 1 + rng.below(40)).collect();
            let width: usize = counts.iter().sum();
            let whole = Map::random(batch, width, size, case);
            for layout in [Layout::Plain, Layout::Blocked] {
                let (want, at) = whole.lay(layout);
                cpus(|cpu| {
                    let (mut got, _) = whole.lay(layout);
                    got.floats_mut().fill(1e9);
                    let y = got.write(&at);
                    let mut before = 0;
                    for &channels in &counts {
                        let part = Map::from_fn(batch, channels, size, |n, c, i, j| whole.at(n, before + c, i, j));
                        let (source, from) = part.lay(layout);
                        let positions = size[0] * size[1];
                        Place { channels, width, before, positions, layout }.run(cpu, source.read(&from), &y);
                        before += channels;
                    }
                    assert_eq!(got.floats(), want.floats());
                });
            }
        }
    }
}
