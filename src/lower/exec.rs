//! Computes a schedule, node by node.

use super::error::{Error, Result};
use super::schedule::{Schedule, Step};
use super::{merge, nn};
use crate::base::Rng;
use crate::ops::Op;
use crate::ops::norm::BatchNorm;
use candle_core::Tensor;

/// What a pass changes besides its values.
pub(super) struct Pass<'a> {
    /// Whether normalisations use the batch, and dropout drops.
    pub train: bool,
    /// Where dropout draws from.
    pub rng: &'a mut Rng,
}

/// The values of the outputs, in order, from those of the inputs, in order. A value is let go after its
/// last use, unless candle keeps it for the gradient.
///
/// # Errors
/// What the device reports, and an internal error where a value has other sizes than were inferred.
pub(super) fn compute(schedule: &Schedule, inputs: Vec<Tensor>, pass: &mut Pass) -> Result<Vec<Tensor>> {
    let batch = inputs.first().map_or(1, |tensor| tensor.dims()[0]);
    let mut inputs = inputs.into_iter();
    let mut values: Vec<Option<Tensor>> = vec![None; schedule.slots];
    for step in &schedule.steps {
        let operands = step.operands.iter().map(|&slot| values[slot].clone().ok_or_else(|| lost(&step.path)));
        let operands = operands.collect::<Result<Vec<_>>>()?;
        let value = match step.op {
            Op::Input(_) => inputs.next().ok_or_else(|| lost(&step.path))?,
            _ => apply(step, &operands, pass).map_err(|error| in_node(error, &step.path))?,
        };
        let want = step.shape.with_batch(batch);
        if value.dims() != want {
            return Err(Error::internal(format!("`{}` gave {:?}, inferred was {want:?}", step.path, value.dims())));
        }
        values[step.slot] = Some(value);
        step.dead.iter().for_each(|&slot| values[slot] = None);
    }
    schedule.outputs.iter().map(|(name, slot)| values[*slot].clone().ok_or_else(|| lost(name))).collect()
}

fn lost(path: &str) -> Error {
    Error::internal(format!("the value of `{path}` was let go too early"))
}

fn in_node(error: Error, path: &str) -> Error {
    match error {
        Error::Candle(error) => Error::Candle(error.context(format!("in `{path}`"))),
        diagnostic => diagnostic,
    }
}

fn apply(step: &Step, operands: &[Tensor], pass: &mut Pass) -> Result<Tensor> {
    let params = &step.params;
    let (weight, bias) = (params.get("weight"), params.get("bias"));
    let x = operands.first().ok_or_else(|| Error::internal(format!("`{}` reads nothing", step.path)))?;
    Ok(match &step.op {
        Op::Conv(op) => nn::conv(x, params.need("weight")?, bias, op)?,
        Op::ConvTranspose(op) => nn::conv_transpose(x, params.need("weight")?, bias, op)?,
        Op::Linear(_) => nn::linear(x, params.need("weight")?, bias)?,
        Op::Scale(_) => merge::scale(x, params.need("weight")?)?,
        Op::BatchNorm(op) => batch_norm(step, x, op, pass.train)?,
        Op::GroupNorm(op) => nn::group_norm(x, weight, bias, op)?,
        Op::LayerNorm(op) => nn::layer_norm(x, weight, bias, op)?,
        Op::InstanceNorm(op) => nn::instance_norm(x, weight, bias, op)?,
        Op::Activation(f) => nn::activation(x, f)?,
        Op::Prelu(_) => nn::prelu(x, params.need("weight")?)?,
        Op::Softmax(_) => merge::softmax(x)?,
        Op::MaxPool(op) => nn::max_pool(x, op)?,
        Op::AvgPool(op) => nn::avg_pool(x, op)?,
        Op::GlobalPool(op) => nn::global_pool(x, op)?,
        Op::AdaptiveAvgPool(op) => nn::adaptive_avg_pool(x, op)?,
        Op::Upsample(_) | Op::Pad(_) => return Err(Error::internal(format!("`{}` is not lowered", step.path))),
        Op::Crop(_) | Op::CropLike(_) => merge::crop(x, step.shape.spatial())?,
        Op::PadLike(_) => merge::pad_to(x, step.shape.spatial())?,
        Op::ZeroPad(op) => merge::zero_pad(x, op)?,
        Op::Dropout(op) if pass.train => merge::dropout(x, op.p, pass.rng)?,
        Op::Flatten(_) | Op::Reshape(_) => x.reshape(step.shape.with_batch(x.dim(0)?))?,
        Op::Add(op) => merge::add(operands, op, pass.train, pass.rng)?,
        Op::Concat(_) => Tensor::cat(operands, 1)?,
        Op::Mul(_) => merge::mul(operands)?,
        Op::Gate(_) => match operands {
            [source, result, transform] => merge::gate(source, result, transform)?,
            _ => return Err(Error::internal(format!("`{}` does not read three values", step.path))),
        },
        Op::Input(_) | Op::Dropout(_) | Op::Identity(_) => x.clone(),
    })
}

/// Batch normalisation; in training the running statistics move by `momentum` towards the batch's mean and
/// unbiased variance.
fn batch_norm(step: &Step, x: &Tensor, op: &BatchNorm, train: bool) -> Result<Tensor> {
    let params = &step.params;
    let (mean, var) = (params.buffer("running_mean")?, params.buffer("running_var")?);
    let (weight, bias) = (params.get("weight"), params.get("bias"));
    let (value, moments) = nn::batch_norm(x, weight, bias, &mean, &var, op, train)?;
    if let Some(moments) = moments {
        for (running, batch) in [(&mean, moments.mean), (&var, moments.var)] {
            let kept = running.as_detached_tensor().affine(1.0 - op.momentum, 0.0)?;
            running.set(&(kept + batch.detach().affine(op.momentum, 0.0)?)?)?;
        }
        let counter = params.buffer("num_batches_tracked")?;
        let next = counter.as_detached_tensor().to_scalar::<i64>()? + 1;
        counter.set(&Tensor::new(next, counter.device())?)?;
    }
    Ok(value)
}
