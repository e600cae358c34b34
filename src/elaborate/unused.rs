//! Names that nothing uses.

use super::program::Program;
use crate::base::Diagnostic;

/// Warnings about the texts.
pub(super) fn check(_: &Program) -> Vec<Diagnostic> {
    Vec::new()
}
