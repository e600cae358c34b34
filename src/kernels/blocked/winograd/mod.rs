//! Winograd convolution: 3×3 windows at stride 1 with fewer multiplications. Tiles of the input are transformed, multiplied
//! with transformed weights point by point, and transformed back (Lavin and Gray 2015).
//!
//! Lanes are channels, so transforms are plain vector arithmetic. Large maps are split over the threads by tiles, each
//! thread doing all three parts for its own; small maps have fewer tiles than would keep threads busy and more weights
//! than a cache holds, and are split by output channels, so that weights are read once.

mod points;
mod weights;

pub use weights::Packing;

use super::conv::grid::{Scratch, write};
use super::tile::{ROWS, accumulate, by_size, columns};
use super::{Cpu, Epilogue, Prologue, blocks};
use crate::kernels::Isa;
use crate::kernels::conv::ConvShape;
use crate::kernels::isa::Kernel;
use crate::kernels::vector::{LANES, Vector};
use crate::kernels::view::{Dst, Src};
use points::{FOUR, Points, SIX, TWO};

/// Tiles that go through all parts together.
const CHUNK: usize = 8 * ROWS;

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
}

impl Winograd {
    /// Whether a convolution can be computed so.
    pub fn supports(shape: &ConvShape) -> bool {
        shape.kernel == [3, 3] && shape.stride == [1, 1] && shape.dilation == [1, 1] && shape.groups == 1
    }

    /// A convolution of these sizes by tiles of `tile` outputs a side.
    pub fn new(shape: ConvShape, tile: usize, threads: usize, isa: Isa) -> Self {
        let columns = columns(isa, blocks(shape.width));
        let packing = Packing { channels: shape.channels, width: shape.width, tile, columns };
        let tiles = shape.output.map(|size| size.div_ceil(tile));
        let all = shape.batch * tiles[0] * tiles[1];
        let by_tiles = all >= 2 * CHUNK * threads;
        let groups = blocks(shape.width) / columns;
        let parts = if by_tiles {
            all.div_ceil(CHUNK).next_multiple_of(threads)
        } else {
            (2 * threads).div_ceil(groups).max(all.div_ceil(4 * CHUNK))
        };
        let chunk = all.div_ceil(parts).max(1).next_multiple_of(ROWS);
        Self { shape, packing, threads, tiles, chunk, by_tiles }
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

    /// Tiles whose transformed input lies together.
    fn together(&self) -> usize {
        if self.by_tiles { self.chunk } else { self.count().next_multiple_of(self.chunk) }
    }

    /// Output blocks whose products lie together.
    fn wide(&self) -> usize {
        if self.by_tiles { blocks(self.shape.width) } else { self.packing.columns }
    }

    /// Floats of transformed inputs, and of products, each time they are held.
    fn rooms(&self) -> [usize; 2] {
        let taps = self.packing.taps();
        let inputs = taps * blocks(self.shape.channels) * self.together() * LANES;
        [inputs, taps * self.wide() * self.chunk * LANES]
    }

    /// Floats of scratch, for all workers together.
    pub fn scratch(&self) -> usize {
        let [inputs, products] = self.rooms();
        if self.by_tiles { self.threads * (inputs + products) } else { inputs + self.threads * products }
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
        assert!(cpu.team.threads() <= self.threads && scratch.len() >= self.scratch(), "each worker has scratch");
        assert_eq!(x.len(), blocks(self.shape.channels) * self.shape.input_positions() * LANES, "the input fits");
        let of = Operands { conv: self, x, packed, prologue, epilogue, y };
        let scratch = Scratch(scratch.as_mut_ptr());
        match self.packing.tile {
            2 => of.run::<1, 4, 2>(cpu, &TWO, &scratch),
            4 => of.run::<2, 6, 4>(cpu, &FOUR, &scratch),
            _ => of.run::<3, 8, 6>(cpu, &SIX, &scratch),
        }
    }
}

struct Operands<'a> {
    conv: &'a Winograd,
    x: Src<'a>,
    packed: &'a [f32],
    prologue: Option<Prologue<'a>>,
    epilogue: &'a Epilogue<'a>,
    y: &'a Dst<'a>,
}

impl Operands<'_> {
    fn run<const H: usize, const N: usize, const M: usize>(&self, cpu: &Cpu, points: &Points<H>, scratch: &Scratch) {
        let conv = self.conv;
        let [inputs, products] = conv.rooms();
        let (count, chunk) = (conv.count(), conv.chunk);
        let (chunks, planes) = (count.div_ceil(chunk), blocks(conv.shape.channels));
        let groups = blocks(conv.shape.width) / conv.packing.columns;
        let at = |task: usize| task * chunk..((task + 1) * chunk).min(count);
        let part = |tiles, first, planes, groups, v, m| Part::<H, N, M> {
            of: self,
            points,
            tiles,
            first,
            planes,
            groups,
            v,
            m,
        };
        if conv.by_tiles {
            cpu.team.run(chunks, &|worker, task| {
                let v = scratch.0.wrapping_add(worker * (inputs + products));
                let m = v.wrapping_add(inputs);
                cpu.isa.run(part(at(task), 0, 0..planes, 0..groups, v, m));
            });
            return;
        }
        cpu.team.run(chunks * planes, &|_, task| {
            let (chunk, plane) = (task / planes, task % planes);
            let range = at(chunk);
            cpu.isa.run(part(range.clone(), range.start, plane..plane + 1, 0..0, scratch.0, scratch.0));
        });
        cpu.team.run(groups * chunks, &|worker, task| {
            let m = scratch.0.wrapping_add(inputs + worker * products);
            let (range, group) = (at(task % chunks), task / chunks);
            cpu.isa.run(part(range.clone(), range.start, 0..0, group..group + 1, scratch.0, m));
        });
    }
}

/// Some tiles, with the input blocks to be transformed and the output tiles to be computed.
struct Part<'a, const H: usize, const N: usize, const M: usize> {
    of: &'a Operands<'a>,
    points: &'a Points<H>,
    /// Tiles of the batch.
    tiles: std::ops::Range<usize>,
    /// Where the first lies among the transformed inputs.
    first: usize,
    planes: std::ops::Range<usize>,
    groups: std::ops::Range<usize>,
    v: *mut f32,
    m: *mut f32,
}

impl<const H: usize, const N: usize, const M: usize> Kernel for Part<'_, H, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let conv = self.of.conv;
        for plane in self.planes.clone() {
            for (i, tile) in self.tiles.clone().enumerate() {
                // SAFETY: tile and block exist, and their place is this task's alone.
                unsafe { self.input::<V>(plane, tile, self.first + i) }
            }
        }
        let columns = conv.packing.columns;
        for tap in 0..N * N {
            for group in self.groups.clone() {
                for first in (0..self.tiles.len()).step_by(ROWS) {
                    let rows = ROWS.min(self.tiles.len() - first);
                    // SAFETY: transformed inputs and weights are there; products are this worker's.
                    unsafe { by_size!(rows, columns, self.multiply::<V>(tap, group, first)) }
                }
            }
        }
        for block in 0..self.groups.len() * columns {
            for (i, tile) in self.tiles.clone().enumerate() {
                // SAFETY: the products are there; each task writes tiles and blocks of its own.
                unsafe { self.output::<V>(block, tile, i) }
            }
        }
    }
}

impl<const H: usize, const N: usize, const M: usize> Part<'_, H, N, M> {
    /// The sample of a tile, and its first row and column in the output.
    #[inline(always)]
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let [rows, cols] = self.of.conv.tiles;
        let (n, rest) = (tile / (rows * cols), tile % (rows * cols));
        (n, rest / cols * M, rest % cols * M)
    }

    /// Transforms one block of one tile: `Bᵀ·d·B`.
    #[inline(always)]
    unsafe fn input<V: Vector>(&self, plane: usize, tile: usize, to: usize) {
        let shape = &self.of.conv.shape;
        let (n, row, col) = self.place(tile);
        let [height, width] = shape.input;
        let x = self.of.x.sample(n)[plane * height * width * LANES..].as_ptr();
        let mut rows = [[V::zero(); N]; N];
        for (j, column) in rows.iter_mut().enumerate() {
            let at = (col + j).wrapping_sub(shape.pad[1]);
            let mut d = [V::zero(); N];
            for (i, d) in d.iter_mut().enumerate() {
                let line = (row + i).wrapping_sub(shape.pad[0]);
                if line < height && at < width {
                    // SAFETY: inside the map; the block exists.
                    *d = unsafe {
                        let x = V::load(x.add((line * width + at) * LANES));
                        self.of.prologue.as_ref().map_or(x, |p| p.apply(plane, x))
                    };
                }
            }
            *column = self.points.input(&d);
        }
        let together = self.of.conv.together();
        let stride = blocks(shape.channels) * together * LANES;
        let v = self.v.wrapping_add((plane * together + to) * LANES);
        for i in 0..N {
            let line: [V; N] = std::array::from_fn(|j| rows[j][i]);
            for (j, value) in self.points.input(&line).into_iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe { value.store(v.add((i * N + j) * stride)) };
            }
        }
    }

    /// The products of `P` tiles with `O` output blocks at one point.
    #[inline(always)]
    unsafe fn multiply<V: Vector, const P: usize, const O: usize>(&self, tap: usize, group: usize, first: usize) {
        let conv = self.of.conv;
        let (depth, together) = (blocks(conv.shape.channels), conv.together());
        let v = self.v.wrapping_add((tap * depth * together + self.first + first) * LANES);
        let x: [*const f32; P] = std::array::from_fn(|p| v.wrapping_add(p * LANES).cast_const());
        let weights = self.of.packed[(group * N * N + tap) * depth * LANES * O * LANES..].as_ptr();
        let mut acc = [[V::zero(); O]; P];
        // SAFETY: the caller's promise.
        unsafe { accumulate::<V, P, O>(&mut acc, &x, &[together * LANES; P], weights, depth) };
        let block = tap * conv.wide() + (group - self.groups.start) * O;
        for (p, row) in acc.iter().enumerate() {
            for (o, value) in row.iter().enumerate() {
                let at = ((block + o) * conv.chunk + first + p) * LANES;
                // SAFETY: the caller's promise.
                unsafe { value.store(self.m.add(at)) };
            }
        }
    }

    /// Transforms one block of one tile back, `Aᵀ·m·A`, and writes what lies inside the output.
    #[inline(always)]
    unsafe fn output<V: Vector>(&self, block: usize, tile: usize, i: usize) {
        let conv = self.of.conv;
        let (n, row, col) = self.place(tile);
        let stride = conv.wide() * conv.chunk * LANES;
        let m = self.m.wrapping_add((block * conv.chunk + i) * LANES);
        let mut half = [[V::zero(); M]; N];
        for (j, half) in half.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            let column: [V; N] = std::array::from_fn(|i| unsafe { V::load(m.add((i * N + j) * stride)) });
            *half = self.points.output(&column);
        }
        let [height, width] = conv.shape.output;
        let block = self.groups.start * conv.packing.columns + block;
        let used = conv.shape.width - (block * LANES).min(conv.shape.width);
        for i in 0..M.min(height - row) {
            let line: [V; N] = std::array::from_fn(|j| half[j][i]);
            let results: [V; M] = self.points.output(&line);
            for (j, &value) in results[..M.min(width - col)].iter().enumerate() {
                let at = ((block * height + row + i) * width + col + j) * LANES;
                // SAFETY: the caller's promise.
                unsafe { write(self.of.epilogue, value, block, used, self.of.y, n, at) };
            }
        }
    }
}
