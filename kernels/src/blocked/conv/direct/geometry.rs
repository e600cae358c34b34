//! A convolution, or a transposed one, as products over windows: which outputs see which inputs through which taps.

use crate::blocked::{Layout, blocks};
use crate::conv::ConvShape;
use crate::vector::LANES;

/// Outputs at equal distances that all see the same taps; entries are `[rows, columns]`. A convolution is one phase; a
/// transposed one has a phase for every remainder of an output's place by the stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Phase {
    /// Taps.
    pub taps: [usize; 2],
    /// The input under the first tap for the first output; negative in the padding.
    pub first: [isize; 2],
    /// Inputs from a tap to the next.
    pub tap_step: [usize; 2],
    /// Inputs from an output to the next.
    pub stride: [usize; 2],
    /// Outputs.
    pub outputs: [usize; 2],
    /// The place of the first output, and the distance to the next.
    pub place: [usize; 2],
    pub place_step: [usize; 2],
    /// The kernel's element at the first tap, and from a tap to the next.
    pub kernel: [usize; 2],
    pub kernel_step: [isize; 2],
}

impl Phase {
    /// The one phase of a convolution.
    pub fn direct(shape: &ConvShape) -> Self {
        // From one output there is no next, and a stride may be as large as anybody writes it.
        let stride = [0, 1].map(|a| if shape.output[a] > 1 { shape.stride[a] } else { 1 });
        Self {
            taps: shape.kernel,
            first: shape.pad.map(|p| -(p as isize)),
            tap_step: shape.dilation,
            stride,
            outputs: shape.output,
            place: [0; 2],
            place_step: [1; 2],
            kernel: [0; 2],
            kernel_step: [1; 2],
        }
    }

    /// The phases of a transposed convolution: output `o` sees input `i` through tap `k` where
    /// `o = i·stride − pad + k·dilation`.
    pub fn transposed(shape: &ConvShape) -> Vec<Self> {
        let axis = |a: usize| (0..shape.stride[a].min(shape.output[a])).map(move |f| Axis::new(shape, a, f));
        let rows: Vec<Axis> = axis(0).collect();
        let columns: Vec<Axis> = axis(1).collect();
        let pairs = rows.iter().flat_map(|r| columns.iter().map(move |c| [r, c]));
        pairs
            .map(|pair| Self {
                taps: pair.map(|a| a.taps),
                first: pair.map(|a| a.first),
                tap_step: pair.map(|a| a.tap_step),
                stride: [1; 2],
                outputs: pair.map(|a| a.outputs),
                place: pair.map(|a| a.place),
                place_step: shape.stride,
                kernel: pair.map(|a| a.kernel),
                kernel_step: pair.map(|a| a.kernel_step),
            })
            .collect()
    }

    /// Inputs on an axis that outputs `from..to` see: the first, and the one after the last.
    pub fn span(&self, axis: usize, from: usize, to: usize) -> (isize, isize) {
        let start = self.first[axis] + (from * self.stride[axis]) as isize;
        let seen = (to - from).saturating_sub(1) * self.stride[axis]
            + self.taps[axis].saturating_sub(1) * self.tap_step[axis]
            + 1;
        (start, start + seen as isize)
    }

    /// Whether outputs see inputs on an axis that do not exist.
    pub fn reaches_outside(&self, a: usize, size: usize) -> bool {
        let (low, high) = self.span(a, 0, self.outputs[a]);
        self.outputs[a] > 0 && self.taps[a] > 0 && (low < 0 || high > size as isize)
    }

    /// What weights are packed by: the kernel's elements at the taps, and nothing of where they lie.
    pub fn kernel(&self) -> Self {
        let none = [0; 2];
        Self { first: [0; 2], tap_step: none, stride: none, outputs: none, place: none, place_step: none, ..*self }
    }

    /// How many taps in both directions.
    pub fn tap_count(&self) -> usize {
        self.taps[0] * self.taps[1]
    }
}

/// One axis of a phase of a transposed convolution.
struct Axis {
    taps: usize,
    first: isize,
    tap_step: usize,
    outputs: usize,
    place: usize,
    kernel: usize,
    kernel_step: isize,
}

impl Axis {
    /// Outputs `place`, `place + stride`, …: the taps `k` with `place + pad − k·dilation` a multiple of the stride, from
    /// the last to the first, since the inputs under them ascend that way.
    fn new(shape: &ConvShape, a: usize, place: usize) -> Self {
        let (stride, dilation) = (shape.stride[a], shape.dilation[a]);
        let reach = (place + shape.pad[a]) as isize;
        let seen = |k: &usize| (reach - (k * dilation) as isize).rem_euclid(stride as isize) == 0;
        let taps: Vec<usize> = (0..shape.kernel[a]).filter(seen).collect();
        let last = taps.last().copied().unwrap_or(0);
        let apart = if taps.len() > 1 { taps[1] - taps[0] } else { stride };
        Self {
            taps: taps.len(),
            first: (reach - (last * dilation) as isize).div_euclid(stride as isize),
            tap_step: apart * dilation / stride,
            outputs: (shape.output[a] - place).div_ceil(stride),
            place,
            kernel: last,
            kernel_step: -(apart as isize),
        }
    }
}

/// How channels meet: groups are taken together until they fill whole blocks; what does not belong together has weight 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Bundles {
    /// Bundles of groups.
    pub count: usize,
    /// Input channels and output channels of a group.
    pub group: [usize; 2],
    /// Input channels and output channels of a bundle.
    pub channels: [usize; 2],
    /// What the input is read in: 16 channels, or 1 where it is plain.
    pub lanes: usize,
}

impl Bundles {
    pub fn new(shape: &ConvShape, input: Layout) -> Self {
        let group = [shape.group_channels(), shape.group_width()];
        let lanes = if input == Layout::Plain { 1 } else { LANES };
        let whole = |m: usize| {
            shape.groups.is_multiple_of(m)
                && (group[0] * m).is_multiple_of(lanes)
                && (group[1] * m).is_multiple_of(LANES)
        };
        let together = (1..=shape.groups).find(|&m| whole(m)).unwrap_or(shape.groups).max(1);
        let channels = group.map(|c| c * together);
        Self { count: shape.groups / together, group, channels, lanes }
    }

    /// Blocks (or plain channels) of a bundle's input.
    pub fn units(&self) -> usize {
        self.channels[0].div_ceil(self.lanes)
    }

    /// Blocks of a bundle's output.
    pub fn width(&self) -> usize {
        blocks(self.channels[1])
    }
}
