//! What directories of images have in common: files are checked when they are opened, and what is left comes in parts.

use super::dataset::Dataset;
use super::error::{DataError, Result};
use super::parts::Parts;
use super::remarks::Remarks;
use super::split::Split;
use rayon::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// Sets up to this many files are checked when they are opened; larger ones as they are read.
const CHECKED: usize = 100_000;

/// The names of what lies in a directory, sorted; hidden ones and those that are no text are left out.
pub fn names_in(directory: &Path) -> Result<Vec<String>> {
    let listing = super::listing::list(directory)?;
    let mut names = [listing.folders, listing.pictures, listing.others].concat();
    names.sort();
    Ok(names)
}

/// Drops entries that `check` refuses, and notes which; `check` gives the names of pictures with several frames.
///
/// # Errors
/// The first refusal where `strict`.
pub fn drop_broken<T: Sync + Send>(
    entries: Vec<T>,
    strict: bool,
    remarks: &mut Remarks,
    check: impl Fn(&T) -> Result<Option<String>> + Sync + Send,
) -> Result<Vec<T>> {
    if entries.len() > CHECKED {
        return Ok(entries);
    }
    let checked: Vec<Result<Option<String>>> = entries.par_iter().map(check).collect();
    let mut kept = Vec::with_capacity(entries.len());
    for (entry, result) in entries.into_iter().zip(checked) {
        match result {
            Ok(frames) => {
                remarks.frames.extend(frames);
                kept.push(entry);
            }
            Err(error) if strict => return Err(error),
            Err(error) => remarks.broken.push(error),
        }
    }
    Ok(kept)
}

/// What to learn from, to choose on and to measure on.
type Sets = (Arc<dyn Dataset>, Option<Arc<dyn Dataset>>, Option<Arc<dyn Dataset>>);

/// A split of what is left, with what is to be said of what is not.
///
/// # Errors
/// [`DataError::Empty`] where nothing is left to learn from.
pub fn split_of(directory: &Path, (train, val, test): Sets, parts: &Parts, remarks: Remarks) -> Result<Split> {
    if train.is_empty() {
        let reason = nothing_left(parts, test.is_some(), &remarks);
        return Err(DataError::Empty { path: directory.display().to_string(), reason });
    }
    let (val, test) = (val.filter(|part| !part.is_empty()), test.filter(|part| !part.is_empty()));
    let name = |part: &Option<String>, held: &str| part.as_ref().map_or(held.to_string(), |name| format!("`{name}/`"));
    let (val_name, test_name) = (name(&parts.val, ""), name(&parts.test, "the part that is held out"));
    let (warnings, notes) = remarks.finish(directory);
    Ok(Split { val, val_name, test_name, warnings, notes, ..Split::new(train, test) })
}

/// Why there is nothing to learn from.
fn nothing_left(parts: &Parts, measured: bool, remarks: &Remarks) -> String {
    if let Some(first) = remarks.broken.first() {
        let count = remarks.broken.len();
        let files = if count == 1 { "file is" } else { "files are" };
        return format!(
            "nothing of what is to be learnt from can be read; {count} {files} broken in all, the first: {first}"
        );
    }
    let passed = remarks.passed_over().map(|passed| format!("; {passed}")).unwrap_or_default();
    match &parts.train {
        // What is held out has no folder of its own.
        _ if measured && parts.test.is_none() => {
            "all of its few images are held out; add more, or make a `train/` and a `val/`".into()
        }
        Some(train) => format!("`{train}/` holds no images that are read{passed}"),
        None => format!("it holds no images that are read{passed}"),
    }
}
