//! What is wrong outside any source text.

use super::codes::Code;
use super::diagnostic::{Diagnostic, Severity};

/// A message about something that no source text says: a file of data, a device, a run. It has no labels, which is why it
/// can be shown where no text is at hand; a [`Diagnostic`] cannot.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault(Diagnostic);

impl Fault {
    /// A fault of this code, with the code's own severity.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Diagnostic::new(code, message))
    }

    /// Says what to do instead.
    pub fn help(self, text: impl Into<String>) -> Self {
        Self(self.0.help(text))
    }

    /// Adds context.
    pub fn note(self, text: impl Into<String>) -> Self {
        Self(self.0.note(text))
    }

    /// The same as a warning, where work goes on without what is wrong.
    pub fn as_warning(mut self) -> Self {
        self.0.severity = Severity::Warning;
        self
    }
}

impl std::ops::Deref for Fault {
    type Target = Diagnostic;

    fn deref(&self) -> &Diagnostic {
        &self.0
    }
}

impl From<Fault> for Diagnostic {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

impl From<Fault> for Box<Diagnostic> {
    fn from(fault: Fault) -> Self {
        Box::new(fault.0)
    }
}
