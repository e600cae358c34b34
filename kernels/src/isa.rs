//! Which instructions the kernels use: the widest that this machine has, or those that `ARCHC_ISA` names.

use super::vector::{Portable, Vector};
use std::sync::OnceLock;

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// What every processor has.
    Portable,
    /// 128-bit vectors of aarch64.
    Neon,
    /// 256-bit vectors with fused multiply-add, x86-64.
    Avx2,
    /// 512-bit vectors, x86-64: F, VL, DQ and BW.
    Avx512,
}

/// The variable that forces a set: `portable`, `neon`, `avx2` or `avx512`.
pub const VARIABLE: &str = "ARCHC_ISA";

/// Work that is compiled once for every instruction set. `run` and all that it calls with vectors must be
/// `#[inline(always)]`, or it is compiled for the baseline.
pub trait Kernel {
    /// What it gives.
    type Output;
    /// The work, on vectors of one kind.
    fn run<V: Vector>(self) -> Self::Output;
}

impl Isa {
    /// All sets, narrowest first.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// The set to use: the one that [`VARIABLE`] names where this machine has it, else the widest. Read once.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let named = std::env::var(VARIABLE).ok().and_then(|name| Self::named(&name));
            let widest = || Self::ALL.into_iter().rev().find(|isa| isa.is_here()).unwrap_or(Self::Portable);
            named.filter(|isa| isa.is_here()).unwrap_or_else(widest)
        })
    }

    /// The sets that this machine has, narrowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_here())
    }

    /// The set of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|isa| isa.name() == name)
    }

    /// Its name, as [`VARIABLE`] takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine has it; detection is cached by the standard library.
    pub fn is_here(self) -> bool {
        match self {
            Self::Portable => true,
            Self::Neon => cfg!(target_arch = "aarch64"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_here()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Runs a kernel with these instructions.
    ///
    /// # Panics
    /// Where this machine has them not.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        assert!(self.is_here(), "this machine has {}", self.name());
        match self {
            // SAFETY: the instructions were detected on this machine.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(kernel) },
            #[cfg(target_arch = "aarch64")]
            Self::Neon => kernel.run::<super::vector::Neon>(),
            _ => kernel.run::<Portable>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<super::vector::Avx512>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<super::vector::Avx2>()
}
