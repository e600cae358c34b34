//! Normalisations.

use super::compute::{Compute, Evaluation};
use super::native::{Arg, ArgGrads, Native, apply};
use super::sizes::channels;
use super::{is_native, portable};
use crate::kernels::Elem;
use crate::kernels::memory::zeros;
use crate::kernels::norm::{self as kernel, BatchShape, Grads, GroupShape, Moments};
use crate::lower;
use crate::ops::norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};
use candle_core::{DType, Result, Tensor, bail};
use std::sync::{Arc, OnceLock};

/// What a batch's values were, each `[C]`, for the running statistics.
#[derive(Clone, Debug)]
pub struct BatchMoments {
    /// Means.
    pub mean: Tensor,
    /// Unbiased variances, `Σ(x − mean)² / (count − 1)`.
    pub var: Tensor,
}

/// Batch normalisation of `[N, C, …]`. In training by the batch's own moments, which are returned for
/// the caller to move the running ones; otherwise by the running ones.
///
/// # Errors
/// Where sizes do not fit, and in training where a channel has fewer than two values.
pub fn batch_norm(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    running_mean: &Tensor,
    running_var: &Tensor,
    op: &BatchNorm,
    train: bool,
) -> Result<(Tensor, Option<BatchMoments>)> {
    let shape = channels(x.dims())?;
    check_params("batch_norm", shape.channels, &[weight, bias, Some(running_mean), Some(running_var)])?;
    if !train && !is_native(x) {
        return Ok((portable::norm::batch_norm_eval(x, weight, bias, (running_mean, running_var), op.eps)?, None));
    }
    if !train {
        let (mean, var) = (wide(running_mean)?, wide(running_var)?);
        let scale = var.iter().map(|v| 1.0 / (v + op.eps).sqrt()).collect();
        let kind = Kind::BatchEval(shape);
        return Ok((
            normalise(kind, op.eps, x, weight, bias, Arc::new(OnceLock::from(Moments { mean, scale, var })))?,
            None,
        ));
    }
    let count = shape.count() as f64;
    if count < 2.0 {
        bail!("batch_norm: training needs more than one value a channel, {:?} has one", x.dims())
    }
    if !is_native(x) {
        let (y, mean, var) = portable::norm::batch_norm_train(x, weight, bias, op.eps)?;
        return Ok((y, Some(BatchMoments { mean, var })));
    }
    let kept = Arc::new(OnceLock::new());
    let y = normalise(Kind::BatchTrain(shape), op.eps, x, weight, bias, kept.clone())?;
    let Some(moments) = kept.get() else { bail!("batch_norm: no moments were taken") };
    let tensor = |values: Vec<f64>| Tensor::from_vec(values, shape.channels, x.device())?.to_dtype(x.dtype());
    let var = moments.var.iter().map(|v| v * count / (count - 1.0)).collect();
    let moments = BatchMoments { mean: tensor(moments.mean.clone())?, var: tensor(var)? };
    Ok((y, Some(moments)))
}

/// Group normalisation of `[N, C, …]`.
///
/// # Errors
/// Where sizes do not fit.
pub fn group_norm(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>, op: &GroupNorm) -> Result<Tensor> {
    grouped("group_norm", x, weight, bias, op.groups, op.eps)
}

/// Instance normalisation of `[N, C, …]`.
///
/// # Errors
/// Where sizes do not fit.
pub fn instance_norm(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>, op: &InstanceNorm) -> Result<Tensor> {
    let groups = channels(x.dims())?.channels;
    grouped("instance_norm", x, weight, bias, groups, op.eps)
}

/// Layer normalisation of `[N, C, …]` over channels at each position.
///
/// # Errors
/// Where sizes do not fit.
pub fn layer_norm(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>, op: &LayerNorm) -> Result<Tensor> {
    let shape = channels(x.dims())?;
    check_params("layer_norm", shape.channels, &[weight, bias])?;
    if !is_native(x) {
        return portable::norm::layer_norm(x, weight, bias, op.eps);
    }
    normalise(Kind::Layer(shape), op.eps, x, weight, bias, Arc::default())
}

/// In training the running statistics move by `momentum` towards the batch's mean and unbiased variance.
impl Compute for BatchNorm {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        let params = node.params();
        let (mean, var) = (params.buffer("running_mean")?, params.buffer("running_var")?);
        let (weight, bias) = node.weight_and_bias();
        let (value, moments) = batch_norm(node.x()?, weight, bias, &mean, &var, self, node.pass.train)?;
        if let Some(moments) = moments {
            for (running, batch) in [(&mean, moments.mean), (&var, moments.var)] {
                let kept = running.as_detached_tensor().affine(1.0 - self.momentum, 0.0)?;
                running.set(&(kept + batch.detach().affine(self.momentum, 0.0)?)?)?;
            }
            let counter = params.buffer("num_batches_tracked")?;
            counter.set(&(counter.as_detached_tensor() + counter.ones_like()?)?)?;
        }
        Ok(value)
    }
}

impl Compute for GroupNorm {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        let (weight, bias) = node.weight_and_bias();
        Ok(group_norm(node.x()?, weight, bias, self)?)
    }
}

impl Compute for LayerNorm {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        let (weight, bias) = node.weight_and_bias();
        Ok(layer_norm(node.x()?, weight, bias, self)?)
    }
}

impl Compute for InstanceNorm {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        let (weight, bias) = node.weight_and_bias();
        Ok(instance_norm(node.x()?, weight, bias, self)?)
    }
}

fn grouped(
    name: &str,
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    groups: usize,
    eps: f64,
) -> Result<Tensor> {
    let BatchShape { batch, channels, positions } = channels(x.dims())?;
    check_params(name, channels, &[weight, bias])?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        bail!("{name}: {groups} groups of {channels} channels")
    }
    if !is_native(x) {
        return portable::norm::group_norm(x, weight, bias, groups, eps);
    }
    let kind = Kind::Group(GroupShape { batch, channels, positions, groups });
    normalise(kind, eps, x, weight, bias, Arc::default())
}

fn check_params(name: &str, channels: usize, params: &[Option<&Tensor>]) -> Result<()> {
    match params.iter().flatten().find(|p| p.dims() != [channels]) {
        Some(p) => bail!("{name}: a parameter is {:?}, want [{channels}]", p.dims()),
        None => Ok(()),
    }
}

/// The elements of a vector in double precision.
fn wide(x: &Tensor) -> Result<Vec<f64>> {
    x.to_dtype(DType::F64)?.to_vec1()
}

fn normalise(
    kind: Kind,
    eps: f64,
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    moments: Arc<OnceLock<Moments>>,
) -> Result<Tensor> {
    let op = Normalise { kind, eps, moments, weight: weight.is_some(), bias: bias.is_some() };
    let args: Vec<&Tensor> = [Some(x), weight, bias].into_iter().flatten().collect();
    apply(op, &args)
}

/// What is one set.
#[derive(Clone, Copy)]
enum Kind {
    BatchTrain(BatchShape),
    BatchEval(BatchShape),
    Group(GroupShape),
    Layer(BatchShape),
}

/// A normalisation of its first argument; weight and bias follow where they exist.
struct Normalise {
    kind: Kind,
    eps: f64,
    /// Given in batch normalisation's evaluation, else found in forward.
    moments: Arc<OnceLock<Moments>>,
    weight: bool,
    bias: bool,
}

impl Native for Normalise {
    const NAME: &'static str = "norm";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let x = args[0].data();
        let weight = self.weight.then(|| args[1].data());
        let bias = self.bias.then(|| args[args.len() - 1].data());
        let (w, b) = (weight.as_deref(), bias.as_deref());
        let mut y = zeros(x.len());
        let moments = match &self.kind {
            Kind::BatchEval(shape) => {
                kernel::batch_eval(shape, self.moments()?, &x, w, b, &mut y);
                return Ok((y, args[0].dims().to_vec()));
            }
            Kind::BatchTrain(shape) => kernel::batch_train(shape, self.eps, &x, w, b, &mut y),
            Kind::Group(shape) => kernel::group_norm(shape, self.eps, &x, w, b, &mut y),
            Kind::Layer(shape) => kernel::layer_norm(shape, self.eps, &x, w, b, &mut y),
        };
        self.moments.get_or_init(|| moments);
        Ok((y, args[0].dims().to_vec()))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, dy: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let x = args[0].data();
        let weight = self.weight.then(|| args[1].data());
        let w = weight.as_deref();
        let channels = channels(args[0].dims())?.channels;
        let (mut dx, mut dw, mut db) = (zeros(x.len()), zeros(channels), zeros(channels));
        let grads = Grads { x: &mut dx, weight: &mut dw, bias: &mut db };
        let moments = self.moments()?;
        match &self.kind {
            Kind::BatchTrain(shape) => kernel::batch_train_grad(shape, moments, &x, w, dy, grads),
            Kind::BatchEval(shape) => kernel::batch_eval_grad(shape, moments, &x, w, dy, grads),
            Kind::Group(shape) => kernel::group_norm_grad(shape, moments, &x, w, dy, grads),
            Kind::Layer(shape) => kernel::layer_norm_grad(shape, moments, &x, w, dy, grads),
        }
        let params = [self.weight.then_some(dw), self.bias.then_some(db)];
        let grads = std::iter::once(dx).chain(params.into_iter().flatten());
        Ok(grads.zip(wanted).map(|(g, &wanted)| wanted.then_some(g)).collect())
    }
}

impl Normalise {
    fn moments(&self) -> Result<&Moments> {
        self.moments.get().ok_or_else(|| candle_core::Error::msg("norm: backward before forward"))
    }
}
