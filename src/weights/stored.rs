//! A tensor where a file has it.

use super::element::Element;

/// One tensor of a file, not yet read.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its name as the file has it: the keys of the dictionaries around it and its own, joined by dots.
    pub name: String,
    /// How much of the name, in bytes, is the path of its dictionary: `state_dict.` of `state_dict.conv.weight`.
    pub dict: usize,
    /// What its numbers are stored as.
    pub element: Element,
    /// Its sizes.
    pub dims: Vec<usize>,
    /// Elements from one to the next along each axis; row-major where `None`.
    pub strides: Option<Vec<usize>>,
    /// First element, counted from the start of its storage.
    pub start: usize,
    /// Which file holds it, where there are several.
    pub shard: usize,
    /// First byte of its storage in the file.
    pub storage_at: u64,
    /// Bytes of its storage.
    pub storage_bytes: u64,
}

impl Stored {
    /// The path of its dictionary, with the dot at its end; empty at the root.
    pub fn dictionary(&self) -> &str {
        self.name.get(..self.dict).unwrap_or_default()
    }

    /// Whether two names are of the same numbers.
    pub fn same_numbers(&self, other: &Self) -> bool {
        let place = |s: &Self| (s.shard, s.storage_at, s.storage_bytes, s.start);
        place(self) == place(other) && self.dims == other.dims && self.strides == other.strides
    }

    /// Elements; `None` where they overflow, or would not fit any machine's memory.
    pub(super) fn count(&self) -> Option<usize> {
        let count = self.dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
        (count <= 1 << 40).then_some(count)
    }

    /// Elements from the first to one past the last, in the storage.
    pub(super) fn reach(&self) -> Option<usize> {
        let Some(strides) = &self.strides else { return self.count() };
        if strides.len() != self.dims.len() {
            return None;
        }
        if self.dims.contains(&0) {
            return Some(0);
        }
        let step = |at: usize, (&d, &s): (&usize, &usize)| at.checked_add((d - 1).checked_mul(s)?);
        self.dims.iter().zip(strides).try_fold(0usize, step)?.checked_add(1)
    }
}

/// Whether strides are those of numbers that lie row by row; along an axis of one element any will do.
pub(super) fn row_major(dims: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    dims.iter().zip(strides).rev().all(|(&d, &s)| {
        let fits = d == 1 || s == step;
        step *= d;
        fits
    })
}

/// Copies strided elements into row-major order. Every index was checked by [`Stored::reach`].
pub(super) fn gather(bytes: &[u8], size: usize, dims: &[usize], strides: &[usize], count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count * size);
    let mut index = vec![0usize; dims.len()];
    for _ in 0..count {
        let at: usize = index.iter().zip(strides).map(|(i, s)| i * s).sum();
        out.extend_from_slice(&bytes[at * size..(at + 1) * size]);
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            if index[axis] < dims[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}
