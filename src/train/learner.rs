//! A network with its optimizer: what one step does.

use super::data::Batch;
use super::evaluate::{metric_output, outputs, scalar};
use super::feed::{Fed, feed};
use super::loss;
use super::optim::{Optimizer, rate_factor};
use crate::base::{Diagnostic, Rng, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::Recipe;
use crate::lower::{Module, ParamStore, Result};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};

/// A network with its parameters, the optimizer that changes them, and the recipe that both follow.
pub struct Learner {
    /// What is learnt.
    pub store: ParamStore,
    /// The network over those parameters.
    pub module: Module,
    /// What changes them.
    pub optimizer: Optimizer,
    recipe: Recipe,
    steps: usize,
}

/// What a step came to.
pub struct Learnt {
    /// Samples in the batch.
    pub samples: usize,
    /// Its loss, before the update.
    pub loss: f64,
    /// The learning rate of the update.
    pub rate: f64,
    /// The output that metrics look at.
    pub output: Tensor,
    /// What it was compared with.
    pub target: Tensor,
}

/// What forward and backward came to.
pub struct Backward {
    /// Samples in the batch.
    pub samples: usize,
    /// Its loss.
    pub loss: f64,
    /// The loss's gradient by each parameter.
    pub gradients: GradStore,
    /// The output that metrics look at.
    pub output: Tensor,
    /// What it was compared with.
    pub target: Tensor,
}

impl Learner {
    /// A network at its initial parameters, to be trained for `steps` steps.
    ///
    /// # Errors
    /// Where the device cannot hold it.
    pub fn new(network: &Network, recipe: &Recipe, steps: usize, dtype: DType, device: &Device) -> Result<Self> {
        let store = ParamStore::new(network, recipe.seed, dtype, device)?;
        let module = network.lower(store.var_builder())?;
        let trainable = store.trainable().into_iter().map(|(path, var)| (path.to_string(), var.clone()));
        let optimizer = Optimizer::new(recipe.optimizer.clone(), trainable)?;
        Ok(Self { store, module, optimizer, recipe: recipe.clone(), steps })
    }

    /// One step, the `step`th from 0: forward, backward, update. `None` where the batch has nothing to learn from, its
    /// targets being left out: then nothing changes.
    ///
    /// # Errors
    /// As [`backward`](Self::backward); the parameters are then as they were.
    pub fn step(&mut self, step: usize, batch: Batch) -> Result<Option<Learnt>> {
        let mixed = batch.mix.as_ref().is_some_and(|mix| loss::counts(&self.recipe.loss, &mix.other));
        if !mixed && !loss::counts(&self.recipe.loss, &batch.targets) {
            return Ok(None);
        }
        let Backward { samples, loss, gradients, output, target } = self.backward(step, batch)?;
        let rate = self.rate(step);
        self.optimizer.step(&gradients, rate)?;
        Ok(Some(Learnt { samples, loss, rate, output, target }))
    }

    /// Forward and backward as in the `step`th step, without the update. Dropout draws from a generator of the
    /// step's own, so that a step depends on the parameters and its batch, not on what was drawn before. Batch
    /// normalisation moves its running statistics.
    ///
    /// # Errors
    /// `E0911` where the loss is not a number any more.
    pub fn backward(&self, step: usize, batch: Batch) -> Result<Backward> {
        let fed = feed(batch, self.store.dtype(), self.store.device())?;
        self.module.set_rng_state(Rng::derive(self.recipe.seed, &format!("step {step}")).state());
        let outputs = outputs(&self.module, &fed.inputs, true)?;
        let total = self.loss(&outputs, &fed)?;
        let loss = scalar(&total)?;
        if !loss.is_finite() {
            return Err(self.diverged(step, &format!("the loss is {loss}"), Some(self.rate(step))).into());
        }
        let output = metric_output(&self.recipe, &outputs)?.detach();
        drop(outputs);
        let gradients = total.backward()?;
        Ok(Backward { samples: fed.samples, loss, gradients, output, target: fed.target })
    }

    /// The learning rate of a step.
    fn rate(&self, step: usize) -> f64 {
        self.optimizer.base_rate() * rate_factor(&self.recipe.schedule, step, self.steps)
    }

    fn loss(&self, outputs: &[(String, Tensor)], fed: &Fed) -> Result<Tensor> {
        let own = loss::total(&self.recipe.loss, outputs, &fed.target)?;
        let Some((other, weight)) = &fed.mix else { return Ok(own) };
        let other = loss::total(&self.recipe.loss, outputs, other)?;
        Ok(((own * *weight)? + (other * (1.0 - weight))?)?)
    }

    /// Whether every parameter and buffer is a finite number: what a checkpoint may hold.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn is_finite(&self) -> Result<bool> {
        for entry in self.store.entries() {
            if entry.var.dtype() != DType::I64 {
                let largest = scalar(&entry.var.as_detached_tensor().abs()?.sum_all()?)?;
                if !largest.is_finite() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The error of a loss or of parameters that are no numbers any more: what is none, after which step, and the step's rate where
    /// it is known.
    pub fn diverged(&self, step: usize, what: &str, rate: Option<f64>) -> Diagnostic {
        let smaller = rounded(self.optimizer.base_rate() / 10.0);
        let rate = rate.map(|rate| format!(", at learning rate {rate:.3e}")).unwrap_or_default();
        let message = format!("training diverged: {what} at step {}{rate}", step + 1);
        Diagnostic::new(codes::DIVERGED, message).label(self.recipe.span, "by this recipe").help(format!(
            "a smaller rate, `--set optimizer.lr={smaller}`, or a warm-up, `schedule = cosine(warmup=500)`"
        ))
    }
}

/// A number of three digits, to be typed: `0.00003`.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn a_rate_to_be_typed_has_three_digits() {
        assert_eq!(
            [0.0003 / 10.0, 0.1 / 10.0, 1.0 / 3.0].map(rounded).map(|v| v.to_string()),
            ["0.00003", "0.01", "0.333"]
        );
    }
}
