//! What tests of blocked kernels share: maps in double precision, and every way to run.

use super::epilogue::activate;
use super::{Cpu, Layout, blocks};
use crate::activation::Activation;
use crate::arena::{Arena, Region};
use crate::isa::Kernel;
use crate::testing::Rng;
use crate::vector::{LANES, Vector};
use crate::{Dst, Isa, Src, ThreadPool};

/// An activation of sixteen numbers, in their place.
pub(crate) struct On<'a>(pub Activation, pub &'a mut [f32; LANES]);

impl Kernel for On<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        // SAFETY: the array has sixteen floats.
        let x = unsafe { V::load(self.1.as_ptr()) };
        // SAFETY: as above.
        unsafe { activate(&self.0, x).store(self.1.as_mut_ptr()) };
    }
}

/// `[N, C, H, W]`, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub batch: usize,
    pub channels: usize,
    pub size: [usize; 2],
    pub values: Vec<f64>,
}

impl Map {
    /// A map by its formula.
    pub fn from_fn(
        batch: usize,
        channels: usize,
        size: [usize; 2],
        f: impl Fn(usize, usize, usize, usize) -> f64,
    ) -> Self {
        let mut values = Vec::with_capacity(batch * channels * size[0] * size[1]);
        for n in 0..batch {
            for c in 0..channels {
                for i in 0..size[0] {
                    values.extend((0..size[1]).map(|j| f(n, c, i, j)));
                }
            }
        }
        Self { batch, channels, size, values }
    }

    /// Normal values that single precision holds exactly.
    pub fn random(batch: usize, channels: usize, size: [usize; 2], seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let count = batch * channels * size[0] * size[1];
        let values = (0..count).map(|_| f64::from(rng.normal() as f32)).collect();
        Self { batch, channels, size, values }
    }

    /// An element.
    pub fn at(&self, n: usize, c: usize, i: usize, j: usize) -> f64 {
        self.values[((n * self.channels + c) * self.size[0] + i) * self.size[1] + j]
    }

    /// Floats of a sample in a layout.
    pub fn len(&self, layout: Layout) -> usize {
        layout.len(self.channels, self.size[0] * self.size[1])
    }

    /// Where an element lies in a sample of a layout.
    pub fn index(&self, layout: Layout, c: usize, i: usize, j: usize) -> usize {
        match layout {
            Layout::Plain => (c * self.size[0] + i) * self.size[1] + j,
            Layout::Blocked => ((c / LANES * self.size[0] + i) * self.size[1] + j) * LANES + c % LANES,
        }
    }

    /// The map in an arena, its samples apart by some floats of rubbish.
    pub fn lay(&self, layout: Layout) -> (Arena, Region) {
        let len = self.len(layout);
        let gap = 3 * LANES;
        let region = Region::new(LANES, self.batch, len, len + gap);
        let mut arena = Arena::new(region.end() + gap);
        arena.floats_mut().fill(1e9);
        let mut dst = arena.write(&region);
        for n in 0..self.batch {
            let sample = dst.sample(n);
            sample.fill(0.0);
            for c in 0..self.channels {
                for (i, j) in self.positions() {
                    sample[self.index(layout, c, i, j)] = self.at(n, c, i, j) as f32;
                }
            }
        }
        (arena, region)
    }

    fn positions(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let [rows, cols] = self.size;
        (0..rows).flat_map(move |i| (0..cols).map(move |j| (i, j)))
    }

    /// Runs a kernel from one blocked map to another and compares with this one.
    #[track_caller]
    pub fn check(&self, x: &Self, run: impl FnOnce(Src, Dst), tolerance: f64) {
        let (source, from) = x.lay(Layout::Blocked);
        let (mut arena, region) = self.lay(Layout::Blocked);
        arena.floats_mut().fill(1e9);
        run(source.read(&from), arena.write(&region));
        self.compare(&arena, &region, tolerance);
    }

    /// Panics unless a blocked value in an arena is this map within `tolerance` of its largest element, its unused
    /// lanes are zero, and what lies between samples is untouched.
    #[track_caller]
    pub fn compare(&self, arena: &Arena, region: &Region, tolerance: f64) {
        let got = arena.read(region);
        let scale = self.values.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
        for n in 0..self.batch {
            let sample = got.sample(n);
            for c in 0..blocks(self.channels) * LANES {
                for (i, j) in self.positions() {
                    let value = f64::from(sample[self.index(Layout::Blocked, c, i, j)]);
                    let want = if c < self.channels { self.at(n, c, i, j) } else { 0.0 };
                    let slack = if c < self.channels { tolerance * scale } else { 0.0 };
                    assert!(
                        (value - want).abs() <= slack,
                        "[{n}, {c}, {i}, {j}]: {value}, want {want} (scale {scale})"
                    );
                }
            }
        }
        let all = arena.floats();
        let after = &all[region.end()..];
        assert!(all[..LANES].iter().chain(after).all(|&x| x == 1e9), "nothing else is written");
    }
}

/// Calls `f` with every instruction set, alone and as three.
pub(crate) fn cpus(f: impl Fn(&Cpu)) {
    for threads in [1, 3] {
        let thread_pool = ThreadPool::new(threads);
        Isa::available().for_each(|isa| f(&Cpu::new(&thread_pool, isa)));
    }
}
