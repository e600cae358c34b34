//! Hand it on: the candle module, its parameters, and weights from files.

mod bind;
pub mod device;
pub mod error;
mod exec;
pub mod init;
mod module;
pub mod nn;
mod schedule;
mod stack;
pub mod store;
#[cfg(test)]
mod testing;
pub mod weights;

pub use crate::base::atomic;
pub use crate::engine::Sizes;
pub use error::{Error, Result};
pub use module::{Module, Resize};
pub use stack::with_stack;
pub use store::ParamStore;
