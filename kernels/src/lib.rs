//! How is it computed? Slices in, slices out; knows no graph, no files and no candle.
//!
//! Every kernel has a forward and a backward, works on contiguous `[N, C, H, W]` data in `f32` or
//! `f64` (the latter is the oracle), and spreads over rayon's threads where the work is worth it.
//! Results do not depend on the number of threads. One-dimensional maps are maps of height 1. Those of
//! [`blocked`] run networks: they have a forward only, in `f32`.
//!
//! A crate of its own, so that it is compiled once and at full optimisation whatever the compiler around it is built as.
#![warn(missing_docs)]
// Loops that index several slices alike stay as they are: they read as the formula and vectorise.
#![allow(clippy::needless_range_loop)]

pub mod activation;
pub mod arena;
pub mod blocked;
pub mod conv;
pub mod elem;
pub mod gemm;
pub mod isa;
pub mod layout;
pub mod linear;
pub mod map;
pub mod math;
pub mod memory;
pub mod merge;
pub mod norm;
pub mod pad;
pub mod parallel;
pub mod peak;
pub mod pool;
mod prefetch;
pub mod resize;
pub mod simd;
pub mod softmax;
pub mod thread_pool;
pub mod vector;
pub mod view;

#[cfg(test)]
pub(crate) mod testing;

pub use arena::{Access, Arena, Region, Views};
pub use elem::Elem;
pub use isa::Isa;
pub use thread_pool::ThreadPool;
pub use view::{Dst, Src};
