//! Cross entropy of logits.

use super::fused::FusedCrossEntropy;
use super::holds_classes;
use candle_core::{DType, Result, Tensor, bail};

/// The class that is ignored where the recipe names none.
pub const IGNORED: i64 = -100;

/// Cross entropy of logits `[N, C]` or `[N, C, …]`, averaged as PyTorch averages.
///
/// Against classes: `(1−ε)·w[y]·(−log p[y]) + ε/C · Σ_c w[c]·(−log p[c])`, summed over what is not ignored and divided by
/// the sum of `w[y]`; 0, without a gradient, where everything is ignored (PyTorch gives NaN there, which would spoil the
/// sum of the losses and then every weight). Against probabilities of the logits' shape (mixed samples):
/// `−Σ_c w[c]·y[c]·log p[c]` with y smoothed, divided by the number of positions.
#[derive(Clone, Debug)]
pub struct CrossEntropy {
    smoothing: f64,
    ignore: i64,
    weights: Option<Vec<f64>>,
}

impl CrossEntropy {
    /// A loss with its options, all as in PyTorch, which ignores class −100 where nothing else is said.
    pub fn new(smoothing: f64, ignore: Option<i64>, weights: Option<&[f64]>) -> Self {
        Self { smoothing, ignore: ignore.unwrap_or(IGNORED), weights: weights.map(<[f64]>::to_vec) }
    }

    /// The mean loss, a scalar. On the CPU it is one fused pass, and its gradient another.
    ///
    /// # Errors
    /// Where shapes do not fit or a class is out of range.
    pub fn loss(&self, logits: &Tensor, target: &Tensor) -> Result<Tensor> {
        let classes = logits.dim(1)?;
        if self.weights.as_ref().is_some_and(|w| w.len() != classes) {
            bail!("{} class weights were given for {classes} classes", self.weights.as_ref().map_or(0, Vec::len));
        }
        if !holds_classes(target) {
            return self.against_probabilities(logits, target);
        }
        if target.elem_count() * classes != logits.elem_count() {
            bail!("classes {:?} do not fit logits {:?}", target.dims(), logits.dims());
        }
        let fused = logits.device().is_cpu() && matches!(logits.dtype(), DType::F32 | DType::F64);
        if !fused {
            return self.by_tensors(logits, target);
        }
        let targets = self.checked_classes(target, classes)?;
        let weights = self.weights.clone().unwrap_or_else(|| vec![1.0; classes]);
        logits.contiguous()?.apply_op1(FusedCrossEntropy::new(targets, weights, self.smoothing))
    }

    /// Classes as indices, `None` where ignored.
    fn checked_classes(&self, target: &Tensor, classes: usize) -> Result<Vec<Option<u32>>> {
        let raw = target.flatten_all()?.to_dtype(DType::I64)?.to_vec1::<i64>()?;
        let check = |(position, class): (usize, i64)| match class {
            class if class == self.ignore => Ok(None),
            class if (0..classes as i64).contains(&class) => Ok(Some(class as u32)),
            class => bail!("target {position} is class {class}, but the model gives classes 0 to {}", classes - 1),
        };
        raw.into_iter().enumerate().map(check).collect()
    }

    /// The same in tensor operations, for devices without the fused pass.
    pub(super) fn by_tensors(&self, logits: &Tensor, target: &Tensor) -> Result<Tensor> {
        let (batch, classes) = (logits.dim(0)?, logits.dim(1)?);
        let log_p = log_softmax(&logits.reshape((batch, classes, ()))?)?;
        let dtype = log_p.dtype();
        let target = target.to_device(logits.device())?.to_dtype(DType::I64)?.reshape((batch, 1, ()))?;
        let kept = target.ne(self.ignore)?;
        let index = kept.where_cond(&target, &target.zeros_like()?)?;
        let weights = self.weight_tensor(&log_p)?;
        let kept = kept.to_dtype(dtype)?;
        let own = weights.broadcast_as(log_p.shape())?.contiguous()?.gather(&index, 1)?;
        let own = (own * &kept)?;
        let mut sum = (log_p.gather(&index, 1)? * &own)?.sum_all()?.affine(self.smoothing - 1.0, 0.0)?;
        if self.smoothing > 0.0 {
            let rest = log_p.broadcast_mul(&weights)?.broadcast_mul(&kept)?.sum_all()?;
            sum = (sum - (rest * (self.smoothing / classes as f64))?)?;
        }
        let weight = own.sum_all()?;
        // Where nothing is counted the sum is 0, and so is the loss.
        sum / (&weight + weight.eq(0.0)?.to_dtype(dtype)?)?
    }

    fn against_probabilities(&self, logits: &Tensor, target: &Tensor) -> Result<Tensor> {
        if target.elem_count() != logits.elem_count() {
            bail!("class probabilities {:?} do not fit logits {:?}", target.dims(), logits.dims());
        }
        let (batch, classes) = (logits.dim(0)?, logits.dim(1)?);
        let log_p = log_softmax(&logits.reshape((batch, classes, ()))?)?;
        let target = target.to_device(logits.device())?.to_dtype(log_p.dtype())?.reshape(log_p.shape())?;
        let target = target.affine(1.0 - self.smoothing, self.smoothing / classes as f64)?;
        let sum = (log_p * target)?.broadcast_mul(&self.weight_tensor(logits)?)?.sum_all()?;
        sum / -((logits.elem_count() / classes) as f64)
    }

    /// Class weights as `[1, C, 1]`.
    fn weight_tensor(&self, like: &Tensor) -> Result<Tensor> {
        let classes = like.dim(1)?;
        let weights = self.weights.clone().unwrap_or_else(|| vec![1.0; classes]);
        Tensor::from_vec(weights, (1, classes, 1), like.device())?.to_dtype(like.dtype())
    }
}

/// `log softmax` over axis 1 of `[N, C, P]`.
fn log_softmax(x: &Tensor) -> Result<Tensor> {
    let shifted = x.broadcast_sub(&x.detach().max_keepdim(1)?)?;
    let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
    shifted.broadcast_sub(&log_sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    /// The fused pass and the tensor operations agree, gradients included.
    #[test]
    fn fused_and_tensor_paths_agree() -> Result<()> {
        let device = Device::Cpu;
        let x: Vec<f64> = (0..2 * 3 * 4).map(|i| ((i * 7) % 11) as f64 * 0.7 - 3.0).collect();
        let y = Tensor::new(&[[0i64, 2, 9, 1], [1, 1, 9, 2]], &device)?;
        let loss = CrossEntropy::new(0.1, Some(9), Some(&[0.5, 1.0, 2.5]));
        let run = |by_tensors: bool| -> Result<(f64, Vec<f64>)> {
            let logits = Var::from_vec(x.clone(), (2, 3, 4), &device)?;
            let value = if by_tensors { loss.by_tensors(&logits, &y)? } else { loss.loss(&logits, &y)? };
            let grads = (&value * 3.0)?.backward()?;
            let grad = grads.get(&logits).expect("a gradient").flatten_all()?.to_vec1()?;
            Ok((value.to_scalar()?, grad))
        };
        let (fused, fused_grad) = run(false)?;
        let (plain, plain_grad) = run(true)?;
        assert!((fused - plain).abs() < 1e-12, "{fused} {plain}");
        assert!(fused_grad.iter().zip(&plain_grad).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(fused_grad.iter().any(|g| g.abs() > 0.01));
        Ok(())
    }

    #[test]
    fn a_class_out_of_range_is_named() -> Result<()> {
        let logits = Tensor::zeros((2, 3), DType::F32, &Device::Cpu)?;
        let target = Tensor::new(&[1u32, 3], &Device::Cpu)?;
        let error = CrossEntropy::new(0.0, None, None).loss(&logits, &target).unwrap_err();
        assert!(error.to_string().contains("target 1 is class 3"), "{error}");
        Ok(())
    }
}
