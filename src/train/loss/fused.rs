//! Cross entropy on the CPU: one pass for the value, one for the gradient.

use crate::train::real::Real;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use std::sync::Arc;

/// Cross entropy of contiguous logits `[N, C, …]` against known classes, as a scalar.
#[derive(Clone)]
pub struct FusedCrossEntropy {
    settings: Arc<Settings>,
}

struct Settings {
    /// One per position; `None` is ignored.
    targets: Vec<Option<u32>>,
    weights: Vec<f64>,
    smoothing: f64,
    /// The sum of the weights of all targets; 1 where it is 0.
    denominator: f64,
}

impl FusedCrossEntropy {
    /// The loss against these classes; `weights` has one for each class.
    pub fn new(targets: Vec<Option<u32>>, weights: Vec<f64>, smoothing: f64) -> Self {
        let sum: f64 = targets.iter().flatten().map(|&y| weights[y as usize]).sum();
        // Where nothing is counted the loss is 0, and so is its gradient.
        let denominator = if sum == 0.0 { 1.0 } else { sum };
        Self { settings: Arc::new(Settings { targets, weights, smoothing, denominator }) }
    }
}

impl CustomOp1 for FusedCrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let storage = match storage {
            CpuStorage::F32(x) => CpuStorage::F32(vec![self.settings.value(window(x, layout)?, layout.dims()) as f32]),
            CpuStorage::F64(x) => CpuStorage::F64(vec![self.settings.value(window(x, layout)?, layout.dims())]),
            _ => bail!("cross entropy wants f32 or f64"),
        };
        Ok((storage, Shape::from(())))
    }

    fn bwd(&self, arg: &Tensor, _res: &Tensor, grad_res: &Tensor) -> Result<Option<Tensor>> {
        let scale = grad_res.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?;
        let gradient = Gradient { settings: self.settings.clone(), scale };
        arg.apply_op1_no_bwd(&gradient).map(Some)
    }
}

/// The gradient of the loss with respect to the logits, times `scale`.
struct Gradient {
    settings: Arc<Settings>,
    scale: f64,
}

impl CustomOp1 for Gradient {
    fn name(&self) -> &'static str {
        "cross_entropy_gradient"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let dims = layout.dims();
        let storage = match storage {
            CpuStorage::F32(x) => CpuStorage::F32(self.settings.gradient(window(x, layout)?, dims, self.scale)),
            CpuStorage::F64(x) => CpuStorage::F64(self.settings.gradient(window(x, layout)?, dims, self.scale)),
            _ => bail!("cross entropy wants f32 or f64"),
        };
        Ok((storage, layout.shape().clone()))
    }
}

/// The elements of a contiguous layout.
fn window<'a, T>(data: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&data[from..to]),
        None => bail!("cross entropy wants contiguous logits"),
    }
}

impl Settings {
    /// The mean loss. Samples are summed one by one and then in order: the same bits every time.
    fn value<T: Real>(&self, logits: &[T], dims: &[usize]) -> f64 {
        let (classes, positions) = (dims[1], dims[2..].iter().product::<usize>().max(1));
        let samples = logits.par_chunks(classes * positions).zip(self.targets.par_chunks(positions));
        let sums: Vec<f64> = samples.map(|(x, y)| self.sample_value(x, y, positions)).collect();
        sums.iter().sum::<f64>() / self.denominator
    }

    fn sample_value<T: Real>(&self, logits: &[T], targets: &[Option<u32>], positions: usize) -> f64 {
        let log_sums = log_sum_exp(logits, positions);
        let spread = self.smoothing / self.weights.len() as f64;
        let mut sum = 0.0;
        for (p, target) in targets.iter().enumerate().filter_map(|(p, y)| y.map(|y| (p, y as usize))) {
            let log_sum = log_sums[p];
            let minus_log = |class: usize| (log_sum - logits[class * positions + p]).to_f64();
            sum += (1.0 - self.smoothing) * self.weights[target] * minus_log(target);
            if spread > 0.0 {
                let all = self.weights.iter().enumerate().map(|(class, w)| w * minus_log(class));
                sum += spread * all.sum::<f64>();
            }
        }
        sum
    }

    /// `((1−ε)·w[y] + ε/C·Σw)·p − (1−ε)·w[y]·[c = y] − ε/C·w[c]`, over the denominator.
    fn gradient<T: Real>(&self, logits: &[T], dims: &[usize], scale: f64) -> Vec<T> {
        let (classes, positions) = (dims[1], dims[2..].iter().product::<usize>().max(1));
        let mut gradient = vec![T::from_f64(0.0); logits.len()];
        gradient
            .par_chunks_mut(classes * positions)
            .zip(logits.par_chunks(classes * positions))
            .zip(self.targets.par_chunks(positions))
            .for_each(|((g, x), y)| self.sample_gradient(g, x, y, scale / self.denominator));
        gradient
    }

    fn sample_gradient<T: Real>(&self, gradient: &mut [T], logits: &[T], targets: &[Option<u32>], scale: f64) {
        let positions = targets.len();
        let log_sums = log_sum_exp(logits, positions);
        let spread = self.smoothing / self.weights.len() as f64;
        let all: f64 = self.weights.iter().sum();
        let own = |y: Option<u32>| y.map_or(0.0, |y| (1.0 - self.smoothing) * self.weights[y as usize]);
        let factors: Vec<T> = targets
            .iter()
            .map(|&y| T::from_f64(if y.is_some() { (own(y) + spread * all) * scale } else { 0.0 }))
            .collect();
        for (class, (g, x)) in gradient.chunks_mut(positions).zip(logits.chunks(positions)).enumerate() {
            for (((g, &x), &log_sum), &factor) in g.iter_mut().zip(x).zip(&log_sums).zip(&factors) {
                *g = factor * (x - log_sum).exp();
            }
            let share = T::from_f64(spread * self.weights[class] * scale);
            for (g, &y) in g.iter_mut().zip(targets) {
                match y {
                    Some(y) if y as usize == class => *g = *g - share - T::from_f64(own(Some(y)) * scale),
                    Some(_) => *g = *g - share,
                    None => *g = T::from_f64(0.0),
                }
            }
        }
    }
}

/// `log Σ_c exp(x[c])` at each position of one sample's logits `[C, P]`.
fn log_sum_exp<T: Real>(logits: &[T], positions: usize) -> Vec<T> {
    let mut largest = logits[..positions].to_vec();
    for row in logits.chunks(positions).skip(1) {
        largest.iter_mut().zip(row).for_each(|(m, &x)| *m = m.max(x));
    }
    let mut sums = vec![T::from_f64(0.0); positions];
    for row in logits.chunks(positions) {
        sums.iter_mut().zip(row).zip(&largest).for_each(|((s, &x), &m)| *s += (x - m).exp());
    }
    sums.iter().zip(&largest).map(|(s, &m)| m + s.ln()).collect()
}
