//! Where edges meet.

use super::arguments::{Argument, no_arguments};
use super::nature::{Channels, Family, Merge, Nature, Scaling, Values};
use super::rules::{self, no_macs, no_params, nothing_saved};
use super::{ArgType, Field, Layer, ParamSpec, Saved, ShapeError, Value};
use crate::shape::Shape;
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

/// The first axis along which `shape` differs from the `first` operand, as an error.
fn same_as(first: &Shape, operand: usize, shape: &Shape, skip_channels: bool) -> Result<(), ShapeError> {
    if first.rank() != shape.rank() {
        let expected = match first.rank() {
            2 => "[N, F]",
            3 => "[N, C, L]",
            _ => "[N, C, H, W]",
        };
        return Err(ShapeError::Rank { operand, expected, found: shape.rank() });
    }
    let axes = first.dims().iter().zip(shape.dims()).enumerate().skip(usize::from(skip_channels));
    match axes.into_iter().find(|(_, (a, b))| a != b) {
        None => Ok(()),
        Some((i, (&expected, &found))) => Err(ShapeError::Mismatch { operand, axis: i + 1, expected, found }),
    }
}

/// [`same_as`] for all operands after the first.
fn all_same(inputs: &[&Shape], skip_channels: bool) -> Result<(), ShapeError> {
    inputs.iter().enumerate().skip(1).try_for_each(|(i, shape)| same_as(inputs[0], i, shape, skip_channels))
}

/// The stretched shape of two operands, or where they disagree.
fn stretched(first: &Shape, operand: usize, shape: &Shape) -> Result<Shape, ShapeError> {
    let Some(joined) = first.broadcast(shape) else {
        let disagree = |(&a, &b): (&usize, &usize)| a != b && a != 1 && b != 1;
        let axis = first.dims().iter().zip(shape.dims()).position(disagree);
        return match axis.filter(|_| first.rank() == shape.rank()) {
            Some(i) => {
                let (expected, found) = (first.dims()[i], shape.dims()[i]);
                Err(ShapeError::Mismatch { operand, axis: i + 1, expected, found })
            }
            None => same_as(first, operand, shape, false).map(|()| first.clone()),
        };
    };
    rules::bounded(joined)
}

impl Layer for Add {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Merge(Merge::Add), Channels::Kept, Values::Elementwise, Scaling::Meets)
    }

    no_params!();
    no_macs!();

    fn kind(&self) -> &'static str {
        "add"
    }

    /// As a skip says them.
    fn arguments(&self) -> Vec<Argument> {
        let number =
            |name, value, default| Argument::or(name, ArgType::Number, Value::Float(value), &Value::Float(default));
        vec![number("scale", self.scale, 1.0), number("drop_path", self.drop_path, 0.0)]
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        all_same(inputs, false)?;
        Ok(inputs[0].clone())
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }

    fn in_place(&self) -> &'static [usize] {
        &[0, 1]
    }

    /// Only which samples were dropped.
    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { extra_bytes: if self.drop_path > 0.0 { 4 } else { 0 }, ..Saved::default() }
    }

    fn detail(&self) -> String {
        let scale = (self.scale != 1.0).then(|| format!("scale {}", self.scale));
        let drop = (self.drop_path != 0.0).then(|| format!("drop_path {}", self.drop_path));
        scale.into_iter().chain(drop).collect::<Vec<_>>().join(" ")
    }
}

impl Layer for Concat {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Merge(Merge::Concat), Channels::Kept, Values::Computed, Scaling::Meets)
    }

    no_params!();
    no_macs!();
    nothing_saved!();

    no_arguments!();

    fn kind(&self) -> &'static str {
        "concat"
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        all_same(inputs, true)?;
        let sum = inputs.iter().try_fold(0usize, |n, shape| n.checked_add(shape.channels()?));
        rules::bounded(inputs[0].with_channels(sum.ok_or(ShapeError::Overflow)?))
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }

    fn in_place(&self) -> &'static [usize] {
        &[]
    }

    fn detail(&self) -> String {
        String::new()
    }
}

impl Layer for Mul {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Merge(Merge::Mul), Channels::Kept, Values::Elementwise, Scaling::Meets)
    }

    no_params!();
    no_macs!();

    no_arguments!();

    fn kind(&self) -> &'static str {
        "mul"
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let mut rest = inputs.iter().enumerate().skip(1);
        rest.try_fold(inputs[0].clone(), |joined, (i, shape)| stretched(&joined, i, shape))
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }

    /// Where the operand was not stretched.
    fn in_place(&self) -> &'static [usize] {
        &[0, 1]
    }

    fn saved(&self, inputs: &[&Shape], _: &Shape) -> Saved {
        Saved { operands: (0..inputs.len()).collect(), ..Saved::default() }
    }

    fn detail(&self) -> String {
        String::new()
    }
}

impl Layer for Gate {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Merge(Merge::Gate), Channels::Kept, Values::Elementwise, Scaling::Meets)
    }

    no_params!();
    no_macs!();

    no_arguments!();

    fn kind(&self) -> &'static str {
        "gate"
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        same_as(inputs[0], 1, inputs[1], false)?;
        let joined = stretched(inputs[0], 2, inputs[2])?;
        same_as(inputs[0], 2, &joined, false)?;
        Ok(joined)
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }

    fn in_place(&self) -> &'static [usize] {
        &[0, 1]
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { operands: vec![0, 1, 2], ..Saved::default() }
    }

    fn detail(&self) -> String {
        String::new()
    }
}
