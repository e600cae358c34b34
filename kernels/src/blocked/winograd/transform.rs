//! Tiles there and back.

use super::points::Points;
use super::{Room, Winograd};
use crate::blocked::conv::operands::{Ending, Operands, Writer, with_ending};
use crate::blocked::epilogue::BlockMap;
use crate::isa::Kernel;
use crate::prefetch;
use crate::vector::{LANES, Vector};
use std::ops::Range;

/// Tiles of some input blocks to be transformed.
pub(super) struct Inputs<'a, const H: usize, const N: usize, const M: usize> {
    pub conv: &'a Winograd,
    pub of: &'a Operands<'a>,
    pub points: &'a Points<H>,
    /// Tiles of the batch.
    pub tiles: Range<usize>,
    /// Where the first of them lies among the transformed.
    pub first: usize,
    /// Input blocks.
    pub planes: Range<usize>,
    pub to: *mut f32,
    pub room: Room,
}

/// Products of some output blocks to be transformed back.
pub(super) struct Outputs<'a, const H: usize, const N: usize, const M: usize> {
    pub conv: &'a Winograd,
    pub of: &'a Operands<'a>,
    pub points: &'a Points<H>,
    /// Tiles of the batch; the first lies first.
    pub tiles: Range<usize>,
    /// Output blocks; the first lies first.
    pub blocks: Range<usize>,
    pub from: *mut f32,
    pub room: Room,
}

/// The sample of a tile, and its first row and column in the output.
#[inline(always)]
fn place(conv: &Winograd, tile: usize, side: usize) -> (usize, usize, usize) {
    let [rows, columns] = conv.tiles;
    let (n, rest) = (tile / (rows * columns), tile % (rows * columns));
    (n, rest / columns * side, rest % columns * side)
}

impl<const H: usize, const N: usize, const M: usize> Kernel for Inputs<'_, H, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for plane in self.planes.clone() {
            // SAFETY: the block exists.
            let before = self.of.prologue.as_ref().map(|p| unsafe { p.at::<V>(plane) });
            for (i, tile) in self.tiles.clone().enumerate() {
                let to = self.to.wrapping_add(plane * self.room.block + (self.first + i) * LANES);
                if plane + 1 < self.planes.end {
                    self.expect(plane + 1, tile);
                }
                // SAFETY: tile and block exist, and their place is this task's alone.
                unsafe { self.tile(plane, tile, before, to) }
            }
        }
    }
}

impl<const H: usize, const N: usize, const M: usize> Inputs<'_, H, N, M> {
    /// Says that the part of a tile that others do not share will be needed soon.
    #[inline(always)]
    fn expect(&self, plane: usize, tile: usize) {
        let [height, width] = self.conv.shape.input;
        let (n, row, column) = place(self.conv, tile, M);
        let x = self.of.x.sample(n).as_ptr().wrapping_add(plane * height * width * LANES);
        for i in 0..M {
            for j in 0..M {
                prefetch::read(x.wrapping_add(((row + i) * width + column + j) * LANES));
            }
        }
    }

    /// `Bᵀ·d·B` of one block of one tile.
    #[inline(always)]
    unsafe fn tile<V: Vector>(&self, plane: usize, tile: usize, before: Option<BlockMap<V>>, to: *mut f32) {
        let shape = &self.conv.shape;
        let (n, row, column) = place(self.conv, tile, M);
        let [height, width] = shape.input;
        let x = self.of.x.sample(n)[plane * height * width * LANES..].as_ptr();
        let (row, column) = (row.wrapping_sub(shape.pad[0]), column.wrapping_sub(shape.pad[1]));
        let inside = |first: usize, size: usize| first < size && size - first >= N;
        let at = |i: usize, j: usize| {
            x.wrapping_add(
                row.wrapping_add(i).wrapping_mul(width).wrapping_add(column.wrapping_add(j)).wrapping_mul(LANES),
            )
        };
        // SAFETY: what is loaded lies inside the map; the place to write is the caller's promise.
        unsafe {
            if inside(row, height) && inside(column, width) {
                match before {
                    None => self.transform(|i, j| V::load(at(i, j)), to),
                    Some(map) => self.transform(|i, j| map.apply(V::load(at(i, j))), to),
                }
                return;
            }
            let exists = |i: usize, j: usize| row.wrapping_add(i) < height && column.wrapping_add(j) < width;
            let seen = |i, j| {
                let x = if exists(i, j) { V::load(at(i, j)) } else { return V::zero() };
                before.map_or(x, |map| map.apply(x))
            };
            self.transform(seen, to);
        }
    }

    #[inline(always)]
    unsafe fn transform<V: Vector>(&self, d: impl Fn(usize, usize) -> V, to: *mut f32) {
        let mut half = [[V::zero(); N]; N];
        let mut line = [V::zero(); N];
        for j in 0..N {
            for i in 0..N {
                line[i] = d(i, j);
            }
            half[j] = self.points.input(&line);
        }
        for i in 0..N {
            for j in 0..N {
                line[j] = half[j][i];
            }
            let values = self.points.input(&line);
            for j in 0..N {
                // SAFETY: the caller's promise.
                unsafe { values[j].store(to.add((i * N + j) * self.room.tap)) };
            }
        }
    }
}

impl<const H: usize, const N: usize, const M: usize> Kernel for Outputs<'_, H, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for (o, block) in self.blocks.clone().enumerate() {
            // SAFETY: the block exists; each task writes tiles and blocks of its own.
            unsafe { with_ending::<V, _>(self.of, self.conv.shape.width, block, Block { of: &self, o, block }) }
        }
    }
}

/// One output block.
struct Block<'a, const H: usize, const N: usize, const M: usize> {
    of: &'a Outputs<'a, H, N, M>,
    o: usize,
    block: usize,
}

impl<V: Vector, const H: usize, const N: usize, const M: usize> Writer<V> for Block<'_, H, N, M> {
    #[inline(always)]
    unsafe fn write(self, ending: impl Ending<V>) {
        let of = self.of;
        for (i, tile) in of.tiles.clone().enumerate() {
            let from = of.from.wrapping_add(self.o * of.room.block + i * LANES);
            if self.block + 1 < of.blocks.end {
                of.expect(self.block + 1, tile);
            }
            // SAFETY: the products are there.
            unsafe { of.tile::<V>(self.block, tile, from, &ending) }
        }
    }
}

impl<const H: usize, const N: usize, const M: usize> Outputs<'_, H, N, M> {
    /// Says that the outputs of a tile will be written soon.
    #[inline(always)]
    fn expect(&self, block: usize, tile: usize) {
        let [height, width] = self.conv.shape.output;
        let (n, row, column) = place(self.conv, tile, M);
        let y = self.of.y.pointer(n).wrapping_add(block * height * width * LANES);
        for i in 0..M {
            for j in 0..M {
                prefetch::write(y.wrapping_add(((row + i) * width + column + j) * LANES));
            }
        }
    }

    /// `Aᵀ·m·A` of one block of one tile; writes what lies inside the output.
    #[inline(always)]
    unsafe fn tile<V: Vector>(&self, block: usize, tile: usize, from: *const f32, ending: &impl Ending<V>) {
        let shape = &self.conv.shape;
        let (n, row, column) = place(self.conv, tile, M);
        let mut half = [[V::zero(); M]; N];
        let mut line = [V::zero(); N];
        for j in 0..N {
            for i in 0..N {
                // SAFETY: the caller's promise.
                line[i] = unsafe { V::load(from.add((i * N + j) * self.room.tap)) };
            }
            half[j] = self.points.output(&line);
        }
        let [height, width] = shape.output;
        for i in 0..M.min(height - row) {
            for j in 0..N {
                line[j] = half[j][i];
            }
            let results: [V; M] = self.points.output(&line);
            let at = ((block * height + row + i) * width + column) * LANES;
            if width - column >= M {
                for j in 0..M {
                    // SAFETY: the caller's promise.
                    unsafe { ending.write(results[j], n, at + j * LANES) };
                }
            } else {
                for j in 0..width - column {
                    // SAFETY: the caller's promise.
                    unsafe { ending.write(results[j], n, at + j * LANES) };
                }
            }
        }
    }
}
