//! Ops that join, cut and drop values, composed of candle operators whose gradients are right.

use super::nn;
use crate::base::Rng;
use crate::ops::activation::Activation;
use crate::ops::merge::Add;
use crate::ops::resize::ZeroPad;
use candle_core::{Result, Tensor};

/// `operand 0 + scale·operand 1 (+ operand 2 …)`; in training operand 1 is dropped for some samples.
pub(super) fn add(operands: &[Tensor], op: &Add, train: bool, rng: &mut Rng) -> Result<Tensor> {
    let mut sum = operands[0].clone();
    for (i, operand) in operands.iter().enumerate().skip(1) {
        let mut term = operand.clone();
        if i == 1 && op.scale != 1.0 {
            term = term.affine(op.scale, 0.0)?;
        }
        if i == 1 && train && op.drop_path > 0.0 {
            term = drop_path(&term, op.drop_path, rng)?;
        }
        sum = (sum + term)?;
    }
    Ok(sum)
}

/// The product of all operands, sizes of 1 stretched.
pub(super) fn mul(operands: &[Tensor]) -> Result<Tensor> {
    operands[1..].iter().try_fold(operands[0].clone(), |product, operand| product.broadcast_mul(operand))
}

/// `t·R + (1 − t)·S` with `t = sigmoid(T)`, as `S + t·(R − S)`.
pub(super) fn gate(source: &Tensor, result: &Tensor, transform: &Tensor) -> Result<Tensor> {
    let t = nn::activation(transform, &Activation::Sigmoid)?;
    source + (result - source)?.broadcast_mul(&t)?
}

/// `x` times a factor for each channel, or one for all.
pub(super) fn scale(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let mut dims = vec![1; x.rank()];
    dims[1] = weight.elem_count();
    x.broadcast_mul(&weight.reshape(dims)?)
}

/// Softmax over axis 1; the maximum only keeps the exponentials small, and has no gradient.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    let power = x.broadcast_sub(&x.max_keepdim(1)?.detach())?.exp()?;
    power.broadcast_div(&power.sum_keepdim(1)?)
}

/// Zeroes elements with probability `p` and divides the rest by `1 − p`.
pub(super) fn dropout(x: &Tensor, p: f64, rng: &mut Rng) -> Result<Tensor> {
    if p <= 0.0 {
        return Ok(x.clone());
    }
    x * mask(x.dims(), x, p, rng)?
}

/// [`dropout`] of whole samples (Huang et al. 2016).
fn drop_path(x: &Tensor, p: f64, rng: &mut Rng) -> Result<Tensor> {
    let mut dims = vec![1; x.rank()];
    dims[0] = x.dim(0)?;
    x.broadcast_mul(&mask(&dims, x, p, rng)?)
}

fn mask(dims: &[usize], like: &Tensor, p: f64, rng: &mut Rng) -> Result<Tensor> {
    let kept = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    let list: Vec<f32> = (0..dims.iter().product()).map(|_| if rng.uniform() < p { 0.0 } else { 1.0 }).collect();
    Tensor::from_vec(list, dims, like.device())?.to_dtype(like.dtype())?.affine(kept, 0.0)
}

/// The middle of the spatial axes, starting at `⌊(in − size) / 2⌋`.
pub(super) fn crop(x: &Tensor, size: &[usize]) -> Result<Tensor> {
    let cut = |x: Tensor, (i, &size): (usize, &usize)| x.narrow(i + 2, (x.dim(i + 2)? - size) / 2, size);
    size.iter().enumerate().try_fold(x.clone(), cut)
}

/// Zeros around the spatial axes, `⌊difference / 2⌋` before and the rest after.
pub(super) fn pad_to(x: &Tensor, size: &[usize]) -> Result<Tensor> {
    size.iter().enumerate().try_fold(x.clone(), |x, (i, &size)| {
        let difference = size - x.dim(i + 2)?;
        x.pad_with_zeros(i + 2, difference / 2, difference - difference / 2)
    })
}

/// Every `stride`-th position, and zero channels around the channels.
pub(super) fn zero_pad(x: &Tensor, op: &ZeroPad) -> Result<Tensor> {
    let mut x = x.clone();
    for (i, &stride) in op.stride.iter().enumerate().filter(|&(_, &stride)| stride > 1) {
        let size = x.dim(i + 2)? as u32;
        let kept = Tensor::arange_step(0u32, size, stride as u32, x.device())?;
        x = x.index_select(&kept, i + 2)?;
    }
    let more = op.width - x.dim(1)?;
    x.pad_with_zeros(1, more / 2, more - more / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn ones(dims: &[usize]) -> Tensor {
        Tensor::ones(dims, DType::F64, &Device::Cpu).unwrap()
    }

    fn numbers(x: &Tensor) -> Vec<f64> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn dropout_keeps_the_mean() {
        let dropped = numbers(&dropout(&ones(&[10_000]), 0.3, &mut Rng::new(1)).unwrap());
        let zeros = dropped.iter().filter(|&&v| v == 0.0).count();
        assert!((2_800..3_200).contains(&zeros), "{zeros} zeros");
        assert!(dropped.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-15));
        assert_eq!(numbers(&dropout(&ones(&[4]), 1.0, &mut Rng::new(1)).unwrap()), [0.0; 4]);
    }

    #[test]
    fn a_path_is_dropped_for_whole_samples() {
        let op = Add { scale: 2.0, drop_path: 0.5 };
        let operands = [ones(&[100, 2, 3]), ones(&[100, 2, 3])];
        let sums = numbers(&add(&operands, &op, true, &mut Rng::new(3)).unwrap());
        let samples: Vec<&[f64]> = sums.chunks(6).collect();
        assert!(samples.iter().all(|s| s.iter().all(|&v| v == s[0]) && (s[0] == 1.0 || s[0] == 5.0)));
        assert!((35..65).contains(&samples.iter().filter(|s| s[0] == 1.0).count()));
        let still = numbers(&add(&operands, &op, false, &mut Rng::new(3)).unwrap());
        assert_eq!(still, [3.0; 600]);
    }
}
