//! What training tells whoever watches it.

use super::data::DataError;
use crate::base::Fault;
use crate::elaborate::recipe::Metric;
use serde::Serialize;
use std::path::PathBuf;

/// Hears of everything that happens; closures over [`Event`] are observers.
pub trait Observer: Send {
    /// Something happened.
    fn event(&mut self, event: &Event);
}

impl<F: FnMut(&Event) + Send> Observer for F {
    fn event(&mut self, event: &Event) {
        self(event);
    }
}

/// What happens while training.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Training starts, or goes on.
    Started(Start),
    /// A step is done.
    Step(Step),
    /// Batches of an evaluation are done: this many of so many.
    Evaluating {
        /// Done so far.
        done: usize,
        /// All.
        of: usize,
    },
    /// The time between two evaluations is over; for recipes in epochs, an epoch.
    Epoch(Epoch),
    /// A checkpoint is on the disk.
    Saved {
        /// The file.
        path: PathBuf,
        /// Whether these are the best weights so far.
        best: bool,
    },
    /// Something to know of that does not end training: broken files.
    Warning(Fault),
}

/// What is going to happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// Steps done already.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Batches in an epoch.
    pub batches: usize,
    /// Samples to learn from.
    pub train_samples: usize,
    /// Samples to measure on after every epoch.
    pub test_samples: usize,
    /// Whether those are none of the samples learnt from.
    pub held_out: bool,
    /// Whether those are a part to choose the best weights on, and another is measured once, at the end.
    pub chooses: bool,
    /// The run folder, where there is one.
    pub run: Option<PathBuf>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Steps done, this one included.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The epoch, from 0.
    pub epoch: usize,
    /// Batches done in the epoch, this one included.
    pub batch: usize,
    /// Batches in an epoch.
    pub batches: usize,
    /// The loss of this batch.
    pub loss: f64,
    /// The mean loss since the last evaluation.
    pub mean_loss: f64,
    /// Metrics of training samples since the last evaluation, in the recipe's order.
    pub metrics: Vec<(Metric, f64)>,
    /// The learning rate.
    pub rate: f64,
    /// Samples a second, lately.
    pub samples_per_second: f64,
    /// Until the end, evaluations included, if it goes on as it did.
    pub seconds_left: f64,
}

/// A measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Samples measured on.
    pub samples: usize,
    /// The mean loss.
    pub loss: f64,
    /// Metrics, in the recipe's order.
    #[serde(skip)]
    pub metrics: Vec<(Metric, f64)>,
}

/// What an epoch (or the time between two evaluations) came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Epochs begun, this one included.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// Over the training samples seen, while they were learnt from.
    pub train: Scores,
    /// Over what the best weights are chosen on: the validation part, or where there is none the test part.
    pub test: Scores,
    /// What that is: `val` or `test`.
    pub part: &'static str,
    /// Whether it is the best so far.
    pub best: bool,
    /// Training samples a second.
    pub samples_per_second: f64,
    /// Until the end.
    pub seconds_left: f64,
}

/// How training ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The last measurement.
    pub last: Option<Scores>,
    /// The best step and what was measured after it.
    pub best: Option<(usize, Scores)>,
    /// What that was measured on: `val` or `test`.
    pub part: &'static str,
    /// What the best weights measure on the test part, where they were chosen on another.
    pub test: Option<Scores>,
    /// Files that could not be read, and were passed over.
    pub broken: Vec<DataError>,
    /// Seconds spent in this session.
    pub seconds: f64,
}
