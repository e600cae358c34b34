//! What does it mean, while it is being written? A language server.
//!
//! One thread reads, answers and writes: a change is a change of text alone, and what follows from it is found out when
//! somebody asks, or when no message is waiting. So a burst of keystrokes is looked at once, and no answer is older than
//! the text. `analysis` is what is known of one root file; `index` knows the names; each feature is a file of its own.

mod actions;
mod analysis;
mod colours;
mod complete;
mod context;
mod diagnose;
mod documents;
mod folders;
mod format;
mod hints;
mod hover;
mod index;
mod manual;
mod navigate;
mod outline;
mod paths;
mod rename;
mod requests;
mod server;
mod shapes;
mod signature;
mod state;
mod text;
mod tokens;

pub use server::{ServeError, serve};
