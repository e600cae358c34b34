//! What lies in a directory.

use super::error::{DataError, Result};
use super::pictures::is_image;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What systems and programs leave behind; nobody misses it. (Hidden entries are left out as well.)
const LITTER: [&str; 8] =
    ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "lost+found", "icon\r"];

/// What lies in a directory, each list sorted. Hidden entries and litter are left out.
#[derive(Debug, Default)]
pub struct Listing {
    /// Directories.
    pub folders: Vec<String>,
    /// Files whose ending is an image's.
    pub pictures: Vec<String>,
    /// Everything else: other files, and files whose names are no text.
    pub others: Vec<String>,
    /// Directories whose names are no text, as well as these can be shown.
    pub foreign: Vec<String>,
}

/// Lists a directory; links are followed.
///
/// # Errors
/// [`DataError::Io`] where it cannot be read.
pub fn list(directory: &Path) -> Result<Listing> {
    let io = |error: std::io::Error| DataError::io(directory, &error);
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(directory).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name();
        let Some(text) = name.to_str() else {
            let list = if entry.path().is_dir() { &mut listing.foreign } else { &mut listing.others };
            list.push(name.to_string_lossy().into_owned());
            continue;
        };
        if text.starts_with('.') || LITTER.contains(&text.to_lowercase().as_str()) {
            continue;
        }
        let kind = entry.file_type().map_err(io)?;
        let (folder, file) = match kind.is_symlink() {
            // A link to nowhere counts as the file that it should be.
            true => std::fs::metadata(entry.path()).map_or((false, true), |to| (to.is_dir(), to.is_file())),
            false => (kind.is_dir(), kind.is_file()),
        };
        let list = match (folder, file && is_image(text)) {
            (true, _) => &mut listing.folders,
            (_, true) => &mut listing.pictures,
            _ => &mut listing.others,
        };
        list.push(text.to_string());
    }
    [&mut listing.folders, &mut listing.pictures, &mut listing.others].into_iter().for_each(|list| list.sort());
    Ok(listing)
}

/// Shows every folder from `directory/below` down to `see`, with its path below `directory`, until it says `false`.
///
/// A folder is seen once, whatever links lead to it, and links that lead back up are not followed: so the walk ends.
///
/// # Errors
/// [`DataError::Io`] where a folder cannot be read.
pub fn walk(directory: &Path, below: &str, mut see: impl FnMut(&str, &Listing) -> bool) -> Result<()> {
    let start = at(directory, below);
    let start = start.canonicalize().unwrap_or(start);
    let (mut seen, mut open) = (BTreeSet::new(), vec![below.to_string()]);
    while let Some(folder) = open.pop() {
        let path = at(directory, &folder);
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let back_up = real != start && start.starts_with(&real);
        if back_up || !seen.insert(real) {
            continue;
        }
        let listing = list(&path)?;
        if !see(&folder, &listing) {
            return Ok(());
        }
        open.extend(listing.folders.iter().rev().map(|name| join(&folder, name)));
    }
    Ok(())
}

/// `folder/name`, or the name alone where the folder is the directory itself.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") }
}

/// The folder at a path below a directory.
pub fn at(directory: &Path, below: &str) -> PathBuf {
    if below.is_empty() { directory.to_path_buf() } else { directory.join(below) }
}

/// Whether an image lies in a folder or below it.
///
/// # Errors
/// [`DataError::Io`] where a folder cannot be read.
pub fn holds_images(folder: &Path) -> Result<bool> {
    let mut found = false;
    walk(folder, "", |_, listing| {
        found |= !listing.pictures.is_empty();
        !found
    })?;
    Ok(found)
}
