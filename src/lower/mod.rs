//! Hand it on: the candle module, its parameters, and weights from files.

pub mod atomic;
pub mod device;
pub mod error;
pub mod init;
pub mod nn;
mod stack;
pub mod store;
#[cfg(test)]
mod testing;
pub mod weights;

pub use error::{Error, Result};
pub use stack::with_stack;
pub use store::ParamStore;
