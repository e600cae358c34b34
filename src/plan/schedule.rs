//! What a schedule is made of: steps in time, the values they read and write, and who may share memory.

use crate::analysis::liveness::Interval;
use crate::graph::{Graph, NodeId};
use serde::Serialize;

/// Bytes of an element; all values are f32.
pub const ELEMENT: u64 = 4;

/// A value, by its position in [`Schedule::values`].
pub type ValueId = usize;

/// What a value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// A node's output.
    Output(NodeId),
    /// The gradient of the loss with respect to a node's output.
    Gradient(NodeId),
    /// What a node's forward pass keeps for its backward pass besides: indices, masks, statistics.
    Kept(NodeId),
    /// A node's output in another layout.
    Converted(NodeId),
    /// What the kernel of a node's step works in; needed at that step only.
    Scratch(NodeId),
}

impl Content {
    /// The node that it belongs to.
    pub fn node(self) -> NodeId {
        match self {
            Self::Output(node)
            | Self::Gradient(node)
            | Self::Kept(node)
            | Self::Converted(node)
            | Self::Scratch(node) => node,
        }
    }
}

/// Something that needs memory for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// What it holds.
    pub content: Content,
    /// Bytes for one sample.
    pub bytes: u64,
    /// Bytes besides, however many samples there are.
    pub fixed: u64,
    /// From the step that makes it to the last that reads it.
    pub live: Interval,
    /// Whether it must still be there after the last step.
    pub stays: bool,
}

/// What a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Inputs arrive, or outputs are computed.
    Forward,
    /// The loss is computed from the outputs, and their gradients.
    Loss,
    /// Gradients are computed.
    Backward,
}

/// Something that happens at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Forward, loss or backward.
    pub phase: Phase,
    /// The nodes it computes, in order; the last one's output is what it makes. Empty for the loss.
    pub nodes: Vec<NodeId>,
    /// The node that it goes by; `None` for the loss, and where a value only changes its layout.
    pub lead: Option<NodeId>,
    /// Values that it reads, each once.
    pub reads: Vec<ValueId>,
    /// Values that it makes or changes, each once.
    pub writes: Vec<ValueId>,
}

/// A value that may live in another's memory, so that nothing has to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// `part` is a run of channels of `whole`, from `offset` bytes into a sample: an operand of a `concat`, or the
    /// gradient of one.
    Slice {
        /// The run of channels.
        part: ValueId,
        /// All channels.
        whole: ValueId,
        /// Bytes from the start of a sample of the whole.
        offset: u64,
        /// When the one is made of the other.
        step: usize,
    },
    /// `to` is computed at `step` over `from`, element by element.
    InPlace {
        /// What is read.
        from: ValueId,
        /// What is made.
        to: ValueId,
        /// When.
        step: usize,
    },
}

/// Steps in time and the values between them.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// In the order they run.
    pub steps: Vec<Step>,
    /// In the order they are made.
    pub values: Vec<Value>,
    /// Who may share memory: slices first made first, in-place steps in the order they run.
    pub shares: Vec<Share>,
    /// For each node, by its index, the value that holds its output; `None` where it is not kept apart.
    pub outputs: Vec<Option<ValueId>>,
    /// Nodes that only look at another value in another way: flattened, cropped, renamed.
    pub views: Vec<(NodeId, ValueId)>,
}

impl Schedule {
    /// An empty schedule for a graph.
    pub fn new(graph: &Graph) -> Self {
        let nodes = graph.order().next_back().map_or(0, |last| last.index() + 1);
        Self { outputs: vec![None; nodes], ..Self::default() }
    }

    /// The step that comes next.
    pub fn now(&self) -> usize {
        self.steps.len()
    }

    /// A value made at the coming step.
    pub fn make(&mut self, content: Content, bytes: u64) -> ValueId {
        self.push(content, bytes, 0)
    }

    /// Memory of a fixed size for the coming step alone.
    pub fn make_fixed(&mut self, content: Content, bytes: u64) -> ValueId {
        self.push(content, 0, bytes)
    }

    fn push(&mut self, content: Content, bytes: u64, fixed: u64) -> ValueId {
        self.values.push(Value { content, bytes, fixed, live: Interval::at(self.now()), stays: false });
        self.values.len() - 1
    }

    /// Ends the coming step: its values are needed until now at least.
    pub fn step(&mut self, phase: Phase, nodes: Vec<NodeId>, mut reads: Vec<ValueId>, mut writes: Vec<ValueId>) {
        for list in [&mut reads, &mut writes] {
            list.sort_unstable();
            list.dedup();
        }
        let now = self.now();
        for &value in reads.iter().chain(&writes) {
            self.values[value].live.extend(now);
        }
        let lead = nodes.first().copied();
        self.steps.push(Step { phase, nodes, lead, reads, writes });
    }

    /// Says which node the last step goes by.
    pub fn lead(&mut self, node: Option<NodeId>) {
        self.steps.iter_mut().next_back().into_iter().for_each(|step| step.lead = node);
    }

    /// What a node keeps for its backward pass besides values; made right after its output.
    pub fn kept(&self, node: NodeId) -> Option<ValueId> {
        let next = self.output(node)? + 1;
        (self.values.get(next)?.content == Content::Kept(node)).then_some(next)
    }

    /// The value that holds a node's output.
    pub fn output(&self, node: NodeId) -> Option<ValueId> {
        self.outputs[node.index()]
    }
}

/// Whether a node reads what an operand holds, not only how large it is.
pub fn looks_into(graph: &Graph, node: NodeId, position: usize) -> bool {
    graph.node(node).op.reads_values(position)
}

/// The operands that a node reads, in order.
pub fn read_operands(graph: &Graph, node: NodeId) -> Vec<NodeId> {
    let operands = graph.operands(node).into_iter().enumerate();
    operands.filter(|&(position, _)| looks_into(graph, node, position)).map(|(_, operand)| operand).collect()
}

/// How often a node's value is read.
pub fn readers(graph: &Graph, node: NodeId) -> usize {
    let mut users = graph.users(node);
    users.dedup();
    users.into_iter().map(|user| read_operands(graph, user).into_iter().filter(|&read| read == node).count()).sum()
}

/// Bytes of a node's value, for one sample.
pub fn bytes(graph: &Graph, node: NodeId) -> u64 {
    graph.shape(node).dims().iter().fold(ELEMENT, |n, &d| n.saturating_mul(d as u64))
}
