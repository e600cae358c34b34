//! What changed between two networks: by structure and labels, not by text.
//!
//! The scopes of both are walked side by side (`pair` says which parts belong together). A changed argument is
//! told where the block is used; what merely follows from it is counted (`change`). Repeats are told once
//! (`fold`).

mod change;
mod fold;
mod pair;
mod table;
mod totals;
mod words;

pub use table::render;
pub use totals::{Sizes, Total, Unit};

use crate::elaborate::Network;
use crate::graph::dump::dump;
use serde::Serialize;

/// What happened to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Only the second network has it.
    Added,
    /// Only the first network has it.
    Removed,
    /// Both have it, with other arguments or contents.
    Changed,
    /// Only its label differs, so its parameters have other names.
    Renamed,
}

/// A layer or a scope that differs; or several in a row that differ in the same way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What happened.
    pub sign: Sign,
    /// Its label in its scope; of several, the first and the last.
    pub label: String,
    /// Its path in the first network; of several, the first one's.
    pub before: Option<String>,
    /// Its path in the second network.
    pub after: Option<String>,
    /// How many parts in a row this stands for.
    pub count: usize,
    /// The layer or the block: `conv 3×3`, `Stage`.
    pub what: String,
    /// The differences in words: `depth 4 → 6`.
    pub notes: Vec<String>,
    /// Layers within that only follow from the notes.
    pub following: usize,
    /// How many parameters more there are.
    pub parameters: i64,
    /// What differs within.
    pub within: Vec<Change>,
}

/// Everything that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// Whether nothing differs.
    pub equal: bool,
    /// The first network's name.
    pub before: String,
    /// The second network's name.
    pub after: String,
    /// Parameters, MACs, memory and the rest, side by side.
    pub totals: Vec<Total>,
    /// What differs, in the order of the second network.
    pub changes: Vec<Change>,
}

/// Compares two networks. Their names, comments and recipes do not count.
pub fn diff(a: &Network, b: &Network) -> Diff {
    let mut changes = change::changes(&a.graph, &b.graph);
    let (sizes_a, sizes_b) = (Sizes::of(a), Sizes::of(b));
    let totals = totals::totals(&sizes_a, &sizes_b);
    let ports = |network: &Network| (network.inputs.clone(), network.free_sizes.clone());
    let unlike = dump(&a.graph) != dump(&b.graph) || ports(a) != ports(b);
    if changes.is_empty() && unlike && totals.iter().all(|total| !total.differs()) {
        changes.push(Change::whole(unlike_words(a, b)));
    }
    let equal = changes.is_empty() && !unlike && totals.iter().all(|total| !total.differs());
    Diff { equal, before: a.name.clone(), after: b.name.clone(), totals, changes }
}

/// What differs where no layer does.
fn unlike_words(a: &Network, b: &Network) -> &'static str {
    if dump(&a.graph) == dump(&b.graph) {
        "free sizes have other names or defaults"
    } else {
        "the same layers, joined otherwise"
    }
}

impl Change {
    /// A change of the network as a whole.
    fn whole(note: &str) -> Self {
        Self {
            sign: Sign::Changed,
            label: String::new(),
            before: Some(String::new()),
            after: Some(String::new()),
            count: 1,
            what: "network".into(),
            notes: vec![note.into()],
            following: 0,
            parameters: 0,
            within: Vec::new(),
        }
    }
}
