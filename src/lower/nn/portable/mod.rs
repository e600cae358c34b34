//! The same functions composed of candle operators, for devices without kernels of ours, and for exported Rust.
//!
//! Only operators whose gradients are right are used: products, sums, `index_select` and its transpose
//! `index_add`, `gather`, `where_cond`, `narrow`, `cat` and element-wise ones. In particular not
//! candle's convolutions, pools, upsampling or `relu`.
//!
//! Rust source that is exported carries these files, each without its head (`exchange::rust::carried`). So they know nothing of the
//! rest of the crate, and no two of them give one name to two things.

pub(super) mod activation;
pub(super) mod common;
pub(super) mod conv;
pub(super) mod merge;
pub(super) mod norm;
pub(super) mod pool;
pub(super) mod resize;
