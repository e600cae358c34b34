//! Files that commands write, whole or not at all, and those that they are told to read.

use super::compute::say;
use super::shell::{Exit, Shell};
use archc::base::unwritable::unwritable;
use archc::base::{atomic, codes};
use archc::train::checkpoint::Run;
use std::path::{Path, PathBuf};

/// Writes a text, and says so.
///
/// # Errors
/// The exit status, after saying why it could not.
pub fn write(path: &Path, text: &str, shell: &Shell) -> Result<(), Exit> {
    write_bytes(path, text.as_bytes(), shell)
}

/// Writes bytes, and says so.
///
/// # Errors
/// As [`write`].
pub fn write_bytes(path: &Path, bytes: &[u8], shell: &Shell) -> Result<(), Exit> {
    atomic::write_bytes(path, bytes).map_err(|error| refused(path, &error, shell))?;
    shell.note(&format!("wrote {}", path.display()));
    Ok(())
}

/// Says why a file cannot be written.
pub fn refused(path: &Path, error: &std::io::Error, shell: &Shell) -> Exit {
    say(unwritable(codes::UNWRITABLE, path, error), shell)
}

/// The files themselves, and every `.arch` file in the folders, in order of their names. What runs keep of their source is
/// a record, and left alone.
///
/// # Errors
/// The exit status for a folder without any, after saying so.
pub fn sources(paths: &[PathBuf], shell: &Shell) -> Result<Vec<PathBuf>, Exit> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        walk(path, 0, &mut files);
        if files.len() == before {
            let help = "name a file, or a folder that holds `.arch` files";
            return Err(shell.usage(&format!("there is no `.arch` file in `{}`", path.display()), help));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(|e| e.file_name());
    for entry in entries {
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !hidden && depth < 16 && Run::open(&entry.path()).is_err() => {
                walk(&entry.path(), depth + 1, files);
            }
            Ok(kind) if kind.is_file() && entry.path().extension().is_some_and(|e| e == "arch") => {
                files.push(entry.path());
            }
            _ => {}
        }
    }
}
