//! How is it computed? The crate `archc-kernels`, and what of it speaks in the compiler's words.

pub mod noise;
mod words;

pub use archc_kernels::*;
