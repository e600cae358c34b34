//! Sixteen floats at a time, on every instruction set: the lanes are the sixteen channels of a block.

pub use crate::layout::LANES;

/// Sixteen `f32` lanes. Everything here is `#[inline(always)]` and must be called from within
/// [`Isa::run`](super::isa::Isa::run), which is what makes its instructions legal.
pub trait Vector: Copy {
    /// Positions and blocks of a tile of accumulators that stays in registers.
    const TILE: (usize, usize);

    /// Sixteen floats from memory, at any alignment.
    ///
    /// # Safety
    /// Sixteen floats can be read at `from`.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes the lanes, at any alignment.
    ///
    /// # Safety
    /// Sixteen floats can be written at `to`.
    unsafe fn store(self, to: *mut f32);
    /// The same number in every lane.
    fn splat(x: f32) -> Self;
    /// `self / other`
    fn div(self, other: Self) -> Self;
    /// The bits of each lane moved up by 23 places: its lowest nine become sign and exponent.
    fn raised(self) -> Self;
    /// `self + other`
    fn add(self, other: Self) -> Self;
    /// `self − other`
    fn sub(self, other: Self) -> Self;
    /// `self · other`
    fn mul(self, other: Self) -> Self;
    /// `self · factor + term`, rounded once where the instruction set can.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The larger, lane by lane; `other` where either is not a number.
    fn max(self, other: Self) -> Self;
    /// The smaller, lane by lane; `other` where either is not a number.
    fn min(self, other: Self) -> Self;

    /// The bits of either, lane by lane.
    fn or(self, other: Self) -> Self;

    /// The larger, lane by lane; not a number where either is not.
    #[inline(always)]
    fn peak(self, other: Self) -> Self {
        // Both orders give the same number. Where one is not a number each gives another of the two, and together their
        // bits are none.
        self.max(other).or(other.max(self))
    }

    /// Itself where it is above 0, else 0. What is not a number stays.
    #[inline(always)]
    fn relu(self) -> Self {
        Self::zero().max(self)
    }

    /// 0 in every lane.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }

    /// 2ⁿ of whole numbers n from −126 to 127.
    #[inline(always)]
    fn power_of_two(self) -> Self {
        // At 2²³ and above the last bit of a number counts ones; 127 is the exponent of 1.
        self.add(Self::splat(8_388_608.0 + 127.0)).raised()
    }

    /// Each lane by itself. A small `f` becomes vector instructions.
    #[inline(always)]
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        let mut lanes = [0.0; LANES];
        // SAFETY: the array has sixteen floats.
        unsafe { self.store(lanes.as_mut_ptr()) };
        lanes.iter_mut().for_each(|x| *x = f(*x));
        // SAFETY: as above.
        unsafe { Self::load(lanes.as_ptr()) }
    }
}

/// Sixteen lanes as an array; the compiler makes of them what the baseline has.
#[derive(Clone, Copy)]
pub struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut lanes = self.0;
        lanes.iter_mut().zip(other.0).for_each(|(a, b)| *a = f(*a, b));
        Self(lanes)
    }
}

impl Vector for Portable {
    const TILE: (usize, usize) = (3, 1);

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise; arrays of floats need no more alignment than the read gives.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; LANES])
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
    #[inline(always)]
    fn raised(self) -> Self {
        Self(self.0.map(|x| f32::from_bits(x.to_bits() << 23)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self.mul(factor).add(term)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| f32::from_bits(a.to_bits() | b.to_bits()))
    }
}

/// Sixteen lanes in several registers of one kind; `$n` of them, `$width` lanes each.
macro_rules! registers {
    ($(#[$doc:meta])* $name:ident, $arch:ident, $register:ident, $n:literal, $width:literal, $tile:expr,
     $load:ident, $store:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $max:path, $min:path,
     |$a:ident, $b:ident, $c:ident| $mul_add:expr, |$x:ident| $raised:expr, |$y:ident, $z:ident| $or:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name([std::arch::$arch::$register; $n]);

        impl $name {
            #[inline(always)]
            fn each(f: impl Fn(usize) -> std::arch::$arch::$register) -> Self {
                Self(std::array::from_fn(f))
            }
        }

        // SAFETY of all blocks below: values of this type exist only within `Isa::run`, which has seen that
        // the instructions are here; memory is as the caller promises.
        #[allow(clippy::undocumented_unsafe_blocks)]
        impl Vector for $name {
            const TILE: (usize, usize) = $tile;

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                Self::each(|i| unsafe { std::arch::$arch::$load(from.add(i * $width)) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                for i in 0..$n {
                    unsafe { std::arch::$arch::$store(to.add(i * $width), self.0[i]) };
                }
            }
            #[inline(always)]
            fn splat(x: f32) -> Self {
                Self([unsafe { std::arch::$arch::$splat(x) }; $n])
            }
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                Self::each(|i| unsafe { std::arch::$arch::$div(self.0[i], other.0[i]) })
            }
            #[inline(always)]
            fn raised(self) -> Self {
                Self::each(|i| {
                    let $x = self.0[i];
                    unsafe { $raised }
                })
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self::each(|i| unsafe { std::arch::$arch::$add(self.0[i], other.0[i]) })
            }
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self::each(|i| unsafe { std::arch::$arch::$sub(self.0[i], other.0[i]) })
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self::each(|i| unsafe { std::arch::$arch::$mul(self.0[i], other.0[i]) })
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                Self::each(|i| {
                    let ($a, $b, $c) = (self.0[i], factor.0[i], term.0[i]);
                    unsafe { $mul_add }
                })
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self::each(|i| unsafe { $max(self.0[i], other.0[i]) })
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self::each(|i| unsafe { $min(self.0[i], other.0[i]) })
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                Self::each(|i| {
                    let ($y, $z) = (self.0[i], other.0[i]);
                    unsafe { $or }
                })
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
registers! {
    /// One 512-bit register.
    Avx512, x86_64, __m512, 1, 16, (14, 2),
    _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps,
    _mm512_div_ps, std::arch::x86_64::_mm512_max_ps, std::arch::x86_64::_mm512_min_ps,
    |a, b, c| std::arch::x86_64::_mm512_fmadd_ps(a, b, c),
    |x| {
        use std::arch::x86_64::{_mm512_castps_si512, _mm512_castsi512_ps, _mm512_slli_epi32};
        _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(x)))
    },
    |x, y| {
        use std::arch::x86_64::{_mm512_castps_si512, _mm512_castsi512_ps, _mm512_or_si512};
        _mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(x), _mm512_castps_si512(y)))
    }
}

#[cfg(target_arch = "x86_64")]
registers! {
    /// Two 256-bit registers.
    Avx2, x86_64, __m256, 2, 8, (6, 1),
    _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps,
    _mm256_div_ps, std::arch::x86_64::_mm256_max_ps, std::arch::x86_64::_mm256_min_ps,
    |a, b, c| std::arch::x86_64::_mm256_fmadd_ps(a, b, c),
    |x| {
        use std::arch::x86_64::{_mm256_castps_si256, _mm256_castsi256_ps, _mm256_slli_epi32};
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(x)))
    },
    |x, y| std::arch::x86_64::_mm256_or_ps(x, y)
}

#[cfg(target_arch = "aarch64")]
registers! {
    /// Four 128-bit registers.
    Neon, aarch64, float32x4_t, 4, 4, (6, 1),
    vld1q_f32, vst1q_f32, vdupq_n_f32, vaddq_f32, vsubq_f32, vmulq_f32, vdivq_f32, larger, smaller,
    |a, b, c| std::arch::aarch64::vfmaq_f32(c, a, b),
    |x| {
        use std::arch::aarch64::{vreinterpretq_f32_u32, vreinterpretq_u32_f32, vshlq_n_u32};
        vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(x)))
    },
    |x, y| {
        use std::arch::aarch64::{vorrq_u32, vreinterpretq_f32_u32, vreinterpretq_u32_f32};
        vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(x), vreinterpretq_u32_f32(y)))
    }
}

/// The larger, or `b` where either is not a number, as on other machines: this one's own maximum differs.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
unsafe fn larger(
    a: std::arch::aarch64::float32x4_t,
    b: std::arch::aarch64::float32x4_t,
) -> std::arch::aarch64::float32x4_t {
    use std::arch::aarch64::{vbslq_f32, vcgtq_f32};
    // SAFETY: every aarch64 processor has these instructions.
    unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
}

/// The smaller, or `b` where either is not a number.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
unsafe fn smaller(
    a: std::arch::aarch64::float32x4_t,
    b: std::arch::aarch64::float32x4_t,
) -> std::arch::aarch64::float32x4_t {
    use std::arch::aarch64::{vbslq_f32, vcgtq_f32};
    // SAFETY: as above.
    unsafe { vbslq_f32(vcgtq_f32(b, a), a, b) }
}
