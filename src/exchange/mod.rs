//! In and out: networks in the words of other tools.
//!
//! One folder per language: [`arch`] writes the elaborated network as a flat file, which shows what the compiler understood
//! and gives the same graph when it is read. [`onnx`] is the one that other programs read and write.

pub mod arch;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod classes;
pub mod pytorch;
pub mod rust;
