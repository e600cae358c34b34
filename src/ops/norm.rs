//! Normalisations.

use super::args::{optional, required};
use super::rules::{self, no_macs};
use super::{ArgError, ArgSpec, ArgType, Args, Field, Init, Layer, LayerSpec, Op, ParamSpec, Saved, ShapeError};
use crate::shape::Shape;
use serde::Serialize;

/// Batch normalisation (Ioffe and Szegedy 2015) of `[N, C, …]`: weight, bias, running_mean,
/// running_var `[C]`, num_batches_tracked.
///
/// In training: the batch's mean and biased variance; running statistics move by `momentum` towards
/// the mean and the *unbiased* variance. In evaluation: the running statistics.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f64,
    /// How far running statistics move.
    pub momentum: f64,
    /// Whether weight and bias exist.
    pub affine: bool,
    /// What the weight starts with; 0 gives the zero-init residual.
    pub weight_init: f64,
    /// What the bias starts with.
    pub bias_init: f64,
}

/// Group normalisation (Wu and He 2018): weight, bias `[C]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupNorm {
    /// Groups of channels.
    pub groups: usize,
    /// Added to the variance.
    pub eps: f64,
    /// Whether weight and bias exist.
    pub affine: bool,
}

/// Layer normalisation over channels at each position (Ba et al. 2016): weight, bias `[C]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Whether weight and bias exist.
    pub affine: bool,
}

/// Instance normalisation (Ulyanov et al. 2016); no parameters unless `affine`, no running statistics.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InstanceNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Whether weight and bias exist; PyTorch's default is not.
    pub affine: bool,
}

const EPS: ArgSpec = optional("eps", ArgType::Number, "1e-5");
const AFFINE: ArgSpec = optional("affine", ArgType::Bool, "true");

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[
    LayerSpec {
        name: "batch_norm",
        args: &[
            EPS,
            optional("momentum", ArgType::Number, "0.1"),
            AFFINE,
            optional("weight_init", ArgType::Number, "1"),
            optional("bias_init", ArgType::Number, "0"),
        ],
        doc: "batch normalisation, weight·(x − mean)/√(var + eps) + bias over batch and positions (Ioffe and Szegedy 2015)",
        make: make_batch,
    },
    LayerSpec {
        name: "group_norm",
        args: &[required("groups", ArgType::Count), EPS, AFFINE],
        doc: "normalisation over groups of channels of one sample (Wu and He 2018)",
        make: make_group,
    },
    LayerSpec {
        name: "layer_norm",
        args: &[EPS, AFFINE],
        doc: "normalisation over channels at each position (Ba et al. 2016)",
        make: make_layer,
    },
    LayerSpec {
        name: "instance_norm",
        args: &[EPS, optional("affine", ArgType::Bool, "false")],
        doc: "normalisation of each channel of one sample over its positions (Ulyanov et al. 2016)",
        make: make_instance,
    },
];

fn make_batch(args: &Args, _: &Shape) -> Result<Op, ArgError> {
    let affine = args.bool_or("affine", true)?;
    if let Some(name) = ["weight_init", "bias_init"].into_iter().find(|n| !affine && args.get(n).is_some()) {
        return Err(ArgError::at(name, format!("`{name}` starts a parameter, and `affine` is `false`")));
    }
    let norm = BatchNorm {
        eps: args.positive_or("eps", 1e-5)?,
        momentum: args.probability_or("momentum", 0.1)?,
        affine,
        weight_init: args.number_or("weight_init", 1.0)?,
        bias_init: args.number_or("bias_init", 0.0)?,
    };
    Ok(norm.into())
}

fn make_group(args: &Args, _: &Shape) -> Result<Op, ArgError> {
    let (groups, eps) = (args.count("groups")?, args.positive_or("eps", 1e-5)?);
    Ok(GroupNorm { groups, eps, affine: args.bool_or("affine", true)? }.into())
}

fn make_layer(args: &Args, _: &Shape) -> Result<Op, ArgError> {
    Ok(LayerNorm { eps: args.positive_or("eps", 1e-5)?, affine: args.bool_or("affine", true)? }.into())
}

fn make_instance(args: &Args, _: &Shape) -> Result<Op, ArgError> {
    Ok(InstanceNorm { eps: args.positive_or("eps", 1e-5)?, affine: args.bool_or("affine", false)? }.into())
}

/// A parameter or buffer with one number a channel.
fn per_channel(name: &'static str, input: &Shape, start: f64, trainable: bool) -> ParamSpec {
    let dims = vec![input.channels().unwrap_or(1)];
    ParamSpec { name, dims, init: Init::Constant(start), trainable }
}

fn weight_and_bias(affine: bool, input: &Shape, weight: f64, bias: f64) -> Vec<ParamSpec> {
    if !affine {
        return Vec::new();
    }
    vec![per_channel("weight", input, weight, true), per_channel("bias", input, bias, true)]
}

/// What the backward pass of a normalisation over parts of a sample reads: the input, and the mean and
/// inverse deviation of each part.
fn input_and_statistics(parts: usize) -> Saved {
    Saved { operands: vec![0], output: false, extra_bytes: 8 * parts as u64 }
}

/// Normalisations keep shapes, and look along the spatial axes only through their statistics, which do
/// not count as receptive field.
macro_rules! norm {
    ($kind:literal) => {
        no_macs!();
        fn kind(&self) -> &'static str {
            $kind
        }
        fn field(&self, _: &[&Shape]) -> Field {
            Field::Pointwise
        }
        fn in_place(&self) -> &'static [usize] {
            &[0]
        }
    };
}

impl Layer for BatchNorm {
    norm!("batch_norm");

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        rules::need_channels(inputs[0])?;
        Ok(inputs[0].clone())
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        let mut params = weight_and_bias(self.affine, inputs[0], self.weight_init, self.bias_init);
        params.push(per_channel("running_mean", inputs[0], 0.0, false));
        params.push(per_channel("running_var", inputs[0], 1.0, false));
        let count = Init::Constant(0.0);
        params.push(ParamSpec { name: "num_batches_tracked", dims: vec![], init: count, trainable: false });
        params
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        input_and_statistics(0)
    }

    fn detail(&self) -> String {
        if self.affine && self.weight_init == 0.0 { "from 0".into() } else { String::new() }
    }
}

impl Layer for GroupNorm {
    norm!("group_norm");

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        rules::need_channels(inputs[0])?;
        let size = inputs[0].dims()[0];
        if !size.is_multiple_of(self.groups) {
            return Err(ShapeError::Indivisible { axis: 1, size, by: self.groups, what: "groups" });
        }
        Ok(inputs[0].clone())
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        weight_and_bias(self.affine, inputs[0], 1.0, 0.0)
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        input_and_statistics(self.groups)
    }

    fn detail(&self) -> String {
        format!("groups {}", self.groups)
    }
}

impl Layer for LayerNorm {
    norm!("layer_norm");

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        rules::need_channels(inputs[0])?;
        Ok(inputs[0].clone())
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        weight_and_bias(self.affine, inputs[0], 1.0, 0.0)
    }

    fn saved(&self, inputs: &[&Shape], _: &Shape) -> Saved {
        input_and_statistics(inputs[0].spatial().iter().product())
    }

    fn detail(&self) -> String {
        String::new()
    }
}

impl Layer for InstanceNorm {
    norm!("instance_norm");

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        rules::need_map(inputs[0])?;
        if inputs[0].spatial().iter().all(|&size| size == 1) {
            let message = "`instance_norm` needs more than one position, or every value becomes 0";
            return Err(ShapeError::other(message, None));
        }
        Ok(inputs[0].clone())
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        weight_and_bias(self.affine, inputs[0], 1.0, 0.0)
    }

    fn saved(&self, inputs: &[&Shape], _: &Shape) -> Saved {
        input_and_statistics(inputs[0].dims()[0])
    }

    fn detail(&self) -> String {
        String::new()
    }
}
