//! Where in the file, and how is it said: spans, sources, diagnostics and limits.

pub mod atomic;
pub mod codes;
pub mod diagnostic;
pub mod half;
pub mod limits;
pub mod nearest;
pub mod render;
pub mod rng;
pub mod source;
pub mod span;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Fix, Label, Severity};
pub use limits::Limits;
pub use rng::Rng;
pub use source::{SourceFile, SourceMap};
pub use span::{FileId, Span, Spanned};
