//! Where a study is worked at, part by part.

use super::folder::Folder;
use crate::base::Diagnostic;
use crate::lower::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a study did not come to its end.
#[derive(Debug)]
pub enum Halt {
    /// It was asked to stop; what was done is kept.
    Stopped,
    /// It cannot go on.
    Failed(Error),
}

/// What work on a study gives.
pub type Outcome<T> = Result<T, Halt>;

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// How far a study is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress<'a> {
    /// The part that is worked at.
    pub part: &'a str,
    /// Parts that are done.
    pub done: usize,
    /// Parts in all.
    pub of: usize,
    /// How much of this part is done, from 0 to 1; 1 is said once, when it is kept.
    pub share: f64,
    /// What is to be seen of it: a loss, an accuracy.
    pub detail: &'a str,
    /// Whether it was done before, and only read.
    pub read: bool,
}

/// Whoever watches.
pub trait Watch: Send {
    /// Something is done.
    fn progress(&mut self, progress: &Progress);
}

impl<F: FnMut(&Progress) + Send> Watch for F {
    fn progress(&mut self, progress: &Progress) {
        self(progress);
    }
}

/// What the parts of a study are made with.
pub struct StudyContext<'a> {
    /// Where they are kept.
    pub folder: &'a Folder,
    /// Who watches.
    pub watch: &'a mut dyn Watch,
    /// Raised by whoever wants it to stop.
    pub stop: &'a AtomicBool,
    /// Parts done and in all.
    pub count: (usize, usize),
}

/// What a part says while it is made: its share, from 0 to 1, and what is to be seen.
pub type Tick<'t> = dyn FnMut(f64, &str) + Send + 't;

impl StudyContext<'_> {
    /// More parts are to come.
    pub fn expect(&mut self, parts: usize) {
        self.count.1 += parts;
    }

    /// A part: read, where it was done before, or made and kept. Both go the same way through its text, so that a study
    /// which was stopped comes to the same as one that was not.
    ///
    /// # Errors
    /// Where it is stopped, or the part cannot be made or kept.
    pub fn part<T: Serialize + DeserializeOwned>(
        &mut self,
        key: &str,
        name: &str,
        make: impl FnOnce(&mut Tick, &AtomicBool) -> Outcome<T>,
    ) -> Outcome<T> {
        let (done, of) = self.count;
        if let Some(part) = self.folder.part(key).and_then(|value| serde_json::from_value(value).ok()) {
            self.count.0 += 1;
            self.watch.progress(&Progress { part: name, done: done + 1, of, share: 1.0, detail: "", read: true });
            return Ok(part);
        }
        if self.stop.load(Ordering::Relaxed) {
            return Err(Halt::Stopped);
        }
        let mut last = String::new();
        let watch = &mut *self.watch;
        let mut tick = |share: f64, detail: &str| {
            last = detail.into();
            watch.progress(&Progress { part: name, done, of, share: share.min(0.999), detail, read: false });
        };
        tick(0.0, "");
        let made = make(&mut tick, self.stop)?;
        let value = serde_json::to_value(&made).map_err(unwritten)?;
        self.folder.keep(key, &value)?;
        self.count.0 += 1;
        self.watch.progress(&Progress { part: name, done: done + 1, of, share: 1.0, detail: &last, read: false });
        let read = self.folder.part(key).ok_or_else(|| Error::internal(format!("the part `{key}` was not kept")))?;
        Ok(serde_json::from_value(read).map_err(unwritten)?)
    }
}

fn unwritten(error: serde_json::Error) -> Diagnostic {
    Diagnostic::new(crate::base::codes::INTERNAL, format!("a part cannot be written as JSON: {error}"))
}
