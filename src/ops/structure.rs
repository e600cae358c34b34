//! Inputs, and layers that only rearrange.

use super::args::{required, whole};
use super::arguments::{self, Argument, Probability, declared, no_arguments, op};
use super::nature::{Channels, Family, Nature, Scaling, Values};
use super::rules::{self, elementwise, no_macs, no_params, nothing_saved};
use super::{ArgError, ArgSpec, ArgType, Args, Field, Layer, LayerSpec, Op, ParamSpec, Saved, ShapeError, Value};
use crate::shape::{MOST_SIZES, Shape};
use serde::Serialize;

/// A network input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Input {
    /// Its shape at the sizes planned for.
    pub shape: Shape,
}

op! {
    /// In training, zeroes elements with probability `p` and divides the rest by `1 − p`.
    Dropout = "dropout",
        "in training, zeroes elements with probability p and divides the rest by 1 − p (Srivastava et al. 2014)";
    /// Probability.
    p: f64 [Probability = "0.5", plain] => Equals,
}

op! {
    /// All axes after the batch made one.
    Flatten = "flatten", "all axes after the batch made one";
}

/// Other axes over the same elements; the batch stays.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reshape {
    /// Sizes after the batch; all known (a `-1` was resolved).
    pub dims: Vec<usize>,
}

op! {
    /// Nothing.
    Identity = "identity", "the value as it is";
}

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[
    Dropout::SPEC,
    Flatten::SPEC,
    LayerSpec {
        name: "reshape",
        args: &[required("dims", ArgType::Dims)],
        doc: "other sizes after the batch over the same elements; one may be -1, which is what remains",
        make: make_reshape,
    },
    Identity::SPEC,
];

fn make_reshape(args: &Args, input: &Shape) -> Result<Op, ArgError> {
    let value = args.need("dims")?;
    let items = match value {
        Value::List(items) if !items.is_empty() => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let refused =
        |v: &Value| ArgError::at("dims", format!("`dims` must be {}, not {}", ArgType::Dims.words(), v.describe()));
    let read = |v: &Value| match v {
        Value::Int(-1) => Ok(None),
        v => whole(v, 1).map(Some).ok_or_else(|| refused(v)),
    };
    let dims: Vec<Option<usize>> = items.iter().map(read).collect::<Result<_, _>>()?;
    if dims.len() > MOST_SIZES {
        let message = format!("`dims` has {} sizes; a value has at most {MOST_SIZES} after the batch", dims.len());
        return Err(ArgError::at("dims", message));
    }
    if dims.iter().filter(|d| d.is_none()).count() > 1 {
        return Err(ArgError::at("dims", "only one size of `dims` may be -1"));
    }
    let known = dims.iter().flatten().try_fold(1u64, |n, &d| n.checked_mul(d as u64));
    let (Some(known), Some(elements)) = (known, input.elements()) else {
        return Err(ArgError::at("dims", "`dims` are too large"));
    };
    let rest = (elements / known) as usize;
    if dims.contains(&None) && !elements.is_multiple_of(known) {
        let message = format!("the {elements} elements of a sample cannot be divided by {known}, so nothing fits -1");
        return Err(ArgError::at("dims", message));
    }
    Ok(Reshape { dims: dims.into_iter().map(|d| d.unwrap_or(rest)).collect() }.into())
}

/// Flatten and reshape lose positions: what follows sees all of them.
fn lost_positions(input: &Shape) -> Field {
    if input.spatial().iter().all(|&size| size == 1) { Field::Pointwise } else { Field::Global }
}

impl Layer for Input {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Input, Channels::Moved, Values::Computed, Scaling::Field)
    }

    no_params!();
    no_macs!();
    nothing_saved!();
    no_arguments!();

    fn kind(&self) -> &'static str {
        "input"
    }

    fn infer(&self, _: &[&Shape]) -> Result<Shape, ShapeError> {
        match self.shape.dims().iter().position(|&size| size == 0) {
            None => rules::bounded(self.shape.clone()),
            Some(i) => {
                let name = super::error::axis_name(self.shape.rank(), i + 1);
                Err(ShapeError::other(format!("a size of an input must be at least 1, and its {name} is 0"), None))
            }
        }
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

impl Layer for Dropout {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Regularization, Channels::Kept, Values::Moved, Scaling::Field)
    }

    elementwise!();
    no_params!();

    declared!();

    /// One byte of mask for each element.
    fn saved(&self, _: &[&Shape], output: &Shape) -> Saved {
        let extra_bytes = if self.p > 0.0 { output.elements().unwrap_or(0) } else { 0 };
        Saved { extra_bytes, ..Saved::default() }
    }
}

impl Layer for Flatten {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::View, Channels::Kept, Values::Moved, Scaling::Field)
    }

    no_params!();
    no_macs!();
    nothing_saved!();

    declared!();

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let elements = inputs[0].elements().and_then(|n| usize::try_from(n).ok());
        Ok(Shape::new([elements.ok_or(ShapeError::Overflow)?]))
    }

    fn field(&self, inputs: &[&Shape]) -> Field {
        lost_positions(inputs[0])
    }

    fn in_place(&self) -> &'static [usize] {
        &[0]
    }
}

impl Layer for Reshape {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::View, Channels::Moved, Values::Moved, Scaling::Begins).stating(&self.dims)
    }

    no_params!();
    no_macs!();
    nothing_saved!();

    fn kind(&self) -> &'static str {
        "reshape"
    }

    fn arguments(&self) -> Vec<Argument> {
        vec![Argument::new("dims", ArgType::Dims, arguments::list(&self.dims))]
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let output = rules::bounded(Shape::new(self.dims.clone()))?;
        match (inputs[0].elements(), output.elements()) {
            (Some(from), Some(to)) if from == to => Ok(output),
            (Some(from), Some(to)) => Err(ShapeError::Elements { from, to }),
            _ => Err(ShapeError::Overflow),
        }
    }

    fn field(&self, inputs: &[&Shape]) -> Field {
        lost_positions(inputs[0])
    }

    fn in_place(&self) -> &'static [usize] {
        &[0]
    }

    fn detail(&self) -> String {
        rules::times(&self.dims)
    }
}

impl Layer for Identity {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::View, Channels::Kept, Values::Moved, Scaling::Field)
    }

    elementwise!();
    no_params!();
    nothing_saved!();

    declared!();
}
