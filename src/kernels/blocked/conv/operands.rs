//! What the algorithms share: what they are given, scratch of several workers, and the epilogue of one vector.

use crate::kernels::blocked::epilogue::{Epilogue, Other, Prologue, activate};
use crate::kernels::blocked::{Layout, blocks};
use crate::kernels::conv::ConvShape;
use crate::kernels::vector::{LANES, Vector};
use crate::kernels::view::{Dst, Src};

/// What a convolution is computed from and to.
pub struct Operands<'a> {
    /// `[N, C, H, W]`
    pub x: Src<'a>,
    /// Packed weights.
    pub packed: &'a [f32],
    /// Done to each number of the input as it is read.
    pub prologue: Option<Prologue<'a>>,
    /// Done to each number of the result before it is written.
    pub epilogue: &'a Epilogue<'a>,
    /// `[N, O, H, W]`, blocked
    pub y: Dst<'a>,
}

impl Operands<'_> {
    /// Panics unless all of it fits a convolution whose input lies in `layout` and that has so many packed weights.
    #[track_caller]
    pub fn check(&self, shape: &ConvShape, layout: Layout, weights: usize) {
        self.epilogue.check(shape.width, shape.positions(), &self.y);
        assert_eq!(self.x.len(), layout.len(shape.channels, shape.input_positions()), "the input fits");
        assert!(self.x.samples() == shape.batch && self.y.samples() == shape.batch, "the batch fits");
        assert_eq!(self.packed.len(), weights, "the weights fit");
        let channels = blocks(shape.channels) * LANES;
        let fits = |p: &Prologue| p.scale.len() == channels && p.shift.len() == channels;
        assert!(self.prologue.as_ref().is_none_or(fits), "the prologue fits");
    }
}

/// Mutable scratch, one part a worker.
pub struct Scratch(pub *mut f32);

// SAFETY: workers use disjoint parts.
unsafe impl Sync for Scratch {}

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
