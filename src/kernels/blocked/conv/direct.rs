//! Convolution as a sum of taps, and 1×1 convolution as its simplest case.

use super::grid::{self, Grid, Operands, Sizes, Tap};
use crate::kernels::Isa;
use crate::kernels::blocked::tile::columns;
use crate::kernels::blocked::{Cpu, Epilogue, Prologue, blocks};
use crate::kernels::conv::ConvShape;
use crate::kernels::isa::Kernel;
use crate::kernels::vector::{LANES, Vector};
use crate::kernels::view::{Dst, Src};

/// A convolution whose groups are whole blocks, or taken together until they are.
#[derive(Clone, Debug)]
pub struct Direct {
    shape: ConvShape,
    sizes: Sizes,
    grid: Grid,
    threads: usize,
}

/// The order of packed weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packing {
    channels: usize,
    width: usize,
    groups: usize,
    taps: usize,
    columns: usize,
}

/// Groups that can be computed apart: those of whole blocks; otherwise all together, with zeros between.
fn apart(shape: &ConvShape) -> usize {
    let whole = shape.group_channels().is_multiple_of(LANES) && shape.group_width().is_multiple_of(LANES);
    if whole { shape.groups } else { 1 }
}

impl Direct {
    /// A convolution of these sizes.
    pub fn new(shape: ConvShape, threads: usize, isa: Isa) -> Self {
        let groups = apart(&shape);
        let group = blocks(shape.width) / groups;
        let sizes = Sizes {
            input: shape.input,
            output: shape.output,
            depth: blocks(shape.channels) / groups,
            group,
            width: shape.width,
            columns: columns(isa, group),
            taps: shape.taps(),
        };
        let tap = |t: usize| {
            let along = |axis: usize, k: usize| (k * shape.dilation[axis]) as isize - shape.pad[axis] as isize;
            Tap { weight: t, shift: [along(0, t / shape.kernel[1]), along(1, t % shape.kernel[1])] }
        };
        let taps = (0..shape.taps()).map(tap).collect();
        let grid = Grid { size: shape.output, first: [0, 0], spread: [1, 1], step: shape.stride, taps };
        Self { shape, sizes, grid, threads }
    }

    /// The order of its weights.
    pub fn packing(&self) -> Packing {
        let ConvShape { channels, width, groups, .. } = self.shape;
        Packing { channels, width, groups, taps: self.sizes.taps, columns: self.sizes.columns }
    }

    /// Floats for the sums of every worker, and for the input where a prologue changes it.
    pub fn scratch(&self) -> usize {
        self.threads * self.sizes.scratch() + self.input_len()
    }

    fn input_len(&self) -> usize {
        self.shape.batch * blocks(self.shape.channels) * self.shape.input_positions() * LANES
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self.shape.taps() {
            1 => "pointwise",
            _ => "direct",
        }
    }

    /// See [`Conv::run`](super::Conv::run).
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
        let (sums, input) = scratch.split_at_mut(self.threads * self.sizes.scratch());
        match prologue {
            None => grid::run(cpu, &self.sizes, &self.grid, &Operands { x, packed, epilogue, y }, sums),
            Some(prologue) => {
                self.prepare(cpu, x, &prologue, input);
                let x = Src::new(input, self.shape.batch);
                grid::run(cpu, &self.sizes, &self.grid, &Operands { x, packed, epilogue, y }, sums);
            }
        }
    }

    /// Applies the prologue to the input.
    fn prepare(&self, cpu: &Cpu, x: Src, prologue: &Prologue, input: &mut [f32]) {
        let (planes, plane) = (blocks(self.shape.channels), self.shape.input_positions() * LANES);
        let out = Dst::new(input, self.shape.batch);
        cpu.team.run(self.shape.batch * planes, &|_, task| {
            let (n, block) = (task / planes, task % planes);
            // SAFETY: each task has a plane of its own.
            let to = unsafe { out.part(n, block * plane, plane) };
            cpu.isa.run(Apply { prologue, block, x: &x.sample(n)[block * plane..][..plane], to });
        });
    }
}

struct Apply<'a> {
    prologue: &'a Prologue<'a>,
    block: usize,
    x: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for (x, to) in self.x.chunks_exact(LANES).zip(self.to.chunks_exact_mut(LANES)) {
            // SAFETY: chunks have sixteen floats, and the block exists.
            unsafe { self.prologue.apply(self.block, V::load(x.as_ptr())).store(to.as_mut_ptr()) };
        }
    }
}

impl Packing {
    /// Weights of `[width, channels/groups, taps]`, in tiles of so many output blocks.
    pub fn new(channels: usize, width: usize, groups: usize, taps: usize, columns: usize) -> Self {
        Self { channels, width, groups, taps, columns }
    }

    /// Weights of `[width, channels]`.
    pub fn dense(channels: usize, width: usize, columns: usize) -> Self {
        Self::new(channels, width, 1, 1, columns)
    }

    /// Input blocks and groups that are apart.
    fn depth(&self) -> (usize, usize) {
        let (into, out) = (self.channels / self.groups, self.width / self.groups);
        let groups = if into.is_multiple_of(LANES) && out.is_multiple_of(LANES) { self.groups } else { 1 };
        (blocks(self.channels) / groups, groups)
    }

    /// Floats.
    pub fn len(&self) -> usize {
        blocks(self.width) * LANES * self.taps * self.depth().0 * LANES
    }

    /// Packs `[O, I/groups, taps]`; lanes past the last channel are zero.
    pub fn pack(&self, weight: &[f32], out: &mut [f32]) {
        let (into, rows) = (self.channels / self.groups, self.width / self.groups);
        assert_eq!(weight.len(), self.width * into * self.taps, "the weight fits");
        let (depth, apart) = self.depth();
        let unit = LANES * self.columns * LANES;
        for (o, weight) in weight.chunks_exact(into * self.taps).enumerate() {
            let group = o / rows;
            // The first channel that the packed block 0 of this row stands for.
            let first = if apart > 1 { 0 } else { group * into };
            let (tile, lane) = (o / LANES / self.columns, o / LANES % self.columns * LANES + o % LANES);
            for (i, weight) in weight.chunks_exact(self.taps).enumerate() {
                let c = first + i;
                for (tap, &w) in weight.iter().enumerate() {
                    let at = ((tile * self.taps + tap) * depth + c / LANES) * unit;
                    out[at + c % LANES * self.columns * LANES + lane] = w;
                }
            }
        }
    }
}
