//! Element-wise functions by pieces, so that gradients at the joints are PyTorch's.

use candle_core::{Result, Tensor};

fn level(x: &Tensor, value: f64) -> Result<Tensor> {
    x.ones_like()? * value
}

/// `max(x, 0)`; its gradient at 0 is 0, as PyTorch's.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    x.le(&level(x, 0.0)?)?.where_cond(&x.zeros_like()?, x)
}

/// `below` up to `low`, `above` from `high` on, `middle` between.
fn between(x: &Tensor, (low, high): (f64, f64), middle: &Tensor, below: f64, above: &Tensor) -> Result<Tensor> {
    let upper = x.ge(&level(x, high)?)?.where_cond(above, middle)?;
    x.le(&level(x, low)?)?.where_cond(&level(x, below)?, &upper)
}

/// `x` between 0 and 6.
pub fn relu6(x: &Tensor) -> Result<Tensor> {
    between(x, (0.0, 6.0), x, 0.0, &level(x, 6.0)?)
}

/// `x` above 0, else `slope·x`.
pub fn leaky_relu(x: &Tensor, slope: f64) -> Result<Tensor> {
    x.gt(&level(x, 0.0)?)?.where_cond(x, &(x * slope)?)
}

/// `x` above 0, else `alpha·(eˣ − 1)`.
pub fn elu(x: &Tensor, alpha: f64) -> Result<Tensor> {
    let positive = x.gt(&level(x, 0.0)?)?;
    // Above 0 the exponential is taken of 0, lest it overflow and spoil the gradient.
    let below = positive.where_cond(&x.zeros_like()?, x)?;
    positive.where_cond(x, &((below.exp()? - 1.0)? * alpha)?)
}

/// `x·Φ(x)`, exact, with erf.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    x * ((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)?.affine(0.5, 0.0)?
}

/// `x·σ(x)`
pub fn silu(x: &Tensor) -> Result<Tensor> {
    x * candle_nn::ops::sigmoid(x)?
}

/// `x` times its [`hard_sigmoid`].
pub fn hard_swish(x: &Tensor) -> Result<Tensor> {
    between(x, (-3.0, 3.0), &(x * x.affine(1.0 / 6.0, 0.5)?)?, 0.0, x)
}

/// `x / 6 + 1 / 2` between 0 and 1.
pub fn hard_sigmoid(x: &Tensor) -> Result<Tensor> {
    between(x, (-3.0, 3.0), &x.affine(1.0 / 6.0, 0.5)?, 0.0, &level(x, 1.0)?)
}

/// `weight`, one a channel or one in all, times `x`.
pub fn scale(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let mut dims = vec![1; x.rank()];
    dims[1] = weight.elem_count();
    x.broadcast_mul(&weight.reshape(dims)?)
}

/// `x` above 0, else `weight·x` (He et al. 2015).
pub fn prelu(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.gt(&x.zeros_like()?)?.where_cond(x, &scale(x, weight)?)
}

/// Over channels.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let powers = x.broadcast_sub(&x.max_keepdim(1)?.detach())?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(1)?)
}
