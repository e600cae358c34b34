//! A data set in its parts.

use super::dataset::Dataset;
use crate::base::Fault;
use std::sync::Arc;

/// A data set in its parts.
pub struct Split {
    /// What to learn from.
    pub train: Arc<dyn Dataset>,
    /// What to choose the best weights on, where there is a part for that.
    pub val: Option<Arc<dyn Dataset>>,
    /// What to measure on.
    pub test: Option<Arc<dyn Dataset>>,
    /// What `val` is called, to be read after "chosen on".
    pub val_name: String,
    /// What `test` is called, to be read after "measured on".
    pub test_name: String,
    /// Warnings found while opening: which files are broken, and how many.
    pub warnings: Vec<Fault>,
    /// What there is to know that is as it should be: which folder was taken.
    pub notes: Vec<String>,
}

impl Split {
    /// A data set that comes with a part to measure on, or without.
    pub fn new(train: Arc<dyn Dataset>, test: Option<Arc<dyn Dataset>>) -> Self {
        let (val_name, test_name) = ("the validation part".into(), "the test part".into());
        Self { train, val: None, test, val_name, test_name, warnings: Vec::new(), notes: Vec::new() }
    }

    /// What to measure on in the end: the test part, else what the best weights are chosen on, else the whole.
    pub fn evaluation(&self) -> &Arc<dyn Dataset> {
        self.test.as_ref().or(self.val.as_ref()).unwrap_or(&self.train)
    }

    /// What the best weights are chosen on: the validation part, else the test part, else what is learnt from.
    pub fn choosing(&self) -> &Arc<dyn Dataset> {
        self.val.as_ref().or(self.test.as_ref()).unwrap_or(&self.train)
    }

    /// The test part, where the best weights are chosen on another: it is measured once, at the end.
    pub fn once(&self) -> Option<&Arc<dyn Dataset>> {
        self.test.as_ref().filter(|_| self.val.is_some())
    }

    /// What [`Split::choosing`] is called.
    pub fn choosing_name(&self) -> &str {
        match (&self.val, &self.test) {
            (Some(_), _) => &self.val_name,
            (None, Some(_)) => &self.test_name,
            (None, None) => WHOLE,
        }
    }

    /// What [`Split::evaluation`] is called.
    pub fn evaluation_name(&self) -> &str {
        match (&self.val, &self.test) {
            (_, Some(_)) => &self.test_name,
            (Some(_), None) => &self.val_name,
            (None, None) => WHOLE,
        }
    }

    /// All parts, changed by the same function.
    pub fn map(mut self, change: impl Fn(Arc<dyn Dataset>) -> Arc<dyn Dataset>) -> Self {
        self.train = change(self.train);
        self.val = self.val.map(&change);
        self.test = self.test.map(&change);
        self
    }
}

/// What the whole is called where it has no parts.
const WHOLE: &str = "all of it";
