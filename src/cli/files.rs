//! Files that commands write, whole or not at all.

use super::compute::say;
use super::shell::{Exit, Shell};
use crate::base::{Diagnostic, atomic, codes};
use std::path::Path;

/// Writes a text, and says so.
///
/// # Errors
/// The exit status, after saying why it could not.
pub fn write(path: &Path, text: &str, shell: &Shell) -> Result<(), Exit> {
    atomic::write_bytes(path, text.as_bytes()).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", path.display());
        say(Diagnostic::new(codes::UNWRITABLE, message).help("name a file in a folder that exists and is yours"), shell)
    })?;
    shell.note(&format!("wrote {}", path.display()));
    Ok(())
}
