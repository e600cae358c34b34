//! One block of memory in which every value of a network has its place.

use super::view::{Dst, Src};
use memmap2::MmapMut;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Bytes that the arena's start is a multiple of.
const ALIGNMENT: usize = 64;
/// Bytes of a huge page, where there are such.
const HUGE: usize = 2 << 20;
/// Floats from which memory is worth a call of the system.
const LARGE: usize = 1 << 14;

/// Floats, allocated once.
#[derive(Debug)]
pub struct Arena {
    start: NonNull<f32>,
    len: usize,
    /// The pages that it lies in, where it has them straight from the system.
    map: Option<MmapMut>,
}

// SAFETY: it owns its memory, as a vector does.
unsafe impl Send for Arena {}
// SAFETY: a shared arena gives nothing away.
unsafe impl Sync for Arena {}

impl Arena {
    /// An arena of so many floats, all 0.
    pub fn new(len: usize) -> Self {
        let layout = Self::layout(len);
        if len == 0 {
            return Self { start: NonNull::dangling(), len, map: None };
        }
        // SAFETY: the layout has a size.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start.cast()).unwrap_or_else(|| handle_alloc_error(layout));
        Self { start, len, map: None }
    }

    /// An arena whose pages come straight from the system, as zeros that cost nothing until they are touched, and go back
    /// there at once when it is dropped: an allocator would keep them, and what is large then counts twice.
    pub fn mapped(len: usize) -> Self {
        let bytes = Self::layout(len).size();
        let Some(mut map) = (len >= LARGE).then(|| pages(bytes)).flatten() else { return Self::new(len) };
        // Pages are aligned to more than an arena is.
        match NonNull::new(map.as_mut_ptr().cast()) {
            Some(start) => Self { start, len, map: Some(map) },
            None => Self::new(len),
        }
    }

    fn layout(len: usize) -> Layout {
        Layout::array::<f32>(len).and_then(|l| l.align_to(ALIGNMENT)).expect("a planned arena can be addressed")
    }

    /// Floats.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All floats.
    pub fn floats(&self) -> &[f32] {
        // SAFETY: the arena owns them or the map that they lie in, and they were zero at first.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// All floats, to be written.
    pub fn floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above; borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// The memory that a step works with, for as long as nobody else does.
    ///
    /// # Panics
    /// Where it does not lie inside.
    pub fn views<'a>(&'a mut self, access: &'a Access) -> Views<'a> {
        assert!(access.end <= self.len, "a step works inside the arena");
        Views { start: self.start.as_ptr(), access, taken: false, life: PhantomData }
    }

    /// A value.
    ///
    /// # Panics
    /// Where it does not lie inside.
    pub fn read(&self, region: &Region) -> Src<'_> {
        assert!(region.end() <= self.len, "a value lies inside the arena");
        // SAFETY: inside, by the assertion; the arena is borrowed, so nobody writes.
        unsafe { Src::raw(self.start.as_ptr().add(region.offset), region.samples, region.len, region.stride) }
    }

    /// A value to write.
    ///
    /// # Panics
    /// Where it does not lie inside.
    pub fn write(&mut self, region: &Region) -> Dst<'_> {
        assert!(region.end() <= self.len, "a value lies inside the arena");
        // SAFETY: inside, by the assertion; samples lie apart, as a region promises; the arena is borrowed exclusively.
        unsafe { Dst::raw(self.start.as_ptr().add(region.offset), region.samples, region.len, region.stride) }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        if self.len > 0 && self.map.is_none() {
            // SAFETY: allocated in `new` with this layout.
            unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.len)) }
        }
    }
}

/// Zeroed pages from the system, as large ones as fill the bytes; `None` where it has none.
fn pages(bytes: usize) -> Option<MmapMut> {
    let whole = bytes / HUGE * HUGE;
    if whole == 0 {
        return MmapMut::map_anon(bytes).ok();
    }
    // Linux starts a map at a huge page where it has room for whole ones only. Those that are not used are never touched.
    let map = MmapMut::map_anon(bytes.next_multiple_of(HUGE)).ok()?;
    // Fewer pages are fewer faults while packing, and fewer look-ups of addresses in every run. Only a wish.
    #[cfg(target_os = "linux")]
    let _ = map.advise_range(memmap2::Advice::HugePage, 0, whole);
    Some(map)
}

/// Where a value lies: `samples` runs of `len` floats, `stride` from one to the next, from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    offset: usize,
    samples: usize,
    len: usize,
    stride: usize,
}

impl Region {
    /// A region.
    ///
    /// # Panics
    /// Where samples overlap.
    pub fn new(offset: usize, samples: usize, len: usize, stride: usize) -> Self {
        assert!(samples <= 1 || len <= stride, "samples lie apart");
        Self { offset, samples, len, stride }
    }

    /// Floats from the start of the arena to the last of the region, counted.
    pub fn end(&self) -> usize {
        if self.samples == 0 || self.len == 0 { 0 } else { self.offset + (self.samples - 1) * self.stride + self.len }
    }

    /// Whether two regions share a float.
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.end().min(other.end()) <= self.offset.max(other.offset) {
            return false;
        }
        let (low, high) = if self.offset <= other.offset { (self, other) } else { (other, self) };
        let alike = low.stride == high.stride && low.samples.max(high.samples) > 1;
        if !alike {
            return true;
        }
        let apart = (high.offset - low.offset) % low.stride;
        apart < low.len || apart + high.len > low.stride
    }
}

/// What a step must not do: write where it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap;

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step writes over what it reads")
    }
}

/// The memory that one step works with, checked once: what it writes, its scratch, and each of what it reads lie
/// apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    reads: Vec<Region>,
    write: Region,
    scratch: Region,
    end: usize,
}

impl Access {
    /// Checks that a step's memory lies apart. A value that it changes in place is not among its reads.
    ///
    /// # Errors
    /// Where it does not.
    pub fn new(reads: Vec<Region>, write: Region, scratch: Region) -> Result<Self, Overlap> {
        let torn = reads.iter().any(|read| read.overlaps(&write) || read.overlaps(&scratch));
        if torn || write.overlaps(&scratch) {
            return Err(Overlap);
        }
        let ends = reads.iter().chain([&write, &scratch]).map(Region::end);
        Ok(Self { end: ends.max().unwrap_or(0), reads, write, scratch })
    }
}

/// The memory of one step.
#[derive(Debug)]
pub struct Views<'a> {
    start: *mut f32,
    access: &'a Access,
    taken: bool,
    life: PhantomData<&'a mut [f32]>,
}

impl<'a> Views<'a> {
    /// The `i`-th value that it reads.
    ///
    /// # Panics
    /// Where it does not read so many.
    pub fn read(&self, i: usize) -> Src<'a> {
        let it = &self.access.reads[i];
        // SAFETY: inside the arena, as `Arena::views` saw; apart from all that is written, as `Access::new` saw.
        unsafe { Src::raw(self.start.add(it.offset), it.samples, it.len, it.stride) }
    }

    /// What it writes, and its scratch.
    ///
    /// # Panics
    /// The second time.
    pub fn write(&mut self) -> (Dst<'a>, &'a mut [f32]) {
        assert!(!self.taken, "what a step writes is taken once");
        self.taken = true;
        let (it, scratch) = (&self.access.write, &self.access.scratch);
        // SAFETY: inside the arena, apart from each other and from all that is read, and given out once.
        unsafe {
            let dst = Dst::raw(self.start.add(it.offset), it.samples, it.len, it.stride);
            (dst, std::slice::from_raw_parts_mut(self.start.add(scratch.offset), scratch.len))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Rng;
    use std::collections::BTreeSet;

    fn floats(region: &Region) -> BTreeSet<usize> {
        (0..region.samples).flat_map(|n| (0..region.len).map(move |i| region.offset + n * region.stride + i)).collect()
    }

    #[test]
    fn regions_overlap_where_they_share_a_float() {
        let mut rng = Rng::new(3);
        let mut met = [0, 0];
        for _ in 0..4000 {
            let stride = 1 + rng.below(12);
            let mut random = || {
                let len = 1 + rng.below(stride);
                Region::new(rng.below(30), 1 + rng.below(3), len, stride)
            };
            let (a, b) = (random(), random());
            let share = !floats(&a).is_disjoint(&floats(&b));
            // Interleaved samples that never meet may still be refused where they cross the end of a stride.
            assert!(a.overlaps(&b) || !share, "{a:?} {b:?}");
            met[usize::from(a.overlaps(&b))] += 1;
        }
        assert!(met[0] > 500 && met[1] > 500);
        let slices = [Region::new(0, 4, 32, 96), Region::new(32, 4, 64, 96)];
        assert!(!slices[0].overlaps(&slices[1]));
    }

    #[test]
    fn pages_of_the_system_are_as_good_as_the_allocators() {
        for len in [0, 5, LARGE, LARGE + 3] {
            let mut arena = Arena::mapped(len);
            assert_eq!((arena.len(), arena.map.is_some()), (len, len >= LARGE));
            let start = arena.floats().as_ptr();
            assert!(len == 0 || start.align_offset(ALIGNMENT) == 0);
            assert!(arena.floats().iter().all(|&x| x == 0.0));
            arena.floats_mut().fill(1.0);
            // It may move.
            let moved = Box::new(arena);
            assert_eq!(moved.floats().iter().sum::<f32>(), len as f32);
        }
    }

    #[test]
    fn a_step_cannot_write_over_what_it_reads() {
        let none = Region::new(0, 1, 0, 0);
        let at = |offset| Region::new(offset, 2, 8, 16);
        assert_eq!(Access::new(vec![at(0)], at(4), none), Err(Overlap));
        let access = Access::new(vec![at(0)], at(8), none).unwrap();
        let mut arena = Arena::new(32);
        let (mut y, _) = arena.views(&access).write();
        y.sample(1).fill(2.0);
        assert_eq!(arena.read(&at(8)).sample(1), [2.0; 8]);
        assert_eq!(arena.read(&at(0)).sample(1), [0.0; 8]);
    }
}
