//! The language server, driven as an editor drives it.

mod answers;
mod client;
mod names;
mod robust;
mod session;
#[cfg(feature = "cli")]
mod stdio;
