//! How parameters start.

use serde::Serialize;

/// An initialisation. Fans are computed from the parameter's own sizes
/// (`fan_in = dims[1]·window`, `fan_out = dims[0]·window`), as PyTorch does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Normal with std = √(2 / fan_out) (He et al. 2015; the ResNet paper's).
    KaimingNormal,
    /// Uniform in ±√(6 / fan_in).
    KaimingUniform,
    /// Normal with std = √(2 / (fan_in + fan_out)) (Glorot and Bengio 2010).
    XavierNormal,
    /// Uniform in ±√(6 / (fan_in + fan_out)).
    XavierUniform,
    /// Normal with this standard deviation.
    Normal(f64),
    /// Uniform in ± this bound: what PyTorch's `Linear` and biases start with, bound = 1 / √fan_in.
    Uniform(f64),
    /// Every element this number.
    Constant(f64),
    /// The identity: ones where output and input channel agree at the window's centre.
    Identity,
}
