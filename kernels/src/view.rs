//! Values in the arena as kernels see them: samples at equal distances, which may be channel slices of a larger
//! value.

use std::marker::PhantomData;

/// A value to read: `samples` runs of `len` floats, `stride` floats from one to the next.
#[derive(Clone, Copy, Debug)]
pub struct Src<'a> {
    start: *const f32,
    samples: usize,
    len: usize,
    stride: usize,
    life: PhantomData<&'a [f32]>,
}

/// A value to write, and perhaps to read first: `samples` runs of `len` floats, `stride` from one to the next.
#[derive(Debug)]
pub struct Dst<'a> {
    start: *mut f32,
    samples: usize,
    len: usize,
    stride: usize,
    life: PhantomData<&'a mut [f32]>,
}

// SAFETY: it stands for shared slices of floats, which threads may share.
unsafe impl Send for Src<'_> {}
// SAFETY: as above.
unsafe impl Sync for Src<'_> {}
// SAFETY: it stands for an exclusive slice of floats; tasks that share it write disjoint parts, as `part` demands.
unsafe impl Send for Dst<'_> {}
// SAFETY: as above.
unsafe impl Sync for Dst<'_> {}

impl<'a> Src<'a> {
    /// Samples side by side.
    ///
    /// # Panics
    /// Where the samples do not fill the slice evenly.
    pub fn new(data: &'a [f32], samples: usize) -> Self {
        assert!(samples > 0 && data.len().is_multiple_of(samples), "samples are equally long");
        let len = data.len() / samples;
        Self { start: data.as_ptr(), samples, len, stride: len, life: PhantomData }
    }

    /// A value by its address.
    ///
    /// # Safety
    /// For the lifetime, every sample lies in one allocation, can be read, and is written by no one.
    pub(super) unsafe fn raw(start: *const f32, samples: usize, len: usize, stride: usize) -> Self {
        Self { start, samples, len, stride, life: PhantomData }
    }

    /// How many samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Floats of a sample.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether samples are empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A sample.
    ///
    /// # Panics
    /// Where there is no such sample.
    #[inline(always)]
    pub fn sample(&self, n: usize) -> &'a [f32] {
        assert!(n < self.samples, "the sample exists");
        // SAFETY: inside, by construction and the assertion.
        unsafe { std::slice::from_raw_parts(self.start.add(n * self.stride), self.len) }
    }
}

impl<'a> Dst<'a> {
    /// Samples side by side.
    ///
    /// # Panics
    /// Where the samples do not fill the slice evenly.
    pub fn new(data: &'a mut [f32], samples: usize) -> Self {
        assert!(samples > 0 && data.len().is_multiple_of(samples), "samples are equally long");
        let len = data.len() / samples;
        Self { start: data.as_mut_ptr(), samples, len, stride: len, life: PhantomData }
    }

    /// A value by its address.
    ///
    /// # Safety
    /// For the lifetime, every sample lies in one allocation, apart from the others, and no one else uses it.
    pub(super) unsafe fn raw(start: *mut f32, samples: usize, len: usize, stride: usize) -> Self {
        Self { start, samples, len, stride, life: PhantomData }
    }

    /// How many samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Floats of a sample.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether samples are empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The same value, for a while.
    pub fn reborrow(&mut self) -> Dst<'_> {
        Dst { life: PhantomData, ..*self }
    }

    /// The first `len` floats of each sample.
    ///
    /// # Panics
    /// Where samples are shorter.
    pub fn shortened(self, len: usize) -> Self {
        assert!(len <= self.len, "samples are as long");
        Self { len, ..self }
    }

    /// A sample.
    ///
    /// # Panics
    /// Where there is no such sample.
    pub fn sample(&mut self, n: usize) -> &mut [f32] {
        // SAFETY: exclusive, by the receiver.
        unsafe { self.part(n, 0, self.len) }
    }

    /// `len` floats of a sample from `start`, for one of several tasks.
    ///
    /// # Panics
    /// Where they do not lie inside.
    ///
    /// # Safety
    /// While the part is borrowed no other part that overlaps it may be.
    #[allow(clippy::mut_from_ref)]
    #[inline(always)]
    pub(super) unsafe fn part(&self, n: usize, start: usize, len: usize) -> &mut [f32] {
        assert!(n < self.samples && start <= self.len && len <= self.len - start, "a part lies inside");
        // SAFETY: inside, by construction and the assertion; not aliased, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(n * self.stride + start), len) }
    }

    /// The address of a sample.
    ///
    /// # Panics
    /// Where there is no such sample.
    #[inline(always)]
    pub(super) fn pointer(&self, n: usize) -> *mut f32 {
        assert!(n < self.samples, "the sample exists");
        // SAFETY: inside, by construction and the assertion.
        unsafe { self.start.add(n * self.stride) }
    }
}
