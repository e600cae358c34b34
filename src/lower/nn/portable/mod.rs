//! The same functions composed of candle operators, for devices without kernels of ours.
//!
//! Only operators whose gradients are right are used: products, sums, `index_select` and its transpose
//! `index_add`, `gather`, `where_cond`, `narrow`, `cat` and element-wise ones. In particular not
//! candle's convolutions, pools, upsampling or `relu`.

pub(super) mod activation;
pub(super) mod conv;
pub(super) mod merge;
pub(super) mod norm;
pub(super) mod pool;
pub(super) mod resize;
mod windows;

use candle_core::{Device, Result, Shape, Tensor};

/// Numbers as a tensor of the dtype and on the device of `like`.
fn constant(values: Vec<f64>, dims: impl Into<Shape>, like: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(values, dims, &Device::Cpu)?.to_dtype(like.dtype())?.to_device(like.device())
}

/// Indices as a tensor on the device of `like`.
fn indices(values: Vec<usize>, like: &Tensor) -> Result<Tensor> {
    let values: Vec<u32> = values.into_iter().map(|i| i as u32).collect();
    let len = values.len();
    Tensor::from_vec(values, len, like.device())
}

/// A tensor of one number in the sizes of a part of `like`: `size` along `axis`.
fn filler(like: &Tensor, axis: usize, size: usize, value: f64) -> Result<Tensor> {
    let mut dims = like.dims().to_vec();
    dims[axis] = size;
    Tensor::full(value, dims, &Device::Cpu)?.to_dtype(like.dtype())?.to_device(like.device())
}

/// Puts `before` and `after` entries of `value` around an axis.
fn surround(x: &Tensor, axis: usize, (before, after): (usize, usize), value: f64) -> Result<Tensor> {
    let (before, after) = (
        (before > 0).then(|| filler(x, axis, before, value)).transpose()?,
        (after > 0).then(|| filler(x, axis, after, value)).transpose()?,
    );
    match (&before, &after) {
        (None, None) => Ok(x.clone()),
        (Some(b), None) => Tensor::cat(&[b, x], axis),
        (None, Some(a)) => Tensor::cat(&[x, a], axis),
        (Some(b), Some(a)) => Tensor::cat(&[b, x, a], axis),
    }
}
