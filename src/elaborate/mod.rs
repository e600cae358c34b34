//! What does it mean? Names, imports, compile-time expressions, blocks and loops unrolled to ops, skips
//! made edges.

pub mod network;
pub mod recipe;

pub use network::{FreeSize, InputDecl, Network};
pub use recipe::Recipe;
