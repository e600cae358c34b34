//! Kernels on maps whose channels lie in blocks of sixteen, in `f32`, for running networks.
//!
//! A blocked map of one sample is `[⌈C/16⌉, H, W, 16]`: the sixteen channels of a block lie side by side at each
//! position, so that a vector holds them and a position's channels are read one after another. The lanes past the last
//! channel are zero in every value that a kernel reads, and every kernel leaves them zero. A plain map is `[C, H, W]`. A
//! vector `[F]` is a map of one position, blocked as it is plain, but for the zeros at its end.
//!
//! Sizes, options and the choice of algorithm are made once into a small struct (`Conv::new(…)`), which says how
//! much scratch it needs and how its weights are packed; its `run` allocates nothing.

pub mod conv;
pub mod convert;
pub mod elementwise;
pub mod epilogue;
mod functions;
mod lanes;
pub mod norm;
pub mod pool;
pub mod resize;
pub mod softmax;
pub mod stretch;
#[cfg(test)]
pub(crate) mod testing;
pub mod tile;
pub mod winograd;

pub use crate::layout::{Layout, blocks};
pub use conv::{Conv, MapShape, Method, Operands, Packing};
pub use epilogue::{Epilogue, Other, Prologue, Sum};

use super::isa::Isa;
use super::thread_pool::ThreadPool;

/// What runs a kernel: threads and instructions.
#[derive(Clone, Copy, Debug)]
pub struct Cpu<'a> {
    /// The threads.
    pub thread_pool: &'a ThreadPool,
    /// The instructions.
    pub isa: Isa,
}

impl<'a> Cpu<'a> {
    /// A thread pool and its instructions.
    pub fn new(thread_pool: &'a ThreadPool, isa: Isa) -> Self {
        Self { thread_pool, isa }
    }
}
