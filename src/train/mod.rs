//! Teach it: data, losses, optimizers, schedules, the loop, checkpoints, metrics.
//!
//! A [`Trainer`] takes a checked network, its recipe and a data set, and tells an [`Observer`] what happens; it
//! prints nothing. What a step does depends on the parameters, the seed and the number of the step alone, so a run
//! that was stopped or killed goes on to the same weights, bit for bit.

pub mod data;

#[cfg(feature = "candle")]
pub mod checkpoint;
#[cfg(feature = "candle")]
pub mod evaluate;
#[cfg(feature = "candle")]
mod feed;
#[cfg(feature = "candle")]
pub mod fit;
#[cfg(feature = "candle")]
mod journal;
#[cfg(feature = "candle")]
mod learner;
#[cfg(feature = "candle")]
pub mod loss;
#[cfg(feature = "candle")]
pub mod metric;
#[cfg(feature = "candle")]
pub mod observe;
#[cfg(feature = "candle")]
pub mod optim;
#[cfg(feature = "candle")]
mod pace;
#[cfg(feature = "candle")]
mod real;
#[cfg(feature = "candle")]
mod session;
#[cfg(feature = "candle")]
mod tally;
#[cfg(feature = "candle")]
pub mod tensorboard;

#[cfg(feature = "candle")]
pub use evaluate::{Probe, evaluate, evaluation_loader};
#[cfg(feature = "candle")]
pub use learner::{Backward, Learner};
#[cfg(feature = "candle")]
pub use observe::{Event, Observer, Outcome, Scores};
#[cfg(feature = "candle")]
pub use session::{Options, Trainer, training_loader};
