//! Files in the address space, and bytes seen as numbers: what reading weights without a copy needs.

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::Range;

/// The smallest pages that there are, in bytes.
const PAGE: usize = 4096;

/// A file, mapped to be read. Its pages are loaded when they are first touched, and the system may drop them again.
///
/// The file must not change while it is mapped. Where another process writes into it, what is read is undefined; where it
/// is cut short, touching the pages that are gone ends the process. Replacing it by renaming another file over it
/// is harmless: the map keeps the old one.
#[derive(Debug)]
pub struct Map(Mmap);

impl Map {
    /// Maps a whole file.
    ///
    /// # Errors
    /// What the system reports.
    pub fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the map is private to this struct and only read; that the file stays as it is, is the caller's
        // promise to the user of this struct (see above), which no program can hold on its own.
        Ok(Self(unsafe { Mmap::map(file) }?))
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the pages that lie wholly in a range back to the system: they no longer count as this process's memory, and
    /// are read again when they are touched again. A hint; where the system has no such call, nothing happens.
    pub fn release(&self, range: Range<usize>) {
        let len = self.0.len();
        // The last page ends with the file. Where pages are larger, the system widens what it is given.
        let end = if range.end >= len { len } else { range.end / PAGE * PAGE };
        let range = range.start.min(len).next_multiple_of(PAGE)..end;
        #[cfg(unix)]
        if !range.is_empty() {
            // SAFETY: nothing is ever written through the map, so dropped pages come back from the file as they were.
            let _ =
                unsafe { self.0.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
        }
        #[cfg(not(unix))]
        drop(range);
    }
}

/// Little-endian bytes seen as the numbers that they are; `None` where they start at an odd address, are no whole number of
/// them, or the machine has the other order.
pub fn as_floats(bytes: &[u8]) -> Option<&[f32]> {
    // SAFETY: every bit pattern is an `f32`.
    let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && after.is_empty() && cfg!(target_endian = "little")).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_map_reads_as_its_file_before_and_after_its_pages_were_given_back() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..100_000u32).flat_map(|i| (i as f32).to_le_bytes()).collect();
        file.write_all(&bytes).unwrap();
        let map = Map::new(&file).unwrap();
        assert_eq!(map.bytes(), bytes);
        for range in [0..400_000, 5..70_000, 399_999..usize::MAX, 9..9] {
            map.release(range);
            assert_eq!(map.bytes(), bytes);
        }
        assert_eq!(as_floats(map.bytes()).unwrap()[99_999], 99_999.0);
        assert!(as_floats(&map.bytes()[1..5]).is_none() && as_floats(&map.bytes()[..6]).is_none());
    }

    #[test]
    fn an_empty_file_is_an_empty_map() {
        let map = Map::new(&tempfile::tempfile().unwrap()).unwrap();
        map.release(0..1);
        assert!(map.bytes().is_empty());
    }
}
