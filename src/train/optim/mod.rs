//! Optimizers, with PyTorch's semantics and its names for what they remember.
//!
//! On the CPU a parameter and its memory are updated in place, in one pass over slices; on other devices by
//! tensor operations. Both say the same formulas: `rules` over slices, `tensors` over tensors.

mod rules;
mod schedule;
mod state;
mod tensors;

pub use schedule::rate_factor;

use crate::elaborate::recipe::Optimizer as Settings;
use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var, bail};
use state::Memory;
use std::collections::BTreeMap;

/// A parameter with what the optimizer remembers of it.
struct Parameter {
    path: String,
    var: Var,
    /// Updates made so far; Adam's bias correction counts them.
    updates: u64,
    memory: Memory,
}

/// An optimizer over named parameters, in their order.
pub struct Optimizer {
    settings: Settings,
    parameters: Vec<Parameter>,
}

impl Optimizer {
    /// An optimizer that has not seen a gradient yet.
    ///
    /// # Errors
    /// Where memory on a device cannot be had.
    pub fn new(settings: Settings, parameters: impl IntoIterator<Item = (String, Var)>) -> Result<Self> {
        let start = |(path, var): (String, Var)| {
            let memory = Memory::new(&var, slots(&settings).len())?;
            Ok(Parameter { path, var, updates: 0, memory })
        };
        let parameters = parameters.into_iter().map(start).collect::<Result<_>>()?;
        Ok(Self { settings, parameters })
    }

    /// The learning rate of the recipe, before its schedule.
    pub fn base_rate(&self) -> f64 {
        match self.settings {
            Settings::Sgd { lr, .. }
            | Settings::Adam { lr, .. }
            | Settings::AdamW { lr, .. }
            | Settings::RmsProp { lr, .. } => lr,
        }
    }

    /// One update of every parameter that has a gradient, at learning rate `rate`.
    ///
    /// # Errors
    /// Where a gradient's type or shape is not its parameter's.
    pub fn step(&mut self, gradients: &GradStore, rate: f64) -> Result<()> {
        for parameter in &mut self.parameters {
            let Some(gradient) = gradients.get(parameter.var.as_tensor()) else { continue };
            parameter.updates += 1;
            let update = Update { settings: &self.settings, rate, count: parameter.updates };
            parameter.memory.apply(&update, &parameter.var, gradient)?;
        }
        Ok(())
    }

    /// All that has to be saved, by name: `PATH.momentum_buffer`, `PATH.exp_avg`, … and `PATH.step`.
    ///
    /// # Errors
    /// Where memory on a device cannot be read.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let mut tensors = Vec::new();
        for parameter in &self.parameters {
            let saved = parameter.memory.save(parameter.var.dims())?;
            let named = slots(&self.settings).iter().zip(saved);
            tensors.extend(named.map(|(slot, tensor)| (format!("{}.{slot}", parameter.path), tensor)));
            let count = Tensor::new(parameter.updates as i64, &candle_core::Device::Cpu)?;
            tensors.push((format!("{}.step", parameter.path), count));
        }
        Ok(tensors)
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// Where a tensor is missing or has another shape.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        for parameter in &mut self.parameters {
            let find = |slot: &str| {
                let name = format!("{}.{slot}", parameter.path);
                match state.get(&name) {
                    Some(tensor) => Ok(tensor),
                    None => bail!("the optimizer's state has no `{name}`"),
                }
            };
            let saved = slots(&self.settings).iter().map(|slot| find(slot)).collect::<Result<Vec<_>>>()?;
            let count = find("step")?.to_scalar::<i64>()?;
            parameter.memory = Memory::load(&parameter.var, &saved)?;
            parameter.updates = count as u64;
        }
        Ok(())
    }
}

/// One update of one parameter.
struct Update<'a> {
    settings: &'a Settings,
    rate: f64,
    /// This update's number, from 1.
    count: u64,
}

/// What an optimizer remembers of each parameter, by PyTorch's names. The rules take them in this order.
fn slots(settings: &Settings) -> &'static [&'static str] {
    match *settings {
        Settings::Sgd { momentum: 0.0, .. } => &[],
        Settings::Sgd { .. } => &["momentum_buffer"],
        Settings::Adam { amsgrad: false, .. } | Settings::AdamW { amsgrad: false, .. } => &["exp_avg", "exp_avg_sq"],
        Settings::Adam { .. } | Settings::AdamW { .. } => &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
        Settings::RmsProp { momentum: 0.0, centered: false, .. } => &["square_avg"],
        Settings::RmsProp { momentum: 0.0, .. } => &["square_avg", "grad_avg"],
        Settings::RmsProp { centered: false, .. } => &["square_avg", "momentum_buffer"],
        Settings::RmsProp { .. } => &["square_avg", "grad_avg", "momentum_buffer"],
    }
}
