//! The two element types that kernels work on.

use super::math;
use std::cell::RefCell;
use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

/// `f32`, or `f64` as its oracle.
pub trait Elem:
    Copy
    + Default
    + Debug
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
    + Sum
    + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// −∞
    const NEG_INFINITY: Self;

    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// The same value, wide.
    fn to_f64(self) -> f64;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// Runs `f` on scratch memory of this thread, `len` elements with any contents. May be nested:
    /// an inner call gets memory of its own.
    fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [Self]) -> R) -> R;

    /// The same numbers where they are single precision already.
    fn floats(data: &[Self]) -> Option<&[f32]>;
    /// The same, to be written.
    fn floats_mut(data: &mut [Self]) -> Option<&mut [f32]>;

    /// The smaller, or NaN where `self` is NaN.
    #[inline(always)]
    fn at_most(self, limit: Self) -> Self {
        if self > limit { limit } else { self }
    }

    /// The larger, or NaN where `self` is NaN.
    #[inline(always)]
    fn at_least(self, limit: Self) -> Self {
        if self < limit { limit } else { self }
    }

    /// `1 / (1 + e⁻ˣ)`
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }
}

macro_rules! elem {
    ($ty:ident, $exp:path, $exp_m1:path, $tanh:path, $erf:path, $floats:expr) => {
        impl Elem for $ty {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $ty::NEG_INFINITY;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $ty
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                $exp_m1(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                self.ln()
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                $erf(self)
            }
            fn floats(data: &[Self]) -> Option<&[f32]> {
                $floats(data)
            }
            fn floats_mut(data: &mut [Self]) -> Option<&mut [f32]> {
                $floats(data)
            }
            fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [Self]) -> R) -> R {
                thread_local!(static SCRATCH: RefCell<Vec<$ty>> = const { RefCell::new(Vec::new()) });
                let mut scratch = SCRATCH.with_borrow_mut(std::mem::take);
                if scratch.len() < len {
                    scratch.resize(len, 0.0);
                }
                let result = f(&mut scratch[..len]);
                SCRATCH.with_borrow_mut(|kept| {
                    if kept.len() < scratch.len() {
                        *kept = scratch;
                    }
                });
                result
            }
        }
    };
}

elem!(f32, math::exp, math::exp_m1, math::tanh, math::erf_f32, Some);
elem!(f64, f64::exp, f64::exp_m1, f64::tanh, math::erf, (|_| None));
