//! Look at it: summaries, pictures and pages.

#[cfg(feature = "charts")]
pub mod chart;
pub mod diff;
pub mod dot;
mod folded;
pub mod format;
pub mod html;
pub mod mermaid;
pub mod picture;
pub mod plan;
#[cfg(all(feature = "candle", feature = "charts"))]
pub mod report;
pub mod summary;
pub mod text;
pub mod tree;
