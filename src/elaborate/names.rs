//! Labels: what each names in its scope, and how paths are looked up.

use super::flow::Flow;
use crate::base::Span;
use crate::base::nearest::nearest;
use crate::syntax::ast::{Label, LabelPart};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

/// A table of labels, by its position in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TableId(u32);

/// What a label names.
#[derive(Clone, Copy, Debug)]
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

/// Every table of labels of one elaboration. One map holds them all: most tables have few labels.
#[derive(Debug)]
pub(super) struct Names<'p> {
    labels: BTreeMap<(TableId, String), Entry>,
    /// How many steps of a kind were named by counting.
    ordinals: BTreeMap<(TableId, &'p str), usize>,
    /// Where the search for a label goes on; ends at a block, which does not see its caller's labels.
    parents: Vec<Option<TableId>>,
}

impl Default for Names<'_> {
    fn default() -> Self {
        Self { labels: BTreeMap::new(), ordinals: BTreeMap::new(), parents: vec![None] }
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

/// The model's own table.
pub(super) const ROOT: TableId = TableId(0);

impl<'p> Names<'p> {
    /// A table for a new scope. `visible` says whether names around it can be seen from inside.
    pub(super) fn open(&mut self, around: TableId, visible: bool) -> TableId {
        self.parents.push(visible.then_some(around));
        TableId(self.parents.len() as u32 - 1)
    }

    /// Enters a label; the earlier entry where there is one of this name.
    pub(super) fn insert(&mut self, table: TableId, label: &str, entry: Entry) -> Result<(), Entry> {
        match self.labels.entry((table, label.to_string())) {
            Place::Occupied(earlier) => Err(*earlier.get()),
            Place::Vacant(place) => {
                place.insert(entry);
                Ok(())
            }
        }
    }

    /// Whether a table is a block's or a model's own, around which nothing is seen.
    pub(super) fn is_outermost(&self, table: TableId) -> bool {
        self.parents.get(table.0 as usize).is_none_or(Option::is_none)
    }

    /// Says what a label's value turned out to be.
    pub(super) fn close(&mut self, table: TableId, label: &str, value: Flow) {
        if let Some(entry) = self.labels.get_mut(&(table, label.to_string())) {
            entry.value = Some(value);
        }
    }

    /// The next free name for an unlabelled step of this kind, in lower case: `conv1`, `conv2`, …
    pub(super) fn ordinal(&mut self, table: TableId, kind: &'p str) -> String {
        let count = self.ordinals.entry((table, kind)).or_default();
        loop {
            *count += 1;
            let key = (table, format!("{}{count}", kind.to_lowercase()));
            if !self.labels.contains_key(&key) {
                return key.1;
            }
        }
    }

    /// The value at the end of a path: the first label is searched for from the inside out.
    pub(super) fn find(&self, from: TableId, path: &[String]) -> Result<Flow, Missing> {
        let Some((first, rest)) = path.split_first() else {
            return Err(Missing::Unknown { segment: 0, near: None });
        };
        let found = self.around(from).find_map(|id| self.labels.get(&(id, first.clone())));
        let mut entry =
            found.ok_or_else(|| Missing::Unknown { segment: 0, near: self.near(self.around(from), first) })?;
        for (i, label) in rest.iter().enumerate() {
            let inner = entry.inner.ok_or(Missing::Leaf { segment: i, span: entry.span })?;
            let unknown = || Missing::Unknown { segment: i + 1, near: self.near(std::iter::once(inner), label) };
            entry = self.labels.get(&(inner, label.clone())).ok_or_else(unknown)?;
        }
        match entry.value {
            _ if entry.auto => Err(Missing::Auto { span: entry.span }),
            Some(value) => Ok(value),
            None => Err(Missing::Open { span: entry.span }),
        }
    }

    /// The table and those around it that can be seen.
    fn around(&self, from: TableId) -> impl Iterator<Item = TableId> + '_ {
        std::iter::successors(Some(from), |id| self.parents[id.0 as usize])
    }

    /// The label of these tables that was probably meant.
    fn near(&self, tables: impl Iterator<Item = TableId>, label: &str) -> Option<String> {
        let labels = tables.flat_map(|id| self.labels.range((id, String::new())..(TableId(id.0 + 1), String::new())));
        nearest(label, labels.filter(|(_, entry)| !entry.auto).map(|((_, text), _)| text.as_str())).map(String::from)
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
