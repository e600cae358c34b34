//! Weights from files and into them: `.safetensors`, and the zip `.pth` that PyTorch writes.
//!
//! Nothing in a file can run code, and no file can make the reader use more memory than the network that
//! it is read for.

mod checkpoint;
mod element;
mod load;
mod machine;
mod pickle;
mod pth;
mod report;
pub mod safetensors;
mod suggest;

pub use checkpoint::{Checkpoint, Stored};
pub use element::Element;
pub use load::{Fit, compare, load, save};
pub use report::{Misfit, Report, Stray};

#[cfg(test)]
mod tests;
