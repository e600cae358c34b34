//! Pools.

use serde::Serialize;

/// Maximum over windows; ties go to the first in row-major order, as in PyTorch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MaxPool {
    /// Window, one entry per spatial axis.
    pub kernel: Vec<usize>,
    /// Step.
    pub stride: Vec<usize>,
    /// Padding with −∞ on each side; at most half the kernel.
    pub pad: Vec<usize>,
    /// Distance between taps.
    pub dilation: Vec<usize>,
    /// Round the output size up. A window that would start in the right padding is dropped.
    pub ceil: bool,
}

/// Mean over windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AvgPool {
    /// Window, one entry per spatial axis.
    pub kernel: Vec<usize>,
    /// Step.
    pub stride: Vec<usize>,
    /// Zeros on each side; at most half the kernel.
    pub pad: Vec<usize>,
    /// Round the output size up.
    pub ceil: bool,
    /// Whether padding counts in the divisor.
    pub count_pad: bool,
}

/// Maximum or mean over all positions; spatial axes of size 1 stay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GlobalPool {
    /// Maximum rather than mean.
    pub max: bool,
}

/// Mean over windows chosen to give `size`, PyTorch's `AdaptiveAvgPool`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdaptiveAvgPool {
    /// Output size, one entry per spatial axis.
    pub size: Vec<usize>,
}
