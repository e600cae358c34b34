//! The soft Dice loss (Milletari et al. 2016), averaged over classes.

use super::{holds_classes, values_like};
use candle_core::{D, Result, Tensor, bail};

/// `mean over c of 1 − (2·Σ pᵧ + s) / (Σ p + Σ y + s)`, the sums over the batch and all positions.
///
/// p is the softmax of logits `[N, C, …]`, or the sigmoid where C is 1; y is 1 where the class is c.
/// Positions whose class is `ignore` are in neither sum; another class outside 0..C belongs to none.
pub fn dice(output: &Tensor, target: &Tensor, smooth: f64, ignore: Option<i64>) -> Result<Tensor> {
    let channels = output.dim(1)?;
    let kept = ignore.filter(|_| holds_classes(target)).map(|ignore| kept(target, output, ignore)).transpose()?;
    let (probability, truth) = if channels == 1 {
        (sigmoid(output)?, values_like(target, output)?)
    } else {
        (softmax(output)?, one_hot(target, output)?)
    };
    let counted = |x: Tensor| match &kept {
        Some(kept) => x.broadcast_mul(kept),
        None => Ok(x),
    };
    let probability = by_class(&counted(probability)?, channels)?;
    let truth = by_class(&counted(truth)?, channels)?;
    let overlap = (&probability * &truth)?.sum(D::Minus1)?;
    let sizes = (probability.sum(D::Minus1)? + truth.sum(D::Minus1)?)?;
    let ratio = (((overlap * 2.0)? + smooth)? / (sizes + smooth)?)?;
    ratio.mean_all()?.affine(-1.0, 1.0)
}

/// Classes `[N, …]` as `[N, 1, …]`: 0 where they are left out, else 1.
fn kept(target: &Tensor, output: &Tensor, ignore: i64) -> Result<Tensor> {
    let mut dims = output.dims().to_vec();
    dims[1] = 1;
    if target.elem_count() != dims.iter().product::<usize>() {
        bail!("classes {:?} do not fit the output {:?}", target.dims(), output.dims());
    }
    let classes = target.to_device(output.device())?.to_dtype(candle_core::DType::I64)?;
    classes.ne(ignore)?.to_dtype(output.dtype())?.reshape(dims)
}

/// `1 / (1 + exp(−x))`.
fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

/// Softmax over axis 1, made of operations whose gradients candle has right.
fn softmax(x: &Tensor) -> Result<Tensor> {
    let exp = x.broadcast_sub(&x.detach().max_keepdim(1)?)?.exp()?;
    exp.broadcast_div(&exp.sum_keepdim(1)?)
}

/// `[N, C, …]` as `[C, N·…]`.
fn by_class(x: &Tensor, channels: usize) -> Result<Tensor> {
    x.transpose(0, 1)?.contiguous()?.reshape((channels, ()))
}

/// Classes `[N, …]` as ones and zeros `[N, C, …]`; values of the output's shape stay what they are.
fn one_hot(target: &Tensor, output: &Tensor) -> Result<Tensor> {
    if !holds_classes(target) {
        return values_like(target, output);
    }
    let mut dims = output.dims().to_vec();
    let channels = std::mem::replace(&mut dims[1], 1);
    if target.elem_count() != dims.iter().product::<usize>() {
        bail!("classes {:?} do not fit the output {:?}", target.dims(), output.dims());
    }
    let classes = target.to_device(output.device())?.to_dtype(candle_core::DType::I64)?.reshape(dims.as_slice())?;
    let mut ladder = vec![1; dims.len()];
    ladder[1] = channels;
    let ladder = Tensor::arange(0i64, channels as i64, output.device())?.reshape(ladder)?;
    classes.broadcast_eq(&ladder)?.to_dtype(output.dtype())
}
