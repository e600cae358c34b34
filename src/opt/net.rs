//! A network as steps.

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::Layout;

/// A value as it lies in memory: a node's, in a layout. Inputs are held from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TensorRef {
    /// The node whose value it is.
    pub node: NodeId,
    /// The order of its numbers.
    pub layout: Layout,
}

/// What a step computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The op of a node.
    Op(NodeId),
    /// The value that it reads, in another layout.
    Convert,
}

/// What is done to each number of a result before it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EpilogueOp {
    /// The batch norm or learned factor of a node: `scale[c]·y + shift[c]`.
    Affine(NodeId),
    /// The activation of a node.
    Activation(NodeId),
    /// The addition of a node: `own·y + other·value`.
    Sum {
        /// The `Add`.
        node: NodeId,
        /// The other summand.
        value: TensorRef,
        /// Factor of the result.
        own: f64,
        /// Factor of the other summand.
        other: f64,
    },
}

/// One op with what was taken into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is computed.
    pub work: Work,
    /// The operands that the op looks into, in order.
    pub reads: Vec<TensorRef>,
    /// Batch norms, learned factors and activations applied to operand 0 as it is read, in order.
    pub prologue: Vec<NodeId>,
    /// Applied to the result, in order.
    pub epilogue: Vec<EpilogueOp>,
    /// What it makes: the value of the last node that it stands for.
    pub makes: TensorRef,
}

/// What a pass did or did not do, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The pass's name.
    pub pass: &'static str,
    /// The node that it looked at.
    pub node: NodeId,
    /// Whether it fired.
    pub fired: bool,
    /// What it did, or what stood in the way: lower case, no full stop.
    pub why: String,
}

/// An operand of a `concat` that may be written straight into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The `Concat`.
    pub concat: NodeId,
    /// Which operand.
    pub operand: usize,
    /// The operand's value.
    pub part: TensorRef,
    /// The result.
    pub whole: TensorRef,
    /// Channels of the result before it.
    pub channel_offset: usize,
}

/// A network as steps, in the order they run.
#[derive(Clone, Debug)]
pub struct Net {
    /// In the order they run: what a step reads is an input or made before.
    pub steps: Vec<Step>,
    /// For each node, by its index, the node whose value it is: itself, or another where it changes nothing.
    pub same: Vec<NodeId>,
    /// The outputs, in file order, as they are held at the end.
    pub outputs: Vec<TensorRef>,
    /// Operands that would rather be written straight into their `concat`; the planner grants what is legal.
    pub slices: Vec<Slice>,
    /// Results that would rather be written over a value that they read, `(result, value)`; the planner grants those whose
    /// value nobody reads later.
    pub in_place: Vec<(TensorRef, TensorRef)>,
    /// What the passes did.
    pub notes: Vec<Note>,
}

impl Step {
    /// Everything that it reads: operands, and summands of fused additions.
    pub fn all_reads(&self) -> impl Iterator<Item = TensorRef> + '_ {
        let sums = self.epilogue.iter().filter_map(|after| match after {
            EpilogueOp::Sum { value, .. } => Some(*value),
            _ => None,
        });
        self.reads.iter().copied().chain(sums)
    }

    /// The node whose op it computes; `None` for a conversion.
    pub fn head(&self) -> Option<NodeId> {
        match self.work {
            Work::Op(node) => Some(node),
            Work::Convert => None,
        }
    }

    /// The nodes that it stands for, in order.
    pub fn nodes(&self) -> Vec<NodeId> {
        let after = self.epilogue.iter().map(|after| match *after {
            EpilogueOp::Affine(node) | EpilogueOp::Activation(node) | EpilogueOp::Sum { node, .. } => node,
        });
        self.prologue.iter().copied().chain(self.head()).chain(after).collect()
    }
}

impl Net {
    /// One step for each node but the inputs, everything plain.
    pub fn new(graph: &Graph) -> Self {
        let plain = |node| TensorRef { node, layout: Layout::Plain };
        let step = |node: NodeId| {
            let op = &graph.node(node).op;
            let operands = graph.operands(node).into_iter().enumerate();
            let reads = operands.filter(|&(i, _)| op.reads_values(i)).map(|(_, operand)| plain(operand)).collect();
            Step { work: Work::Op(node), reads, prologue: Vec::new(), epilogue: Vec::new(), makes: plain(node) }
        };
        let computed = graph.order().filter(|&node| !matches!(graph.node(node).op, Op::Input(_)));
        let count = graph.order().next_back().map_or(0, |last| last.index() + 1);
        Self {
            steps: computed.map(step).collect(),
            same: (0..count).map(NodeId::new).collect(),
            outputs: graph.outputs.iter().map(|output| plain(output.node)).collect(),
            slices: Vec::new(),
            in_place: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// How often a value is read, outputs counted.
    pub fn readers(&self, held: TensorRef) -> usize {
        let reads = self.steps.iter().flat_map(Step::all_reads);
        reads.chain(self.outputs.iter().copied()).filter(|&read| read == held).count()
    }
}
