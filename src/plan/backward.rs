//! The backward pass: what each op reads again, and how long gradients live.
//!
//! The backward steps run in the reverse order of the forward ones. The gradient of a value is made by the
//! backward step of its last reader, added to by those of its other readers, and read by the backward step of the
//! op that made the value. Gradients that nobody asks for, of inputs and of what depends on no parameter, are not
//! made. Gradients of parameters live outside the arena.

use super::Assumptions;
use super::schedule::{Content, Phase, Schedule, Share, ValueId, bytes, looks_into};
use super::steps::may_slice;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;

/// Appends the loss and the backward pass to a forward pass in which every node has its own step.
pub fn backward(graph: &Graph, assumptions: &Assumptions, schedule: &mut Schedule) {
    let mut pass = Backward { graph, assumptions, needed: needed(graph), gradients: Vec::new() };
    pass.gradients.resize(schedule.outputs.len(), None);
    pass.loss(schedule);
    for node in graph.order().rev() {
        if !matches!(graph.node(node).op, Op::Input(_)) && !pass.is_view(schedule, node) {
            pass.step(schedule, node);
        }
    }
}

struct Backward<'a> {
    graph: &'a Graph,
    assumptions: &'a Assumptions,
    /// Whether a parameter stands behind a node's value.
    needed: Vec<bool>,
    /// The gradient of a node's value, once it is made. Views share that of what they look at.
    gradients: Vec<Option<ValueId>>,
}

fn needed(graph: &Graph) -> Vec<bool> {
    let mut needed = vec![false; graph.order().next_back().map_or(0, |last| last.index() + 1)];
    for node in graph.order() {
        let trained = graph.params(node).iter().any(|p| p.trainable);
        needed[node.index()] = trained || graph.operands(node).iter().any(|operand| needed[operand.index()]);
    }
    needed
}

impl Backward<'_> {
    fn is_view(&self, schedule: &Schedule, node: NodeId) -> bool {
        self.origin(schedule, node) != Some(node)
    }

    /// The node whose value a node's value is: itself, or what it looks at.
    fn origin(&self, schedule: &Schedule, node: NodeId) -> Option<NodeId> {
        match schedule.values[schedule.output(node)?].content {
            Content::Output(origin) => Some(origin),
            _ => None,
        }
    }

    /// The gradient of a node's value, and whether it is new; `None` where nobody asks for it.
    fn gradient(&mut self, schedule: &mut Schedule, node: NodeId) -> Option<(ValueId, bool)> {
        let origin = self.origin(schedule, node).filter(|origin| self.needed[origin.index()])?;
        if let Some(value) = self.gradients[origin.index()] {
            return Some((value, false));
        }
        let value = schedule.make(Content::Gradient(origin), bytes(self.graph, origin));
        self.gradients[origin.index()] = Some(value);
        Some((value, true))
    }

    fn loss(&mut self, schedule: &mut Schedule) {
        let outputs: Vec<NodeId> = self.graph.outputs.iter().map(|o| o.node).collect();
        let reads = outputs.iter().filter_map(|&node| schedule.output(node)).collect();
        let writes = outputs.iter().filter_map(|&node| self.gradient(schedule, node)).map(|(value, _)| value);
        let writes = writes.collect();
        schedule.step(Phase::Loss, Vec::new(), reads, writes);
    }

    fn step(&mut self, schedule: &mut Schedule, node: NodeId) {
        let Some(own) = self.gradients[node.index()] else { return };
        let graph = self.graph;
        let operands = graph.operands(node);
        let saved = graph.node(node).op.layer().saved(&graph.operand_shapes(node), graph.shape(node));
        let mut reads = vec![own];
        reads.extend(saved.operands.iter().filter_map(|&i| schedule.output(*operands.get(i)?)));
        reads.extend(schedule.output(node).filter(|_| saved.output));
        reads.extend(schedule.kept(node));
        let (mut writes, mut offset) = (Vec::new(), 0);
        for (position, &operand) in operands.iter().enumerate() {
            if !looks_into(graph, node, position) {
                continue;
            }
            if let Some((gradient, new)) = self.gradient(schedule, operand) {
                let share = new.then(|| self.share(schedule, node, position, (own, gradient), offset));
                schedule.shares.extend(share.flatten());
                // An operand that is read twice gets both shares at once.
                if schedule.values[gradient].live.first < schedule.now() {
                    reads.push(gradient);
                }
                writes.push(gradient);
            }
            offset += bytes(graph, operand);
        }
        schedule.step(Phase::Backward, vec![node], reads, writes);
    }

    /// How an operand's new gradient may use the memory of the node's own.
    fn share(
        &self,
        schedule: &Schedule,
        node: NodeId,
        position: usize,
        (own, gradient): (ValueId, ValueId),
        offset: u64,
    ) -> Option<Share> {
        let step = schedule.now();
        let operands = self.graph.operands(node);
        let op = &self.graph.node(node).op;
        if matches!(op, Op::Concat(_)) {
            let slices = may_slice(self.graph, self.assumptions, operands[position]);
            return slices.then_some(Share::Slice { part: gradient, whole: own, offset, step });
        }
        let over = matches!(op, Op::Add(_)) || operands.len() == 1 && op.layer().in_place() == [0];
        (self.assumptions.in_place && over).then_some(Share::InPlace { from: own, to: gradient, step })
    }
}
