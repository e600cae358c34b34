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
mod held;
mod idx;
mod intact;
mod levels;
pub mod listing;
mod loader;
mod lookalike;
mod mask_file;
mod masks;
mod matched;
mod misfit;
mod npy;
mod order;
pub mod painted;
mod paired;
mod part_names;
mod parted;
mod parts;
pub mod photo;
pub mod pictures;
mod queue;
mod remarks;
pub mod resize;
mod source;
mod split;
mod stored;
mod table;
mod targets;
pub mod tensor_io;
mod tensors;

pub use batch::{Batch, Mix, Targets};
pub use census::{Census, Seen};
pub use dataset::{Dataset, InputRange, Pixels, Sample, Target, TargetKind};
pub use error::{DataError, Result};
pub use held::Holding;
pub use levels::{EDGES, Levels, edges};
pub use loader::{Batches, LabelRule, Loader, LoaderOptions, Position};
pub use misfit::{Misfit, shown};
pub use parts::{Role, role};
pub use remarks::broken_warning;
pub use source::{Aim, Compares, DataSpec, open};
pub use split::Split;
