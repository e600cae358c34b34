//! What are a network's numbers? Read from files (`.safetensors`, and what PyTorch's `torch.save` writes), or drawn.
//!
//! Files are mapped into memory and read where they lie. Nothing in a file can run code, and no file can make the reader
//! use more memory than the network that it is read for. [`Numbers`] is what a network is given: it has every parameter.
//!
//! A reader (`safetensors`, `pth`, `legacy`, `shards`) finds every tensor of a file, under the keys of the dictionaries around it joined by dots.
//! `choose` then looks for the prefix under which most names and sizes fit the network, whatever the format: a dictionary, what
//! wrappers put before names, or both.

mod calls;
mod choose;
mod contents;
mod element;
mod file;
pub mod init;
mod kind;
mod legacy;
mod load;
mod machine;
mod names;
mod numbers;
mod odd;
mod pickle;
mod pth;
mod refuse;
mod report;
mod safetensors;
mod said;
mod shards;
mod stored;
mod suggest;
mod tree;
mod trial;

pub use contents::Other;
pub use element::Element;
pub use file::{WeightFile, in_folder};
pub use load::{Ask, Assignment, Fit, Wanted, assign};
pub use numbers::Numbers;
pub use report::{Misfit, Report, Stray};
pub use stored::Stored;

/// Results of this room.
pub type Result<T> = std::result::Result<T, Box<crate::base::Diagnostic>>;

#[cfg(test)]
mod tests;
