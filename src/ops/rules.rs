//! What several families share: rank checks, window arithmetic, and whole rules for ops that keep shapes.

use super::ShapeError;
use crate::shape::Shape;

/// The most elements that one value or parameter may have; larger ones count as overflow.
pub const MAX_ELEMENTS: u64 = 1 << 48;

/// `[N, C, L] or [N, C, H, W]`, the shapes of maps.
pub const MAPS: &str = "[N, C, L] or [N, C, H, W]";

/// Shape, cost and field of an op that maps each element on its own.
macro_rules! elementwise {
    () => {
        fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
            Ok(inputs[0].clone())
        }
        $crate::ops::rules::no_macs!();
        fn field(&self, _: &[&Shape]) -> Field {
            Field::Pointwise
        }
        fn in_place(&self) -> &'static [usize] {
            &[0]
        }
    };
}

/// No multiply-accumulates.
macro_rules! no_macs {
    () => {
        fn macs(&self, _: &[&Shape], _: &Shape) -> u64 {
            0
        }
    };
}

/// No parameters.
macro_rules! no_params {
    () => {
        fn params(&self, _: &[&Shape]) -> Vec<ParamSpec> {
            Vec::new()
        }
    };
}

/// A backward pass that reads nothing again.
macro_rules! nothing_saved {
    () => {
        fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
            Saved::default()
        }
    };
}

pub(super) use {elementwise, no_macs, no_params, nothing_saved};

/// Refuses everything but `[N, C, L]` and `[N, C, H, W]`.
pub fn need_map(shape: &Shape) -> Result<(), ShapeError> {
    if matches!(shape.rank(), 3 | 4) {
        return Ok(());
    }
    Err(ShapeError::Rank { operand: 0, expected: MAPS, found: shape.rank() })
}

/// Refuses `[N]` and more than two spatial axes.
pub fn need_channels(shape: &Shape) -> Result<(), ShapeError> {
    if matches!(shape.rank(), 2..=4) {
        return Ok(());
    }
    Err(ShapeError::Rank { operand: 0, expected: "[N, F], [N, C, L] or [N, C, H, W]", found: shape.rank() })
}

/// The shape, unless it has more elements than are allowed.
pub fn bounded(shape: Shape) -> Result<Shape, ShapeError> {
    within(shape.dims())?;
    Ok(shape)
}

/// Refuses sizes whose product is more than [`MAX_ELEMENTS`].
pub fn within(dims: &[usize]) -> Result<(), ShapeError> {
    let product = dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64));
    product.filter(|&n| n <= MAX_ELEMENTS).map(|_| ()).ok_or(ShapeError::Overflow)
}

/// What a window reaches over: `dilation·(kernel − 1) + 1`.
pub fn extent(kernel: usize, dilation: usize) -> Option<usize> {
    kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)
}

/// [`extent`] along every axis, saturating.
pub fn extents(kernel: &[usize], dilation: &[usize]) -> Vec<usize> {
    kernel.iter().zip(dilation).map(|(&k, &d)| extent(k, d).unwrap_or(usize::MAX)).collect()
}

/// One axis of a sliding window.
pub struct Slide {
    /// Window.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Padding on each side.
    pub pad: usize,
    /// Distance between taps.
    pub dilation: usize,
    /// Round up; a window that would start in the right padding is dropped.
    pub ceil: bool,
}

impl Slide {
    /// How many positions the window takes on an axis of `size`; PyTorch's `pooling_output_shape`.
    ///
    /// # Errors
    /// Where there is none, or a size overflows.
    pub fn positions(&self, axis: usize, size: usize) -> Result<usize, ShapeError> {
        let window = extent(self.kernel, self.dilation).ok_or(ShapeError::Overflow)?;
        let pad = self.pad.checked_mul(2).ok_or(ShapeError::Overflow)?;
        let padded = size.checked_add(pad).ok_or(ShapeError::Overflow)?;
        let rounding = if self.ceil { self.stride - 1 } else { 0 };
        let reach = padded.checked_add(rounding).ok_or(ShapeError::Overflow)?;
        let too_small = ShapeError::TooSmall { axis, size: padded, window };
        let free = reach.checked_sub(window).ok_or(too_small)?;
        let last = free / self.stride;
        let starts_outside = self.ceil && last.saturating_mul(self.stride) >= size + self.pad;
        Ok(if starts_outside { last } else { last + 1 })
    }
}

/// `3×3`, or `3×1`, or `3` along one axis.
pub fn times(sizes: &[usize]) -> String {
    sizes.iter().map(|s| s.to_string()).collect::<Vec<_>>().join("×")
}

/// ` /2` for a stride that is not 1, ` /2×1` for an uneven one.
pub fn slash(stride: &[usize]) -> String {
    match stride {
        _ if stride.iter().all(|&s| s == 1) => String::new(),
        [first, rest @ ..] if rest.iter().all(|s| s == first) => format!(" /{first}"),
        _ => format!(" /{}", times(stride)),
    }
}

/// `2` where all sizes are the same, else `2×1`.
pub fn short(sizes: &[usize]) -> String {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|s| s == first) => first.to_string(),
        _ => times(sizes),
    }
}
