//! What does it cost? Parameters, multiply-accumulates, and the memory of values, for one sample.

use crate::graph::{Graph, NodeId};
use crate::ops::{Family, ParamSpec};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of one element; weights and values are `f32`.
const ELEMENT: u64 = 4;

/// What one node costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeCost {
    /// Trainable elements.
    pub parameters: u64,
    /// Elements that no optimizer changes: running statistics.
    pub buffers: u64,
    /// Multiply-accumulates for one sample.
    pub macs: u64,
}

impl std::ops::AddAssign for NodeCost {
    fn add_assign(&mut self, other: Self) {
        self.parameters = self.parameters.saturating_add(other.parameters);
        self.buffers = self.buffers.saturating_add(other.buffers);
        self.macs = self.macs.saturating_add(other.macs);
    }
}

/// What a network costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// The nodes together.
    #[serde(flatten)]
    pub nodes: NodeCost,
    /// Bytes of parameters and buffers.
    pub weight_bytes: u64,
    /// The most bytes that values need at one time when the network runs, for one sample.
    pub run_bytes: u64,
    /// Bytes that a training step keeps from the forward pass for the backward pass, for one sample.
    pub train_bytes: u64,
}

/// The cost of one node.
pub fn node_cost(graph: &Graph, id: NodeId) -> NodeCost {
    let params = graph.params(id);
    let sum = |trainable: bool| params.iter().filter(|p| p.trainable == trainable).map(ParamSpec::elements).sum();
    let macs = graph.node(id).op.layer().macs(&graph.operand_shapes(id), graph.shape(id));
    NodeCost { parameters: sum(true), buffers: sum(false), macs }
}

/// The cost of the whole network.
pub fn cost(graph: &Graph) -> Cost {
    let mut nodes = NodeCost::default();
    graph.order().for_each(|id| nodes += node_cost(graph, id));
    let weights = nodes.parameters.saturating_add(nodes.buffers);
    let values = Values::of(graph);
    Cost { nodes, weight_bytes: weights.saturating_mul(ELEMENT), run_bytes: values.peak(), train_bytes: values.kept() }
}

/// Which memory each node's value is in, and until when it is read.
struct Values<'g> {
    graph: &'g Graph,
    /// The node that owns the memory of a node's value: itself, or for a view that of its operand.
    owner: BTreeMap<NodeId, NodeId>,
    /// The last node that reads an owner's memory; an output's is read to the end.
    last_read: BTreeMap<NodeId, NodeId>,
}

impl<'g> Values<'g> {
    fn of(graph: &'g Graph) -> Self {
        let (mut owner, mut last_read) = (BTreeMap::new(), BTreeMap::new());
        for id in graph.order() {
            let operands = graph.operands(id);
            for operand in &operands {
                last_read.insert(owner[operand], id);
            }
            let is_view = graph.node(id).op.family() == Family::View;
            owner.insert(id, if is_view { owner[&operands[0]] } else { id });
        }
        if let Some(end) = graph.order().next_back() {
            let past_end = NodeId::new(end.index() + 1);
            graph.outputs.iter().for_each(|output| _ = last_read.insert(owner[&output.node], past_end));
        }
        Self { graph, owner, last_read }
    }

    fn bytes(&self, id: NodeId) -> u64 {
        self.graph.shape(id).elements().unwrap_or(u64::MAX).saturating_mul(ELEMENT)
    }

    /// The most bytes alive at one time, where values die after their last reader and an op takes over a
    /// dying operand's memory where it can.
    fn peak(&self) -> u64 {
        let (mut alive, mut peak) = (BTreeMap::new(), 0);
        for id in self.graph.order() {
            if self.owner[&id] == id {
                if let Some(donor) = self.donor(id) {
                    alive.remove(&donor);
                }
                alive.insert(id, self.bytes(id));
            }
            peak = peak.max(alive.values().fold(0, |sum: u64, &bytes| sum.saturating_add(bytes)));
            alive.retain(|owner, _| self.last_read.get(owner).is_some_and(|&last| last > id));
        }
        peak
    }

    /// The owner whose memory this node's value takes over.
    fn donor(&self, id: NodeId) -> Option<NodeId> {
        let operands = self.graph.operands(id);
        let allowed = self.graph.node(id).op.layer().in_place().iter().filter_map(|&i| operands.get(i));
        let mut owners = allowed.map(|operand| self.owner[operand]);
        owners.find(|owner| self.last_read[owner] == id && self.bytes(*owner) == self.bytes(id))
    }

    /// Bytes that backward passes read again, shared values counted once.
    fn kept(&self) -> u64 {
        let (mut kept, mut extra) = (BTreeSet::new(), 0u64);
        for id in self.graph.order() {
            let saved = self.graph.node(id).op.layer().saved(&self.graph.operand_shapes(id), self.graph.shape(id));
            let operands = self.graph.operands(id);
            kept.extend(saved.operands.iter().map(|&i| self.owner[&operands[i]]));
            kept.extend(saved.output.then_some(self.owner[&id]));
            extra = extra.saturating_add(saved.extra_bytes);
        }
        kept.into_iter().fold(extra, |sum, owner| sum.saturating_add(self.bytes(owner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use crate::graph::{Node, Output, ScopeId};
    use crate::ops::Op;
    use crate::ops::{activation::Activation, linear::Linear, structure::Input};
    use crate::shape::Shape;

    /// 8 → linear(16) → relu → linear(2)
    fn small() -> Graph {
        let mut graph = Graph::default();
        let linear = |width| Op::from(Linear { width, bias: true, init: None, bias_init: None });
        let shape = Shape::new([8]);
        let ops = [Op::from(Input { shape }), linear(16), Activation::Relu.into(), linear(2)];
        let mut last: Vec<NodeId> = Vec::new();
        for (i, op) in ops.into_iter().enumerate() {
            let inputs: Vec<&Shape> = last.iter().map(|&id| graph.shape(id)).collect();
            let shape = op.layer().infer(&inputs).unwrap();
            let node = Node { op, path: i.to_string(), shape, span: Span::default(), scope: ScopeId(0) };
            last = vec![graph.add(node, &last)];
        }
        graph.inputs = vec![NodeId::new(0)];
        graph.outputs = vec![Output { name: "out".into(), node: last[0] }];
        graph
    }

    #[test]
    fn counts_what_pytorch_counts() {
        let cost = cost(&small());
        assert_eq!(cost.nodes.parameters, 8 * 16 + 16 + 16 * 2 + 2);
        assert_eq!(cost.nodes.macs, 8 * 16 + 16 * 2);
        assert_eq!(cost.weight_bytes, 4 * cost.nodes.parameters);
    }

    #[test]
    fn values_die_and_are_taken_over() {
        let cost = cost(&small());
        assert_eq!(cost.run_bytes, 4 * (8 + 16), "input and hidden; relu works in place");
        assert_eq!(cost.train_bytes, 4 * (8 + 16), "both linear inputs; relu's output is the second's");
    }
}
