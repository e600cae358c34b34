//! Directories.

use super::error::{DataError, Result};
use std::path::Path;

/// The names of what lies in a directory, sorted; hidden ones and those that are no text are left out.
pub fn names_in(directory: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(directory).map_err(|error| DataError::io(directory, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| DataError::io(directory, &error))?;
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
