//! Losses and metrics added up over batches.

use super::metric::Meter;
use super::observe::Scores;
use crate::elaborate::recipe::{Metric, Recipe};
use candle_core::{Result, Tensor};

/// Losses and counts of some batches.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Samples counted.
    pub samples: usize,
    /// The sum of their losses.
    pub loss: f64,
    /// Their metrics.
    pub meter: Meter,
}

impl Tally {
    /// Nothing yet.
    pub fn new(recipe: &Recipe) -> Self {
        Self { samples: 0, loss: 0.0, meter: Meter::new(recipe) }
    }

    /// Counts a batch.
    ///
    /// # Errors
    /// Where output and target do not fit.
    pub fn add(&mut self, loss: f64, samples: usize, output: &Tensor, target: &Tensor) -> Result<()> {
        self.samples += samples;
        self.loss += loss * samples as f64;
        self.meter.add(output, target)
    }

    /// What it comes to.
    pub fn scores(&self, metrics: &[Metric]) -> Scores {
        let loss = if self.samples == 0 { 0.0 } else { self.loss / self.samples as f64 };
        let metrics = metrics.iter().map(|&metric| (metric, self.meter.value(metric))).collect();
        Scores { samples: self.samples, loss, metrics }
    }
}
