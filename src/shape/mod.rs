//! How big is it? Shapes with the batch left free.

pub mod layout;

pub use layout::{LANES, Layout, blocks};

use serde::{Serialize, Serializer};
use std::fmt;

/// The most sizes of one sample: channels, and two of space.
pub const MOST_SIZES: usize = 3;

/// The shape of a value: the batch `N`, which stays free, and the sizes of one sample.
///
/// `[N, C, H, W]` holds `dims = [C, H, W]`; `[N, C, L]` holds `[C, L]`; a vector `[N, F]` holds `[F]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    dims: Vec<usize>,
}

impl Shape {
    /// A shape from the sizes after the batch.
    pub fn new(dims: impl Into<Vec<usize>>) -> Self {
        Self { dims: dims.into() }
    }

    /// The sizes after the batch.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Rank with the batch counted: 4 for `[N, C, H, W]`.
    pub fn rank(&self) -> usize {
        self.dims.len() + 1
    }

    /// The size of axis 1: channels of a map, features of a vector. `None` for `[N]`.
    pub fn channels(&self) -> Option<usize> {
        self.dims.first().copied()
    }

    /// The sizes after the channels: `[H, W]`, `[L]`, or nothing for a vector.
    pub fn spatial(&self) -> &[usize] {
        self.dims.get(1..).unwrap_or(&[])
    }

    /// The same spatial sizes with other channels.
    pub fn with_channels(&self, channels: usize) -> Self {
        let mut dims = self.dims.clone();
        dims[0] = channels;
        Self { dims }
    }

    /// The same channels with other spatial sizes.
    pub fn with_spatial(&self, spatial: &[usize]) -> Self {
        let mut dims = vec![self.dims[0]];
        dims.extend_from_slice(spatial);
        Self { dims }
    }

    /// Elements of one sample; `None` where they overflow 64 bits.
    pub fn elements(&self) -> Option<u64> {
        self.dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64))
    }

    /// The sizes with a batch put in front, as tensors have them.
    pub fn with_batch(&self, batch: usize) -> Vec<usize> {
        std::iter::once(batch).chain(self.dims.iter().copied()).collect()
    }

    /// `64 × 112 × 112`, for tables.
    pub fn times(&self) -> String {
        self.dims.iter().map(|d| d.to_string()).collect::<Vec<_>>().join(" × ")
    }

    /// The shape of two values multiplied, sizes of 1 stretched; `None` where they do not agree.
    pub fn broadcast(&self, other: &Self) -> Option<Self> {
        if self.rank() != other.rank() {
            return None;
        }
        let join = |(&a, &b): (&usize, &usize)| match (a, b) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        };
        self.dims.iter().zip(&other.dims).map(join).collect::<Option<Vec<_>>>().map(Self::new)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[N")?;
        self.dims.iter().try_for_each(|d| write!(f, ", {d}"))?;
        f.write_str("]")
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.dims)
    }
}
