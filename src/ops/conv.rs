//! Convolutions.

use super::Init;
use serde::Serialize;

/// Convolution of `[N, C, L]` or `[N, C, H, W]`; sizes hold one entry per spatial axis.
///
/// Weight `[width, C / groups, kernel…]`, bias `[width]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conv {
    /// Output channels.
    pub width: usize,
    /// Window.
    pub kernel: Vec<usize>,
    /// Step.
    pub stride: Vec<usize>,
    /// Zeros on each side.
    pub pad: Vec<usize>,
    /// Distance between taps.
    pub dilation: Vec<usize>,
    /// Independent groups of channels.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// How the weight starts.
    pub init: Init,
    /// What the bias starts with; PyTorch's uniform where `None`.
    pub bias_init: Option<f64>,
}

/// Transposed convolution; sizes as in [`Conv`].
///
/// Weight `[C, width / groups, kernel…]`, bias `[width]`. Output size
/// `(in − 1)·stride − 2·pad + dilation·(kernel − 1) + out_pad + 1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConvTranspose {
    /// Output channels.
    pub width: usize,
    /// Window.
    pub kernel: Vec<usize>,
    /// Step in the output.
    pub stride: Vec<usize>,
    /// Cut from each side of the output.
    pub pad: Vec<usize>,
    /// Added to one side of the output.
    pub out_pad: Vec<usize>,
    /// Distance between taps.
    pub dilation: Vec<usize>,
    /// Independent groups of channels.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// How the weight starts.
    pub init: Init,
    /// What the bias starts with; PyTorch's uniform where `None`.
    pub bias_init: Option<f64>,
}
