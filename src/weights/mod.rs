//! What are a network's numbers? Read from files (`.safetensors`, and the zip `.pth` that PyTorch writes), or drawn.
//!
//! Files are mapped into memory and read where they lie. Nothing in a file can run code, and no file can make the reader
//! use more memory than the network that it is read for. [`Numbers`] is what a network is given: it has every parameter.

mod element;
mod file;
pub mod init;
mod load;
mod machine;
mod numbers;
mod pickle;
mod pth;
mod report;
mod safetensors;
mod suggest;

pub use element::Element;
pub use file::{Stored, WeightFile};
pub use load::{Fit, Wanted, compare};
pub use numbers::Numbers;
pub use report::{Misfit, Report, Stray};

/// Results of this room.
pub type Result<T> = std::result::Result<T, Box<crate::base::Diagnostic>>;

#[cfg(test)]
mod tests;
