//! Merges and noise.

use super::constant;
use crate::kernels::noise;
use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;

/// A factor for each sample, as it meets `like`.
fn per_sample(factors: &[f64], like: &Tensor) -> Result<Tensor> {
    let mut dims = vec![1; like.rank()];
    dims[0] = factors.len();
    constant(factors.to_vec(), dims, like)
}

/// `s + f·r` with a factor for each sample.
pub(in super::super) fn add(s: &Tensor, r: &Tensor, factors: &[f64]) -> Result<Tensor> {
    match factors {
        [first, ..] if factors.iter().all(|f| f == first) => s + (r * *first)?,
        _ => s + r.broadcast_mul(&per_sample(factors, r)?)?,
    }
}

/// `f·x` with a factor for each sample.
pub(in super::super) fn scale_samples(x: &Tensor, factors: &[f64]) -> Result<Tensor> {
    x.broadcast_mul(&per_sample(factors, x)?)
}

/// `s + t·(r − s)` with `t = sigmoid(logits)`.
pub(in super::super) fn gate(s: &Tensor, r: &Tensor, logits: &Tensor) -> Result<Tensor> {
    s + (r - s)?.broadcast_mul(&sigmoid(logits)?)?
}

/// The elements that the kernel would drop are dropped here too.
pub(in super::super) fn dropout(x: &Tensor, p: f64, seed: u64) -> Result<Tensor> {
    let mut mask = vec![0.0; x.elem_count()];
    noise::dropout(seed, p, &vec![1.0; x.elem_count()], &mut mask);
    x * constant(mask, x.shape(), x)?
}
