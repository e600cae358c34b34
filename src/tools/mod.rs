//! Look at it: summaries and pictures.
