//! Pools of `[N, C, H, W]`, forward and backward; maps (a channel of a sample) are independent.

mod adaptive;
mod average;
mod global;
mod max;

pub use adaptive::{adaptive_avg, adaptive_avg_grad};
pub use average::{avg, avg_factors, avg_grad};
pub use global::{global_max, global_max_grad, global_mean, global_mean_grad};
pub use max::{max, max_grad};

/// The sizes of a windowed pool; two entries are `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolShape {
    /// Maps: samples times channels.
    pub maps: usize,
    /// Size of the input.
    pub input: [usize; 2],
    /// Size of the output.
    pub output: [usize; 2],
    /// Window.
    pub kernel: [usize; 2],
    /// Step.
    pub stride: [usize; 2],
    /// Padding before the first row and column.
    pub pad: [usize; 2],
    /// Distance between taps; 1 for means.
    pub dilation: [usize; 2],
}

impl PoolShape {
    /// PyTorch's `pooling_output_shape`: rounded down, or up where `ceil` says so unless the last
    /// window would start in the padding. `None` where no window fits.
    pub fn output_size(
        input: usize,
        kernel: usize,
        stride: usize,
        pad: usize,
        dilation: usize,
        ceil: bool,
    ) -> Option<usize> {
        let reach = input + 2 * pad + if ceil { stride.checked_sub(1)? } else { 0 };
        let size = reach.checked_sub(dilation * kernel.checked_sub(1)? + 1)?.checked_div(stride)? + 1;
        Some(if ceil && (size - 1) * stride >= input + pad { size - 1 } else { size })
    }

    /// Elements of an input map.
    pub fn plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Elements of an output map.
    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Output positions of an axis whose tap `k` lies inside, and the input position under the first.
    #[inline(always)]
    fn inside(&self, axis: usize, k: usize) -> (std::ops::Range<usize>, usize) {
        let (stride, pad, shift) = (self.stride[axis], self.pad[axis], k * self.dilation[axis]);
        let first = pad.saturating_sub(shift).div_ceil(stride);
        let limit = (self.input[axis] + pad).saturating_sub(shift).div_ceil(stride).min(self.output[axis]);
        if first >= limit { (0..0, 0) } else { (first..limit, first * stride + shift - pad) }
    }

    fn check(&self, x: usize, y: usize) {
        assert_eq!(x, self.maps * self.plane(), "the input is as long as its shape");
        assert_eq!(y, self.maps * self.positions(), "the output is as long as its shape");
    }
}

#[cfg(test)]
mod tests;
