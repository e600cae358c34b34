//! Transposed convolution: output positions that have the same remainder by the stride form a grid, whose taps are those
//! that meet them.

use super::direct;
use super::grid::{self, Grid, Operands, Sizes, Tap};
use crate::kernels::Isa;
use crate::kernels::blocked::tile::columns;
use crate::kernels::blocked::{Cpu, Epilogue, Layout, blocks};
use crate::kernels::conv::ConvShape;
use crate::kernels::vector::LANES;
use crate::kernels::view::{Dst, Src};

/// A transposed convolution; `output = (input − 1)·stride − 2·pad + dilation·(kernel − 1) + out_pad + 1`.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    shape: ConvShape,
    sizes: Sizes,
    grids: Vec<Grid>,
    threads: usize,
}

/// The order of packed weights: that of a direct convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransposePacking {
    direct: direct::Packing,
    channels: usize,
    width: usize,
    groups: usize,
    taps: usize,
}

impl ConvTranspose {
    /// A transposed convolution of these sizes.
    pub fn new(shape: ConvShape, threads: usize, isa: Isa) -> Self {
        let whole = shape.group_channels().is_multiple_of(LANES) && shape.group_width().is_multiple_of(LANES);
        let groups = if whole { shape.groups } else { 1 };
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
        let phases = (0..shape.stride[0]).flat_map(|i| (0..shape.stride[1]).map(move |j| [i, j]));
        let grids = phases.map(|phase| grid_of(&shape, phase)).filter(|grid| grid.size[0] * grid.size[1] > 0);
        Self { grids: grids.collect(), shape, sizes, threads }
    }

    /// How its weights are packed.
    pub fn packing(&self) -> TransposePacking {
        let ConvShape { channels, width, groups, .. } = self.shape;
        let taps = self.shape.taps();
        let direct = direct::Packing::new(channels, width, groups, taps, self.sizes.columns);
        TransposePacking { direct, channels, width, groups, taps }
    }

    /// Floats of scratch, for all workers together.
    pub fn scratch(&self) -> usize {
        self.threads * self.sizes.scratch()
    }

    /// What it is called in a profile.
    pub fn name(&self) -> &'static str {
        "transposed"
    }

    /// Computes `[N, O, H, W]`.
    ///
    /// # Panics
    /// Where values or weights do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Src, packed: &[f32], epilogue: &Epilogue, y: Dst, scratch: &mut [f32]) {
        assert_eq!(packed.len(), self.packing().len(), "the weights fit");
        epilogue.check(self.shape.width, self.shape.positions(), &y);
        assert_eq!(x.len(), Layout::Blocked.len(self.shape.channels, self.shape.input_positions()), "the input fits");
        assert!(x.samples() == self.shape.batch, "the batch fits");
        for grid in &self.grids {
            grid::run(cpu, &self.sizes, grid, &Operands { x, packed, epilogue, y: &y }, scratch);
        }
    }
}

/// The output positions `phase + stride·i`; input `i + shift` meets them through the taps with
/// `phase + pad − dilation·k = stride·shift`.
fn grid_of(shape: &ConvShape, phase: [usize; 2]) -> Grid {
    let shift = |axis: usize, k: usize| {
        let stride = shape.stride[axis] as isize;
        let reach = (phase[axis] + shape.pad[axis]) as isize - (k * shape.dilation[axis]) as isize;
        (reach.rem_euclid(stride) == 0).then(|| reach.div_euclid(stride))
    };
    let tap = |t: usize| {
        let shift = [shift(0, t / shape.kernel[1])?, shift(1, t % shape.kernel[1])?];
        Some(Tap { weight: t, shift })
    };
    let size = [0, 1].map(|a| shape.output[a].saturating_sub(phase[a]).div_ceil(shape.stride[a]));
    let taps = (0..shape.taps()).filter_map(tap).collect();
    Grid { size, first: phase, spread: shape.stride, step: [1, 1], taps }
}

impl TransposePacking {
    /// Floats.
    pub fn len(&self) -> usize {
        self.direct.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Packs a weight of `[I, O/groups, rows, columns]`.
    ///
    /// # Panics
    /// Where a slice does not fit the sizes.
    pub fn pack(&self, weight: &[f32], out: &mut [f32]) {
        let (into, rows) = (self.channels / self.groups, self.width / self.groups);
        assert_eq!(weight.len(), self.channels * rows * self.taps, "the weight fits");
        let mut turned = vec![0.0; weight.len()];
        for (i, row) in weight.chunks_exact(rows * self.taps).enumerate() {
            let (group, i) = (i / into, i % into);
            for (o, taps) in row.chunks_exact(self.taps).enumerate() {
                turned[((group * rows + o) * into + i) * self.taps..][..self.taps].copy_from_slice(taps);
            }
        }
        self.direct.pack(&turned, out);
    }
}
