//! What can go wrong between a checked network and its values.

use crate::base::{Code, Diagnostic, Fault, codes};
use std::fmt;

/// The error of lowering and running.
///
/// [`Error::Diagnostic`] is for the user and has a code; [`Error::Candle`] is what the tensor library
/// reports (out of memory, a failing device).
#[derive(Debug)]
pub enum Error {
    /// A message with a code and, where there is one, a help.
    Diagnostic(Box<Diagnostic>),
    /// The tensor library failed.
    Candle(candle_core::Error),
}

/// Results of this room.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of this code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic::new(code, message).into()
    }

    /// A mistake of our own, which says so.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(codes::INTERNAL, message)
    }

    /// The error as a diagnostic, for printing; a failure of the tensor library gets the code `E0904`.
    pub fn into_diagnostic(self) -> Diagnostic {
        match self {
            Self::Diagnostic(diagnostic) => *diagnostic,
            Self::Candle(error) => {
                Diagnostic::new(codes::TENSOR_LIBRARY, format!("the tensor library failed: {error}"))
            }
        }
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        error.into_diagnostic()
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Diagnostic(fault.into())
    }
}

impl From<Box<Fault>> for Error {
    fn from(fault: Box<Fault>) -> Self {
        Self::from(*fault)
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostic(Box::new(diagnostic))
    }
}

impl From<Box<Diagnostic>> for Error {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::Diagnostic(diagnostic)
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::Candle(error)
    }
}

/// `ModuleT` can only report candle's errors; ours travel inside one with their code and help.
impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(error) => error,
            diagnostic => candle_core::Error::wrap(diagnostic),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Candle(error) => error.fmt(f),
            Self::Diagnostic(diagnostic) => {
                write!(f, "{}: {}", diagnostic.code, diagnostic.message)?;
                diagnostic.help.iter().try_for_each(|help| write!(f, " (help: {help})"))
            }
        }
    }
}

impl std::error::Error for Error {}
