//! What training tells whoever watches it.

use super::data::{DataError, Split};
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

/// What the best weights are chosen on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The validation part.
    Val,
    /// The test part, where there is no other.
    #[default]
    Test,
    /// What is learnt from, where nothing is held out.
    Train,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Val, Self::Test, Self::Train];

    /// What it is for these data.
    pub fn of(data: &Split) -> Self {
        match (&data.val, &data.test) {
            (Some(_), _) => Self::Val,
            (None, Some(_)) => Self::Test,
            (None, None) => Self::Train,
        }
    }

    /// What is measured on in the end, with the best weights.
    pub fn at_the_end(data: &Split) -> Self {
        if data.test.is_some() { Self::Test } else { Self::of(data) }
    }

    /// In sentences: `validation`, `test` or `training`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Val => "validation",
            Self::Test => "test",
            Self::Train => "training",
        }
    }

    /// As people read it in lines of numbers: `val`, `test` or `train`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Val => "val",
            Self::Test => "test",
            Self::Train => "train",
        }
    }

    /// What is measured on it is called so in logs, tables and event files; `train` is there what is measured while it is learnt.
    pub fn key(self) -> &'static str {
        match self {
            Self::Val => "val",
            Self::Test => "test",
            Self::Train => "on_train",
        }
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
    /// The best weights were measured on the test part, where they were chosen on another: once, at the end.
    Measured {
        /// Steps done.
        step: usize,
        /// What was measured.
        scores: Scores,
    },
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
    /// Over what the best weights are chosen on.
    pub test: Scores,
    /// What that is.
    pub part: Part,
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
    /// What that was measured on.
    pub part: Part,
    /// What the best weights measure on the test part, where they were chosen on another.
    pub test: Option<Scores>,
    /// Files that could not be read, and were passed over.
    pub broken: Vec<DataError>,
    /// Seconds spent in this session.
    pub seconds: f64,
}
