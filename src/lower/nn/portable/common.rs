//! Tensors from numbers, padding, and windows laid out and added up again.

use candle_core::{Device, Result, Tensor};

/// Numbers as a tensor of the type and on the device of `like`.
pub fn constant(values: Vec<f64>, dims: &[usize], like: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(values, dims, &Device::Cpu)?.to_dtype(like.dtype())?.to_device(like.device())
}

/// Indices as a tensor on the device of `like`.
pub fn indices(values: Vec<usize>, like: &Tensor) -> Result<Tensor> {
    let values: Vec<u32> = values.into_iter().map(|i| i as u32).collect();
    let len = values.len();
    Tensor::from_vec(values, len, like.device())
}

/// Puts `before` and `after` entries of `value` around an axis.
pub fn surround(x: &Tensor, axis: usize, (before, after): (usize, usize), value: f64) -> Result<Tensor> {
    let filler = |size: usize| {
        let mut dims = x.dims().to_vec();
        dims[axis] = size;
        Tensor::full(value, dims, &Device::Cpu)?.to_dtype(x.dtype())?.to_device(x.device())
    };
    let parts = [(before > 0).then(|| filler(before)), Some(Ok(x.clone())), (after > 0).then(|| filler(after))];
    let parts = parts.into_iter().flatten().collect::<Result<Vec<_>>>()?;
    if parts.len() == 1 { Ok(x.clone()) } else { Tensor::cat(&parts, axis) }
}

/// `[rows, columns]` of `[N, C, L]` or `[N, C, H, W]`; a line is one row.
pub fn plane(x: &Tensor) -> [usize; 2] {
    match *x.dims() {
        [_, _, l] => [1, l],
        [_, _, h, w] => [h, w],
        _ => [1, 1],
    }
}

/// Sizes of the rank of `x` with other channels and another plane.
pub fn resized(x: &Tensor, channels: usize, [h, w]: [usize; 2]) -> Vec<usize> {
    match *x.dims() {
        [n, _, _] => vec![n, channels, w],
        [n, _] => vec![n, channels],
        _ => vec![x.dims()[0], channels, h, w],
    }
}

/// `[C]` as it meets `[N, C, P]`.
pub fn per_channel(v: &Tensor) -> Result<Tensor> {
    v.reshape((1, v.elem_count(), 1))
}

/// One window along one axis.
#[derive(Clone, Copy)]
pub struct Slide {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
    pub dilation: usize,
}

impl Slide {
    /// Where tap `k` of output `o` lies in the padded axis, tap by tap.
    fn taps(&self) -> Vec<usize> {
        let at = |k: usize, o: usize| k * self.dilation + o * self.stride;
        (0..self.kernel).flat_map(|k| (0..self.output).map(move |o| at(k, o))).collect()
    }

    /// Size of the axis with padding, as far as windows reach and the map goes.
    fn padded(&self) -> usize {
        let reach = (self.output - 1) * self.stride + self.dilation * (self.kernel - 1) + 1;
        reach.max(self.pad + self.input)
    }
}

/// `[N, C, H, W]` to `[N, C, KH, OH, KW, OW]`, padding filled with `fill`.
pub fn unfold(x: &Tensor, [rows, cols]: [Slide; 2], fill: f64) -> Result<Tensor> {
    let (n, c, _, _) = x.dims4()?;
    let mut x = x.clone();
    for (axis, w) in [(2, rows), (3, cols)] {
        let padded = surround(&x, axis, (w.pad, w.padded() - w.pad - w.input), fill)?;
        x = padded.contiguous()?.index_select(&indices(w.taps(), &padded)?, axis)?;
    }
    x.reshape(&[n, c, rows.kernel, rows.output, cols.kernel, cols.output][..])
}

/// The transpose of [`unfold`]: windows added where they lie, padding cut off.
pub fn fold(windows: &Tensor, [rows, cols]: [Slide; 2]) -> Result<Tensor> {
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
