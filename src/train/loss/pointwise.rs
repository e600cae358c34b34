//! Losses of every element on its own, averaged.

use candle_core::{Result, Tensor};

/// Binary cross entropy of logits x against y in 0–1, `max(x, 0) − x·y + log(1 + exp(−|x|))`: no overflow at either end.
pub fn bce_with_logits(output: &Tensor, target: &Tensor) -> Result<Tensor> {
    let tail = (output.abs()?.neg()?.exp()? + 1.0)?.log()?;
    ((output.relu()? - (output * target)?)? + tail)?.mean_all()
}

/// Mean squared error.
pub fn mse(output: &Tensor, target: &Tensor) -> Result<Tensor> {
    (output - target)?.sqr()?.mean_all()
}

/// Mean absolute error. Written as d · sign(d) with the sign held fixed, so that the gradient at 0 is 0, as PyTorch's.
pub fn l1(output: &Tensor, target: &Tensor) -> Result<Tensor> {
    let difference = (output - target)?;
    let sign = difference.detach().sign()?;
    (difference * sign)?.mean_all()
}
