//! Run it: executes a plan on its arena.
//!
//! An [`Engine`] is a checked network with its weights, folded and packed once, to be shared by any number of sessions
//! on any number of threads. A [`Session`] owns what one run changes: an arena, and a hold on a thread pool. The first run at
//! other sizes or another batch plans anew; plans are kept. After that a run allocates nothing.
//!
//! A planned step is an op, its buffers and its scratch (`planned.rs`); nothing in it assumes that it stands in a
//! forward pass. Values are `f32`.

mod bind;
mod calls;
mod fold;
mod outline;
mod planned;
mod session;
mod store;
mod weights;

pub use bind::{Sizes, bind, unfit};
pub use outline::Outline;
pub use planned::{Planned, StepInfo};
pub use session::{Engine, Input, Output, Session, SessionOptions, StepTime};
pub use weights::Weights;

use crate::base::Diagnostic;

/// Results of this room: errors are for the user, with codes.
pub type Result<T> = std::result::Result<T, Box<Diagnostic>>;
