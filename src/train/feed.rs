//! From a batch of plain numbers to the tensors that a step reads.

use super::data::{Batch, Targets};
use candle_core::{DType, Device, Result, Tensor};

/// A batch on its device.
pub struct Fed {
    /// Samples in it.
    pub samples: usize,
    /// `[N, …]`.
    pub inputs: Tensor,
    /// Classes `[N]` or `[N, H, W]`, or values `[N, …]`.
    pub target: Tensor,
    /// What mixup mixed in: its target, and the weight of `target`.
    pub mix: Option<(Tensor, f64)>,
}

/// Moves a batch to a device, its inputs and values in type `dtype`.
///
/// # Errors
/// Where the device cannot hold it.
pub fn feed(batch: Batch, dtype: DType, device: &Device) -> Result<Fed> {
    let samples = batch.len();
    let inputs = Tensor::from_vec(batch.inputs, batch.dims, device)?.to_dtype(dtype)?;
    let target = targets(batch.targets, dtype, device)?;
    let mix = match batch.mix {
        Some(mix) => Some((targets(mix.other, dtype, device)?, f64::from(mix.lambda))),
        None => None,
    };
    Ok(Fed { samples, inputs, target, mix })
}

fn targets(targets: Targets, dtype: DType, device: &Device) -> Result<Tensor> {
    match targets {
        Targets::Classes(list) => Tensor::new(list, device),
        Targets::Masks(list, dims) => Tensor::from_vec(list, dims.as_slice(), device),
        Targets::Tensor(list, dims) => Tensor::from_vec(list, dims, device)?.to_dtype(dtype),
    }
}
