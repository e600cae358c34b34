//! How parameters start: tensors of the values that [`crate::weights::init`] draws, and the nearest hints for candle's.

use super::error::Result;
use crate::ops::{Init, ParamSpec};
use crate::weights::init::{self, fans};
use candle_core::{DType, Device, Tensor};
use candle_nn::init::{FanInOut, NonLinearity, NormalOrUniform};

/// The initial values of a parameter, a function of the seed, its path and its sizes alone.
///
/// # Errors
/// Where the device cannot hold it.
pub fn values(spec: &ParamSpec, path: &str, seed: u64, dtype: DType, device: &Device) -> Result<Tensor> {
    let dims = spec.dims.as_slice();
    if dims.is_empty() {
        return Ok(Tensor::zeros((), DType::I64, device)?);
    }
    let tensor = match dtype {
        DType::F32 => Tensor::from_vec(init::values::<f32>(spec, path, seed), dims, &Device::Cpu),
        _ => Tensor::from_vec(init::values::<f64>(spec, path, seed), dims, &Device::Cpu)?.to_dtype(dtype),
    };
    Ok(tensor?.to_device(device)?)
}

/// What a plain `VarMap` is asked for: the same distribution, drawn from candle's generator.
/// [`Init::Identity`] has none, and [`Module`](super::Module) writes its values itself.
pub fn hint(init: Init, dims: &[usize]) -> candle_nn::Init {
    let (fan_in, fan_out) = fans(dims);
    let kaiming = |dist, fan| candle_nn::Init::Kaiming { dist, fan, non_linearity: NonLinearity::ReLU };
    let normal = |stdev| candle_nn::Init::Randn { mean: 0.0, stdev };
    let uniform = |bound: f64| candle_nn::Init::Uniform { lo: -bound, up: bound };
    match init {
        Init::KaimingNormal => kaiming(NormalOrUniform::Normal, FanInOut::FanOut),
        Init::KaimingUniform => kaiming(NormalOrUniform::Uniform, FanInOut::FanIn),
        Init::XavierNormal => normal((2.0 / (fan_in + fan_out)).sqrt()),
        Init::XavierUniform => uniform((6.0 / (fan_in + fan_out)).sqrt()),
        Init::Normal(std) => normal(std),
        Init::Uniform(bound) => uniform(bound),
        Init::Constant(value) => candle_nn::Init::Const(value),
        Init::Identity => candle_nn::Init::Const(0.0),
    }
}
