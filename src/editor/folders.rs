//! The sources in the folders that an editor has open.

use std::path::{Path, PathBuf};

/// Files that are looked at, at most.
const MOST: usize = 2000;
/// Entries of folders that are passed, at most.
const ENTRIES: usize = 50_000;
/// How deep folders are entered.
const DEEPEST: usize = 12;

/// Every `.arch` file below the folders, sorted; hidden folders and those of builds are passed over.
pub fn sources(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = ENTRIES;
    folders.iter().for_each(|folder| look(folder, 0, &mut left, &mut found));
    found.sort();
    found.dedup();
    found
}

fn look(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if found.len() >= MOST || *left == 0 {
            return;
        }
        *left -= 1;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Links are not followed, so that folders cannot run in a circle.
        let Ok(kind) = entry.file_type() else { continue };
        let passed = name.starts_with('.') || matches!(&*name, "target" | "node_modules" | "runs");
        if kind.is_dir() && !passed && depth < DEEPEST {
            look(&entry.path(), depth + 1, left, found);
        } else if kind.is_file() && name.ends_with(".arch") {
            found.push(entry.path());
        }
    }
}
