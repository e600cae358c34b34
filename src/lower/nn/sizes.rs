//! Sizes of `[N, C]`, `[N, C, L]` and `[N, C, H, W]` tensors, read as maps of two axes.

use crate::kernels::norm::BatchShape;
use candle_core::{Result, bail};

/// Batch, channels and `[rows, columns]`; a vector is one position, a line is one row.
pub(super) fn maps(dims: &[usize]) -> Result<(usize, usize, [usize; 2])> {
    match *dims {
        [n, c] => Ok((n, c, [1, 1])),
        [n, c, l] => Ok((n, c, [1, l])),
        [n, c, h, w] => Ok((n, c, [h, w])),
        _ => bail!("want [N, C], [N, C, L] or [N, C, H, W], not {dims:?}"),
    }
}

/// Batch, channels, and all else.
pub(super) fn channels(dims: &[usize]) -> Result<BatchShape> {
    match dims {
        [batch, channels, rest @ ..] => {
            Ok(BatchShape { batch: *batch, channels: *channels, positions: rest.iter().product() })
        }
        _ => bail!("want [N, C, …], not {dims:?}"),
    }
}

/// One value per spatial axis as `[rows, columns]`; rows get `otherwise` where there is one axis.
pub(super) fn pair<T: Copy>(values: &[T], otherwise: T) -> Result<[T; 2]> {
    match *values {
        [w] => Ok([otherwise, w]),
        [h, w] => Ok([h, w]),
        _ => bail!("want one or two spatial axes, not {}", values.len()),
    }
}

/// Sizes of the same rank as `like`, with other channels and other `[rows, columns]`.
pub(super) fn with(like: &[usize], channels: usize, size: [usize; 2]) -> Vec<usize> {
    match like.len() {
        2 => vec![like[0], channels],
        3 => vec![like[0], channels, size[1]],
        _ => vec![like[0], channels, size[0], size[1]],
    }
}
