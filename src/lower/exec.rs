//! Computes a schedule, node by node.

use super::error::{Error, Result};
use super::nn;
use super::schedule::{Schedule, Step};
use crate::base::Rng;
use crate::ops::merge::Add;
use crate::ops::norm::BatchNorm;
use crate::ops::resize::PadMode;
use crate::ops::{Family, Op};
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
        let value = match step.op.family() == Family::Input {
            true => inputs.next().ok_or_else(|| lost(&step.path))?,
            false => apply(step, &operands, pass).map_err(|error| in_node(error, &step.path))?,
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
    let x = operand(step, operands, 0)?;
    let size = step.shape.spatial();
    Ok(match &step.op {
        Op::Conv(op) => nn::conv(x, params.need("weight")?, bias, op)?,
        Op::ConvTranspose(op) => nn::conv_transpose(x, params.need("weight")?, bias, op)?,
        Op::Linear(_) => nn::linear(x, params.need("weight")?, bias)?,
        Op::Scale(_) => nn::scale(x, params.need("weight")?)?,
        Op::BatchNorm(op) => batch_norm(step, x, op, pass.train)?,
        Op::GroupNorm(op) => nn::group_norm(x, weight, bias, op)?,
        Op::LayerNorm(op) => nn::layer_norm(x, weight, bias, op)?,
        Op::InstanceNorm(op) => nn::instance_norm(x, weight, bias, op)?,
        Op::Activation(f) => nn::activation(x, f)?,
        Op::Prelu(_) => nn::prelu(x, params.need("weight")?)?,
        Op::Softmax(_) => nn::softmax(x)?,
        Op::MaxPool(op) => nn::max_pool(x, op)?,
        Op::AvgPool(op) => nn::avg_pool(x, op)?,
        Op::GlobalPool(op) => nn::global_pool(x, op)?,
        Op::AdaptiveAvgPool(op) => nn::adaptive_avg_pool(x, op)?,
        Op::Upsample(op) => nn::upsample(x, size, op.mode)?,
        Op::Pad(op) => nn::pad(x, &op.amount, op.mode)?,
        Op::Crop(_) | Op::CropLike(_) => nn::crop(x, &margins(x, size, |x, s| x.checked_sub(s), step)?, size)?,
        Op::PadLike(_) => pad_to(x, size, step)?,
        Op::ZeroPad(op) => nn::zero_pad(x, op.width, &op.stride)?,
        Op::Dropout(op) if pass.train => nn::dropout(x, op.p, pass.rng.next_u64())?,
        Op::Flatten(_) | Op::Reshape(_) => x.reshape(step.shape.with_batch(x.dim(0)?))?,
        Op::Add(op) => add(step, operands, op, pass)?,
        Op::Concat(_) => nn::concat(&operands.iter().collect::<Vec<_>>())?,
        Op::Mul(_) => operands[1..].iter().try_fold(x.clone(), |product, factor| nn::mul(&product, factor))?,
        Op::Gate(_) => nn::gate(x, operand(step, operands, 1)?, operand(step, operands, 2)?)?,
        Op::Input(_) | Op::Dropout(_) | Op::Identity(_) => x.clone(),
    })
}

fn operand<'a>(step: &Step, operands: &'a [Tensor], at: usize) -> Result<&'a Tensor> {
    operands.get(at).ok_or_else(|| Error::internal(format!("`{}` has no operand {at}", step.path)))
}

/// `operand 0 + scale·operand 1 (+ operand 2 …)`; in training operand 1 is dropped for some samples.
fn add(step: &Step, operands: &[Tensor], op: &Add, pass: &mut Pass) -> Result<Tensor> {
    let (first, second) = (operand(step, operands, 0)?, operand(step, operands, 1)?);
    let sum = match pass.train && op.drop_path > 0.0 {
        true => nn::add_drop_path(first, second, op.scale, op.drop_path, pass.rng.next_u64())?,
        false => nn::add(first, second, op.scale)?,
    };
    Ok(operands[2..].iter().try_fold(sum, |sum, term| nn::add(&sum, term, 1.0))?)
}

/// Half of the difference between the spatial sizes of `x` and `size`, rounded down, along each axis.
fn margins(x: &Tensor, size: &[usize], less: fn(usize, usize) -> Option<usize>, step: &Step) -> Result<Vec<usize>> {
    let wrong = || Error::internal(format!("`{}` fits {:?} to {size:?}", step.path, x.dims()));
    let half = |(&x, &size)| Some(less(x, size)? / 2);
    let spatial = x.dims().get(2..).unwrap_or(&[]);
    spatial.iter().zip(size).map(half).collect::<Option<_>>().ok_or_else(wrong)
}

/// Zeros around the spatial axes: `⌊difference / 2⌋` before, the rest after.
fn pad_to(x: &Tensor, size: &[usize], step: &Step) -> Result<Tensor> {
    let before = margins(x, size, |x, s| s.checked_sub(x), step)?;
    let sizes = x.dims()[2..].iter().zip(size);
    let amounts: Vec<_> = sizes.zip(&before).map(|((x, size), &before)| (before, size - x - before)).collect();
    Ok(nn::pad(x, &amounts, PadMode::Zero)?)
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
        counter.set(&(counter.as_detached_tensor() + counter.ones_like()?)?)?;
    }
    Ok(value)
}
