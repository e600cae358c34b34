//! Where source texts come from. The only place of the compiler that reads files.

use crate::base::nearest::nearest_path;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

/// Why a text cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// There is no such file.
    Missing,
    /// It is larger than the limit, in bytes.
    TooLarge(u64),
    /// It is not UTF-8 from this byte on.
    NotText(usize),
    /// Anything else, in the system's words.
    Unreadable(String),
}

/// Reads source texts by path.
pub trait Loader {
    /// The text of a file of at most `limit` bytes.
    ///
    /// # Errors
    /// Where it cannot be read, is too large, or is not UTF-8.
    fn read(&self, path: &Path, limit: u64) -> Result<String, LoadError>;

    /// The path by which a file is known: two paths to one file give the same.
    fn identity(&self, path: &Path) -> PathBuf;

    /// A file that may have been meant by the name of one that is not there.
    fn near(&self, _path: &Path) -> Option<PathBuf> {
        None
    }
}

/// Files of the file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileLoader;

impl Loader for FileLoader {
    fn read(&self, path: &Path, limit: u64) -> Result<String, LoadError> {
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => LoadError::Missing,
            _ => LoadError::Unreadable(plain(&error)),
        };
        let about = std::fs::metadata(path).map_err(failed)?;
        if !about.is_file() {
            let what = if about.is_dir() { "it is a directory" } else { "it is not a regular file" };
            return Err(LoadError::Unreadable(what.into()));
        }
        if about.len() > limit {
            return Err(LoadError::TooLarge(limit));
        }
        let mut bytes = Vec::with_capacity(about.len() as usize);
        File::open(path).map_err(failed)?.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > limit {
            return Err(LoadError::TooLarge(limit));
        }
        String::from_utf8(bytes).map_err(|error| LoadError::NotText(error.utf8_error().valid_up_to()))
    }

    fn identity(&self, path: &Path) -> PathBuf {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let missing = || Some(parent.canonicalize().ok()?.join(path.file_name()?));
        path.canonicalize().ok().or_else(missing).unwrap_or_else(|| normal(path))
    }

    fn near(&self, path: &Path) -> Option<PathBuf> {
        nearest_path(path)
    }
}

/// Texts in memory, for tests and for editors with unsaved text.
#[derive(Clone, Debug, Default)]
pub struct MemoryLoader {
    files: BTreeMap<PathBuf, String>,
}

impl MemoryLoader {
    /// Adds a text.
    pub fn with(mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        self.files.insert(normal(&path.into()), text.into());
        self
    }
}

impl Loader for MemoryLoader {
    fn read(&self, path: &Path, limit: u64) -> Result<String, LoadError> {
        let text = self.files.get(&normal(path)).ok_or(LoadError::Missing)?;
        if text.len() as u64 > limit { Err(LoadError::TooLarge(limit)) } else { Ok(text.clone()) }
    }

    fn identity(&self, path: &Path) -> PathBuf {
        normal(path)
    }
}

/// The path without `.` and with `..` taken back, as text alone.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if result.file_name().is_some() => {
                result.pop();
            }
            part => result.push(part),
        }
    }
    result
}

/// The system's words without its number.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normal(Path::new("a/./b/../c.arch")), Path::new("a/c.arch"));
        assert_eq!(normal(Path::new("../../etc")), Path::new("../../etc"));
    }

    #[test]
    fn only_texts_within_the_limit_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.arch");
        std::fs::write(&file, b"model\xff").unwrap();
        assert_eq!(FileLoader.read(&file, 100), Err(LoadError::NotText(5)));
        assert_eq!(FileLoader.read(&file, 3), Err(LoadError::TooLarge(3)));
        assert_eq!(FileLoader.read(&dir.path().join("b"), 3), Err(LoadError::Missing));
        assert_eq!(FileLoader.read(dir.path(), 3), Err(LoadError::Unreadable("it is a directory".into())));
    }
}
