//! Weights between files and stores: what [`crate::weights`] reads, as tensors.

mod checkpoint;
mod load;
pub mod safetensors;

pub use crate::weights::{Element, Fit, Misfit, Report, Stored, Stray, compare};
pub use checkpoint::Checkpoint;
pub use load::{load, save};

#[cfg(test)]
mod tests;
