//! The open documents, and a reader of sources that prefers them to what is on disk.

use super::paths::plain;
use super::text::Text;
use crate::elaborate::{FileLoader, LoadError, Loader};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A document that the editor has open.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its text now.
    pub text: Text,
    /// The version that the client gave it.
    pub version: i32,
}

/// Every open document, by its path.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    open: BTreeMap<PathBuf, Document>,
}

impl Documents {
    /// Opens a document, or gives it another text.
    pub fn set(&mut self, path: PathBuf, document: Document) {
        self.open.insert(path, document);
    }

    /// Closes a document.
    pub fn close(&mut self, path: &Path) {
        self.open.remove(path);
    }

    /// The document at a path, where it is open.
    pub fn get(&self, path: &Path) -> Option<&Document> {
        self.open.get(path)
    }

    /// The document at a path, to be changed.
    pub fn get_mut(&mut self, path: &Path) -> Option<&mut Document> {
        self.open.get_mut(path)
    }

    /// The paths of all open documents.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.open.keys()
    }
}

impl Loader for Documents {
    fn read(&self, path: &Path, limit: u64) -> Result<String, LoadError> {
        match self.open.get(&plain(path)) {
            Some(document) if document.text.text.len() as u64 > limit => Err(LoadError::TooLarge(limit)),
            Some(document) => Ok(document.text.text.to_string()),
            None => FileLoader.read(path, limit),
        }
    }

    fn identity(&self, path: &Path) -> PathBuf {
        FileLoader.identity(path)
    }
}
