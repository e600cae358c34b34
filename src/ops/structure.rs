//! Inputs, and layers that only rearrange.

use crate::shape::Shape;
use serde::Serialize;

/// A network input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Input {
    /// Its shape at the sizes planned for.
    pub shape: Shape,
}

/// In training, zeroes elements with probability `p` and divides the rest by `1 − p`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dropout {
    /// Probability.
    pub p: f64,
}

/// All axes after the batch made one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flatten {}

/// Other axes over the same elements; the batch stays.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reshape {
    /// Sizes after the batch; all known (a `-1` was resolved).
    pub dims: Vec<usize>,
}

/// Nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Identity {}
