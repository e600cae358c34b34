//! Against plain references.
