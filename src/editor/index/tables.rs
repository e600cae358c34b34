//! The labels of each scope, and how a path is followed through them.

use super::SymbolId;
use crate::base::FileId;
use crate::syntax::ast::{Label, LabelPart};
use std::collections::BTreeMap;

/// A scope's labels, by position.
pub(super) type TableId = usize;

/// How deep `_:` blocks are looked through.
const DEEPEST: usize = 16;

/// The block of an item: its file and the first byte of its name.
pub(super) type BlockKey = (FileId, u32);

/// What stands inside a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inner {
    /// Labels of a group.
    Table(TableId),
    /// Labels of a block.
    Block(BlockKey),
}

/// One label of a scope.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub text: Pattern,
    pub symbol: SymbolId,
    pub inner: Option<Inner>,
}

/// The labels of one scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub parent: Option<TableId>,
    pub entries: Vec<Entry>,
    /// Blocks called as `_:`, whose labels stand in this scope.
    pub blank: Vec<BlockKey>,
    /// Blocks called without a label: `double1` is the first `Double`.
    pub counted: Vec<(String, Inner)>,
    /// The iterations of `repeat`s without a label, `0`, `1`, …
    pub iterations: Vec<TableId>,
}

/// All scopes, and those of the blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub list: Vec<Table>,
    pub blocks: BTreeMap<BlockKey, TableId>,
}

/// A label's text with gaps where `{expr}` stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Option<String>>,
}

/// What a segment of a path means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The label; `None` for a name that was given by counting.
    pub symbol: Option<SymbolId>,
    pub inner: Option<Inner>,
    /// Whether the texts are equal.
    pub exact: bool,
}

impl Pattern {
    pub(super) fn of(label: &Label) -> Self {
        let piece = |part: &LabelPart| match part {
            LabelPart::Text(text) => Some(text.clone()),
            LabelPart::Expr(_) => None,
        };
        Self { pieces: label.parts.iter().map(piece).collect() }
    }

    pub(super) fn plain(text: &str) -> Self {
        Self { pieces: vec![Some(text.to_string())] }
    }

    /// The text, where there are no gaps.
    pub(super) fn text(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Some(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether some text is meant by both.
    fn meets(&self, other: &Self) -> bool {
        match (self.text(), other.text()) {
            (Some(a), Some(b)) => a == b,
            (None, Some(text)) => fits(&self.pieces, text),
            (Some(text), None) => fits(&other.pieces, text),
            (None, None) => self.pieces == other.pieces,
        }
    }
}

/// Whether a text is the pieces with something in each gap.
fn fits(pieces: &[Option<String>], text: &str) -> bool {
    match pieces {
        [] => text.is_empty(),
        [Some(piece), rest @ ..] => text.strip_prefix(piece.as_str()).is_some_and(|text| fits(rest, text)),
        [None] => !text.is_empty(),
        [None, rest @ ..] => {
            let ends = text.char_indices().skip(1).map(|(at, _)| at).chain([text.len()]);
            ends.filter(|&at| at > 0).any(|at| fits(rest, &text[at..]))
        }
    }
}

impl Tables {
    /// What the first segment of a path may mean, from the inside out.
    pub(super) fn around(&self, from: TableId, segment: &Pattern) -> Vec<Found> {
        let mut at = Some(from);
        while let Some(table) = at {
            let found = self.inside(Inner::Table(table), segment, 0);
            if !found.is_empty() {
                return found;
            }
            at = self.list.get(table).and_then(|table| table.parent);
        }
        Vec::new()
    }

    /// What a segment may mean inside a scope.
    pub(super) fn inside(&self, inner: Inner, segment: &Pattern, depth: usize) -> Vec<Found> {
        let Some(table) = self.table(inner).filter(|_| depth < DEEPEST) else { return Vec::new() };
        let meant = |entry: &&Entry| entry.text.meets(segment);
        let mut found: Vec<Found> = table.entries.iter().filter(meant).map(|entry| found(entry, segment)).collect();
        if found.iter().any(|one| one.exact) {
            found.retain(|one| one.exact);
            return found;
        }
        for block in &table.blank {
            found.extend(self.inside(Inner::Block(*block), segment, depth + 1));
        }
        if let Some(text) = segment.text().filter(|_| found.is_empty()) {
            let counted = table.counted.iter().filter(|(name, _)| is_counted(name, text)).map(|(_, inner)| *inner);
            let iterations =
                table.iterations.iter().filter(|_| is_number(text)).map(|iteration| Inner::Table(*iteration));
            let unnamed = |inner| Found { symbol: None, inner: Some(inner), exact: true };
            found.extend(counted.chain(iterations).map(unnamed));
        }
        found
    }

    /// The labels inside.
    pub(super) fn table(&self, inner: Inner) -> Option<&Table> {
        match inner {
            Inner::Table(table) => self.list.get(table),
            Inner::Block(key) => self.list.get(*self.blocks.get(&key)?),
        }
    }
}

fn found(entry: &Entry, segment: &Pattern) -> Found {
    let exact = entry.text.text().is_some() && entry.text == *segment;
    Found { symbol: Some(entry.symbol), inner: entry.inner, exact }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_counted(name: &str, text: &str) -> bool {
    text.strip_prefix(name).is_some_and(is_number)
}
