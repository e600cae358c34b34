//! Convex pairs of samples (Zhang et al. 2018).

use crate::base::Rng;
use crate::elaborate::recipe::Augment;
use crate::train::data::batch::{Batch, Mix, Targets};

/// The α of the recipe's mixup, where it has one.
pub fn mixup_alpha(changes: &[Augment]) -> Option<f64> {
    changes.iter().find_map(|change| match change {
        Augment::Mixup(alpha) => Some(*alpha),
        _ => None,
    })
}

/// Mixes each sample of a batch with another: λ ~ Beta(α, α), one for the batch, and a random order of the others.
pub fn mixup(batch: &mut Batch, alpha: f64, rng: &mut Rng) {
    let lambda = beta(alpha, rng) as f32;
    let mut order: Vec<usize> = (0..batch.len()).collect();
    rng.shuffle(&mut order);
    let size = batch.inputs.len() / batch.len().max(1);
    let inputs = batch.inputs.clone();
    for (row, &other) in batch.inputs.chunks_exact_mut(size.max(1)).zip(&order) {
        let other = &inputs[other * size..][..size];
        row.iter_mut().zip(other).for_each(|(a, &b)| *a = lambda * *a + (1.0 - lambda) * b);
    }
    batch.mix = Some(Mix { other: reordered(&batch.targets, &order), lambda });
}

fn reordered(targets: &Targets, order: &[usize]) -> Targets {
    match targets {
        Targets::Classes(v) => Targets::Classes(order.iter().map(|&i| v[i]).collect()),
        Targets::Masks(v, dims) => Targets::Masks(rows(v, order), *dims),
        Targets::Tensor(v, dims) => Targets::Tensor(rows(v, order), dims.clone()),
    }
}

fn rows<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
    let size = values.len() / order.len().max(1);
    order.iter().flat_map(|&i| &values[i * size..][..size]).copied().collect()
}

/// Beta(α, α), as a share of two gammas.
fn beta(alpha: f64, rng: &mut Rng) -> f64 {
    let (a, b) = (gamma(alpha, rng), gamma(alpha, rng));
    // A small α may give twice nothing: then either end is as likely.
    if a + b > 0.0 { a / (a + b) } else { rng.below(2) as f64 }
}

/// Gamma(α, 1) (Marsaglia and Tsang 2000).
fn gamma(alpha: f64, rng: &mut Rng) -> f64 {
    if alpha < 1.0 {
        let boost = (1.0 - rng.uniform()).powf(1.0 / alpha);
        return gamma(alpha + 1.0, rng) * boost;
    }
    let d = alpha - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = rng.normal();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - rng.uniform()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_has_its_mean_and_variance() {
        let mut rng = Rng::new(4);
        for alpha in [0.2, 1.0, 3.0] {
            let n = 20_000;
            let draws: Vec<f64> = (0..n).map(|_| beta(alpha, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / n as f64;
            let variance = draws.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.01 && (variance - expected).abs() < 0.005, "{alpha} {mean} {variance}");
        }
    }
}
