//! The micro-kernel under every product: a tile of positions × blocks of sixteen outputs, held in registers.
//!
//! Inputs are broadcast one by one from where they lie; each meets the weights of one or two blocks. What starts the
//! sums (a bias) and what ends them (an addition, relu) is done while they are in registers. It is compiled once for each
//! instruction set and size, whoever calls it.

use crate::isa::{Isa, Kernel};
use crate::prefetch;
use crate::vector::{LANES, Vector};

/// The most blocks a tile has on any instruction set.
pub const MOST_BLOCKS: usize = 2;
/// The most positions a tile has on any instruction set.
pub const MOST_POSITIONS: usize = 14;
/// What is done to sums before they are written: relu, then `own·y + other·s`, then relu.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finish {
    /// Relu before the sum.
    pub first: bool,
    /// Where s lies for the first position, the floats to the next one, and both factors.
    pub sum: Option<(*const f32, usize, f32, f32)>,
    /// Relu after it.
    pub last: bool,
}

/// Sums of products: `Σ x[p + taps[t] + u·unit + l]·w[u][t][l]` over units u, taps t and lanes l, for positions p side by
/// side.
#[derive(Clone, Copy, Debug)]
pub struct Tile<'a> {
    /// The first input of the first position; the next position follows after `lanes` floats.
    pub x: *const f32,
    /// Floats that lie side by side in a position: sixteen, or one.
    pub lanes: usize,
    /// Where each tap lies.
    pub taps: &'a [usize],
    /// How many blocks of input, or plain channels.
    pub units: usize,
    /// Floats from one to the next.
    pub unit: usize,
    /// The first weight, `[unit][tap][lane][blocks·16]`.
    pub weights: *const f32,
    /// What the sums of every position start from.
    pub start: *const f32,
    /// Where the results of the first position go.
    pub end: *mut f32,
    /// Floats from a position to the next there.
    pub end_step: usize,
    /// Floats from a block to the next there, in the other summand too.
    pub end_block: usize,
    /// What is done at the end.
    pub finish: Finish,
    /// Whether inputs lie far off, so that those of the next tile had better be asked for in time.
    pub far_inputs: bool,
    /// Whether results and the summand do.
    pub far_results: bool,
}

/// Floats of weights between the one in use and the one that is asked for: what takes a few hundred nanoseconds.
const AHEAD: usize = 2048;

/// Products that are summed in a row.
const SUM: usize = 256;

/// What sums start from where there is no bias.
pub static ZEROS: [f32; MOST_BLOCKS * LANES] = [0.0; MOST_BLOCKS * LANES];

/// Positions and blocks of the largest tile.
pub fn most(isa: Isa) -> (usize, usize) {
    struct Most;
    impl Kernel for Most {
        type Output = (usize, usize);
        #[inline(always)]
        fn run<V: Vector>(self) -> (usize, usize) {
            V::TILE
        }
    }
    isa.run(Most)
}

/// How many positions the next tile takes where so many are left and `most` fit: as few tiles as possible, of equal
/// sizes, for small ones read weights too often.
pub fn next(left: usize, most: usize) -> usize {
    left.div_ceil(left.div_ceil(most).max(1))
}

impl Tile<'_> {
    /// Computes so many positions and blocks, at most [`Vector::TILE`]'s; see [`most`].
    ///
    /// # Safety
    /// All that the tile says to read can be read, and what it says to write can be written.
    pub unsafe fn run(&self, isa: Isa, positions: usize, blocks: usize) {
        isa.run(Sized { tile: self, positions, blocks });
    }
}

struct Sized<'a> {
    tile: &'a Tile<'a>,
    positions: usize,
    blocks: usize,
}

impl Kernel for Sized<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        // SAFETY: the promise of `Tile::run`.
        unsafe {
            match (self.blocks, self.tile.lanes) {
                (1, 1) => of_blocks::<V, 1, 1>(self.positions, self.tile),
                (1, _) => of_blocks::<V, 1, LANES>(self.positions, self.tile),
                (_, 1) => of_blocks::<V, 2, 1>(self.positions, self.tile),
                (..) => of_blocks::<V, 2, LANES>(self.positions, self.tile),
            }
        }
    }
}

#[inline(always)]
unsafe fn of_blocks<V: Vector, const O: usize, const L: usize>(positions: usize, tile: &Tile) {
    // SAFETY: the caller's promise.
    unsafe {
        match positions {
            1 => of_size::<V, 1, O, L>(tile),
            2 => of_size::<V, 2, O, L>(tile),
            3 => of_size::<V, 3, O, L>(tile),
            4 => of_size::<V, 4, O, L>(tile),
            5 => of_size::<V, 5, O, L>(tile),
            6 => of_size::<V, 6, O, L>(tile),
            7 => of_size::<V, 7, O, L>(tile),
            8 => of_size::<V, 8, O, L>(tile),
            9 => of_size::<V, 9, O, L>(tile),
            10 => of_size::<V, 10, O, L>(tile),
            11 => of_size::<V, 11, O, L>(tile),
            12 => of_size::<V, 12, O, L>(tile),
            13 => of_size::<V, 13, O, L>(tile),
            14 => of_size::<V, 14, O, L>(tile),
            _ => unreachable!("a tile has a size that is known"),
        }
    }
}

#[inline(always)]
unsafe fn of_size<V: Vector, const P: usize, const O: usize, const L: usize>(tile: &Tile) {
    if P > V::TILE.0 || O > V::TILE.1 {
        unreachable!("tiles fit the registers");
    }
    // SAFETY: the caller's promise, here and below.
    unsafe {
        let mut start = [V::zero(); O];
        for o in 0..O {
            start[o] = V::load(tile.start.add(o * LANES));
        }
        let mut sums = [start; P];
        if tile.far_results {
            expect::<P, O>(tile);
        }
        multiply::<V, P, O, L>(tile, &mut sums);
        finish(&tile.finish, tile.end_block, &mut sums);
        for p in 0..P {
            for o in 0..O {
                sums[p][o].store(tile.end.add(p * tile.end_step + o * tile.end_block));
            }
        }
    }
}

#[inline(always)]
unsafe fn multiply<V: Vector, const P: usize, const O: usize, const L: usize>(tile: &Tile, out: &mut [[V; O]; P]) {
    let mut sums = *out;
    // Long sums are sums of shorter ones: rounding errors grow with the length of a sum.
    let mut rests = [[V::zero(); O]; P];
    let (mut unit, mut w, mut left) = (tile.x, tile.weights, SUM / L);
    // SAFETY: the caller promises that inputs and weights are there.
    unsafe {
        for _ in 0..tile.units {
            if tile.far_inputs {
                for p in P..2 * P {
                    prefetch::read(unit.wrapping_add(p * L));
                }
            }
            for &tap in tile.taps {
                if left == 0 {
                    put_by(&mut sums, &mut rests);
                    left = SUM / L;
                }
                left -= 1;
                let x = unit.add(tap);
                for lane in 0..L {
                    let mut weights = [V::zero(); O];
                    for o in 0..O {
                        prefetch::read(w.wrapping_add(AHEAD + o * LANES));
                    }
                    for o in 0..O {
                        weights[o] = V::load(w.add(o * LANES));
                    }
                    for p in 0..P {
                        let value = V::splat(*x.add(p * L + lane));
                        for o in 0..O {
                            sums[p][o] = value.mul_add(weights[o], sums[p][o]);
                        }
                    }
                    w = w.add(O * LANES);
                }
            }
            unit = unit.wrapping_add(tile.unit);
        }
    }
    if tile.units * tile.taps.len() * L > SUM {
        put_by(&mut sums, &mut rests);
        *out = rests;
    } else {
        *out = sums;
    }
}

/// Adds sums to those put by, and starts anew.
#[inline(always)]
fn put_by<V: Vector, const P: usize, const O: usize>(sums: &mut [[V; O]; P], rests: &mut [[V; O]; P]) {
    for p in 0..P {
        for o in 0..O {
            rests[p][o] = rests[p][o].add(sums[p][o]);
            sums[p][o] = V::zero();
        }
    }
}

/// Says that results will be written, and a summand read, when the products are done.
#[inline(always)]
fn expect<const P: usize, const O: usize>(tile: &Tile) {
    for p in 0..P {
        for o in 0..O {
            prefetch::write(tile.end.wrapping_add(p * tile.end_step + o * tile.end_block));
            if let Some((other, step, ..)) = tile.finish.sum {
                prefetch::read(other.wrapping_add(p * step + o * tile.end_block));
            }
        }
    }
}

/// Does what is done at the end.
///
/// # Safety
/// The summand can be read.
#[inline(always)]
unsafe fn finish<V: Vector, const P: usize, const O: usize>(f: &Finish, block: usize, sums: &mut [[V; O]; P]) {
    if f.first {
        relu(sums);
    }
    if let Some((other, step, a, b)) = f.sum {
        let (a, b) = (V::splat(a), V::splat(b));
        for p in 0..P {
            for o in 0..O {
                // SAFETY: the caller's promise.
                let s = unsafe { V::load(other.add(p * step + o * block)) };
                sums[p][o] = s.mul_add(b, sums[p][o].mul(a));
            }
        }
    }
    if f.last {
        relu(sums);
    }
}

/// Plain loops: what iterators do with closures is not compiled for the instruction set.
#[inline(always)]
fn relu<V: Vector, const P: usize, const O: usize>(sums: &mut [[V; O]; P]) {
    for p in 0..P {
        for o in 0..O {
            sums[p][o] = sums[p][o].relu();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_evenly() {
        for most in [3, 6, 14] {
            for row in 1..200 {
                let (mut left, mut sizes) = (row, Vec::new());
                while left > 0 {
                    sizes.push(next(left, most));
                    left -= sizes[sizes.len() - 1];
                }
                assert_eq!(sizes.len(), row.div_ceil(most), "{row} by {most}");
                assert!(sizes.iter().max() <= sizes.iter().min().map(|least| least + 1).as_ref(), "{sizes:?}");
                assert!(sizes.iter().all(|&size| size <= most), "{sizes:?}");
            }
        }
    }
}
