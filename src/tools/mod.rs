//! Look at it: summaries, pictures and pages.

pub mod dot;
pub mod html;
pub mod picture;
pub mod plan;
pub mod summary;
pub mod text;
pub mod tree;
