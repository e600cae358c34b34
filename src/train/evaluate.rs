//! How good is it? A module measured on a data set.

use super::data::{Dataset, Loader, LoaderOptions};
use super::feed::feed;
use super::observe::Scores;
use super::tally::Tally;
use super::{fit, loss};
use crate::elaborate::Network;
use crate::elaborate::recipe::{LossTerm, Recipe};
use crate::lower::{Error, Module, Result};
use candle_core::{DType, Device, Tensor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The batches of a data set as a network is measured on them: every sample once, none changed but by the recipe's
/// normalisation, masks cropped to the network's output.
///
/// # Errors
/// `E0910` where network, recipe and data do not fit one another; `E0807` for an empty set.
pub fn evaluation_loader(network: &Network, recipe: &Recipe, data: &Arc<dyn Dataset>, strict: bool) -> Result<Loader> {
    fit::check(network, recipe, data.target())?;
    let mask_size = fit::mask_size(network, recipe, data.target());
    let normalize = recipe.normalize.clone();
    let base = LoaderOptions::evaluation(recipe.batch, recipe.seed);
    let options = LoaderOptions { normalize, mask_size, strict, ..base };
    Loader::new(data.clone(), options).map_err(|error| Error::from(error.diagnostic()))
}

/// Measures a module on every sample of a loader, without changing it: the recipe's loss and metrics.
///
/// `progress` hears how many batches are done, and of how many. `Ok(None)` where `stop` was raised.
///
/// # Errors
/// Where data cannot be read, or do not fit the module.
pub fn evaluate(
    module: &Module,
    recipe: &Recipe,
    loader: &Loader,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Option<Scores>> {
    let device = module.device().cloned().unwrap_or(Device::Cpu);
    let mut tally = Tally::new(recipe);
    for batch in loader.epoch(0) {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let batch = batch.map_err(|error| Error::from(error.diagnostic()))?;
        let done = batch.index + 1;
        let fed = feed(batch, module.dtype(), &device)?;
        let outputs = outputs(module, &fed.inputs, false)?;
        let loss = loss::total(&recipe.loss, &outputs, &fed.target)?;
        let loss = scalar(&loss)?;
        tally.add(loss, fed.samples, metric_output(recipe, &outputs)?, &fed.target)?;
        progress(done, loader.batches_per_epoch());
    }
    Ok(Some(tally.scores(&recipe.metrics)))
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
