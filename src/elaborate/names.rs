//! Labels: what each names in its scope, and how paths are looked up.

use super::flow::Flow;
use crate::base::Span;
use crate::base::nearest::nearest;
use crate::syntax::ast::{Label, LabelPart};
use std::collections::BTreeMap;

/// A table of labels, by its position in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TableId(usize);

/// What a label names.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The value at its end; `None` while its braces are still open.
    pub value: Option<Flow>,
    /// The labels inside, where it names a scope.
    pub inner: Option<TableId>,
    /// Where it was written.
    pub span: Span,
    /// Named by kind and ordinal rather than by the file.
    pub auto: bool,
}

#[derive(Debug, Default)]
struct Table {
    /// Where the search goes on; ends at a block, which does not see its caller's labels.
    parent: Option<TableId>,
    labels: BTreeMap<String, Entry>,
    ordinals: BTreeMap<String, usize>,
}

/// Every table of labels of one elaboration.
#[derive(Debug)]
pub(super) struct Names {
    tables: Vec<Table>,
}

impl Default for Names {
    fn default() -> Self {
        Self { tables: vec![Table::default()] }
    }
}

/// Why a path leads nowhere.
#[derive(Debug)]
pub(super) enum Missing {
    /// There is no such label; perhaps another was meant.
    Unknown { segment: usize, near: Option<String> },
    /// The label's braces are still open.
    Open { span: Span },
    /// It is a layer, with nothing inside.
    Leaf { segment: usize, span: Span },
    /// It was not labelled in the file.
    Auto { span: Span },
}

impl Names {
    /// The model's own table.
    pub(super) const ROOT: TableId = TableId(0);

    /// A table for a new scope. `visible` says whether names around it can be seen from inside.
    pub(super) fn open(&mut self, around: TableId, visible: bool) -> TableId {
        self.tables.push(Table { parent: visible.then_some(around), ..Table::default() });
        TableId(self.tables.len() - 1)
    }

    /// Enters a label; the earlier entry where there is one of this name.
    pub(super) fn insert(&mut self, table: TableId, label: &str, entry: Entry) -> Result<(), Entry> {
        let labels = &mut self.tables[table.0].labels;
        match labels.get(label) {
            Some(earlier) => Err(earlier.clone()),
            None => {
                labels.insert(label.to_string(), entry);
                Ok(())
            }
        }
    }

    /// Says what a label's value turned out to be.
    pub(super) fn close(&mut self, table: TableId, label: &str, value: Flow) {
        if let Some(entry) = self.tables[table.0].labels.get_mut(label) {
            entry.value = Some(value);
        }
    }

    /// The next free name for an unlabelled step of this kind: `conv1`, `conv2`, …
    pub(super) fn ordinal(&mut self, table: TableId, kind: &str) -> String {
        let table = &mut self.tables[table.0];
        if !table.ordinals.contains_key(kind) {
            table.ordinals.insert(kind.to_string(), 0);
        }
        loop {
            let count = table.ordinals.entry(kind.to_string()).or_default();
            *count += 1;
            let name = format!("{kind}{count}");
            if !table.labels.contains_key(&name) {
                return name;
            }
        }
    }

    /// The value at the end of a path: the first label is searched for from the inside out.
    pub(super) fn find(&self, from: TableId, path: &[String]) -> Result<Flow, Missing> {
        let Some((first, rest)) = path.split_first() else {
            return Err(Missing::Unknown { segment: 0, near: None });
        };
        let around = |id: &TableId| self.tables[id.0].parent;
        let mut tables = std::iter::successors(Some(from), around);
        let found = tables.find_map(|id| self.tables[id.0].labels.get(first));
        let mut entry = found.ok_or_else(|| Missing::Unknown { segment: 0, near: self.near(from, first) })?;
        for (i, label) in rest.iter().enumerate() {
            let inner = entry.inner.ok_or(Missing::Leaf { segment: i, span: entry.span })?;
            let labels = &self.tables[inner.0].labels;
            let unknown = || {
                let near = nearest(label, labels.iter().filter(|(_, e)| !e.auto).map(|(l, _)| l.as_str()));
                Missing::Unknown { segment: i + 1, near: near.map(String::from) }
            };
            entry = labels.get(label).ok_or_else(unknown)?;
        }
        match entry.value {
            _ if entry.auto => Err(Missing::Auto { span: entry.span }),
            Some(value) => Ok(value),
            None => Err(Missing::Open { span: entry.span }),
        }
    }

    fn near(&self, from: TableId, label: &str) -> Option<String> {
        let around = |id: &TableId| self.tables[id.0].parent;
        let tables = std::iter::successors(Some(from), around);
        let labels = tables.flat_map(|id| self.tables[id.0].labels.iter());
        nearest(label, labels.filter(|(_, e)| !e.auto).map(|(l, _)| l.as_str())).map(String::from)
    }
}

/// The text of a label without `{expr}`.
pub(super) fn plain(label: &Label) -> Option<&str> {
    match label.parts.as_slice() {
        [LabelPart::Text(text)] => Some(text),
        _ => None,
    }
}

/// Whether a label is `_`, which opens no scope.
pub(super) fn is_blank(label: &Label) -> bool {
    plain(label) == Some("_")
}
