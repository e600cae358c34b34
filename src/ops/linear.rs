//! Affine maps and learned factors.

use super::Init;
use serde::Serialize;

/// `y = x·Wᵀ + b` on `[N, F]`. Weight `[width, F]`, bias `[width]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Linear {
    /// Output features.
    pub width: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// How the weight starts; PyTorch's `±1/√F` where `None`.
    pub init: Option<Init>,
    /// What the bias starts with; PyTorch's `±1/√F` where `None`.
    pub bias_init: Option<f64>,
}

/// A learned factor: weight `[C]` per channel (LayerScale), or `[1]` for the tensor (ReZero).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scale {
    /// What the factor starts with.
    pub init: f64,
    /// One factor a channel rather than one in all.
    pub per_channel: bool,
}
