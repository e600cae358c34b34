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
/// whose sizes of 1 are stretched: then it goes along the skip. It goes past a `parallel`.
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
}

impl Trail {
    /// Notes a node that was just added. `same` says whether its sizes are those of `before`.
    pub(super) fn push(&mut self, id: NodeId, before: Option<NodeId>, same: bool) {
        let start = before.filter(|_| same).map_or(id, |b| self.marks[b.index()].start);
        self.marks.push(Mark { before, start });
    }

    /// The node that made the size of a value what it is.
    pub(super) fn start(&self, id: NodeId) -> NodeId {
        self.marks[id.index()].start
    }

    /// The node before on the main path.
    pub(super) fn before(&self, id: NodeId) -> Option<NodeId> {
        self.marks[id.index()].before
    }
}
