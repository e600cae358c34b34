//! What does it mean? Names, imports, compile-time expressions, blocks and loops unrolled to ops, skips
//! made edges.
//!
//! [`compile`] is the way in. A [`Program`] is what was read: sources and syntax trees, once. Elaborating
//! it walks the model's body step by step with a current value, adding nodes to the graph; shapes are
//! inferred on the way, so `it.channels` is known wherever a step stands. A step that fails leaves a
//! poisoned value, over which later steps stay silent.

mod arith;
mod bind;
mod call;
mod compile;
mod control;
mod doubts;
mod eval;
mod flow;
mod frame;
mod length;
mod lints;
mod loader;
mod mismatch;
mod model;
mod names;
pub mod network;
mod objective;
mod part;
mod ports;
mod program;
pub mod recipe;
mod report;
mod settings;
mod shape_errors;
pub mod sketch;
mod skip;
mod train;
mod transform;
mod unroll;
mod unused;
mod value;
pub mod vocabulary;

pub use compile::{Compiled, Options, check_all, check_program, compile, compile_from, compile_text, compile_with};
pub use loader::{FileLoader, LoadError, Loader, MemoryLoader};
pub use network::{FreeSize, InputDecl, Network};
pub use program::{Program, unreadable};
pub use recipe::Recipe;
pub use settings::line_meant;
pub use sketch::Sketch;
