//! Merges.

use candle_core::{Result, Tensor};

/// `s + t·(r − s)` with `t = sigmoid(logits)`.
pub fn gate(s: &Tensor, r: &Tensor, logits: &Tensor) -> Result<Tensor> {
    s + (r - s)?.broadcast_mul(&candle_nn::ops::sigmoid(logits)?)?
}
