//! Functions on candle tensors with right values and right gradients.
//!
//! candle's own operators are incomplete where networks train: gradients of pools are wrong, others
//! are missing, others slow. Here every function has a gradient that agrees with PyTorch's. On the
//! CPU it runs the [kernels](crate::kernels), in `f32` and `f64`; on any other device, or inside
//! [`force_portable`], it is composed of candle operators whose gradients are right.

mod activation;
mod compute;
mod conv;
mod linear;
mod merge;
mod native;
mod noise;
mod norm;
mod pool;
mod portable;
mod resize;
mod sizes;
mod structure;

pub(super) use compute::{Compute, Evaluation};

pub use activation::{activation, log_softmax, prelu, softmax};
pub use conv::{conv, conv_transpose};
pub use linear::linear;
pub use merge::{add, concat, gate, mul, scale};
pub use noise::{add_drop_path, drop_path, dropout};
pub use norm::{BatchMoments, batch_norm, group_norm, instance_norm, layer_norm};
pub use pool::{adaptive_avg_pool, avg_pool, global_pool, max_pool};
pub use resize::{crop, pad, upsample, zero_pad};

use candle_core::Tensor;
use std::cell::Cell;

thread_local!(static PORTABLE: Cell<usize> = const { Cell::new(0) });

/// While it lives, functions called on this thread take the path that other devices take.
#[derive(Debug)]
pub struct ForcePortable(());

/// Makes functions on this thread take the portable path until the guard is dropped.
pub fn force_portable() -> ForcePortable {
    PORTABLE.set(PORTABLE.get() + 1);
    ForcePortable(())
}

impl Drop for ForcePortable {
    fn drop(&mut self) {
        PORTABLE.set(PORTABLE.get() - 1);
    }
}

/// Whether the kernels run for this tensor.
fn is_native(x: &Tensor) -> bool {
    x.device().is_cpu() && PORTABLE.get() == 0
}
