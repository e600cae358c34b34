//! All that training needs to go on as if it had never stopped.

use crate::base::{Diagnostic, codes};
use crate::elaborate::recipe::Metric;
use crate::lower::weights::{Checkpoint, safetensors};
use crate::lower::{Error, ParamStore, Result};
use crate::train::metric::Meter;
use crate::train::observe::Scores;
use crate::train::optim::Optimizer;
use crate::train::tally::Tally;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Keeps the optimizer's tensors apart from parameters, whose paths have no slash.
const OPTIMIZER: &str = "optimizer/";

/// The metadata entry that holds a [`State`].
const KEY: &str = "archc.training";

/// How far training got. Order, augmentation and dropout are functions of the seed and the step, so these two are the
/// state of every generator and the position in the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps done.
    pub step: usize,
    /// Steps in all, which the schedule counts on.
    pub steps: usize,
    /// The seed of order, augmentation and dropout.
    pub seed: u64,
    /// Steps that were done at the last evaluation.
    pub evaluated: usize,
    /// Samples learnt from since then, the sum of their losses, and their metrics.
    pub samples: usize,
    /// The sum of their losses.
    pub loss: f64,
    /// Their metrics.
    pub meter: Meter,
    /// The best so far.
    pub best: Option<Best>,
}

/// The best measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps done when it was measured.
    pub step: usize,
    /// What was compared: a metric's name, or `loss`.
    pub by: String,
    /// Its value.
    pub value: f64,
    /// Samples measured on.
    pub samples: usize,
    /// The mean loss.
    pub loss: f64,
    /// Metrics, by name.
    pub metrics: BTreeMap<String, f64>,
}

impl Best {
    /// A measurement after `step` steps, to be compared by its first metric, or by its loss where it has none.
    pub fn of(step: usize, scores: &Scores) -> Self {
        let (by, value) = match scores.metrics.first() {
            Some(&(metric, value)) => (metric.name(), value),
            None => ("loss", scores.loss),
        };
        let metrics = scores.metrics.iter().map(|&(m, value)| (m.name().to_string(), value)).collect();
        Self { step, by: by.into(), value, samples: scores.samples, loss: scores.loss, metrics }
    }

    /// Whether it is better than another: by the metric, at equal metrics by the loss.
    pub fn beats(&self, other: &Self) -> bool {
        if self.value == other.value || self.by != other.by {
            return self.loss < other.loss;
        }
        let lower = ["loss", Metric::Mse.name(), Metric::Mae.name()].contains(&self.by.as_str());
        if lower { self.value < other.value } else { self.value > other.value }
    }

    /// As scores of these metrics.
    pub fn scores(&self, metrics: &[Metric]) -> Scores {
        let value = |metric: Metric| self.metrics.get(metric.name()).copied().unwrap_or_default();
        let metrics = metrics.iter().map(|&metric| (metric, value(metric))).collect();
        Scores { samples: self.samples, loss: self.loss, metrics }
    }
}

impl State {
    /// The state before the first step.
    pub fn new(seed: u64, steps: usize, tally: &Tally) -> Self {
        let (samples, loss, meter) = (tally.samples, tally.loss, tally.meter.clone());
        Self { step: 0, steps, seed, evaluated: 0, samples, loss, meter, best: None }
    }

    /// Writes weights, the optimizer's memory and this state into one file, whole or not at all.
    ///
    /// # Errors
    /// `E0813` where it cannot be written.
    pub fn save(&self, path: &Path, store: &ParamStore, optimizer: &Optimizer) -> Result<()> {
        let mut tensors: BTreeMap<_, _> =
            store.entries().iter().map(|e| (e.path.clone(), e.var.as_detached_tensor())).collect();
        tensors.extend(optimizer.state()?.into_iter().map(|(name, tensor)| (format!("{OPTIMIZER}{name}"), tensor)));
        let text = serde_json::to_string(self).map_err(|error| Error::internal(error.to_string()))?;
        let metadata = BTreeMap::from([("format".to_string(), "pt".to_string()), (KEY.to_string(), text)]);
        safetensors::write(path, &tensors, &metadata)
    }

    /// Reads a state back into a store and an optimizer.
    ///
    /// # Errors
    /// `E0810` where the file is damaged, `E0912` where it is no state or belongs to another network or optimizer.
    pub fn load(path: &Path, store: &ParamStore, optimizer: &mut Optimizer) -> Result<Self> {
        let unusable = |why: String, help: &str| {
            let message = format!("`{}` cannot be gone on from: {why}", path.display());
            Diagnostic::new(codes::RUN_UNUSABLE, message).help(help)
        };
        let file = Checkpoint::open(path)?;
        let only_weights = || unusable("it holds weights alone".into(), "start from its weights with `--weights`");
        let text = file.metadata.get(KEY).ok_or_else(only_weights)?;
        let state: Self = serde_json::from_str(text).map_err(|e| unusable(e.to_string(), "it may be damaged"))?;
        let (memory, weights): (BTreeMap<_, _>, BTreeMap<_, _>) =
            file.read_all()?.into_iter().partition(|(name, _)| name.starts_with(OPTIMIZER));
        let memory = memory.into_iter().map(|(name, tensor)| (name[OPTIMIZER.len()..].to_string(), tensor)).collect();
        let changed = "resume with the file and the settings that the run began with";
        store.restore(&weights).map_err(|error| unusable(error.into_diagnostic().message, changed))?;
        optimizer.restore(&memory).map_err(|error| unusable(error.to_string(), changed))?;
        Ok(state)
    }
}

/// Writes the weights alone, with texts about them.
///
/// # Errors
/// `E0813` where they cannot be written.
pub fn save_weights(path: &Path, store: &ParamStore, best: &Best) -> Result<()> {
    let tensors = store.entries().iter().map(|e| (e.path.clone(), e.var.as_detached_tensor())).collect();
    let metadata = BTreeMap::from([
        ("format".to_string(), "pt".to_string()),
        ("network".to_string(), store.network().to_string()),
        ("step".to_string(), best.step.to_string()),
        (best.by.clone(), best.value.to_string()),
    ]);
    safetensors::write(path, &tensors, &metadata)
}
