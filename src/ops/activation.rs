//! Element-wise functions.

use super::args::optional;
use super::rules::{elementwise, no_params};
use super::{ArgError, ArgType, Args, Field, Init, Layer, LayerSpec, Op, ParamSpec, Saved, ShapeError};
use crate::shape::Shape;
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
    LeakyRelu {
        /// The factor below 0.
        slope: f64,
    },
    /// `x` or `alpha·(eˣ − 1)`
    Elu {
        /// Minus the limit at −∞.
        alpha: f64,
    },
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

/// An activation without arguments.
macro_rules! plain {
    ($name:literal, $op:ident, $doc:literal) => {
        LayerSpec { name: $name, args: &[], doc: $doc, make: |_, _| Ok(Activation::$op.into()) }
    };
}

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[
    plain!("relu", Relu, "max(x, 0)"),
    plain!("relu6", Relu6, "min(max(x, 0), 6)"),
    LayerSpec {
        name: "leaky_relu",
        args: &[optional("slope", ArgType::Number, "0.01")],
        doc: "x where x > 0, slope·x elsewhere",
        make: |args, _| Ok(Activation::LeakyRelu { slope: args.number_or("slope", 0.01)? }.into()),
    },
    LayerSpec {
        name: "elu",
        args: &[optional("alpha", ArgType::Number, "1.0")],
        doc: "x where x > 0, alpha·(eˣ − 1) elsewhere (Clevert et al. 2016)",
        make: |args, _| Ok(Activation::Elu { alpha: args.number_or("alpha", 1.0)? }.into()),
    },
    plain!("gelu", Gelu, "x·Φ(x), exact, with erf (Hendrycks and Gimpel 2016)"),
    plain!("silu", Silu, "x·sigmoid(x), also called swish"),
    plain!("sigmoid", Sigmoid, "1 / (1 + e⁻ˣ)"),
    plain!("tanh", Tanh, "hyperbolic tangent"),
    LayerSpec {
        name: "softmax",
        args: &[],
        doc: "eˣ / Σ eˣ over channels (axis 1)",
        make: |_, _| Ok(Softmax {}.into()),
    },
    plain!("hard_swish", HardSwish, "x·relu6(x + 3) / 6 (Howard et al. 2019)"),
    plain!("hard_sigmoid", HardSigmoid, "relu6(x + 3) / 6"),
    LayerSpec {
        name: "prelu",
        args: &[optional("init", ArgType::Number, "0.25"), optional("shared", ArgType::Bool, "true")],
        doc: "leaky ReLU with a learned slope, one in all or (`shared=false`) one a channel (He et al. 2015)",
        make: make_prelu,
    },
];

fn make_prelu(args: &Args, _: &Shape) -> Result<Op, ArgError> {
    Ok(Prelu { init: args.number_or("init", 0.25)?, shared: args.bool_or("shared", true)? }.into())
}

impl Activation {
    /// Whether the gradient can be told from the output alone.
    fn gradient_from_output(&self) -> bool {
        match *self {
            Self::Relu | Self::Relu6 | Self::Sigmoid | Self::Tanh => true,
            Self::LeakyRelu { slope } => slope >= 0.0,
            Self::Elu { alpha } => alpha >= 0.0,
            Self::Gelu | Self::Silu | Self::HardSwish | Self::HardSigmoid => false,
        }
    }
}

impl Layer for Activation {
    elementwise!();
    no_params!();

    fn kind(&self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Elu { .. } => "elu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::HardSwish => "hard_swish",
            Self::HardSigmoid => "hard_sigmoid",
        }
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        let output = self.gradient_from_output();
        Saved { operands: if output { vec![] } else { vec![0] }, output, extra_bytes: 0 }
    }

    fn detail(&self) -> String {
        match self {
            Self::LeakyRelu { slope } => slope.to_string(),
            Self::Elu { alpha } if *alpha != 1.0 => alpha.to_string(),
            _ => String::new(),
        }
    }
}

impl Layer for Prelu {
    elementwise!();

    fn kind(&self) -> &'static str {
        "prelu"
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        let size = if self.shared { 1 } else { inputs[0].channels().unwrap_or(1) };
        vec![ParamSpec { name: "weight", dims: vec![size], init: Init::Constant(self.init), trainable: true }]
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { operands: vec![0], ..Saved::default() }
    }

    fn detail(&self) -> String {
        if self.shared { String::new() } else { "per channel".into() }
    }
}

impl Layer for Softmax {
    elementwise!();
    no_params!();

    fn kind(&self) -> &'static str {
        "softmax"
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { output: true, ..Saved::default() }
    }

    fn detail(&self) -> String {
        String::new()
    }
}
