//! The sizes of a convolution.

/// All that a convolution's kernels must know; two entries are `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Samples.
    pub batch: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub width: usize,
    /// Independent groups of channels; divides both.
    pub groups: usize,
    /// Size of the input.
    pub input: [usize; 2],
    /// Size of the output.
    pub output: [usize; 2],
    /// Window.
    pub kernel: [usize; 2],
    /// Step.
    pub stride: [usize; 2],
    /// Zeros before the first row and column.
    pub pad: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
}

impl ConvShape {
    /// `⌊(in + 2·pad − dilation·(kernel − 1) − 1) / stride⌋ + 1`; `None` where the window does not fit.
    pub fn output_size(input: usize, kernel: usize, stride: usize, pad: usize, dilation: usize) -> Option<usize> {
        let room = (input + 2 * pad).checked_sub(dilation * kernel.checked_sub(1)? + 1)?;
        Some(room.checked_div(stride)? + 1)
    }

    /// Input channels that one output channel sees.
    pub fn group_channels(&self) -> usize {
        self.channels / self.groups
    }

    /// Output channels of a group.
    pub fn group_width(&self) -> usize {
        self.width / self.groups
    }

    /// Taps of a window.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Rows of the matrix of columns, in one group: channels times taps.
    pub fn depth(&self) -> usize {
        self.group_channels() * self.taps()
    }

    /// Positions of an output map.
    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Positions of an input map.
    pub fn input_positions(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Whether every output channel sees one input channel.
    pub fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.group_channels() == 1
    }

    /// Whether the columns are the input itself.
    pub fn is_pointwise(&self) -> bool {
        self.taps() == 1 && self.stride == [1, 1] && self.pad == [0, 0] && self.input == self.output
    }

    /// Multiply-accumulates of one pass.
    pub fn work(&self) -> usize {
        self.batch * self.width * self.positions() * self.depth()
    }

    pub(super) fn check(&self, x: usize, w: usize, y: usize) {
        assert_eq!(x, self.batch * self.channels * self.input_positions(), "the input is as long as its shape");
        assert_eq!(w, self.width * self.depth(), "the weight is as long as its shape");
        assert_eq!(y, self.batch * self.width * self.positions(), "the output is as long as its shape");
        assert!(self.channels.is_multiple_of(self.groups) && self.width.is_multiple_of(self.groups), "groups are even");
    }
}
