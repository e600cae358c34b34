//! Affine maps and learned factors.

use super::arguments::{Argument, Count, Flag, Kind, Maybe, Number, Start, declared, op};
use super::conv::{check_bias_init, weight_and_bias};
use super::nature::{Channels, Family, Nature, Scaling, Values};
use super::rules::{self, elementwise};
use super::{ArgError, ArgSpec, ArgType, Args, Field, Init, Layer, LayerSpec, ParamSpec, Saved, ShapeError, Value};
use crate::shape::Shape;
use serde::Serialize;

op! {
    /// `y = x·Wᵀ + b` on `[N, F]`. Weight `[width, F]`, bias `[width]`.
    Linear = "linear", "affine map of a vector, y = x·Wᵀ + b; starts uniform in ±1/√F", settled by settled;
    /// Output features.
    width: usize [Count],
    /// Whether a bias is added.
    bias: bool [Flag = "true"],
    /// How the weight starts; PyTorch's `±1/√F` where `None`.
    init: Option<Init> [Maybe<Start> = ""],
    /// What the bias starts with; PyTorch's `±1/√F` where `None`.
    bias_init: Option<f64> [Maybe<Number> = ""],
}

op! {
    /// A learned factor: weight `[C]` per channel (LayerScale), or `[1]` for the tensor (ReZero).
    Scale = "scale",
        "a learned factor, one a channel (LayerScale, Touvron et al. 2021) or one in all (ReZero, Bachlechner et al. 2020)";
    /// What the factor starts with.
    init: f64 [Number = "1.0"],
    /// One factor a channel rather than one in all.
    per_channel: bool [PerChannel = "\"channel\"" as "per"],
}

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[Linear::SPEC, Scale::SPEC];

/// `"channel"`, or `"tensor"`.
enum PerChannel {}

impl Kind for PerChannel {
    type Stored = bool;
    const TYPE: ArgType = ArgType::Choice(&["channel", "tensor"]);

    fn read(name: &'static str, value: &Value, _: usize) -> Result<bool, ArgError> {
        Ok(value.choice(name, &["channel", "tensor"])? == 0)
    }

    fn value(per_channel: &bool) -> Option<Value> {
        Some(Value::Str(if *per_channel { "channel" } else { "tensor" }.into()))
    }
}

impl Linear {
    fn settled(self, _: &Args) -> Result<Self, ArgError> {
        check_bias_init(self.bias_init, self.bias)?;
        Ok(self)
    }
}

impl Layer for Linear {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Linear, Channels::Mixed, Values::Computed, Scaling::Field)
    }

    declared!();

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
}

impl Layer for Scale {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Linear, Channels::Kept, Values::Elementwise, Scaling::Field)
    }

    elementwise!();
    declared!(but detail);

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
