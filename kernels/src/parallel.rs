//! Spreading loops over threads.

use rayon::prelude::*;
use std::marker::PhantomData;

/// Elements of work below which a loop stays on the thread that called it: a fork and join costs
/// about as much as a few tens of thousands of additions.
const SERIAL: usize = 1 << 15;

/// Threads that a loop may use.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Calls `f` for 0..tasks, in parallel where `work` (elements touched in all) is worth it.
pub fn tasks(tasks: usize, work: usize, f: impl Fn(usize) + Send + Sync) {
    if tasks <= 1 || work < SERIAL || threads() == 1 {
        (0..tasks).for_each(f);
    } else {
        (0..tasks).into_par_iter().for_each(f);
    }
}

/// Calls `f` with consecutive pieces of `out`, `len` elements each (the last may be shorter), in
/// parallel where `out` is large enough.
pub fn pieces<T: Send>(out: &mut [T], len: usize, f: impl Fn(usize, &mut [T]) + Send + Sync) {
    let serial = out.len() < SERIAL || out.len() <= len || threads() == 1;
    if serial {
        out.chunks_mut(len).enumerate().for_each(|(i, piece)| f(i, piece));
    } else {
        out.par_chunks_mut(len).enumerate().for_each(|(i, piece)| f(i, piece));
    }
}

/// Mutable memory whose parts are written by several tasks, each part by one of them.
pub struct Parts<'a, T> {
    start: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: access goes through `range` and `pointer`, whose callers promise disjoint parts.
unsafe impl<T: Send> Sync for Parts<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Parts<'_, T> {}

impl<'a, T> Parts<'a, T> {
    /// Takes the memory for as long as the parts live.
    pub fn new(data: &'a mut [T]) -> Self {
        Self { start: data.as_mut_ptr(), len: data.len(), lifetime: PhantomData }
    }

    /// The part of `len` elements from `start`.
    ///
    /// # Panics
    /// Where the part does not lie inside.
    ///
    /// # Safety
    /// While the part is borrowed no other part that overlaps it may be.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn range(&self, start: usize, len: usize) -> &mut [T] {
        assert!(start <= self.len && len <= self.len - start, "a part lies inside");
        // SAFETY: inside, by the assertion; not aliased, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }

    /// The address of element `start`, of which `len` elements may be reached.
    ///
    /// # Panics
    /// Where they do not lie inside.
    pub fn pointer(&self, start: usize, len: usize) -> *mut T {
        assert!(start <= self.len && len <= self.len - start, "a part lies inside");
        // SAFETY: inside the allocation, by the assertion.
        unsafe { self.start.add(start) }
    }
}

/// Calls `f` with each element of `out`, in parallel where `work` (elements touched in all) is worth it.
pub fn tasks_with<T: Send>(out: &mut [T], work: usize, f: impl Fn(usize, &mut T) + Send + Sync) {
    if out.len() <= 1 || work < SERIAL || threads() == 1 {
        out.iter_mut().enumerate().for_each(|(i, out)| f(i, out));
    } else {
        out.par_iter_mut().enumerate().for_each(|(i, out)| f(i, out));
    }
}
