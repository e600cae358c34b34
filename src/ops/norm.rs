//! Normalisations.

use serde::Serialize;

/// Batch normalisation (Ioffe and Szegedy 2015) of `[N, C, …]`: weight, bias, running_mean,
/// running_var `[C]`, num_batches_tracked.
///
/// In training: the batch's mean and biased variance; running statistics move by `momentum` towards
/// the mean and the *unbiased* variance. In evaluation: the running statistics.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f64,
    /// How far running statistics move.
    pub momentum: f64,
    /// Whether weight and bias exist.
    pub affine: bool,
    /// What the weight starts with; 0 gives the zero-init residual.
    pub weight_init: f64,
    /// What the bias starts with.
    pub bias_init: f64,
}

/// Group normalisation (Wu and He 2018): weight, bias `[C]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupNorm {
    /// Groups of channels.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f64,
    /// Whether weight and bias exist.
    pub affine: bool,
}

/// Layer normalisation over channels at each position (Ba et al. 2016): weight, bias `[C]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Whether weight and bias exist.
    pub affine: bool,
}

/// Instance normalisation (Ulyanov et al. 2016); no parameters unless `affine`, no running statistics.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InstanceNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Whether weight and bias exist; PyTorch's default is not.
    pub affine: bool,
}
