//! Softmax over the channels of blocked maps.

use super::{Cpu, blocks};
use crate::kernels::elem::Elem;
use crate::kernels::isa::Kernel;
use crate::kernels::vector::{LANES, Vector};
use crate::kernels::view::{Dst, Src};

/// Positions that a task takes.
const RUN: usize = 64;

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
        let runs = self.positions.div_ceil(RUN);
        cpu.team.run(y.samples() * runs, &|_, task| {
            let (n, first) = (task / runs, task % runs * RUN);
            for position in first..(first + RUN).min(self.positions) {
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
        let at = |block: usize| (block * self.of.positions + self.position) * LANES;
        let used = |block: usize| (self.of.channels - block * LANES).min(LANES);
        let mut top = f32::NEG_INFINITY;
        for block in 0..planes {
            let lanes = &self.x[at(block)..][..used(block)];
            top = lanes.iter().fold(top, |top, &x| if x > top || x.is_nan() { x } else { top });
        }
        let mut sum = 0.0f64;
        for block in 0..planes {
            // SAFETY: each position of each block is written by one task.
            let to = unsafe { self.y.part(self.n, at(block), LANES) };
            let from = &self.x[at(block)..][..LANES];
            // SAFETY: both have sixteen floats.
            unsafe { V::load(from.as_ptr()).sub(V::splat(top)).map(Elem::exp).store(to.as_mut_ptr()) };
            to[used(block)..].fill(0.0);
            sum += f64::from(to.iter().sum::<f32>());
        }
        let share = V::splat((1.0 / sum) as f32);
        for block in 0..planes {
            // SAFETY: as above.
            let to = unsafe { self.y.part(self.n, at(block), LANES) };
            // SAFETY: it has sixteen floats.
            unsafe { V::load(to.as_ptr()).mul(share).store(to.as_mut_ptr()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Map, cpus};
    use super::*;
    use crate::base::Rng;

    #[test]
    fn it_agrees_with_the_plain_kernel() {
        let mut rng = Rng::new(2);
        for case in 0..20 {
            let (batch, channels, size) = (1 + rng.below(2), 1 + rng.below(50), [1 + rng.below(9), 1 + rng.below(9)]);
            let x = Map::random(batch, channels, size, case);
            let mut want = x.clone();
            crate::kernels::softmax::forward(channels, size[0] * size[1], false, &x.values, &mut want.values);
            let softmax = Softmax { channels, positions: size[0] * size[1] };
            cpus(|cpu| want.check(&x, |x, y| softmax.run(cpu, x, y), 1e-6));
        }
    }
}
