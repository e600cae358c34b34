//! Winograd convolution: 3×3 windows at stride 1 with fewer multiplications. Tiles of the input are transformed, multiplied
//! with transformed weights point by point, and transformed back (Lavin and Gray 2015).
//!
//! Lanes are channels, so transforms are plain vector arithmetic. Large maps are split over the threads by tiles, each
//! thread doing all three parts for its own; small maps have fewer tiles than would keep threads busy and more weights
//! than a cache holds, and are split by output channels, so that weights are read once.

mod points;
mod transform;
mod weights;

pub use weights::Packing;

use super::conv::operands::{Operands, Scratch};
use super::tile::{self, Finish, Tile, ZEROS, next};
use super::{Cpu, blocks};
use crate::Isa;
use crate::conv::ConvShape;
use crate::vector::LANES;
use points::{FOUR, Points, SIX, TWO};
use std::ops::Range;
use transform::{Inputs, Outputs};

/// Floats of transformed inputs and products that a thread should hold at once: they share the second cache with
/// weights.
const HELD: usize = 160 << 10;

/// Floats of weights that are cheap to read once for every task.
const FEW_WEIGHTS: usize = 3 << 19;

/// A convolution by tiles of 2, 4 or 6 outputs a side.
#[derive(Clone, Debug)]
pub struct Winograd {
    shape: ConvShape,
    packing: Packing,
    threads: usize,
    /// Rows and columns of tiles in a map.
    tiles: [usize; 2],
    /// Tiles of a task.
    chunk: usize,
    /// Whether tasks are tiles, rather than output channels.
    by_tiles: bool,
    /// Tiles of a product.
    most: usize,
}

impl Winograd {
    /// Whether a convolution can be computed so.
    pub fn supports(shape: &ConvShape) -> bool {
        shape.kernel == [3, 3] && shape.stride == [1, 1] && shape.dilation == [1, 1] && shape.groups == 1
    }

    /// A convolution of these sizes by tiles of `tile` outputs a side.
    pub fn new(shape: ConvShape, tile: usize, threads: usize, isa: Isa) -> Self {
        let (most, columns) = tile::most(isa);
        let packing = Packing { channels: shape.channels, width: shape.width, tile, columns };
        let tiles = shape.output.map(|size| size.div_ceil(tile));
        let all = shape.batch * tiles[0] * tiles[1];
        let (depth, width) = (blocks(shape.channels), blocks(shape.width));
        let (weights, inputs) = (packing.len(), packing.taps() * depth * LANES * all);
        let by_tiles = all >= threads * most && (weights <= inputs || weights <= FEW_WEIGHTS);
        let parts = if by_tiles {
            let fits = HELD / (packing.taps() * (depth + width) * LANES) / most * most;
            all.div_ceil(fits.max(2 * most)).next_multiple_of(threads)
        } else {
            (2 * threads).div_ceil(packing.groups()).max(all.div_ceil(12 * most))
        };
        let chunk = all.div_ceil(parts).max(1);
        Self { shape, packing, threads, tiles, chunk, by_tiles, most }
    }

    /// How its weights are packed.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// What it is called in a profile.
    pub fn name(&self) -> &'static str {
        match self.packing.tile {
            2 => "winograd 2×2",
            4 => "winograd 4×4",
            _ => "winograd 6×6",
        }
    }

    /// All tiles of the batch.
    fn count(&self) -> usize {
        self.shape.batch * self.tiles[0] * self.tiles[1]
    }

    /// How transformed inputs lie: those of all tiles, or of a task's.
    fn inputs(&self) -> Room {
        let tiles = if self.by_tiles { self.chunk } else { self.count() };
        Room::new(self.packing.taps(), blocks(self.shape.channels), tiles)
    }

    /// How products lie: those of a task's tiles with all output blocks, or with those of one group.
    fn products(&self) -> Room {
        let wide = if self.by_tiles { blocks(self.shape.width) } else { self.packing.columns };
        Room::new(self.packing.taps(), wide, self.chunk)
    }

    /// Floats of scratch, for all workers together.
    pub fn scratch(&self) -> usize {
        let inputs = if self.by_tiles { self.threads } else { 1 };
        inputs * self.inputs().len + self.threads * self.products().len
    }

    /// See [`Conv::run`](super::Conv::run).
    pub fn run(&self, cpu: &Cpu, of: &Operands, scratch: &mut [f32]) {
        assert!(
            cpu.thread_pool.threads() <= self.threads && scratch.len() >= self.scratch(),
            "each worker has scratch"
        );
        let scratch = Scratch(scratch.as_mut_ptr());
        match self.packing.tile {
            2 => self.run_by::<1, 4, 2>(cpu, of, &TWO, &scratch),
            4 => self.run_by::<2, 6, 4>(cpu, of, &FOUR, &scratch),
            _ => self.run_by::<3, 8, 6>(cpu, of, &SIX, &scratch),
        }
    }

    fn run_by<const H: usize, const N: usize, const M: usize>(
        &self,
        cpu: &Cpu,
        of: &Operands,
        points: &Points<H>,
        scratch: &Scratch,
    ) {
        let (inputs, products) = (self.inputs(), self.products());
        let (count, planes, groups) = (self.count(), blocks(self.shape.channels), self.packing.groups());
        let chunks = count.div_ceil(self.chunk);
        let tiles = |task: usize| task * self.chunk..((task + 1) * self.chunk).min(count);
        let transform = |tiles: Range<usize>, first, planes, to| {
            cpu.isa.run(Inputs::<H, N, M> { conv: self, of, points, tiles, first, planes, to, room: inputs });
        };
        let finish = |tiles: Range<usize>, blocks, from| {
            cpu.isa.run(Outputs::<H, N, M> { conv: self, of, points, tiles, blocks, from, room: products });
        };
        if self.by_tiles {
            cpu.thread_pool.run(chunks, &|worker, task| {
                let v = scratch.0.wrapping_add(worker * (inputs.len + products.len));
                let m = v.wrapping_add(inputs.len);
                transform(tiles(task), 0, 0..planes, v);
                self.multiply(cpu.isa, of.packed, 0..groups, v, m, tiles(task).len());
                finish(tiles(task), 0..blocks(self.shape.width), m);
            });
            return;
        }
        cpu.thread_pool.run(chunks * planes, &|_, task| {
            let (tiles, plane) = (tiles(task / planes), task % planes);
            transform(tiles.clone(), tiles.start, plane..plane + 1, scratch.0);
        });
        cpu.thread_pool.run(groups * chunks, &|worker, task| {
            let (tiles, group) = (tiles(task % chunks), task / chunks);
            let m = scratch.0.wrapping_add(inputs.len + worker * products.len);
            let v = scratch.0.wrapping_add(tiles.start * LANES);
            self.multiply(cpu.isa, of.packed, group..group + 1, v, m, tiles.len());
            let first = group * self.packing.columns;
            finish(tiles, first..(first + self.packing.columns).min(blocks(self.shape.width)), m);
        });
    }

    /// The products of `count` tiles from `v` on with some groups of output blocks, at every point.
    fn multiply(&self, isa: Isa, packed: &[f32], groups: Range<usize>, v: *mut f32, m: *mut f32, count: usize) {
        let (inputs, products) = (self.inputs(), self.products());
        let (depth, columns) = (blocks(self.shape.channels), self.packing.columns);
        for tap in 0..self.packing.taps() {
            for group in groups.clone() {
                let wide = columns.min(blocks(self.shape.width) - group * columns);
                let weights = &packed[self.packing.place(group, tap)..][..wide * depth * LANES * LANES];
                let block = (group - groups.start) * columns;
                let mut first = 0;
                while first < count {
                    let positions = next(count - first, self.most);
                    let tile = Tile {
                        x: v.wrapping_add(tap * inputs.tap + first * LANES),
                        lanes: LANES,
                        taps: &[0],
                        units: depth,
                        unit: inputs.block,
                        weights: weights.as_ptr(),
                        start: ZEROS.as_ptr(),
                        end: m.wrapping_add(tap * products.tap + block * products.block + first * LANES),
                        end_step: LANES,
                        end_block: products.block,
                        finish: Finish::default(),
                        far_inputs: false,
                        far_results: false,
                    };
                    // SAFETY: transformed inputs and weights are there; the products are this worker's.
                    unsafe { tile.run(isa, positions, wide) };
                    first += positions;
                }
            }
        }
    }
}

/// How transformed tiles lie: `[tap][block][tile][16]`.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// Floats from a block to the next.
    block: usize,
    /// Floats from a tap to the next: an odd number of lines, so that the taps of a tile fall into different sets of the
    /// first cache.
    tap: usize,
    /// Floats of all of it.
    len: usize,
}

impl Room {
    fn new(taps: usize, blocks: usize, tiles: usize) -> Self {
        let block = tiles * LANES;
        let tap = ((blocks * tiles) | 1) * LANES;
        Self { block, tap, len: taps * tap }
    }
}
