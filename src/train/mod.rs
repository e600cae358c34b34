//! Teach it: data, losses, optimizers, schedules, the loop, checkpoints, metrics.

pub mod data;
