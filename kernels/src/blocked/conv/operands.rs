//! What the algorithms share: what they are given, scratch of several workers, and the epilogue of one vector.

use super::MapShape;
use crate::activation::Activation;
use crate::blocked::blocks;
use crate::blocked::epilogue::{Epilogue, Other, Prologue, Sum, activate};
use crate::vector::{LANES, Vector};
use crate::view::{Dst, Src};

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
    /// Panics unless all of it fits a convolution that has so many packed weights.
    #[track_caller]
    pub fn check(&self, map: &MapShape, weights: usize) {
        let MapShape { shape, layout, prologue } = map;
        assert!(*prologue || self.prologue.is_none(), "a prologue was announced");
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

/// What is done to the vectors of one block before they are written.
pub trait Ending<V: Vector>: Copy {
    /// Finishes `sum` and writes it `at` floats into a sample of the result.
    ///
    /// # Safety
    /// Sixteen floats from there are nobody else's, and of this block.
    unsafe fn write(&self, sum: V, sample: usize, at: usize);
}

/// What writes the vectors of one block.
pub trait Writer<V: Vector> {
    /// Writes them.
    ///
    /// # Safety
    /// As for [`with_ending`].
    unsafe fn write(self, ending: impl Ending<V>);
}

/// Calls a writer with what the epilogue says about block `block` of `width` channels. The common endings are compiled by
/// themselves.
///
/// # Safety
/// The block exists, and what is written is nobody else's.
#[inline(always)]
pub unsafe fn with_ending<V: Vector, W: Writer<V>>(of: &Operands, width: usize, block: usize, writer: W) {
    let Epilogue { bias, first, sum, last } = *of.epilogue;
    // SAFETY: the block exists.
    let bias = bias.map_or(V::zero(), |bias| unsafe { V::load(bias.as_ptr().add(block * LANES)) });
    let used = width - (block * LANES).min(width);
    // SAFETY: the caller's promise.
    unsafe {
        match (first, sum, last) {
            (Some(Activation::Relu), None, None) => writer.write(Relu { bias, y: &of.y }),
            (None, Some(sum), Some(Activation::Relu)) => writer.write(SumRelu { bias, sum, y: &of.y }),
            _ => writer.write(Any { bias, epilogue: of.epilogue, used, y: &of.y }),
        }
    }
}

/// `relu(y + bias)`
#[derive(Clone, Copy)]
struct Relu<'a, V> {
    bias: V,
    y: &'a Dst<'a>,
}

/// `relu(own·(y + bias) + other·s)`
#[derive(Clone, Copy)]
struct SumRelu<'a, V> {
    bias: V,
    sum: Sum<'a>,
    y: &'a Dst<'a>,
}

/// Any epilogue.
#[derive(Clone, Copy)]
struct Any<'a, V> {
    bias: V,
    epilogue: &'a Epilogue<'a>,
    /// Lanes that are channels.
    used: usize,
    y: &'a Dst<'a>,
}

impl<V: Vector> Ending<V> for Relu<'_, V> {
    #[inline(always)]
    unsafe fn write(&self, sum: V, sample: usize, at: usize) {
        // SAFETY: the caller's promise.
        unsafe { sum.add(self.bias).relu().store(self.y.pointer(sample).add(at)) }
    }
}

impl<V: Vector> Ending<V> for SumRelu<'_, V> {
    #[inline(always)]
    unsafe fn write(&self, sum: V, sample: usize, at: usize) {
        let to = self.y.pointer(sample).wrapping_add(at);
        // SAFETY: the caller's promise.
        unsafe { added(&self.sum, sum.add(self.bias), to, sample, at).relu().store(to) }
    }
}

impl<V: Vector> Ending<V> for Any<'_, V> {
    #[inline(always)]
    unsafe fn write(&self, sum: V, sample: usize, at: usize) {
        let to = self.y.pointer(sample).wrapping_add(at);
        // SAFETY: the caller's promise.
        unsafe {
            let mut value = sum.add(self.bias);
            if let Some(f) = &self.epilogue.first {
                value = activate(f, value);
            }
            if let Some(sum) = &self.epilogue.sum {
                value = added(sum, value, to, sample, at);
            }
            if let Some(f) = &self.epilogue.last {
                value = activate(f, value);
            }
            value.store(to);
            for lane in self.used..LANES {
                *to.add(lane) = 0.0;
            }
        }
    }
}

/// `own·value + other·s`
///
/// # Safety
/// The summand can be read `at` floats into the sample, or at `to`.
#[inline(always)]
unsafe fn added<V: Vector>(sum: &Sum, value: V, to: *const f32, sample: usize, at: usize) -> V {
    // SAFETY: the caller's promise.
    let other = unsafe {
        match &sum.value {
            Other::Value(other) => V::load(other.sample(sample).as_ptr().add(at)),
            Other::InPlace => V::load(to),
        }
    };
    value.mul_add(V::splat(sum.own), other.mul(V::splat(sum.other)))
}
