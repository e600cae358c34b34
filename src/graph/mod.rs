//! What is a network?
//!
//! A [`Graph`] is a directed acyclic graph. A node is one op and gives exactly one value; an edge carries
//! the value of its source to an operand position of its target. Nodes are evaluated in order of their
//! ids, which is the order of the file: operands always come before the node that reads them. Every
//! value has a batch in front, the same for all nodes, which stays free.

pub mod dump;
pub mod resolution;
pub mod scope;
pub mod verify;

pub use scope::{BlockArg, BlockUse, Scope, ScopeId, ScopeKind, Scopes};

use crate::base::Span;
use crate::ops::{Op, ParamSpec};
use crate::shape::Shape;
use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use petgraph::visit::EdgeRef;

/// A node, by its position. Ids grow in evaluation order.
pub type NodeId = NodeIndex<u32>;

/// One op and what is known about it.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// Its dotted path: `layer1.0.conv1`. Parameters are `path.weight` and so on. Unique.
    pub path: String,
    /// The shape of its value.
    pub shape: Shape,
    /// Where it was written.
    pub span: Span,
    /// The scope that it stands in.
    pub scope: ScopeId,
}

/// Whether a skip leaves its resolution and comes back to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipLength {
    /// It stays, or only goes down.
    Short,
    /// It leaves and comes back.
    Long,
}

/// A skip edge, from the value that is skipped along to where it meets the main path.
#[derive(Clone, Debug)]
pub struct SkipEdge {
    /// The merge: an `Add`, `Concat`, `Mul` or `Gate` node.
    pub merge: NodeId,
    /// S: the value before `via` and `fit`.
    pub source: NodeId,
    /// R: the value it meets.
    pub result: NodeId,
    /// Index of the operand of `merge` that S arrives at, after `via` and `fit`.
    pub source_operand: usize,
    /// Short or long.
    pub length: SkipLength,
    /// How S is transformed on its way: `project`, `zero_pad`, a step's text; `None` where it is not.
    pub via: Option<String>,
    /// The words `skip KIND …`.
    pub span: Span,
}

/// A named output.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its name: what `output` says, the label of the last step, or `output`.
    pub name: String,
    /// The value.
    pub node: NodeId,
}

/// A network: ops, edges, names, and where each was written.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: StableDiGraph<Node, u32, u32>,
    /// The scopes that nodes stand in.
    pub scopes: Scopes,
    /// Inputs, in file order; their nodes are `Op::Input`, their paths the inputs' names.
    pub inputs: Vec<NodeId>,
    /// Outputs, in file order.
    pub outputs: Vec<Output>,
    /// Skip edges, in order of their merges.
    pub skips: Vec<SkipEdge>,
}

impl Graph {
    /// Adds a node that reads `operands`, in that order.
    pub fn add(&mut self, node: Node, operands: &[NodeId]) -> NodeId {
        let id = self.nodes.add_node(node);
        for (position, &operand) in operands.iter().enumerate() {
            self.nodes.add_edge(operand, id, position as u32);
        }
        id
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// A node, to be changed.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id]
    }

    /// Whether a node exists.
    pub fn contains(&self, id: NodeId) -> bool {
        self.nodes.contains_node(id)
    }

    /// The shape of a node's value.
    pub fn shape(&self, id: NodeId) -> &Shape {
        &self.nodes[id].shape
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.node_count()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All nodes, in evaluation order.
    pub fn order(&self) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.nodes.node_indices()
    }

    /// What a node reads, in operand order.
    pub fn operands(&self, id: NodeId) -> Vec<NodeId> {
        let mut edges: Vec<_> =
            self.nodes.edges_directed(id, Direction::Incoming).map(|e| (*e.weight(), e.source())).collect();
        edges.sort_unstable();
        edges.into_iter().map(|(_, source)| source).collect()
    }

    /// The nodes that a node reads, in no order.
    pub fn sources(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.nodes.neighbors_directed(id, Direction::Incoming)
    }

    /// Who reads a node's value, in evaluation order; one entry for each operand position.
    pub fn users(&self, id: NodeId) -> Vec<NodeId> {
        let mut users: Vec<_> = self.nodes.neighbors_directed(id, Direction::Outgoing).collect();
        users.sort_unstable();
        users
    }

    /// The shapes of what a node reads.
    pub fn operand_shapes(&self, id: NodeId) -> Vec<&Shape> {
        self.operands(id).into_iter().map(|operand| self.shape(operand)).collect()
    }

    /// The parameters and buffers of a node, without its path.
    pub fn params(&self, id: NodeId) -> Vec<ParamSpec> {
        self.node(id).op.layer().params(&self.operand_shapes(id))
    }

    /// Every parameter and buffer by its full path, in evaluation order.
    pub fn named_params(&self) -> Vec<(String, ParamSpec)> {
        let named = |id| {
            let path = &self.node(id).path;
            self.params(id).into_iter().map(move |spec| (format!("{path}.{}", spec.name), spec))
        };
        self.order().flat_map(named).collect()
    }

    /// The output of this name.
    pub fn output(&self, name: &str) -> Option<NodeId> {
        self.outputs.iter().find(|o| o.name == name).map(|o| o.node)
    }
}
