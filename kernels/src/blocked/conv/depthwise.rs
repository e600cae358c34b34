//! Convolution of each channel by itself: lanes are channels, so a tap is one multiply-add.

use super::operands::{Ending, Operands, Writer, with_ending};
use crate::blocked::epilogue::BlockMap;
use crate::blocked::{Cpu, blocks};
use crate::conv::ConvShape;
use crate::isa::Kernel;
use crate::vector::{LANES, Vector};

/// As many groups as input and output channels.
#[derive(Clone, Debug)]
pub struct Depthwise {
    shape: ConvShape,
}

/// The order of packed weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packing {
    channels: usize,
    taps: usize,
}

impl Depthwise {
    /// A convolution of these sizes.
    pub fn new(shape: ConvShape) -> Self {
        Self { shape }
    }

    /// The order of its weights.
    pub fn packing(&self) -> Packing {
        Packing { channels: self.shape.channels, taps: self.shape.taps() }
    }

    /// None.
    pub fn scratch(&self) -> usize {
        0
    }

    /// See [`Conv::run`](super::Conv::run).
    pub fn run(&self, cpu: &Cpu, of: &Operands, _: &mut [f32]) {
        let (planes, rows) = (blocks(self.shape.channels), self.shape.output[0]);
        cpu.thread_pool.run(self.shape.batch * planes * rows, &|_, task| {
            let (plane, row) = (task / rows, task % rows);
            let (n, block) = (plane / planes, plane % planes);
            cpu.isa.run(Row { shape: &self.shape, of, n, block, row });
        });
    }
}

/// One output row of one block.
struct Row<'a> {
    shape: &'a ConvShape,
    of: &'a Operands<'a>,
    n: usize,
    block: usize,
    row: usize,
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let shape = self.shape;
        let [height, width] = shape.input;
        let x = &self.of.x.sample(self.n)[self.block * height * width * LANES..][..height * width * LANES];
        let weights = &self.of.packed[self.block * shape.taps() * LANES..][..shape.taps() * LANES];
        // SAFETY: the block exists.
        let before = self.of.prologue.as_ref().map(|p| unsafe { p.at::<V>(self.block) });
        let taps = Taps { row: &self, x: x.as_ptr(), weights: weights.as_ptr(), before };
        // SAFETY: the block exists; each task writes a row of its own.
        unsafe { with_ending(self.of, shape.width, self.block, taps) };
    }
}

/// Where the taps of a row are read.
struct Taps<'a, V> {
    row: &'a Row<'a>,
    x: *const f32,
    weights: *const f32,
    before: Option<BlockMap<V>>,
}

impl<V: Vector> Taps<'_, V> {
    /// The sum of one position.
    #[inline(always)]
    unsafe fn sum(&self, column: usize) -> V {
        let shape = self.row.shape;
        let [height, width] = shape.input;
        let mut sum = V::zero();
        for i in 0..shape.kernel[0] {
            let row = (self.row.row * shape.stride[0] + i * shape.dilation[0]).wrapping_sub(shape.pad[0]);
            if row >= height {
                continue;
            }
            for j in 0..shape.kernel[1] {
                let at = (column * shape.stride[1] + j * shape.dilation[1]).wrapping_sub(shape.pad[1]);
                if at >= width {
                    continue;
                }
                // SAFETY: inside the map and the weights.
                sum = unsafe {
                    let mut x = V::load(self.x.add((row * width + at) * LANES));
                    if let Some(map) = &self.before {
                        x = map.apply(x);
                    }
                    x.mul_add(V::load(self.weights.add((i * shape.kernel[1] + j) * LANES)), sum)
                };
            }
        }
        sum
    }
}

impl<V: Vector> Writer<V> for Taps<'_, V> {
    #[inline(always)]
    unsafe fn write(self, ending: impl Ending<V>) {
        let Row { shape, block, row, n, .. } = *self.row;
        for column in 0..shape.output[1] {
            let at = ((block * shape.output[0] + row) * shape.output[1] + column) * LANES;
            // SAFETY: the caller's promise.
            unsafe { ending.write(self.sum(column), n, at) };
        }
    }
}

impl Packing {
    /// Floats.
    pub fn len(&self) -> usize {
        blocks(self.channels) * LANES * self.taps
    }

    /// Packs `[C, 1, taps]`.
    pub fn pack(&self, weight: &[f32], out: &mut [f32]) {
        assert_eq!(weight.len(), self.channels * self.taps, "the weight fits");
        for (c, taps) in weight.chunks_exact(self.taps).enumerate() {
            for (tap, &w) in taps.iter().enumerate() {
                out[(c / LANES * self.taps + tap) * LANES + c % LANES] = w;
            }
        }
    }
}
