//! Windows of maps laid out, and the reverse: gathers and sums along one axis after the other.

use super::{indices, surround};
use candle_core::{Result, Tensor};

/// One spatial axis of a window.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
    pub dilation: usize,
}

impl Window {
    /// Where tap `k` of output `o` lies in the padded axis, tap by tap.
    fn taps(&self) -> Vec<usize> {
        let (stride, dilation) = (self.stride, self.dilation);
        (0..self.kernel).flat_map(|k| (0..self.output).map(move |o| k * dilation + o * stride)).collect()
    }

    /// Size of the axis with padding, as far as windows reach and the map goes.
    fn padded(&self) -> usize {
        let reach = (self.output - 1) * self.stride + self.dilation * (self.kernel - 1) + 1;
        reach.max(self.pad + self.input)
    }
}

/// `[N, C, H, W]` to `[N, C, KH, OH, KW, OW]`, padding filled with `fill`.
pub(super) fn unfold(x: &Tensor, [rows, cols]: [Window; 2], fill: f64) -> Result<Tensor> {
    let (n, c, _, _) = x.dims4()?;
    let mut x = x.clone();
    for (axis, w) in [(2, rows), (3, cols)] {
        let padded = surround(&x, axis, (w.pad, w.padded() - w.pad - w.input), fill)?;
        x = padded.contiguous()?.index_select(&indices(w.taps(), &padded)?, axis)?;
    }
    x.reshape(&[n, c, rows.kernel, rows.output, cols.kernel, cols.output][..])
}

/// The transpose of [`unfold`]: windows added where they lie, padding cut off.
pub(super) fn fold(windows: &Tensor, [rows, cols]: [Window; 2]) -> Result<Tensor> {
    let (n, c) = (windows.dim(0)?, windows.dim(1)?);
    let mut x = windows.contiguous()?.reshape((n, c, rows.kernel * rows.output, cols.kernel * cols.output))?;
    for (axis, w) in [(2, rows), (3, cols)] {
        let mut dims = x.dims().to_vec();
        dims[axis] = w.padded();
        let zeros = Tensor::zeros(dims, x.dtype(), x.device())?;
        x = zeros.index_add(&indices(w.taps(), &x)?, &x, axis)?.narrow(axis, w.pad, w.input)?.contiguous()?;
    }
    Ok(x)
}
