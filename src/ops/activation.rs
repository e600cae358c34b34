//! Element-wise functions.

use super::args::optional;
use super::arguments::{self, Argument, Flag, Number, declared, first, op};
use super::nature::{Channels, Family, Nature, Scaling, Values};
use super::rules::{elementwise, no_params};
use super::{ArgError, ArgSpec, ArgType, Args, Field, Init, Layer, LayerSpec, ParamSpec, Saved, ShapeError};
use crate::shape::Shape;
use serde::Serialize;

/// Declares the functions: their words, their lines of documentation, and their arguments, which are numbers.
macro_rules! functions {
    ($($(#[$about:meta])* $name:ident $({ $(#[$of:meta])* $arg:ident = $default:literal })? = $word:literal, $doc:literal;)*) => {
        /// An element-wise function without parameters; formulas and gradients are PyTorch's.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Activation {
            $($(#[$about])* $name $({ $(#[$of])* $arg: f64 })?,)*
        }

        impl Activation {
            /// The word in the language.
            fn word(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $word,)*
                }
            }

            /// The argument that it has.
            fn argument(&self) -> Option<Argument> {
                match self {
                    $(Self::$name $({ $arg })? => {
                        first!($(arguments::argument::<Number>(stringify!($arg), $arg, Some($default)),)? None)
                    })*
                }
            }
        }

        /// The functions as layers.
        const FUNCTIONS: &[LayerSpec] = &[$(LayerSpec {
            name: $word,
            args: &[$(ArgSpec { plain: true, ..optional(stringify!($arg), ArgType::Number, $default) })?],
            doc: $doc,
            make: |args, _| {
                let _ = args;
                Ok(Activation::$name $({
                    $arg: arguments::read::<Number>(args, stringify!($arg), Some($default), 0)?
                })?.into())
            },
        },)*];
    };
}

functions! {
    /// `max(x, 0)`; gradient 0 at 0.
    Relu = "relu", "max(x, 0)";
    /// `min(max(x, 0), 6)`
    Relu6 = "relu6", "min(max(x, 0), 6)";
    /// `x` or `slope·x`
    LeakyRelu {
        /// The factor below 0.
        slope = "0.01"
    } = "leaky_relu", "x where x > 0, slope·x elsewhere";
    /// `x` or `alpha·(eˣ − 1)`
    Elu {
        /// Minus the limit at −∞.
        alpha = "1.0"
    } = "elu", "x where x > 0, alpha·(eˣ − 1) elsewhere (Clevert et al. 2016)";
    /// `x·Φ(x)`, exact, with erf.
    Gelu = "gelu", "x·Φ(x), exact, with erf (Hendrycks and Gimpel 2016)";
    /// `x·sigmoid(x)`
    Silu = "silu", "x·sigmoid(x), also called swish";
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid = "sigmoid", "1 / (1 + e⁻ˣ)";
    /// Hyperbolic tangent.
    Tanh = "tanh", "hyperbolic tangent";
    /// `x·relu6(x + 3) / 6`
    HardSwish = "hard_swish", "x·relu6(x + 3) / 6 (Howard et al. 2019)";
    /// `relu6(x + 3) / 6`
    HardSigmoid = "hard_sigmoid", "relu6(x + 3) / 6";
}

op! {
    /// `x` or `weight·x`: weight `[C]`, or `[1]` where `shared`.
    Prelu = "prelu", "leaky ReLU with a learned slope, one in all or (`shared=false`) one a channel (He et al. 2015)";
    /// What the slope starts with.
    init: f64 [Number = "0.25"],
    /// One slope for all channels, PyTorch's default.
    shared: bool [Flag = "true"],
}

op! {
    /// Softmax over axis 1.
    Softmax = "softmax", "eˣ / Σ eˣ over channels (axis 1)";
}

/// The layers of this family, in the order of the reference.
pub fn specs() -> Vec<LayerSpec> {
    let (smooth, hard) = FUNCTIONS.split_at(FUNCTIONS.len() - 2);
    [smooth, &[Softmax::SPEC], hard, &[Prelu::SPEC]].concat()
}

/// Whether a layer of this name is one of this family.
pub fn is_function(name: &str) -> bool {
    let own = [Softmax::SPEC.name, Prelu::SPEC.name].contains(&name);
    own || FUNCTIONS.iter().any(|function| function.name == name)
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
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Activation, Channels::Kept, Values::Elementwise, Scaling::Field)
    }

    elementwise!();
    no_params!();

    fn kind(&self) -> &'static str {
        self.word()
    }

    fn arguments(&self) -> Vec<Argument> {
        self.argument().into_iter().collect()
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
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Activation, Channels::Kept, Values::Elementwise, Scaling::Field)
    }

    elementwise!();
    declared!(but detail);

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
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Activation, Channels::Moved, Values::Computed, Scaling::Field)
    }

    elementwise!();
    no_params!();
    declared!();

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { output: true, ..Saved::default() }
    }
}
