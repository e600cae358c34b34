//! Weights between files and stores: what [`crate::weights`] reads, as tensors.

mod checkpoint;
mod load;
pub mod safetensors;

pub use crate::weights::{Ask, Element, Fit, Misfit, Report, Stored, Stray, assign};
pub use checkpoint::Checkpoint;
pub use load::{load, save};

#[cfg(test)]
mod tests;
