//! The sixteen lanes of a vector as numbers: what kernels sum over runs, and over the channels of a position.
//!
//! Plain loops throughout: what iterators do with closures is not compiled for the instruction set.

use crate::vector::{LANES, Vector};

/// Vectors that are summed in single precision; the sums of runs are summed in double.
pub const RUN: usize = 64;

/// One number a lane, in double precision.
pub type Lanes = [f64; LANES];

/// Sixteen numbers as a vector.
#[inline(always)]
pub fn load<V: Vector>(x: &[f32]) -> V {
    let x = &x[..LANES];
    // SAFETY: the slice has sixteen floats.
    unsafe { V::load(x.as_ptr()) }
}

/// A vector as sixteen numbers.
#[inline(always)]
pub fn store<V: Vector>(value: V, y: &mut [f32]) {
    let y = &mut y[..LANES];
    // SAFETY: the slice has sixteen floats.
    unsafe { value.store(y.as_mut_ptr()) }
}

/// One number in the first lanes, another in those from `used` on.
#[inline(always)]
pub fn halves<V: Vector>(used: usize, first: f32, rest: f32) -> V {
    let mut lanes = [rest; LANES];
    for lane in lanes.iter_mut().take(used) {
        *lane = first;
    }
    load(&lanes)
}

/// Adds a vector to sums.
#[inline(always)]
pub fn add<V: Vector>(total: &mut Lanes, sum: V) {
    let mut lanes = [0.0; LANES];
    store(sum, &mut lanes);
    for lane in 0..LANES {
        total[lane] += f64::from(lanes[lane]);
    }
}

/// The sum of all lanes, by halves.
#[inline(always)]
pub fn total(mut lanes: Lanes) -> f64 {
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
    }
    lanes[0]
}

/// The largest lane; any of them where one is not a number.
#[inline(always)]
pub fn largest<V: Vector>(x: V) -> f32 {
    let mut lanes = [0.0; LANES];
    store(x, &mut lanes);
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] = if lanes[lane] > lanes[lane + half] { lanes[lane] } else { lanes[lane + half] };
        }
    }
    lanes[0]
}
