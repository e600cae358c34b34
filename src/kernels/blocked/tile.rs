//! The micro-kernel: a tile of positions × output blocks in registers, fed by broadcasting the channels of each position
//! straight out of the blocked layout.

use crate::kernels::isa::Isa;
use crate::kernels::vector::{LANES, Vector};

/// Positions of a full tile.
pub const ROWS: usize = 6;

/// Output blocks of a tile, for so many output blocks in all: the most that divide them and fit the registers.
pub fn columns(isa: Isa, blocks: usize) -> usize {
    let most = if isa == Isa::Avx512 { 4 } else { 1 };
    (1..=most).rev().find(|o| blocks.is_multiple_of(*o)).unwrap_or(1)
}

/// `acc[p][o] += Σ x[p][c]·w[c][o]` over `blocks` blocks of sixteen channels. The channels of position `p` start at `x[p]`,
/// those of the next block `steps[p]` floats on; weights are `[block][16][O·16]`.
///
/// # Safety
/// All of it can be read.
#[inline(always)]
pub unsafe fn accumulate<V: Vector, const P: usize, const O: usize>(
    acc: &mut [[V; O]; P],
    x: &[*const f32; P],
    steps: &[usize; P],
    weights: *const f32,
    blocks: usize,
) {
    let (mut x, mut weights) = (*x, weights);
    for _ in 0..blocks {
        for c in 0..LANES {
            // SAFETY: the caller's promise.
            unsafe {
                let w: [V; O] = std::array::from_fn(|o| V::load(weights.add(o * LANES)));
                for p in 0..P {
                    let v = V::splat(*x[p].add(c));
                    for o in 0..O {
                        acc[p][o] = v.mul_add(w[o], acc[p][o]);
                    }
                }
                weights = weights.add(O * LANES);
            }
        }
        for p in 0..P {
            x[p] = x[p].wrapping_add(steps[p]);
        }
    }
}

/// Calls a method with `P` and `O` as constants, for `P` in 1..=6 and `O` in 1..=4.
macro_rules! by_size {
    ($p:expr, $o:expr, $self:ident.$method:ident::<$v:ident>($($arg:expr),*)) => {
        match ($p, $o) {
            (1, 1) => $self.$method::<$v, 1, 1>($($arg),*),
            (2, 1) => $self.$method::<$v, 2, 1>($($arg),*),
            (3, 1) => $self.$method::<$v, 3, 1>($($arg),*),
            (4, 1) => $self.$method::<$v, 4, 1>($($arg),*),
            (5, 1) => $self.$method::<$v, 5, 1>($($arg),*),
            (_, 1) => $self.$method::<$v, 6, 1>($($arg),*),
            (1, 2) => $self.$method::<$v, 1, 2>($($arg),*),
            (2, 2) => $self.$method::<$v, 2, 2>($($arg),*),
            (3, 2) => $self.$method::<$v, 3, 2>($($arg),*),
            (4, 2) => $self.$method::<$v, 4, 2>($($arg),*),
            (5, 2) => $self.$method::<$v, 5, 2>($($arg),*),
            (_, 2) => $self.$method::<$v, 6, 2>($($arg),*),
            (1, 3) => $self.$method::<$v, 1, 3>($($arg),*),
            (2, 3) => $self.$method::<$v, 2, 3>($($arg),*),
            (3, 3) => $self.$method::<$v, 3, 3>($($arg),*),
            (4, 3) => $self.$method::<$v, 4, 3>($($arg),*),
            (5, 3) => $self.$method::<$v, 5, 3>($($arg),*),
            (_, 3) => $self.$method::<$v, 6, 3>($($arg),*),
            (1, _) => $self.$method::<$v, 1, 4>($($arg),*),
            (2, _) => $self.$method::<$v, 2, 4>($($arg),*),
            (3, _) => $self.$method::<$v, 3, 4>($($arg),*),
            (4, _) => $self.$method::<$v, 4, 4>($($arg),*),
            (5, _) => $self.$method::<$v, 5, 4>($($arg),*),
            _ => $self.$method::<$v, 6, 4>($($arg),*),
        }
    };
}
pub(crate) use by_size;
