//! ONNX, out ([`export`]) and in ([`import`]).
//!
//! The messages are written by hand ([`proto`]), so that no protocol compiler is needed.

pub mod export;
pub mod import;
pub mod proto;
