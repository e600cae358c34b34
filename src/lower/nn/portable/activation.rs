//! Element-wise functions by pieces, so that gradients at the joints are PyTorch's.

use crate::ops::activation::Activation;
use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;

/// `f(x)`
pub(in super::super) fn activation(x: &Tensor, f: &Activation) -> Result<Tensor> {
    let level = |v: f64| x.ones_like()? * v;
    let above = |v: f64| x.gt(&level(v)?);
    match *f {
        Activation::Relu => x.le(&level(0.0)?)?.where_cond(&x.zeros_like()?, x),
        Activation::Relu6 => between(x, 0.0, 6.0, x, 0.0, &level(6.0)?),
        Activation::LeakyRelu { slope } => above(0.0)?.where_cond(x, &(x * slope)?),
        Activation::Elu { alpha } => {
            let positive = above(0.0)?;
            // Above 0 the exponential is taken of 0, lest it overflow and spoil the gradient.
            let below = positive.where_cond(&x.zeros_like()?, x)?;
            positive.where_cond(x, &((below.exp()? - 1.0)? * alpha)?)
        }
        Activation::Gelu => x * ((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)?.affine(0.5, 0.0)?,
        Activation::Silu => x * sigmoid(x)?,
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::HardSwish => between(x, -3.0, 3.0, &(x * x.affine(1.0 / 6.0, 0.5)?)?, 0.0, x),
        Activation::HardSigmoid => between(x, -3.0, 3.0, &x.affine(1.0 / 6.0, 0.5)?, 0.0, &level(1.0)?),
    }
}

/// `below` up to `low`, `above` from `high` on, `middle` between.
fn between(x: &Tensor, low: f64, high: f64, middle: &Tensor, below: f64, above: &Tensor) -> Result<Tensor> {
    let level = |v: f64| x.ones_like()? * v;
    let upper = x.ge(&level(high)?)?.where_cond(above, middle)?;
    x.le(&level(low)?)?.where_cond(&level(below)?, &upper)
}

/// `x` or `weight·x`
pub(in super::super) fn prelu(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let mut dims = vec![1; x.rank()];
    dims[1] = weight.elem_count();
    x.gt(&x.zeros_like()?)?.where_cond(x, &x.broadcast_mul(&weight.reshape(dims)?)?)
}

/// Softmax over axis 1, or its logarithm.
pub(in super::super) fn softmax(x: &Tensor, log: bool) -> Result<Tensor> {
    let shifted = x.broadcast_sub(&x.max_keepdim(1)?.detach())?;
    let powers = shifted.exp()?;
    let sum = powers.sum_keepdim(1)?;
    if log { shifted.broadcast_sub(&sum.log()?) } else { powers.broadcast_div(&sum) }
}
