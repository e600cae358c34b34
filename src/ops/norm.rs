//! Normalisations.

use super::arguments::{Argument, Count, Flag, Number, Positive, Probability, declared, op};
use super::nature::{Channels, Family, Nature, Scaling, Values};
use super::rules::{self, no_macs};
use super::{ArgError, ArgSpec, Args, Field, Init, Layer, LayerSpec, ParamSpec, Saved, ShapeError};
use crate::shape::Shape;
use serde::Serialize;

op! {
    /// Batch normalisation (Ioffe and Szegedy 2015) of `[N, C, …]`: weight, bias, running_mean,
    /// running_var `[C]`, num_batches_tracked.
    ///
    /// In training: the batch's mean and biased variance; running statistics move by `momentum` towards
    /// the mean and the *unbiased* variance. In evaluation: the running statistics.
    BatchNorm = "batch_norm",
        "batch normalisation, weight·(x − mean)/√(var + eps) + bias over batch and positions (Ioffe and Szegedy 2015)",
        settled by settled, restated by restated;
    /// Added to the variance.
    eps: f64 [Positive = "1e-5"],
    /// How far running statistics move.
    momentum: f64 [Probability = "0.1"],
    /// Whether weight and bias exist.
    affine: bool [Flag = "true"],
    /// What the weight starts with; 0 gives the zero-init residual.
    weight_init: f64 [Number = "1"],
    /// What the bias starts with.
    bias_init: f64 [Number = "0"],
}

op! {
    /// Group normalisation (Wu and He 2018): weight, bias `[C]`.
    GroupNorm = "group_norm", "normalisation over groups of channels of one sample (Wu and He 2018)";
    /// Groups of channels.
    groups: usize [Count] => Named,
    /// Added to the variance.
    eps: f64 [Positive = "1e-5"],
    /// Whether weight and bias exist.
    affine: bool [Flag = "true"],
}

op! {
    /// Layer normalisation over channels at each position (Ba et al. 2016): weight, bias `[C]`.
    LayerNorm = "layer_norm", "normalisation over channels at each position (Ba et al. 2016)";
    /// Added to the variance.
    eps: f64 [Positive = "1e-5"],
    /// Whether weight and bias exist.
    affine: bool [Flag = "true"],
}

op! {
    /// Instance normalisation (Ulyanov et al. 2016); no parameters unless `affine`, no running statistics.
    InstanceNorm = "instance_norm",
        "normalisation of each channel of one sample over its positions (Ulyanov et al. 2016)";
    /// Added to the variance.
    eps: f64 [Positive = "1e-5"],
    /// Whether weight and bias exist; PyTorch's default is not.
    affine: bool [Flag = "false"],
}

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[BatchNorm::SPEC, GroupNorm::SPEC, LayerNorm::SPEC, InstanceNorm::SPEC];

impl BatchNorm {
    /// What is not there has no start.
    fn restated(&self, mut arguments: Vec<Argument>) -> Vec<Argument> {
        arguments.retain(|argument| self.affine || !["weight_init", "bias_init"].contains(&argument.name));
        arguments
    }

    /// What parameters start with needs parameters.
    fn settled(self, args: &Args) -> Result<Self, ArgError> {
        match ["weight_init", "bias_init"].into_iter().find(|n| !self.affine && args.get(n).is_some()) {
            None => Ok(self),
            Some(name) => Err(ArgError::at(name, format!("`{name}` starts a parameter, and `affine` is `false`"))),
        }
    }
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
    () => {
        no_macs!();
        fn field(&self, _: &[&Shape]) -> Field {
            Field::Pointwise
        }
        fn in_place(&self) -> &'static [usize] {
            &[0]
        }
    };
}

impl Layer for BatchNorm {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Norm, Channels::Kept, Values::Elementwise, Scaling::Field)
    }

    norm!();
    declared!(but detail);

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
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Norm, Channels::Kept, Values::Computed, Scaling::Field)
    }

    norm!();
    declared!();

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
}

impl Layer for LayerNorm {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Norm, Channels::Kept, Values::Computed, Scaling::Field)
    }

    norm!();
    declared!();

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
}

impl Layer for InstanceNorm {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Norm, Channels::Kept, Values::Computed, Scaling::Field)
    }

    norm!();
    declared!();

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
}
