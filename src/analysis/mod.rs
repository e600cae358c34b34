//! What can be known before running?

pub mod canvas;
pub mod cost;
pub mod field;
pub mod liveness;
pub mod sizes;
