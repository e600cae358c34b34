//! Hints to the processor that memory will be needed soon; nothing where there is no such instruction.

/// The line at an address will be read. Any address will do.
#[inline(always)]
pub fn read(address: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint does not fault, whatever the address; the instruction is in the baseline.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// The line at an address will be written. Any address will do.
#[inline(always)]
pub fn write(address: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint does not fault, whatever the address; processors without the instruction take it for none.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_ET0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
