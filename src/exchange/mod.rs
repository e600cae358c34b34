//! In and out: networks in the words of other tools.
//!
//! One folder per language: [`arch`] writes the elaborated network as a flat file, which shows what the compiler understood
//! and gives the same graph when it is read. `onnx`, behind the feature of that name, is the one that other programs read and
//! write. [`pytorch`] and [`rust`] write source that a person could have written; what they share, one class for every body of
//! a block, is found by [`classes`]. [`build`] is for build scripts.

pub mod arch;
pub mod build;
pub mod classes;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod pytorch;
pub mod rust;
