//! Element-wise functions.

use serde::Serialize;

/// An element-wise function without parameters; formulas and gradients are PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`; gradient 0 at 0.
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x` or `slope·x`
    LeakyRelu { slope: f64 },
    /// `x` or `alpha·(eˣ − 1)`
    Elu { alpha: f64 },
    /// `x·Φ(x)`, exact, with erf.
    Gelu,
    /// `x·sigmoid(x)`
    Silu,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x·relu6(x + 3) / 6`
    HardSwish,
    /// `relu6(x + 3) / 6`
    HardSigmoid,
}

/// `x` or `weight·x`: weight `[C]`, or `[1]` where `shared`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prelu {
    /// What the slope starts with.
    pub init: f64,
    /// One slope for all channels, PyTorch's default.
    pub shared: bool,
}

/// Softmax over axis 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Softmax {}
