//! How the channels of a value lie in memory.

use super::Shape;
use serde::Serialize;

/// Channels of a block: the lanes of the widest vectors.
pub const LANES: usize = 16;

/// The order of a sample's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// `[C, H, W]`
    Plain,
    /// `[⌈C/16⌉, H, W, 16]`, zero past the last channel. A vector `[F]` is a map of one position.
    Blocked,
}

/// Blocks of sixteen that hold so many channels.
pub fn blocks(channels: usize) -> usize {
    channels.div_ceil(LANES)
}

impl Layout {
    /// Numbers of a sample, those past the last channel counted; saturates where it overflows.
    pub fn numbers(self, shape: &Shape) -> u64 {
        let positions = shape.spatial().iter().fold(1u64, |n, &d| n.saturating_mul(d as u64));
        let channels = match self {
            Self::Plain => shape.channels().unwrap_or(1),
            Self::Blocked => blocks(shape.channels().unwrap_or(1)) * LANES,
        };
        positions.saturating_mul(channels as u64)
    }
}
