//! Convolutions as one product over windows laid out.

use super::common::{Slide, fold, per_channel, plane, resized, unfold};
use candle_core::{Result, Tensor};

/// A convolution of `[N, C, L]` or `[N, C, H, W]` with weight `[width, C / groups, kernel…]` and bias `[width]`.
pub fn convolve(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    slides: [Slide; 2],
    groups: usize,
) -> Result<Tensor> {
    let (n, c, width, [rows, cols]) = (x.dim(0)?, x.dim(1)?, weight.dim(0)?, slides);
    let positions = rows.output * cols.output;
    let depth = c / groups * rows.kernel * cols.kernel;
    let columns = unfold(&x.reshape((n, c, rows.input, cols.input))?, slides, 0.0)?;
    let columns = columns.permute([1, 2, 4, 0, 3, 5])?.contiguous()?;
    let columns = columns.reshape((groups, depth, n * positions))?;
    let weight = weight.contiguous()?.reshape((groups, width / groups, depth))?;
    let y = weight.matmul(&columns)?.reshape((width, n, positions))?.transpose(0, 1)?.contiguous()?;
    with_bias(y, bias)?.reshape(resized(x, width, [rows.output, cols.output]))
}

/// The transpose of [`convolve`]: `slides` go from what is made here to `x`; weight `[C, width / groups, kernel…]`.
pub fn convolve_back(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    slides: [Slide; 2],
    groups: usize,
) -> Result<Tensor> {
    let (n, c, from, [rows, cols]) = (x.dim(0)?, x.dim(1)?, plane(x), slides);
    let width = weight.dim(1)? * groups;
    let depth = width / groups * rows.kernel * cols.kernel;
    let positions = from[0] * from[1];
    let columns = x.reshape((n, c, positions))?.transpose(0, 1)?.contiguous()?;
    let columns = columns.reshape((groups, c / groups, n * positions))?;
    let weight = weight.contiguous()?.reshape((groups, c / groups, depth))?;
    let columns = weight.transpose(1, 2)?.contiguous()?.matmul(&columns)?;
    let sizes = [width, rows.kernel, cols.kernel, n, from[0], from[1]];
    let y = fold(&columns.reshape(&sizes[..])?.permute([3, 0, 1, 4, 2, 5])?, slides)?;
    let y = y.reshape((n, width, rows.input * cols.input))?;
    with_bias(y, bias)?.reshape(resized(x, width, [rows.input, cols.input]))
}

/// Adds `[C]` to `[N, C, P]`.
fn with_bias(y: Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match bias {
        Some(bias) => y.broadcast_add(&per_channel(bias)?),
        None => Ok(y),
    }
}
