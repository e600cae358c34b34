//! Softmax over the channels of blocked maps.

use super::functions::decay;
use super::lanes::{self, RUN, halves, largest, load, store};
use super::{Cpu, blocks};
use crate::isa::Kernel;
use crate::vector::{LANES, Vector};
use crate::view::{Dst, Src};

/// Positions that a task takes.
const POSITIONS: usize = 64;

/// `eˣ / Σ eˣ` over channels.
#[derive(Clone, Debug)]
pub struct Softmax {
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub positions: usize,
}

impl Softmax {
    /// `[N, C, H, W]`.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, y: Dst) {
        assert!(x.len() == blocks(self.channels) * self.positions * LANES && y.len() == x.len(), "values fit");
        let runs = self.positions.div_ceil(POSITIONS);
        cpu.thread_pool.run(y.samples() * runs, &|_, task| {
            let (n, first) = (task / runs, task % runs * POSITIONS);
            for position in first..(first + POSITIONS).min(self.positions) {
                cpu.isa.run(Position { of: self, position, x: x.sample(n), y: &y, n });
            }
        });
    }
}

/// One position of one sample.
struct Position<'a> {
    of: &'a Softmax,
    position: usize,
    x: &'a [f32],
    y: &'a Dst<'a>,
    n: usize,
}

impl Kernel for Position<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let planes = blocks(self.of.channels);
        let used = self.of.channels - (planes - 1) * LANES;
        // Taken from what is in lanes without a channel, so that they are no maximum and count nothing.
        let (keep, bar) = (V::zero(), halves::<V>(used, 0.0, f32::INFINITY));
        let step = self.of.positions * LANES;
        let start = self.position * LANES;
        let mut top = V::splat(f32::NEG_INFINITY);
        for block in 0..planes {
            let less = if block + 1 == planes { bar } else { keep };
            top = top.max(load::<V>(&self.x[start + block * step..]).sub(less));
        }
        let top = V::splat(largest(top));
        let (mut sums, mut sum) = ([0.0; LANES], V::zero());
        for block in 0..planes {
            let less = if block + 1 == planes { bar } else { keep };
            let power = decay(load::<V>(&self.x[start + block * step..]).sub(less).sub(top));
            sum = sum.add(power);
            // SAFETY: each position of each block is written by one task.
            store(power, unsafe { self.y.part(self.n, start + block * step, LANES) });
            if block % RUN == RUN - 1 || block + 1 == planes {
                lanes::add(&mut sums, sum);
                sum = V::zero();
            }
        }
        let share = V::splat((1.0 / lanes::total(sums)) as f32);
        for block in 0..planes {
            // SAFETY: as above.
            let to = unsafe { self.y.part(self.n, start + block * step, LANES) };
            store(load::<V>(to).mul(share), to);
            if block + 1 == planes {
                to[used..].fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Map, cpus};
    use super::*;
    use crate::testing::Rng;

    #[test]
    fn it_agrees_with_the_plain_kernel() {
        let mut rng = Rng::new(2);
        for case in 0..20 {
            let (batch, channels, size) = (1 + rng.below(2), 1 + rng.below(50), [1 + rng.below(9), 1 + rng.below(9)]);
            let x = Map::random(batch, channels, size, case);
            let mut want = x.clone();
            crate::softmax::forward(channels, size[0] * size[1], false, &x.values, &mut want.values);
            let softmax = Softmax { channels, positions: size[0] * size[1] };
            cpus(|cpu| want.check(&x, |x, y| softmax.run(cpu, x, y), 1e-6));
        }
    }
}
