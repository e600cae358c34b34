//! Look at it: summaries and pictures.

pub mod dot;
pub mod picture;
pub mod plan;
pub mod summary;
pub mod text;
pub mod tree;
