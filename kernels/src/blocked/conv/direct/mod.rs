//! Convolution as sums over windows: tiles of positions of a row, all taps of a window one after another.
//!
//! A 1×1 convolution sees a map as one long row, vectors of a batch are the columns of one row, a transposed convolution is
//! as many convolutions as its stride has remainders, and groups that do not fill blocks are taken together with zeros
//! between them. A task reads its inputs where they lie, or, where windows reach into the padding, skip columns, or a
//! prologue is asked for, from a copy of the rows that it sees, with zeros around them. Sums run over the same products
//! in the same order however the work is cut, so results depend neither on threads nor on the batch.

mod chunks;
mod geometry;
mod outputs;
mod packing;
mod region;
mod task;

pub use packing::Packing;

use super::{MapShape, Operands};
use crate::Isa;
use crate::blocked::Cpu;
use crate::blocked::tile::{self, MOST_BLOCKS, MOST_POSITIONS};
use crate::conv::ConvShape;
use crate::vector::LANES;
use crate::view::Dst;
use chunks::Chunks;
use geometry::{Bundles, Phase};
use region::Region;
use task::Task;

/// Floats of a tile's results.
const TILE: usize = MOST_POSITIONS * MOST_BLOCKS * LANES;

/// Sizes and choices of a convolution over windows.
#[derive(Clone, Debug)]
pub struct Direct {
    shape: ConvShape,
    bundles: Bundles,
    phases: Vec<Phase>,
    /// For each phase, where its taps lie from the first.
    taps: Vec<Vec<usize>>,
    transposed: bool,
    /// Positions and blocks of a tile.
    tile: (usize, usize),
    /// The input's size: one row where the kernel is one element.
    input: [usize; 2],
    /// Whether samples are columns: maps of one position.
    vectors: bool,
    /// Whether inputs are copied.
    copies: bool,
    chunks: Chunks,
    /// What a task sees: a copy, or the map itself.
    region: Region,
    threads: usize,
}

impl Direct {
    /// A convolution.
    pub fn new(map: &MapShape, threads: usize, isa: Isa) -> Self {
        Self::windows(map, false, threads, isa)
    }

    /// A transposed convolution of a blocked map.
    pub fn transposed(shape: ConvShape, threads: usize, isa: Isa) -> Self {
        Self::windows(&MapShape::from(shape), true, threads, isa)
    }

    fn windows(map: &MapShape, transposed: bool, threads: usize, isa: Isa) -> Self {
        let MapShape { shape: original, layout, prologue } = *map;
        let mut shape = original;
        let bundles = Bundles::new(&shape, layout);
        let vectors = shape.positions() == 1 && shape.input_positions() == 1 && shape.taps() == 1;
        if vectors {
            (shape.input, shape.output) = ([1, shape.batch], [1, shape.batch]);
            (shape.stride, shape.pad) = ([1; 2], [0; 2]);
        } else if shape.is_pointwise() {
            (shape.input, shape.output) = ([1, shape.positions()], [1, shape.positions()]);
        }
        let phases = if transposed { Phase::transposed(&shape) } else { vec![Phase::direct(&shape)] };
        let pads = phases.iter().any(|phase| (0..2).any(|a| phase.reaches_outside(a, shape.input[a])));
        let copies = prologue || pads || phases.iter().any(|phase| phase.stride[1] > 1) || (vectors && shape.batch > 1);
        let tile = tile::most(isa);
        let chunks = Chunks::new(if vectors { 1 } else { shape.batch }, &bundles, &phases, tile, threads, copies);
        let region = if copies {
            Region::new(&bundles, &phases, chunks.part())
        } else {
            Region::whole(shape.input, bundles.lanes)
        };
        let taps = phases.iter().map(|phase| region.taps(phase)).collect();
        let input = shape.input;
        Self {
            shape: original,
            bundles,
            phases,
            taps,
            transposed,
            tile,
            input,
            vectors,
            copies,
            chunks,
            region,
            threads,
        }
    }

    /// The order of its weights.
    pub fn packing(&self) -> Packing {
        let phases = self.phases.iter().map(Phase::kernel).collect();
        let Self { bundles, shape, tile, transposed, .. } = *self;
        Packing { bundles, phases, kernel: shape.kernel, tile: tile.1, transposed }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match (self.transposed, self.shape.taps(), self.bundles.lanes, self.bundles.count) {
            (true, ..) => "transposed",
            (_, 1, ..) if self.vectors => "linear",
            (_, 1, ..) => "pointwise",
            (_, _, 1, _) => "direct, plain input",
            (_, _, _, 1) => "direct",
            _ => "direct, grouped",
        }
    }

    /// Floats of scratch of one worker.
    fn share(&self) -> usize {
        TILE + self.region.len.next_multiple_of(LANES)
    }

    /// Floats for a tile and for the copied input of every worker.
    pub fn scratch(&self) -> usize {
        self.threads * self.share()
    }

    /// See [`Conv::run`](super::Conv::run).
    pub fn run(&self, cpu: &Cpu, of: &Operands, scratch: &mut [f32]) {
        assert!(cpu.thread_pool.threads() <= self.threads, "made for as many threads");
        let scratch = Dst::new(&mut scratch[..self.scratch()], self.threads);
        cpu.thread_pool.run(self.chunks.count(), &|worker, task| {
            // SAFETY: every worker has a part of its own.
            let scratch = unsafe { scratch.part(worker, 0, self.share()) };
            Task { conv: self, cpu, task, of }.run(scratch);
        });
    }
}
