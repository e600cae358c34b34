//! Affine maps and learned factors.

use super::args::{optional, required};
use super::conv::{bias_init, weight_and_bias};
use super::rules::{self, elementwise};
use super::{ArgError, ArgType, Args, Field, Init, Layer, LayerSpec, Op, ParamSpec, Saved, ShapeError};
use crate::shape::Shape;
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

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[
    LayerSpec {
        name: "linear",
        args: &[
            required("width", ArgType::Count),
            optional("bias", ArgType::Bool, "true"),
            optional("init", ArgType::Init, ""),
            optional("bias_init", ArgType::Number, ""),
        ],
        doc: "affine map of a vector, y = x·Wᵀ + b; starts uniform in ±1/√F",
        make: make_linear,
    },
    LayerSpec {
        name: "scale",
        args: &[
            optional("init", ArgType::Number, "1.0"),
            optional("per", ArgType::Choice(&["channel", "tensor"]), "\"channel\""),
        ],
        doc: "a learned factor, one a channel (LayerScale, Touvron et al. 2021) or one in all (ReZero, Bachlechner et al. 2020)",
        make: make_scale,
    },
];

fn make_linear(args: &Args, _: &Shape) -> Result<Op, ArgError> {
    let (width, bias) = (args.count("width")?, args.bool_or("bias", true)?);
    Ok(Linear { width, bias, init: args.init("init")?, bias_init: bias_init(args, bias)? }.into())
}

fn make_scale(args: &Args, _: &Shape) -> Result<Op, ArgError> {
    let per_channel = args.choice("per", &["channel", "tensor"])? == 0;
    Ok(Scale { init: args.number_or("init", 1.0)?, per_channel }.into())
}

impl Layer for Linear {
    fn kind(&self) -> &'static str {
        "linear"
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let &[features] = inputs[0].dims() else {
            let message = format!("`linear` works on vectors [N, F], and this is {}", inputs[0]);
            let help = format!("`flatten` first, or use `conv({}, 1)` at every position", self.width);
            return Err(ShapeError::other(message, Some(&help)));
        };
        rules::within(&[self.width, features])?;
        rules::bounded(Shape::new([self.width]))
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        let weight = vec![self.width, inputs[0].dims()[0]];
        let init = self.init.unwrap_or_else(|| Init::of_fan_in(&weight));
        weight_and_bias(weight, self.width, init, self.bias, self.bias_init)
    }

    fn macs(&self, inputs: &[&Shape], _: &Shape) -> u64 {
        (self.width as u64).saturating_mul(inputs[0].dims()[0] as u64)
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }

    fn in_place(&self) -> &'static [usize] {
        &[]
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { operands: vec![0], ..Saved::default() }
    }

    fn detail(&self) -> String {
        String::new()
    }
}

impl Layer for Scale {
    elementwise!();

    fn kind(&self) -> &'static str {
        "scale"
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        let size = if self.per_channel { inputs[0].channels().unwrap_or(1) } else { 1 };
        vec![ParamSpec { name: "weight", dims: vec![size], init: Init::Constant(self.init), trainable: true }]
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { operands: vec![0], ..Saved::default() }
    }

    fn detail(&self) -> String {
        if self.per_channel { String::new() } else { "per tensor".into() }
    }
}
