//! Normalisations of blocked maps that are computed from what is normalised: over groups of channels, and over the
//! channels at each position. Sums are taken lane by lane over short runs, runs in double precision.

use super::epilogue::activate;
use super::lanes::{self, Lanes, RUN, halves, load, store};
use super::{Cpu, blocks};
use crate::activation::Activation;
use crate::isa::Kernel;
use crate::vector::{LANES, Vector};
use crate::view::{Dst, Src};

/// Positions that a task of a layer norm takes.
const POSITIONS: usize = 64;

/// Mean and variance.
type Moments = (f64, f64);

/// Normalisation over groups of channels of one sample (Wu and He 2018); as many groups as channels is instance
/// normalisation (Ulyanov et al. 2016).
#[derive(Clone, Debug)]
pub struct GroupNorm {
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub positions: usize,
    /// Groups; divides `channels`.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f64,
    /// Applied to the result.
    pub act: Option<Activation>,
}

/// Normalisation over the channels at each position (Ba et al. 2016).
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub positions: usize,
    /// Added to the variance.
    pub eps: f64,
    /// Applied to the result.
    pub act: Option<Activation>,
}

impl GroupNorm {
    /// `[N, C, H, W]`; `weight` and `bias` have one number a channel, in whole blocks, zero past the last.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, weight: &[f32], bias: &[f32], y: Dst) {
        let each = self.channels / self.groups;
        // The smallest run of whole groups in whole blocks: tasks share no block.
        let together = if LANES.is_multiple_of(each) { LANES } else { lcm(each, LANES) };
        let (planes, span) = (blocks(self.channels), together / LANES);
        assert!(x.len() == planes * self.positions * LANES && y.len() == x.len(), "values fit");
        assert!(weight.len() == planes * LANES && bias.len() == planes * LANES, "parameters fit");
        let clusters = planes.div_ceil(span);
        cpu.thread_pool.run(y.samples() * clusters, &|_, task| {
            let (n, first) = (task / clusters, task % clusters * span);
            let last = (first + span).min(planes);
            let part = first * self.positions * LANES..last * self.positions * LANES;
            // SAFETY: each task has blocks of its own.
            let y = unsafe { y.part(n, part.start, part.len()) };
            let lanes = first * LANES..last * LANES;
            cpu.isa.run(Cluster {
                of: self,
                each,
                used: self.channels.min(last * LANES) - first * LANES,
                x: &x.sample(n)[part],
                weight: &weight[lanes.clone()],
                bias: &bias[lanes],
                y,
            });
        });
    }
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

/// Whole groups in whole blocks.
struct Cluster<'a> {
    of: &'a GroupNorm,
    /// Channels of a group.
    each: usize,
    /// Channels.
    used: usize,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Cluster<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let size = self.of.positions * LANES;
        let blocks = self.x.len() / size.max(1);
        let mut known = None;
        for block in 0..blocks {
            let (factor, shift) = self.of_block::<V>(block, &mut known);
            let from = &self.x[block * size..][..size];
            let to = &mut self.y[block * size..][..size];
            let (factor, shift): (V, V) = (load(&factor), load(&shift));
            for (x, y) in from.chunks_exact(LANES).zip(to.chunks_exact_mut(LANES)) {
                store(finish(self.of.act.as_ref(), load::<V>(x).mul_add(factor, shift)), y);
            }
            clear(to, self.used.saturating_sub(block * LANES));
        }
    }
}

impl Cluster<'_> {
    /// The factor and the term of each lane of a block. `known` holds the group that the block before ended in, and its
    /// moments.
    #[inline(always)]
    fn of_block<V: Vector>(&self, block: usize, known: &mut Option<(usize, Moments)>) -> ([f32; LANES], [f32; LANES]) {
        let (mut factor, mut shift) = ([0.0; LANES], [0.0; LANES]);
        let inside = LANES.is_multiple_of(self.each).then(|| self.lane_moments::<V>(block));
        for lane in block * LANES..self.used.min((block + 1) * LANES) {
            let (mean, var) = match inside {
                Some(moments) => moments[lane % LANES],
                None => {
                    let group = lane / self.each;
                    let moments = || self.moments::<V>(group * self.each, (group + 1) * self.each);
                    known.filter(|known| known.0 == group).unwrap_or_else(|| *known.insert((group, moments()))).1
                }
            };
            let weighted = f64::from(self.weight[lane]) / (var + self.of.eps).sqrt();
            factor[lane % LANES] = weighted as f32;
            shift[lane % LANES] = (f64::from(self.bias[lane]) - mean * weighted) as f32;
        }
        (factor, shift)
    }

    /// For each lane of a block of whole groups the moments of its group.
    #[inline(always)]
    fn lane_moments<V: Vector>(&self, block: usize) -> [Moments; LANES] {
        let size = self.of.positions * LANES;
        let x = &self.x[block * size..][..size];
        let share = 1.0 / (self.each * self.of.positions) as f64;
        let together = |lanes: Lanes| {
            let mut total = [0.0; LANES];
            for (total, lanes) in total.chunks_mut(self.each).zip(lanes.chunks(self.each)) {
                total.fill(lanes.iter().sum::<f64>() * share);
            }
            total
        };
        let mean = together(sums(x, V::zero(), false));
        let rounded = mean.map(|mean| mean as f32);
        let squares = together(sums(x, load::<V>(&rounded), true));
        std::array::from_fn(|lane| {
            let rest = mean[lane] - f64::from(rounded[lane]);
            (mean[lane], (squares[lane] - rest * rest).max(0.0))
        })
    }

    /// Mean and variance of channels `from..to` of the cluster.
    #[inline(always)]
    fn moments<V: Vector>(&self, from: usize, to: usize) -> Moments {
        let count = ((to - from) * self.of.positions) as f64;
        let mean = self.total(from, to, V::zero(), false) / count;
        let rounded = mean as f32;
        let rest = mean - f64::from(rounded);
        let var = self.total(from, to, V::splat(rounded), true) / count - rest * rest;
        (mean, var.max(0.0))
    }

    /// The sum of `x − mean` over channels `from..to`, or of its square.
    #[inline(always)]
    fn total<V: Vector>(&self, from: usize, to: usize, mean: V, squared: bool) -> f64 {
        let size = self.of.positions * LANES;
        let mut sum = 0.0;
        for block in from / LANES..to.div_ceil(LANES) {
            let lanes = sums(&self.x[block * size..][..size], mean, squared);
            let first = block * LANES;
            sum += lanes[from.max(first) - first..to.min(first + LANES) - first].iter().sum::<f64>();
        }
        sum
    }
}

/// Sums of `x − mean` over positions, lane by lane, or of their squares.
#[inline(always)]
fn sums<V: Vector>(x: &[f32], mean: V, squared: bool) -> Lanes {
    let mut total = [0.0; LANES];
    for run in x.chunks(RUN * LANES) {
        // Several sums: each has to wait for its last addition.
        let mut four = [V::zero(); 4];
        let fours = run.chunks_exact(4 * LANES);
        for x in fours.remainder().chunks_exact(LANES) {
            four[0] = counted(load(x), mean, squared, four[0]);
        }
        for x in fours {
            for i in 0..4 {
                four[i] = counted(load(&x[i * LANES..]), mean, squared, four[i]);
            }
        }
        lanes::add(&mut total, four[0].add(four[1]).add(four[2].add(four[3])));
    }
    total
}

/// `sum + (x − mean)`, or with the square.
#[inline(always)]
fn counted<V: Vector>(x: V, mean: V, squared: bool, sum: V) -> V {
    let d = x.sub(mean);
    if squared { d.mul_add(d, sum) } else { sum.add(d) }
}

#[inline(always)]
fn finish<V: Vector>(act: Option<&Activation>, y: V) -> V {
    act.map_or(y, |f| activate(f, y))
}

/// Zeroes the lanes from `used` on at every position.
#[inline(always)]
fn clear(y: &mut [f32], used: usize) {
    if used < LANES {
        y.chunks_exact_mut(LANES).for_each(|y| y[used..].fill(0.0));
    }
}

impl LayerNorm {
    /// `[N, C, H, W]`; `weight` and `bias` have one number a channel, in whole blocks, zero past the last.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, weight: &[f32], bias: &[f32], y: Dst) {
        let planes = blocks(self.channels);
        assert!(x.len() == planes * self.positions * LANES && y.len() == x.len(), "values fit");
        assert!(weight.len() == planes * LANES && bias.len() == planes * LANES, "parameters fit");
        let runs = self.positions.div_ceil(POSITIONS);
        cpu.thread_pool.run(y.samples() * runs, &|_, task| {
            let (n, first) = (task / runs, task % runs * POSITIONS);
            let last = (first + POSITIONS).min(self.positions);
            cpu.isa.run(Positions { of: self, range: (first, last), x: x.sample(n), weight, bias, y: &y, n });
        });
    }
}

/// Some positions of one sample.
struct Positions<'a> {
    of: &'a LayerNorm,
    range: (usize, usize),
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    y: &'a Dst<'a>,
    n: usize,
}

impl Kernel for Positions<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let planes = blocks(self.of.channels);
        let used = self.of.channels - (planes - 1) * LANES;
        let count = self.of.channels as f64;
        let step = self.of.positions * LANES;
        for position in self.range.0..self.range.1 {
            let x = &self.x[position * LANES..];
            let mean = self.total(x, V::zero(), false) / count;
            let rounded = V::splat(mean as f32);
            let rest = mean - f64::from(mean as f32);
            let var = (self.total(x, rounded, true) / count - rest * rest).max(0.0);
            let (rest, scale) = (V::splat(rest as f32), V::splat((1.0 / (var + self.of.eps).sqrt()) as f32));
            for block in 0..planes {
                let (weight, bias): (V, V) = (load(&self.weight[block * LANES..]), load(&self.bias[block * LANES..]));
                let normal = load::<V>(&x[block * step..]).sub(rounded).sub(rest).mul(scale);
                // SAFETY: each position of each block is written by one task.
                let to = unsafe { self.y.part(self.n, position * LANES + block * step, LANES) };
                store(finish(self.of.act.as_ref(), normal.mul_add(weight, bias)), to);
                if block + 1 == planes {
                    to[used..].fill(0.0);
                }
            }
        }
    }
}

impl Positions<'_> {
    /// The sum of `x − mean` over the channels of the first position of `x`, or of its square.
    #[inline(always)]
    fn total<V: Vector>(&self, x: &[f32], mean: V, squared: bool) -> f64 {
        let (planes, step) = (blocks(self.of.channels), self.of.positions * LANES);
        let (mut total, mut sum) = ([0.0; LANES], V::zero());
        for block in 0..planes - 1 {
            sum = counted(load(&x[block * step..]), mean, squared, sum);
            if block % RUN == RUN - 1 {
                lanes::add(&mut total, sum);
                sum = V::zero();
            }
        }
        // Lanes without a channel are zero, and are not to be a mean away from it.
        let mean = mean.mul(halves(self.of.channels - (planes - 1) * LANES, 1.0, 0.0));
        lanes::add(&mut total, counted(load(&x[(planes - 1) * step..]), mean, squared, sum));
        lanes::total(total)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Map, cpus};
    use super::*;
    use crate::norm::{BatchShape, GroupShape, group_norm, layer_norm};
    use crate::testing::Rng;

    fn padded(values: &[f64]) -> Vec<f32> {
        let mut values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
        values.resize(blocks(values.len()) * LANES, 0.0);
        values
    }

    #[test]
    fn norms_agree_with_the_plain_kernels() {
        let mut rng = Rng::new(11);
        for case in 0..40 {
            let (batch, groups, each) = (1 + rng.below(2), 1 + rng.below(6), [1, 2, 3, 5, 8, 12, 16, 32][rng.below(8)]);
            let (channels, size) = (groups * each, [1 + rng.below(9), 1 + rng.below(9)]);
            let positions = size[0] * size[1];
            let x = Map::random(batch, channels, size, case);
            let (w, b) = (
                Map::random(1, channels, [1, 1], case + 90).values,
                Map::random(1, channels, [1, 1], case + 91).values,
            );
            let act = [None, Some(Activation::Relu), Some(Activation::Sigmoid)][case as usize % 3];
            let activated = |values: &mut [f64]| {
                if let Some(f) = act {
                    let plain = values.to_vec();
                    crate::activation::forward(&f, &plain, values);
                }
            };
            let mut want = x.clone();
            let shape = GroupShape { batch, channels, positions, groups };
            group_norm(&shape, 1e-5, &x.values, Some(&w), Some(&b), &mut want.values);
            activated(&mut want.values);
            let norm = GroupNorm { channels, positions, groups, eps: 1e-5, act };
            cpus(|cpu| want.check(&x, |x, y| norm.run(cpu, x, &padded(&w), &padded(&b), y), 2e-5));
            let shape = BatchShape { batch, channels, positions };
            layer_norm(&shape, 1e-5, &x.values, Some(&w), Some(&b), &mut want.values);
            activated(&mut want.values);
            let norm = LayerNorm { channels, positions, eps: 1e-5, act };
            cpus(|cpu| want.check(&x, |x, y| norm.run(cpu, x, &padded(&w), &padded(&b), y), 2e-5));
        }
    }
}
