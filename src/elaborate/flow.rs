//! The current value, and the main path that led to it.

use crate::graph::NodeId;

/// What flows from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Nothing yet: no input was read.
    Nothing,
    /// A step has failed; what follows stays silent.
    Poison,
    /// The value of a node.
    Node(NodeId),
}

impl Flow {
    /// The node, where there is one.
    pub(super) fn node(self) -> Option<NodeId> {
        match self {
            Self::Node(id) => Some(id),
            _ => None,
        }
    }
}

/// The main path, run by run: a run is a stretch of nodes with equal spatial sizes.
///
/// The main path goes through a layer's first operand and through a skip's body, unless that is a factor
/// whose sizes of 1 are stretched: then it goes along the skip. It goes through all the lines of a
/// `parallel`: the sizes visited there are the detours of its merge.
#[derive(Debug, Default)]
pub(super) struct Trail {
    marks: Vec<Mark>,
}

#[derive(Debug)]
struct Mark {
    /// The node before, on the main path.
    before: Option<NodeId>,
    /// The first node of the run.
    start: NodeId,
    /// Nodes inside a `parallel` that ends here, one for each further size visited.
    detours: Vec<NodeId>,
}

/// A stretch of the main path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Its first node: the one that made the size what it is.
    pub first: NodeId,
}

impl Trail {
    /// Notes a node that was just added. `same` says whether its sizes are those of `before`.
    pub(super) fn push(&mut self, id: NodeId, before: Option<NodeId>, same: bool, detours: Vec<NodeId>) {
        let joined = before.filter(|_| same && detours.is_empty());
        let start = joined.map_or(id, |b| self.marks[b.index()].start);
        self.marks.push(Mark { before, start, detours });
    }

    /// The runs from `result` back to `source`, the last first; those of detours are among them.
    /// `source`'s own run is included. Stops where the path is older than `source`.
    pub(super) fn runs(&self, source: NodeId, result: NodeId) -> impl Iterator<Item = Run> + '_ {
        let mut at = Some(result);
        let mut pending: &[NodeId] = &[];
        std::iter::from_fn(move || {
            if let Some((&first, rest)) = pending.split_first() {
                pending = rest;
                return Some(Run { first });
            }
            let here = at.filter(|&id| id >= source)?;
            let first = self.marks[here.index()].start;
            let mark = &self.marks[first.index()];
            at = if first <= source { None } else { mark.before };
            if first > source {
                pending = &mark.detours;
            }
            Some(Run { first })
        })
    }

    /// The node before on the main path.
    pub(super) fn before(&self, id: NodeId) -> Option<NodeId> {
        self.marks[id.index()].before
    }
}
