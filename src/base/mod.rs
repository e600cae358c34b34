//! Where in the file, and how is it said: spans, sources, diagnostics and limits.

pub mod atomic;
pub mod codes;
pub mod command;
pub mod diagnostic;
pub mod fault;
pub mod half;
pub mod hash;
pub mod instead;
pub mod limits;
pub mod memory;
pub mod nearest;
pub mod render;
pub mod report;
pub mod rng;
pub mod source;
pub mod span;
pub mod unwritable;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Fix, Label, Severity};
pub use fault::Fault;
pub use limits::Limits;
pub use report::Report;
pub use rng::Rng;
pub use source::{SourceFile, SourceMap};
pub use span::{FileId, Span, Spanned};
