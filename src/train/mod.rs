//! Teach it: data, losses, optimizers, schedules, the loop, checkpoints, metrics.

pub mod data;
#[cfg(feature = "candle")]
pub mod loss;
#[cfg(feature = "candle")]
pub mod optim;
#[cfg(feature = "candle")]
mod real;
