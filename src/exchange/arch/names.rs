//! What can be named where, as the compiler will see it.

use crate::graph::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// The labels written so far, and the values that they name.
#[derive(Default)]
pub(super) struct Names {
    /// Full paths of all labels, those of merges too, which hide others but name nothing.
    labels: BTreeSet<String>,
    values: BTreeMap<NodeId, Vec<String>>,
}

impl Names {
    /// Enters a label that names nothing yet.
    pub(super) fn enter(&mut self, path: &str) {
        self.labels.insert(path.to_string());
    }

    /// Enters a label of a value.
    pub(super) fn name(&mut self, path: &str, value: NodeId) {
        self.enter(path);
        self.values.entry(value).or_default().push(path.to_string());
    }

    /// What to write after `from` in this scope for a value; `None` where no name leads there. With `word`, the first label is a
    /// name, as an argument wants it.
    pub(super) fn find(&self, value: NodeId, scope: &[&str], word: bool) -> Option<String> {
        let paths = self.values.get(&value)?;
        let found = paths.iter().filter_map(|path| self.relative(path, scope));
        found.filter(|name| !word || name.starts_with(|c: char| !c.is_ascii_digit())).min_by_key(String::len)
    }

    /// The path as seen from a scope: the first label is searched for from the inside out.
    fn relative(&self, path: &str, scope: &[&str]) -> Option<String> {
        let labels: Vec<&str> = path.split('.').collect();
        let common = labels.iter().zip(scope).take_while(|(a, b)| a == b).count().min(labels.len() - 1);
        let seen =
            |from: usize| (from + 1..=scope.len()).all(|k| !self.labels.contains(&join(&scope[..k], labels[from])));
        (0..=common).rev().find(|&from| seen(from)).map(|from| labels[from..].join("."))
    }
}

/// The path of a label in a scope.
pub(super) fn join(scope: &[&str], label: &str) -> String {
    if scope.is_empty() { label.to_string() } else { format!("{}.{label}", scope.join(".")) }
}
