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
mod channels;
mod cifar;
mod classes;
mod dataset;
mod digits;
mod elements;
mod error;
mod folder;
mod idx;
mod loader;
mod masks;
mod npy;
mod order;
pub mod painted;
pub mod photo;
pub mod pictures;
mod queue;
pub mod resize;
mod source;
mod stored;
pub mod tensor_io;
mod tensors;

pub use batch::{Batch, Mix, Targets};
pub use dataset::{Dataset, Pixels, Sample, Target, TargetKind};
pub use error::{DataError, Result};
pub use loader::{Batches, Loader, LoaderOptions, Position};
pub use source::{Split, Want, open};
