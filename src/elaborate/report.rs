//! Diagnostics of one elaboration: errors that repeat in other expansions are folded into the first.

use super::value::ordinal;
use crate::base::{Code, Diagnostic, Diagnostics, Span};
use crate::graph::{BlockArg, ScopeId, ScopeKind, Scopes};
use std::collections::BTreeMap;

/// Collects what is wrong, and where in the unrolled network.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    found: Vec<Found>,
    /// Where the error of this code at this place stands in `found`.
    index: BTreeMap<(Code, Span), usize>,
}

#[derive(Debug)]
struct Found {
    diagnostic: Diagnostic,
    scope: ScopeId,
    more: usize,
}

impl Reporter {
    /// Adds one that was found while unrolling `scope`.
    pub(super) fn push(&mut self, diagnostic: Diagnostic, scope: ScopeId) {
        if let Some(label) = diagnostic.labels.first() {
            let key = (diagnostic.code, label.span);
            if let Some(&first) = self.index.get(&key) {
                self.found[first].more += 1;
                return;
            }
            self.index.insert(key, self.found.len());
        }
        self.found.push(Found { diagnostic, scope, more: 0 });
    }

    /// Whether an error of this code was found at this place, in some expansion.
    pub(super) fn has(&self, code: Code, span: Span) -> bool {
        self.index.contains_key(&(code, span))
    }

    /// How many there are, each once.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// All of them, with the expansion that each was found in.
    pub(super) fn finish(self, scopes: &Scopes) -> Diagnostics {
        let mut list = Diagnostics::default();
        for Found { mut diagnostic, scope, more } in self.found {
            if let Some(place) = expansion(scopes, scope) {
                diagnostic.notes.insert(0, place);
            }
            if more > 0 {
                diagnostic.notes.push(format!("and {more} more like it"));
            }
            list.push(diagnostic);
        }
        list
    }
}

/// ``in `layer2.0`, the 1st of 4 uses of `BasicBlock` with width = 128, stride = 2``
fn expansion(scopes: &Scopes, scope: ScopeId) -> Option<String> {
    let is_block = |id: &ScopeId| matches!(scopes.get(*id).kind, ScopeKind::Block(_));
    let id = scopes.chain(scope).find(is_block)?;
    let this = scopes.get(id);
    let ScopeKind::Block(used) = &this.kind else { return None };
    let sibling = |other: &crate::graph::Scope| {
        other.parent == this.parent && matches!(&other.kind, ScopeKind::Block(u) if u.block == used.block)
    };
    let siblings: Vec<ScopeId> = scopes.iter().filter(|(_, other)| sibling(other)).map(|(id, _)| id).collect();
    let position = siblings.iter().position(|&other| other == id)? + 1;
    let which = match siblings.len() {
        1 => format!("`{}`", used.block),
        n => format!("the {} of {n} uses of `{}`", ordinal(position), used.block),
    };
    let with = if used.args.is_empty() { String::new() } else { format!(" with {}", BlockArg::list(&used.args)) };
    let path = shortened(&this.path);
    Some(if path.is_empty() { format!("in {which}{with}") } else { format!("in `{path}`, {which}{with}") })
}

/// The end of a path that is too long to be read.
fn shortened(path: &str) -> String {
    const LONGEST: usize = 60;
    match path.len().checked_sub(LONGEST) {
        None | Some(0) => path.to_string(),
        Some(at) => {
            format!("….{}", path.split_at(path.floor_char_boundary(at)).1.split_once('.').map_or("", |(_, end)| end))
        }
    }
}
