//! What can be known before running?

pub mod cost;
pub mod field;
pub mod liveness;
pub mod sizes;
