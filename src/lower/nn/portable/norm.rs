//! Normalisations from means and products.

use super::common::per_channel;
use candle_core::{Result, Tensor};

/// `y·weight + bias` for `y` `[N, C, P]`.
fn affine(y: Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Result<Tensor> {
    let y = weight.map_or(Ok(y.clone()), |w| y.broadcast_mul(&per_channel(w)?))?;
    bias.map_or(Ok(y.clone()), |b| y.broadcast_add(&per_channel(b)?))
}

/// What `x` is over `axes`: centred and scaled to variance 1, its means and its biased variances.
fn standardise(x: &Tensor, axes: &[usize], eps: f64) -> Result<(Tensor, Tensor, Tensor)> {
    let mean = x.mean_keepdim(axes)?;
    let centred = x.broadcast_sub(&mean)?;
    let var = centred.sqr()?.mean_keepdim(axes)?;
    let scale = (&var + eps)?.sqrt()?.recip()?;
    Ok((centred.broadcast_mul(&scale)?, mean, var))
}

/// Batch normalisation in training; also the batch's means and unbiased variances, each `[C]`.
pub fn batch_norm_train(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<(Tensor, Tensor, Tensor)> {
    let (n, c) = (x.dim(0)?, x.dim(1)?);
    let count = (x.elem_count() / c) as f64;
    let (y, mean, var) = standardise(&x.reshape((n, c, ()))?, &[0, 2], eps)?;
    let var = (var.detach() * (count / (count - 1.0)))?;
    Ok((affine(y, weight, bias)?.reshape(x.shape())?, mean.detach().flatten_all()?, var.flatten_all()?))
}

/// Batch normalisation by the given means and variances.
pub fn batch_norm_eval(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    (mean, var): (&Tensor, &Tensor),
    eps: f64,
) -> Result<Tensor> {
    let (n, c) = (x.dim(0)?, x.dim(1)?);
    let centred = x.reshape((n, c, ()))?.broadcast_sub(&per_channel(&mean.detach())?)?;
    let scale = (var.detach() + eps)?.sqrt()?.recip()?;
    affine(centred.broadcast_mul(&per_channel(&scale)?)?, weight, bias)?.reshape(x.shape())
}

/// Normalisation over groups of channels of each sample.
pub fn group_norm(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    groups: usize,
    eps: f64,
) -> Result<Tensor> {
    let (n, c) = (x.dim(0)?, x.dim(1)?);
    let (y, _, _) = standardise(&x.reshape((n, groups, ()))?, &[2], eps)?;
    affine(y.reshape((n, c, ()))?, weight, bias)?.reshape(x.shape())
}

/// Normalisation over the channels at each position.
pub fn layer_norm(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    let (n, c) = (x.dim(0)?, x.dim(1)?);
    let (y, _, _) = standardise(&x.reshape((n, c, ()))?, &[1], eps)?;
    affine(y, weight, bias)?.reshape(x.shape())
}
