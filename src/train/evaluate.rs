//! How good is it? A network measured on a data set.

use super::data::{Dataset, Loader, LoaderOptions};
use super::feed::{Fed, feed};
use super::observe::Scores;
use super::tally::Tally;
use super::{fit, loss};
use crate::base::{Fault, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::{LossTerm, Recipe};
use crate::engine::{Input, Session};
use crate::lower::{Error, Module, Result};
use candle_core::{DType, Device, Tensor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whatever computes a network's outputs for a batch of its only input, without changing it.
pub trait Forward {
    /// The type of the numbers that it computes with.
    fn dtype(&self) -> DType;
    /// Where it computes.
    fn device(&self) -> Device;
    /// All outputs, in file order.
    ///
    /// # Errors
    /// Where the input does not fit, or computing fails.
    fn forward(&mut self, input: &Tensor) -> Result<Vec<(String, Tensor)>>;
}

impl Forward for Module {
    fn dtype(&self) -> DType {
        Module::dtype(self)
    }

    fn device(&self) -> Device {
        Module::device(self).cloned().unwrap_or(Device::Cpu)
    }

    fn forward(&mut self, input: &Tensor) -> Result<Vec<(String, Tensor)>> {
        outputs(self, input, false)
    }
}

impl Forward for Session {
    fn dtype(&self) -> DType {
        DType::F32
    }

    fn device(&self) -> Device {
        Device::Cpu
    }

    fn forward(&mut self, input: &Tensor) -> Result<Vec<(String, Tensor)>> {
        let name = self.network().inputs.first().map(|decl| decl.name.clone()).unwrap_or_default();
        let data = input.flatten_all()?.to_vec1::<f32>()?;
        let outputs = self.run(&[Input { name: &name, dims: input.dims(), data: &data }])?;
        let tensor = |output: crate::engine::Output<'_>| {
            let values = Tensor::from_vec(output.to_vec(), output.dims.as_slice(), &Device::Cpu)?;
            Ok((output.name.to_string(), values))
        };
        outputs.into_iter().map(tensor).collect()
    }
}

/// The batches of a data set as a network is measured on them: every sample once, none changed but by the recipe's
/// normalisation, masks cropped to the network's output.
///
/// # Errors
/// `E0910` where network, recipe and data do not fit one another; `E0807` for an empty set.
pub fn evaluation_loader(network: &Network, recipe: &Recipe, data: &Arc<dyn Dataset>, strict: bool) -> Result<Loader> {
    fit::check(network, recipe, data.as_ref())?;
    let mask_size = fit::mask_size(network, recipe, data.target());
    let normalize = recipe.normalize.clone();
    let base = LoaderOptions::evaluation(recipe.batch, recipe.seed);
    let labels = fit::rules(network, recipe);
    let options = LoaderOptions { normalize, mask_size, strict, labels, ..base };
    Loader::new(data.clone(), options).map_err(|error| Error::from(error.fault()))
}

/// Measures a network on every sample of a loader: the recipe's loss and metrics.
///
/// `progress` hears how many batches are done, and of how many. `Ok(None)` where `stop` was raised.
///
/// # Errors
/// Where data cannot be read, or do not fit the network; `E0911` where the loss is not a number.
pub fn evaluate(
    network: &mut dyn Forward,
    recipe: &Recipe,
    loader: &Loader,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Option<Scores>> {
    let scores = measure(network, recipe, loader, stop, progress)?;
    match scores.as_ref().filter(|scores| !scores.loss.is_finite()) {
        Some(scores) => Err(no_number(scores.loss).into()),
        None => Ok(scores),
    }
}

fn no_number(loss: f64) -> Fault {
    Fault::new(codes::DIVERGED, format!("the loss is {loss} on what is measured"))
        .note("the weights, or what the network answers with them, hold what is no finite number")
        .help("`archc train` keeps no such weights: use those of a run, or look for NaN and inf in what the file holds")
}

/// As [`evaluate`], whatever the loss comes to.
///
/// # Errors
/// Where data cannot be read, or do not fit the network.
pub(super) fn measure(
    network: &mut dyn Forward,
    recipe: &Recipe,
    loader: &Loader,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Option<Scores>> {
    let (dtype, device) = (network.dtype(), network.device());
    let mut tally = Tally::new(recipe);
    for batch in loader.epoch(0) {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let batch = batch.map_err(|error| Error::from(error.fault()))?;
        let done = batch.index + 1;
        // A batch of which every target is left out has no loss, and no part in the mean.
        if loss::counts(&recipe.loss, &batch.targets) {
            count(network, recipe, &feed(batch, dtype, &device)?, &mut tally)?;
        }
        progress(done, loader.batches_per_epoch());
    }
    if tally.samples == 0 {
        let message = "nothing can be measured: every target is one that the losses leave out";
        return Err(Error::new(codes::TRAIN_UNFIT, message));
    }
    Ok(Some(tally.scores(&recipe.metrics)))
}

/// Counts what a network gives for a batch.
fn count(network: &mut dyn Forward, recipe: &Recipe, fed: &Fed, tally: &mut Tally) -> Result<()> {
    let outputs = network.forward(&fed.inputs)?;
    let loss = scalar(&loss::total(&recipe.loss, &outputs, &fed.target)?)?;
    Ok(tally.add(loss, fed.samples, metric_output(recipe, &outputs)?, &fed.target)?)
}

/// Samples that stay on the device, for a network that is measured on them again and again.
pub struct Probe {
    recipe: Recipe,
    batches: Vec<Fed>,
    samples: usize,
}

impl Probe {
    /// The first batches of a loader, until there are `samples` of them or the data end.
    ///
    /// # Errors
    /// Where data cannot be read, or the device cannot hold them.
    pub fn new(recipe: &Recipe, loader: &Loader, samples: usize, dtype: DType, device: &Device) -> Result<Self> {
        let (mut batches, mut held) = (Vec::new(), 0);
        for batch in loader.epoch(0) {
            let batch = batch.map_err(|error| Error::from(error.fault()))?;
            if !loss::counts(&recipe.loss, &batch.targets) {
                continue;
            }
            held += batch.len();
            batches.push(feed(batch, dtype, device)?);
            if held >= samples {
                break;
            }
        }
        Ok(Self { recipe: recipe.clone(), batches, samples: held })
    }

    /// How many samples it holds.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Measures a network on all of them.
    ///
    /// # Errors
    /// Where they do not fit the network.
    pub fn measure(&self, network: &mut dyn Forward) -> Result<Scores> {
        let mut tally = Tally::new(&self.recipe);
        self.batches.iter().try_for_each(|fed| count(network, &self.recipe, fed, &mut tally))?;
        Ok(tally.scores(&self.recipe.metrics))
    }
}

/// A module's outputs for its only input, in file order.
pub(super) fn outputs(module: &Module, input: &Tensor, train: bool) -> Result<Vec<(String, Tensor)>> {
    let names = module.input_names();
    let name = names.first().copied().unwrap_or_default();
    let mut map = module.forward_all(&[(name, input)], train)?;
    let order = module.output_names().into_iter().map(str::to_string);
    Ok(order.filter_map(|name| map.remove(&name).map(|tensor| (name, tensor))).collect())
}

/// The output that metrics look at: the one of the first loss.
pub(super) fn metric_output<'a>(recipe: &Recipe, outputs: &'a [(String, Tensor)]) -> Result<&'a Tensor> {
    let name = recipe.loss.first().and_then(|term: &LossTerm| term.output.as_deref());
    Ok(loss::select(outputs, name)?)
}

/// A scalar's value.
pub(super) fn scalar(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.to_scalar::<f64>()?)
}
