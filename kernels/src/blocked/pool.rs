//! Pools of blocked maps: windows cut at the map's edge once, so that none looks where it reads.

use super::{Cpu, blocks};
use crate::isa::Kernel;
use crate::pool::PoolShape;
use crate::vector::{LANES, Vector};
use crate::view::{Dst, Src};

/// Taps that are summed in single precision.
const RUN: usize = 64;

/// What a window sees of an axis.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// The first position.
    first: usize,
    /// How many.
    taps: usize,
    /// Positions that count in a mean.
    count: usize,
}

/// Maximum or mean over windows; what is not a number is the maximum of its window, as in PyTorch.
#[derive(Clone, Debug)]
pub struct Pool {
    channels: usize,
    input: [usize; 2],
    dilation: [usize; 2],
    windows: [Vec<Window>; 2],
    /// One over the divisor of each output position; none for maxima.
    factors: Option<Vec<f32>>,
}

impl Pool {
    /// Maxima, padding counting as −∞; the maps of `shape` are not looked at.
    pub fn max(channels: usize, shape: &PoolShape) -> Self {
        Self::windowed(channels, shape, false)
    }

    /// Means, by PyTorch's divisor: `count_pad` counts padding, but never what `ceil` adds beyond it.
    pub fn mean(channels: usize, shape: &PoolShape, count_pad: bool) -> Self {
        Self { dilation: [1; 2], ..Self::windowed(channels, shape, count_pad) }.with_factors()
    }

    /// Means over windows that give a size: window `i` of `n` is `⌊i·in/n⌋..⌈(i+1)·in/n⌉`.
    pub fn adaptive(channels: usize, input: [usize; 2], output: [usize; 2]) -> Self {
        let axis = |a: usize| {
            let window = |i: usize| {
                let (first, end) = (i * input[a] / output[a], ((i + 1) * input[a]).div_ceil(output[a]));
                Window { first, taps: end - first, count: end - first }
            };
            (0..output[a]).map(window).collect()
        };
        Self { channels, input, dilation: [1; 2], windows: [axis(0), axis(1)], factors: None }.with_factors()
    }

    /// Maximum or mean over the whole map.
    pub fn global(channels: usize, input: [usize; 2], max: bool) -> Self {
        let pool = Self::adaptive(channels, input, [1, 1]);
        if max { Self { factors: None, ..pool } } else { pool }
    }

    fn windowed(channels: usize, shape: &PoolShape, count_pad: bool) -> Self {
        let axis = |a: usize| {
            let (pad, input, step) = (shape.pad[a], shape.input[a], shape.dilation[a]);
            let window = |i: usize| {
                let start = i * shape.stride[a];
                let missing = pad.saturating_sub(start).div_ceil(step).min(shape.kernel[a]);
                let first = (start + missing * step).saturating_sub(pad);
                let room = input.saturating_sub(first).div_ceil(step);
                let taps = (shape.kernel[a] - missing).min(room);
                let padded = (start + shape.kernel[a]).min(input + 2 * pad).saturating_sub(start);
                Window { first, taps, count: if count_pad { padded } else { taps } }
            };
            (0..shape.output[a]).map(window).collect()
        };
        let windows = [axis(0), axis(1)];
        Self { channels, input: shape.input, dilation: shape.dilation, windows, factors: None }
    }

    fn with_factors(mut self) -> Self {
        let [rows, cols] = &self.windows;
        let factor = |r: &Window, c: &Window| (1.0 / (r.count * c.count) as f64) as f32;
        self.factors = Some(rows.iter().flat_map(|r| cols.iter().map(move |c| factor(r, c))).collect());
        self
    }

    /// `[N, C, H, W]` to the windows' maps.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, y: Dst) {
        let planes = blocks(self.channels);
        let (height, width) = (self.windows[0].len(), self.windows[1].len());
        let size = self.input[0] * self.input[1] * LANES;
        assert_eq!(x.len(), planes * size, "the input fits");
        assert_eq!(y.len(), planes * height * width * LANES, "the output fits");
        cpu.thread_pool.run(y.samples() * planes * height, &|_, task| {
            let (plane, row) = (task / height, task % height);
            let (n, block) = (plane / planes, plane % planes);
            // SAFETY: each task has a row of its own.
            let y = unsafe { y.part(n, (block * height + row) * width * LANES, width * LANES) };
            let x = &x.sample(n)[block * size..][..size];
            let used = (self.channels - block * LANES).min(LANES);
            cpu.isa.run(Row { of: self, row, x, y, used });
        });
    }
}

/// One row of one output block.
struct Row<'a> {
    of: &'a Pool,
    row: usize,
    x: &'a [f32],
    y: &'a mut [f32],
    used: usize,
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { of, row, x, y, used } = self;
        let (rows, plane) = (of.windows[0][row], Plane { of, x });
        let factors = of.factors.as_ref().map(|f| &f[row * of.windows[1].len()..]);
        for (i, (y, &cols)) in y.chunks_exact_mut(LANES).zip(&of.windows[1]).enumerate() {
            let value = match factors {
                None => plane.fold(rows, cols, V::splat(f32::NEG_INFINITY), V::peak),
                Some(f) if rows.taps * cols.taps <= RUN => {
                    plane.fold(rows, cols, V::zero(), V::add).mul(V::splat(f[i]))
                }
                Some(f) => plane.long_mean(rows, cols, f[i]),
            };
            // SAFETY: the chunk has sixteen floats.
            unsafe { value.store(y.as_mut_ptr()) };
            if rows.taps * cols.taps == 0 {
                y[used..].fill(0.0);
            }
        }
    }
}

/// A block of the input.
struct Plane<'a> {
    of: &'a Pool,
    x: &'a [f32],
}

impl Plane<'_> {
    /// All taps of a window, put together.
    #[inline(always)]
    fn fold<V: Vector>(&self, rows: Window, cols: Window, start: V, f: impl Fn(V, V) -> V) -> V {
        let (mut value, dilation) = (start, self.of.dilation);
        for r in 0..rows.taps {
            let line = (rows.first + r * dilation[0]) * self.of.input[1] + cols.first;
            for c in 0..cols.taps {
                let at = (line + c * dilation[1]) * LANES;
                debug_assert!(at + LANES <= self.x.len(), "windows were cut at the edge");
                // SAFETY: windows were cut at the map's edge, whose size the input has.
                value = f(value, unsafe { V::load(self.x.as_ptr().add(at)) });
            }
        }
        value
    }

    /// A mean of many taps: short runs in single precision, their sum in double.
    #[inline(always)]
    fn long_mean<V: Vector>(&self, rows: Window, cols: Window, factor: f32) -> V {
        let mut total = [0.0f64; LANES];
        for r in 0..rows.taps {
            for c in (0..cols.taps).step_by(RUN) {
                let row = Window { first: rows.first + r, taps: 1, count: 1 };
                let run = Window { first: cols.first + c, taps: RUN.min(cols.taps - c), count: 1 };
                let mut lanes = [0.0; LANES];
                // SAFETY: the array has sixteen floats.
                unsafe { self.fold(row, run, V::zero(), V::add).store(lanes.as_mut_ptr()) };
                total.iter_mut().zip(lanes).for_each(|(t, l): (&mut f64, f32)| *t += f64::from(l));
            }
        }
        let lanes = total.map(|t| (t * f64::from(factor)) as f32);
        // SAFETY: the array has sixteen floats.
        unsafe { V::load(lanes.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::super::testing::{Map, cpus};
    use super::*;
    use crate::pool;
    use crate::testing::Rng;

    fn random_shape(rng: &mut Rng, maps: usize, dilated: bool) -> PoolShape {
        loop {
            let mut draw = |low: usize, high: usize| low + rng.below(high - low + 1);
            let kernel = [draw(1, 4), draw(1, 4)];
            let (stride, pad) = ([draw(1, 3), draw(1, 3)], kernel.map(|k| draw(0, k / 2)));
            let dilation = if dilated { [draw(1, 2), draw(1, 2)] } else { [1, 1] };
            let (input, ceil) = ([draw(1, 9), draw(1, 12)], draw(0, 1) == 1);
            let size = |a: usize| PoolShape::output_size(input[a], kernel[a], stride[a], pad[a], dilation[a], ceil);
            if let (Some(h), Some(w)) = (size(0), size(1)) {
                return PoolShape { maps, input, output: [h, w], kernel, stride, pad, dilation };
            }
        }
    }

    #[test]
    fn windows_agree_with_the_plain_kernels() {
        let mut rng = Rng::new(4);
        for case in 0..60 {
            let (batch, channels, max) = (1 + rng.below(2), 1 + rng.below(40), case % 2 == 0);
            let shape = random_shape(&mut rng, batch * channels, max);
            let x = Map::random(batch, channels, shape.input, case);
            let mut want = Map::from_fn(batch, channels, shape.output, |_, _, _, _| 0.0);
            let kernel = if max {
                let mut index = vec![0; want.values.len()];
                pool::max(&shape, &x.values, &mut want.values, &mut index);
                Pool::max(channels, &shape)
            } else {
                pool::avg(&shape, case % 4 == 1, &x.values, &mut want.values);
                Pool::mean(channels, &shape, case % 4 == 1)
            };
            if want.values.iter().all(|v| v.is_finite()) {
                cpus(|cpu| want.check(&x, |x, y| kernel.run(cpu, x, y), 1e-6));
            }
        }
    }

    #[test]
    fn what_is_not_a_number_is_the_maximum() {
        let shape = PoolShape {
            maps: 1,
            input: [3, 5],
            output: [2, 3],
            kernel: [2, 3],
            stride: [1, 1],
            pad: [0, 0],
            dilation: [1, 1],
        };
        for place in 0..15 {
            let x = Map::from_fn(1, 1, [3, 5], |_, _, i, j| if i * 5 + j == place { f64::NAN } else { (i + j) as f64 });
            let (mut want, mut index) = ([0.0; 6], [0; 6]);
            pool::max(&shape, &x.values, &mut want, &mut index);
            let (source, from) = x.lay(Layout::Blocked);
            cpus(|cpu| {
                let (mut y, to) = Map::from_fn(1, 1, [2, 3], |_, _, _, _| 0.0).lay(Layout::Blocked);
                Pool::max(1, &shape).run(cpu, source.read(&from), y.write(&to));
                let got: Vec<bool> = y.read(&to).sample(0).chunks(LANES).map(|lanes| lanes[0].is_nan()).collect();
                assert_eq!(got, want.map(f64::is_nan), "not a number at {place}");
            });
        }
    }

    #[test]
    fn global_and_adaptive_pools_agree_with_the_plain_kernels() {
        let mut rng = Rng::new(5);
        for case in 0..20 {
            let (batch, channels, input) = (1 + rng.below(2), 1 + rng.below(40), [1 + rng.below(9), 1 + rng.below(90)]);
            let x = Map::random(batch, channels, input, case);
            let output = [1 + rng.below(4), 1 + rng.below(11)];
            let mut want = Map::from_fn(batch, channels, output, |_, _, _, _| 0.0);
            pool::adaptive_avg(input, output, &x.values, &mut want.values);
            cpus(|cpu| want.check(&x, |x, y| Pool::adaptive(channels, input, output).run(cpu, x, y), 1e-6));
            let mut want = Map::from_fn(batch, channels, [1, 1], |_, _, _, _| 0.0);
            pool::global_mean(input[0] * input[1], &x.values, &mut want.values);
            cpus(|cpu| want.check(&x, |x, y| Pool::global(channels, input, false).run(cpu, x, y), 1e-6));
            let mut index = vec![0; want.values.len()];
            pool::global_max(input[0] * input[1], &x.values, &mut want.values, &mut index);
            cpus(|cpu| want.check(&x, |x, y| Pool::global(channels, input, true).run(cpu, x, y), 0.0));
        }
    }
}
