//! A compiler for neural-network architectures.
//!
//! Layers, each using only what stands before it:
//! `base → syntax → shape → ops → graph → elaborate → analysis → opt → kernels → plan → weights → engine → lower → train → tools → exchange → study → editor`, and in a crate of its own `cli`.
#![cfg_attr(feature = "candle", doc = "")]
#![cfg_attr(feature = "candle", doc = include_str!("../docs/embedding.md"))]
#![warn(missing_docs)]
#![deny(unsafe_code)]

pub mod analysis;
pub mod base;
#[cfg(feature = "editor")]
pub mod editor;
pub mod elaborate;
#[cfg(feature = "kernels")]
pub mod engine;
pub mod exchange;
pub mod graph;
#[cfg(feature = "kernels")]
pub mod kernels;
#[cfg(feature = "candle")]
pub mod lower;
pub mod ops;
pub mod opt;
pub mod plan;
pub mod shape;
#[cfg(all(feature = "candle", feature = "charts"))]
pub mod study;
pub mod syntax;
pub mod tools;
#[cfg(feature = "data")]
pub mod train;
#[cfg(feature = "kernels")]
pub mod weights;

pub use elaborate::{Compiled, Network, Options, Program, check_all, compile, compile_text};
pub use exchange::build::{BuildError, build_script, build_script_with};

/// The examples of `ARCHITECTURE.md`, compiled by `cargo test --doc`.
#[cfg(all(doctest, feature = "candle"))]
#[doc = include_str!("../ARCHITECTURE.md")]
struct Architecture;

/// The structs that [`build_script`] made of `NAME.arch`: `mod net { archc::include_arch!("net"); }`.
#[macro_export]
macro_rules! include_arch {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
    };
}
