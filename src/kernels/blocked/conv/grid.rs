//! Sums of taps over a grid of positions: what convolutions and the phases of transposed convolutions have in common.

use crate::kernels::blocked::epilogue::{Epilogue, Other, activate};
use crate::kernels::blocked::tile::{ROWS, accumulate, by_size};
use crate::kernels::blocked::{Cpu, blocks};
use crate::kernels::isa::Kernel;
use crate::kernels::vector::{LANES, Vector};
use crate::kernels::view::{Dst, Src};

/// Positions that a task takes.
pub const CHUNK: usize = 16 * ROWS;

/// Blocks of sixteen channels, of one tap after another, whose weights stay in the first cache: 32 KiB for four
/// output blocks.
const DEPTH: usize = 8;

/// Sixteen zeros, for positions in the padding.
static ZEROS: [f32; LANES] = [0.0; LANES];

/// One tap: which weight, and where it reads from the position `(step·i, step·j)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Its place among the packed weights.
    pub weight: usize,
    /// Rows and columns from the position.
    pub shift: [isize; 2],
}

/// Output positions at equal distances, each the sum of taps.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Rows and columns of the grid.
    pub size: [usize; 2],
    /// The first output position.
    pub first: [usize; 2],
    /// From one output position to the next.
    pub spread: [usize; 2],
    /// From one input position to the next.
    pub step: [usize; 2],
    /// What is summed.
    pub taps: Vec<Tap>,
}

/// The sizes that all grids of one convolution share.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Size of the input.
    pub input: [usize; 2],
    /// Size of the output.
    pub output: [usize; 2],
    /// Input blocks that an output block sums over.
    pub depth: usize,
    /// Output blocks of a group.
    pub group: usize,
    /// Output channels.
    pub width: usize,
    /// Output blocks of a tile.
    pub columns: usize,
    /// All taps of the packed weights.
    pub taps: usize,
}

impl Sizes {
    /// Floats of a worker's scratch.
    pub fn scratch(&self) -> usize {
        CHUNK * self.columns * LANES
    }
}

/// What a grid is computed from and to.
pub struct Operands<'a> {
    /// The input, blocked.
    pub x: Src<'a>,
    /// Packed weights.
    pub packed: &'a [f32],
    /// What is done to each number before it is written.
    pub epilogue: &'a Epilogue<'a>,
    /// The output, blocked.
    pub y: &'a Dst<'a>,
}

/// Mutable scratch, one part a worker.
pub struct Scratch(pub *mut f32);

// SAFETY: workers use disjoint parts.
unsafe impl Sync for Scratch {}

/// Computes a grid; `scratch` has [`Sizes::scratch`] floats a worker.
pub fn run(cpu: &Cpu, sizes: &Sizes, grid: &Grid, of: &Operands, scratch: &mut [f32]) {
    let positions = of.y.samples() * grid.size[0] * grid.size[1];
    if positions == 0 {
        return;
    }
    let threads = cpu.team.threads();
    let tiles = blocks(sizes.width) / sizes.columns;
    // Enough tasks for every thread, each of whole tiles of positions.
    let wanted = positions.div_ceil(CHUNK).max((2 * threads).div_ceil(tiles));
    let chunk = positions.div_ceil(wanted).div_ceil(ROWS) * ROWS;
    let chunks = positions.div_ceil(chunk);
    assert!(scratch.len() >= threads * sizes.scratch(), "each worker has scratch");
    let scratch = Scratch(scratch.as_mut_ptr());
    cpu.team.run(chunks * tiles, &|worker, task| {
        let (tile, first) = (task / chunks, task % chunks * chunk);
        let range = first..(first + chunk).min(positions);
        let scratch = &scratch;
        // SAFETY: each worker has a part of its own, inside by the assertion.
        let sums = unsafe { scratch.0.add(worker * sizes.scratch()) };
        cpu.isa.run(Task { sizes, grid, of, tile, range, sums });
    });
}

/// One position: the input and output that it belongs to.
#[derive(Clone, Copy)]
struct Position {
    x: *const f32,
    at: [isize; 2],
    sample: usize,
    to: usize,
}

/// A run of positions at one tile of output blocks.
struct Task<'a> {
    sizes: &'a Sizes,
    grid: &'a Grid,
    of: &'a Operands<'a>,
    tile: usize,
    range: std::ops::Range<usize>,
    sums: *mut f32,
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let columns = self.sizes.columns;
        let mut positions = [Position { x: ZEROS.as_ptr(), at: [0, 0], sample: 0, to: 0 }; CHUNK];
        let count = self.positions(&mut positions);
        let units = self.grid.taps.len() * self.sizes.depth;
        let mut from = 0;
        loop {
            let to = (from + DEPTH).min(units);
            for first in (0..count).step_by(ROWS) {
                let rows = ROWS.min(count - first);
                let here = &positions[first..first + rows];
                // SAFETY: as promised by `run`; the sums of a chunk fit the scratch.
                unsafe { by_size!(rows, columns, self.sum::<V>(here, first, from, to)) }
            }
            from = to;
            if from >= units {
                break;
            }
        }
        for (i, position) in positions[..count].iter().enumerate() {
            for o in 0..columns {
                // SAFETY: as above.
                unsafe { self.finish::<V>(position, i, o) }
            }
        }
    }
}

impl Task<'_> {
    /// Where the positions of the run lie; how many there are.
    #[inline(always)]
    fn positions(&self, positions: &mut [Position; CHUNK]) -> usize {
        let [rows, cols] = self.grid.size;
        let group = self.tile * self.sizes.columns / self.sizes.group;
        let skip = group * self.sizes.depth * self.sizes.input[0] * self.sizes.input[1] * LANES;
        let (mut n, rest) = (self.range.start / (rows * cols), self.range.start % (rows * cols));
        let (mut i, mut j) = (rest / cols, rest % cols);
        let count = self.range.len();
        for position in &mut positions[..count] {
            let out = [self.grid.first[0] + i * self.grid.spread[0], self.grid.first[1] + j * self.grid.spread[1]];
            *position = Position {
                x: self.of.x.sample(n)[skip..].as_ptr(),
                at: [(i * self.grid.step[0]) as isize, (j * self.grid.step[1]) as isize],
                sample: n,
                to: (out[0] * self.sizes.output[1] + out[1]) * LANES,
            };
            j += 1;
            if j == cols {
                (i, j) = (i + 1, 0);
            }
            if i == rows {
                (n, i) = (n + 1, 0);
            }
        }
        count
    }

    /// Adds units `from..to` (taps times input blocks) to the sums of `P` positions.
    #[inline(always)]
    unsafe fn sum<V: Vector, const P: usize, const O: usize>(
        &self,
        here: &[Position],
        first: usize,
        from: usize,
        to: usize,
    ) {
        let sizes = self.sizes;
        let [height, width] = [sizes.input[0] as isize, sizes.input[1] as isize];
        let plane = sizes.input[0] * sizes.input[1] * LANES;
        let unit = LANES * O * LANES;
        let mut acc = [[V::zero(); O]; P];
        let sums = self.sums.wrapping_add(first * O * LANES);
        if from > 0 {
            for p in 0..P {
                for o in 0..O {
                    // SAFETY: the sums of a chunk fit the scratch.
                    acc[p][o] = unsafe { V::load(sums.add((p * O + o) * LANES)) };
                }
            }
        }
        let mut at = from;
        while at < to {
            let (tap, block) = (&self.grid.taps[at / sizes.depth], at % sizes.depth);
            let end = to.min(at - block + sizes.depth);
            let mut x = [ZEROS.as_ptr(); P];
            let mut steps = [0; P];
            for p in 0..P {
                let [i, j] = [here[p].at[0] + tap.shift[0], here[p].at[1] + tap.shift[1]];
                if i >= 0 && i < height && j >= 0 && j < width {
                    x[p] = here[p].x.wrapping_add(block * plane + (i * width + j) as usize * LANES);
                    steps[p] = plane;
                }
            }
            let weights = ((self.tile * sizes.taps + tap.weight) * sizes.depth + block) * unit;
            // SAFETY: positions inside the map are read there, others are zeros; the weights hold every unit.
            unsafe { accumulate::<V, P, O>(&mut acc, &x, &steps, self.of.packed.as_ptr().add(weights), end - at) };
            at = end;
        }
        for p in 0..P {
            for o in 0..O {
                // SAFETY: as above.
                unsafe { acc[p][o].store(sums.add((p * O + o) * LANES)) };
            }
        }
    }

    /// Writes one block of one position.
    #[inline(always)]
    unsafe fn finish<V: Vector>(&self, position: &Position, i: usize, o: usize) {
        let block = self.tile * self.sizes.columns + o;
        let plane = self.sizes.output[0] * self.sizes.output[1] * LANES;
        let used = self.sizes.width - (block * LANES).min(self.sizes.width);
        // SAFETY: the sums of a chunk fit the scratch; each task writes positions and blocks of its own, inside the
        // output by its size.
        unsafe {
            let sum = V::load(self.sums.add((i * self.sizes.columns + o) * LANES));
            write(self.of.epilogue, sum, block, used, self.of.y, position.sample, block * plane + position.to);
        }
    }
}

/// Does what the epilogue says to a vector of block `block`, of which `used` lanes are channels, and writes it `at` floats
/// into a sample of `y`.
///
/// # Safety
/// Sixteen floats of the sample from `at` are nobody else's; bias and summand are as large as the result.
#[inline(always)]
pub unsafe fn write<V: Vector>(
    epilogue: &Epilogue,
    sum: V,
    block: usize,
    used: usize,
    y: &Dst,
    sample: usize,
    at: usize,
) {
    let to = y.pointer(sample).wrapping_add(at);
    // SAFETY: the caller's promise.
    unsafe {
        let mut value = match epilogue.bias {
            Some(bias) => sum.add(V::load(bias.as_ptr().add(block * LANES))),
            None => sum,
        };
        if let Some(f) = &epilogue.first {
            value = activate(f, value);
        }
        if let Some(sum) = &epilogue.sum {
            let other = match sum.value {
                Other::Value(other) => V::load(other.sample(sample).as_ptr().add(at)),
                Other::InPlace => V::load(to),
            };
            value = value.mul_add(V::splat(sum.own), other.mul(V::splat(sum.other)));
        }
        if let Some(f) = &epilogue.last {
            value = activate(f, value);
        }
        value.store(to);
        if used < LANES {
            for lane in used..LANES {
                *to.add(lane) = 0.0;
            }
        }
    }
}
