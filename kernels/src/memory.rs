//! How large buffers are kept.
//!
//! A training step makes and drops hundreds of buffers of megabytes. The C library would map each
//! anew, and the first touch of every page costs more than the arithmetic on it.

use super::elem::Elem;
use super::parallel::pieces;
use std::mem::MaybeUninit;

/// Elements that a thread fills at a time.
const PIECE: usize = 1 << 16;

/// A vector of zeros, filled by all threads.
pub fn zeros<E: Elem>(len: usize) -> Vec<E> {
    keep_freed();
    let mut vec = Vec::with_capacity(len);
    pieces(&mut vec.spare_capacity_mut()[..len], PIECE, |_, piece| piece.fill(MaybeUninit::new(E::ZERO)));
    // SAFETY: the first `len` elements were just written.
    unsafe { vec.set_len(len) };
    vec
}

/// Tells the C library to keep freed memory for the next buffer rather than to give it back to the
/// system. Affects the whole process; done once. Does nothing where the C library is not glibc.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::ffi::c_int;
        use std::sync::Once;
        // From glibc's malloc.h.
        const M_TRIM_THRESHOLD: c_int = -1;
        const M_MMAP_MAX: c_int = -4;
        unsafe extern "C" {
            fn mallopt(param: c_int, value: c_int) -> c_int;
        }
        static ONCE: Once = Once::new();
        // SAFETY: mallopt takes two integers and locks the allocator itself.
        ONCE.call_once(|| unsafe {
            mallopt(M_MMAP_MAX, 0);
            mallopt(M_TRIM_THRESHOLD, c_int::MAX);
        });
    }
}
