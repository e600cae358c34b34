//! Normalisations, forward and backward, of `[N, C, positions]`.
//!
//! Means and variances are taken in two passes and summed in double precision, in blocks short
//! enough that single precision inside a block loses nothing that matters.

mod batch;
mod group;
mod layer;
mod sums;

pub use batch::{BatchShape, batch_eval, batch_eval_grad, batch_train, batch_train_grad};
pub use group::{GroupShape, group_norm, group_norm_grad};
pub use layer::{layer_norm, layer_norm_grad};
pub use sums::sum;

use crate::elem::Elem;

/// Mean and reciprocal standard deviation, `1 / √(variance + eps)`, of each normalised set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f64>,
    /// Reciprocal standard deviations.
    pub scale: Vec<f64>,
    /// Biased variances.
    pub var: Vec<f64>,
}

/// The gradients that a normalisation's backward pass fills.
#[derive(Debug)]
pub struct Grads<'a, E> {
    /// Of the input.
    pub x: &'a mut [E],
    /// Of the weight, `[C]`.
    pub weight: &'a mut [E],
    /// Of the bias, `[C]`.
    pub bias: &'a mut [E],
}

/// The parameter of a channel, or what stands for it.
#[inline]
fn at<E: Elem>(values: Option<&[E]>, c: usize, otherwise: f64) -> f64 {
    values.map_or(otherwise, |v| v[c].to_f64())
}

#[cfg(test)]
mod tests;
