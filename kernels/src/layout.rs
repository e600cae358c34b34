//! How the channels of a map lie in memory.

/// Channels of a block: the lanes of the widest vectors.
pub const LANES: usize = 16;

/// The order of a sample's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Numbers of a sample of so many channels and positions, those past the last channel counted.
    pub fn len(self, channels: usize, positions: usize) -> usize {
        match self {
            Self::Plain => channels * positions,
            Self::Blocked => blocks(channels) * LANES * positions,
        }
    }
}
