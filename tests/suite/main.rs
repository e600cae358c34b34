//! The one integration-test binary.

#[cfg(feature = "data")]
mod data;
mod layers;
mod plan;
mod zoo;
