//! Directories of images: a folder for each class, or images with masks.

use super::error::{DataError, Result};
use super::source::Split;
use crate::base::{Fault, Rng, codes};
use rayon::prelude::*;
use std::path::Path;

/// Broken files that a warning names.
const NAMED: usize = 5;

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

/// The subdirectory with what is to be measured on.
pub fn test_part(names: &[String]) -> Option<&'static str> {
    ["test", "val", "valid", "validation"].into_iter().find(|part| names.iter().any(|n| n == part))
}

/// Every fifth of a shuffled group, and at least one where there are two; always the same ones.
pub fn split_group<T>(mut group: Vec<T>, train: &mut Vec<T>, test: &mut Vec<T>, name: &str) {
    Rng::derive(0, &format!("split {name}")).shuffle(&mut group);
    let count = if group.len() < 2 { 0 } else { (group.len() / 5).max(1) };
    train.extend(group.drain(count..));
    test.extend(group);
}

/// Drops entries that `check` refuses, and says which.
///
/// # Errors
/// The first refusal where `strict`.
pub fn drop_broken<T: Sync + Send>(
    entries: Vec<T>,
    strict: bool,
    broken: &mut Vec<DataError>,
    check: impl Fn(&T) -> Result<()> + Sync + Send,
) -> Result<Vec<T>> {
    let checked: Vec<Result<()>> = entries.par_iter().map(check).collect();
    let mut kept = Vec::with_capacity(entries.len());
    for (entry, result) in entries.into_iter().zip(checked) {
        match result {
            Ok(()) => kept.push(entry),
            Err(error) if strict => return Err(error),
            Err(error) => broken.push(error),
        }
    }
    Ok(kept)
}

/// One warning for all files passed over; the first few are named.
pub fn broken_warning(broken: &[DataError]) -> Option<Fault> {
    let count = broken.len();
    let files = if count == 1 { "file was" } else { "files were" };
    let message = format!("{count} broken {files} passed over");
    let mut warning = (count > 0).then(|| Fault::new(codes::DATA_BROKEN_FILES, message))?;
    warning = broken.iter().take(NAMED).fold(warning, |w, error| w.note(error.to_string()));
    if count > NAMED {
        warning = warning.note(format!("and {} more", count - NAMED));
    }
    Some(warning.help("`--strict` makes the first of them an error"))
}

/// A split of what is left, with the warning for what is not.
pub fn split_of(
    directory: &Path,
    train: std::sync::Arc<dyn super::Dataset>,
    test: Option<std::sync::Arc<dyn super::Dataset>>,
    broken: &[DataError],
) -> Result<Split> {
    if train.is_empty() {
        let reason = match broken.first() {
            Some(first) => format!("all {} are broken, the first: {first}", broken.len()),
            None => "it holds no images".to_string(),
        };
        return Err(DataError::Empty { path: directory.display().to_string(), reason });
    }
    let test = test.filter(|t| !t.is_empty());
    Ok(Split { train, test, warnings: broken_warning(broken).into_iter().collect() })
}
