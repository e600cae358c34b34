//! Data sets, batches and augmentation.
//!
//! [`open`] turns what `--data` says into a [`Split`] of [`Dataset`]s; a [`Loader`] turns a data set into
//! [`Batch`]es. Nothing here knows candle: batches are plain vectors.
//!
//! A batch is a function of the data, the options, the epoch and its number in the epoch, and of nothing else:
//! not of threads, nor of what was drawn before. So training resumes at any batch to the same values.

mod arrays;
mod assemble;
mod augment;
mod batch;
mod census;
mod channels;
mod cifar;
mod classes;
mod dataset;
mod digits;
mod elements;
mod error;
mod folder;
mod idx;
mod levels;
mod loader;
mod mask_file;
mod masks;
mod misfit;
mod npy;
mod order;
pub mod painted;
pub mod photo;
pub mod pictures;
mod queue;
pub mod resize;
mod source;
mod stored;
mod targets;
pub mod tensor_io;
mod tensors;

pub use batch::{Batch, Mix, Targets};
pub use census::{Census, Seen};
pub use dataset::{Dataset, Pixels, Sample, Target, TargetKind};
pub use error::{DataError, Result};
pub use levels::{EDGES, Levels, edges};
pub use loader::{Batches, LabelRule, Loader, LoaderOptions, Position};
pub use misfit::{Misfit, shown};
pub use source::{Aim, Compares, Split, Want, open};
