//! Loops compiled several times, for the sets of vector instructions that [`Isa::best`](super::isa::Isa::best) chooses
//! among.
//!
//! Binaries are built for the baseline of their platform, so a plain loop would use 128-bit vectors
//! only. A function wrapped in `simd!` is compiled for AVX-512, for
//! AVX2 and for the baseline, from one body. What the body calls must be `#[inline(always)]` or
//! small.

/// Defines a generic function that is compiled for every [`Isa`](super::isa::Isa).
macro_rules! simd {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident<$($g:ident: $bound:path),*>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {
        $($(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name<$($g: $bound),*>($($arg: $ty),*) $(-> $ret)? {
            #[allow(clippy::too_many_arguments)]
            #[inline(always)]
            fn body<$($g: $bound),*>($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[allow(clippy::too_many_arguments)]
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                fn avx512<$($g: $bound),*>($($arg: $ty),*) $(-> $ret)? {
                    body($($arg),*)
                }
                #[allow(clippy::too_many_arguments)]
                #[target_feature(enable = "avx2,fma")]
                fn avx2<$($g: $bound),*>($($arg: $ty),*) $(-> $ret)? {
                    body($($arg),*)
                }
                match $crate::Isa::best() {
                    // SAFETY: the best instructions are ones that were detected on this machine.
                    $crate::Isa::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::Isa::Avx2 => return unsafe { avx2($($arg),*) },
                    _ => {}
                }
            }
            body($($arg),*)
        })*
    };
}
pub(crate) use simd;
