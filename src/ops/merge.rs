//! Where edges meet.

use serde::Serialize;

/// `operand 0 + scale·operand 1 (+ operand 2 …)`; shapes equal.
///
/// In a skip, operand 0 is the source S and operand 1 the result R.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Add {
    /// Multiplies operand 1.
    pub scale: f64,
    /// Probability with which operand 1 is dropped per sample in training; kept samples are divided by
    /// `1 − drop_path`.
    pub drop_path: f64,
}

/// Channels of the operands, in operand order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Concat {}

/// Product of the operands, sizes of 1 stretched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mul {}

/// `t·R + (1 − t)·S` with `t = sigmoid(T)`; operands S, R, T of equal shapes (T may stretch sizes of 1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {}
