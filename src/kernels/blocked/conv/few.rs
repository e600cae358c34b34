//! Convolution of a plain map with few channels, as the first layer of a network: windows are laid out as channels of one
//! position, and multiplied as in a 1×1 convolution.

use super::direct;
use super::grid::{CHUNK, Scratch, write};
use crate::kernels::Isa;
use crate::kernels::blocked::tile::{ROWS, accumulate, by_size, columns};
use crate::kernels::blocked::{Cpu, Epilogue, Prologue, blocks};
use crate::kernels::conv::ConvShape;
use crate::kernels::isa::Kernel;
use crate::kernels::vector::{LANES, Vector};
use crate::kernels::view::{Dst, Src};

/// A convolution without groups of a plain map.
#[derive(Clone, Debug)]
pub struct Few {
    shape: ConvShape,
    threads: usize,
    columns: usize,
}

/// The order of packed weights: those of a 1×1 convolution over all taps of all channels.
pub type Packing = direct::Packing;

impl Few {
    /// A convolution of these sizes.
    pub fn new(shape: ConvShape, threads: usize, isa: Isa) -> Self {
        Self { shape, threads, columns: columns(isa, blocks(shape.width)) }
    }

    /// The order of its weights.
    pub fn packing(&self) -> Packing {
        Packing::dense(self.shape.depth(), self.shape.width, self.columns)
    }

    /// Input blocks of a window.
    fn depth(&self) -> usize {
        blocks(self.shape.depth())
    }

    /// Size of the padded input; the last row leaves room to read past its end.
    fn padded(&self) -> [usize; 2] {
        let reach = |a: usize| {
            let s = &self.shape;
            (s.output[a] - 1) * s.stride[a] + (s.kernel[a] - 1) * s.dilation[a] + 1
        };
        [0, 1].map(|a| reach(a).max(self.shape.pad[a] + self.shape.input[a]))
    }

    fn padded_len(&self) -> usize {
        let [rows, cols] = self.padded();
        self.shape.batch * self.shape.channels * rows * cols
    }

    /// Floats of a worker.
    fn each(&self) -> usize {
        CHUNK * self.depth() * LANES
    }

    /// Floats for the padded input, and for the windows of every worker.
    pub fn scratch(&self) -> usize {
        self.padded_len().next_multiple_of(LANES) + self.threads * self.each()
    }

    /// See [`Conv::run`](super::Conv::run); a plain input has no prologue.
    #[allow(clippy::too_many_arguments)]
    pub fn run(
        &self,
        cpu: &Cpu,
        x: Src,
        packed: &[f32],
        prologue: Option<Prologue>,
        epilogue: &Epilogue,
        y: &Dst,
        scratch: &mut [f32],
    ) {
        assert!(prologue.is_none(), "a plain input is read as it is");
        let (padded, windows) = scratch.split_at_mut(self.padded_len().next_multiple_of(LANES));
        assert!(windows.len() >= cpu.team.threads() * self.each(), "each worker has scratch");
        self.pad(cpu, x, padded);
        let (positions, row) = (self.shape.positions(), self.shape.output[1]);
        let chunks = positions.div_ceil(CHUNK);
        let windows = Scratch(windows.as_mut_ptr());
        cpu.team.run(self.shape.batch * chunks, &|worker, task| {
            let (n, first) = (task / chunks, task % chunks * CHUNK);
            let range = first..(first + CHUNK).min(positions);
            let windows = &windows;
            // SAFETY: each worker has a part of its own, inside by the assertion.
            let windows = unsafe { std::slice::from_raw_parts_mut(windows.0.add(worker * self.each()), self.each()) };
            self.gather(padded, n, &range, row, windows);
            cpu.isa.run(Task { of: self, packed, epilogue, y, n, range, windows });
        });
    }

    /// Copies the input between zeros.
    fn pad(&self, cpu: &Cpu, x: Src, padded: &mut [f32]) {
        let ([rows, cols], [height, width]) = (self.padded(), self.shape.input);
        let channels = self.shape.channels;
        let out = Dst::new(&mut padded[..self.padded_len()], self.shape.batch);
        cpu.team.run(self.shape.batch * channels, &|_, task| {
            let (n, c) = (task / channels, task % channels);
            // SAFETY: each task has a map of its own.
            let map = unsafe { out.part(n, c * rows * cols, rows * cols) };
            map.fill(0.0);
            let x = &x.sample(n)[c * height * width..][..height * width];
            let first = self.shape.pad[0] * cols + self.shape.pad[1];
            for (row, x) in x.chunks_exact(width).enumerate() {
                map[first + row * cols..][..width].copy_from_slice(x);
            }
        });
    }

    /// Lays out the windows of positions one after another, zeros after each up to whole blocks.
    fn gather(&self, padded: &[f32], n: usize, range: &std::ops::Range<usize>, row: usize, windows: &mut [f32]) {
        let shape = &self.shape;
        let [rows, cols] = self.padded();
        let sample = &padded[n * shape.channels * rows * cols..][..shape.channels * rows * cols];
        let depth = shape.depth();
        for (position, window) in range.clone().zip(windows.chunks_exact_mut(self.depth() * LANES)) {
            let from = position / row * shape.stride[0] * cols + position % row * shape.stride[1];
            let (window, rest) = window.split_at_mut(depth);
            rest.fill(0.0);
            let mut taps = window.chunks_exact_mut(shape.kernel[1]);
            for c in 0..shape.channels {
                for i in 0..shape.kernel[0] {
                    let line = &sample[(c * rows + i * shape.dilation[0]) * cols + from..];
                    let Some(taps) = taps.next() else { break };
                    let line = line.iter().step_by(shape.dilation[1]);
                    taps.iter_mut().zip(line).for_each(|(tap, &x)| *tap = x);
                }
            }
        }
    }
}

/// The positions whose windows a worker has laid out.
struct Task<'a> {
    of: &'a Few,
    packed: &'a [f32],
    epilogue: &'a Epilogue<'a>,
    y: &'a Dst<'a>,
    n: usize,
    range: std::ops::Range<usize>,
    windows: &'a [f32],
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let columns = self.of.columns;
        for tile in 0..blocks(self.of.shape.width) / columns {
            for first in (0..self.range.len()).step_by(ROWS) {
                let rows = ROWS.min(self.range.len() - first);
                // SAFETY: the windows hold every position of the range, the weights every tile.
                unsafe { by_size!(rows, columns, self.tile::<V>(tile, first)) }
            }
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    unsafe fn tile<V: Vector, const P: usize, const O: usize>(&self, tile: usize, first: usize) {
        let (depth, width) = (self.of.depth(), self.of.shape.width);
        let mut acc = [[V::zero(); O]; P];
        let x = std::array::from_fn(|p| self.windows[(first + p) * depth * LANES..].as_ptr());
        let weights = self.packed[tile * depth * LANES * O * LANES..].as_ptr();
        // SAFETY: the caller's promise.
        unsafe { accumulate::<V, P, O>(&mut acc, &x, &[LANES; P], weights, depth) };
        for p in 0..P {
            for o in 0..O {
                let block = tile * O + o;
                let used = width - (block * LANES).min(width);
                let at = (block * self.of.shape.positions() + self.range.start + first + p) * LANES;
                // SAFETY: each task writes positions of its own.
                unsafe { write(self.epilogue, acc[p][o], block, used, self.y, self.n, at) };
            }
        }
    }
}
