//! The one way in which passes change a net: steps are looked up by what they make and read, merged and dropped.

use super::net::{EpilogueOp, Net, Note, Step, TensorRef};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::Layout;

/// A net being rewritten, with an index of who makes and who reads each value.
pub struct Edit<'a> {
    /// The graph that the net stands for.
    pub graph: &'a Graph,
    /// The net. Passes that merge steps do so through the methods below.
    pub net: &'a mut Net,
    pass: &'static str,
    /// For each value, by [`slot`], the step that makes it.
    makers: Vec<Option<usize>>,
    /// For each value the steps that read it, once for each time.
    readers: Vec<Vec<usize>>,
    outputs: Vec<bool>,
    gone: Vec<bool>,
}

/// A value's place in the index.
fn slot(held: TensorRef) -> usize {
    held.node.index() * 2 + usize::from(held.layout == Layout::Blocked)
}

impl<'a> Edit<'a> {
    /// Reads the index off a net.
    pub fn new(graph: &'a Graph, net: &'a mut Net, pass: &'static str) -> Self {
        let slots = net.same.len() * 2;
        let (mut makers, mut readers, mut outputs) = (vec![None; slots], vec![Vec::new(); slots], vec![false; slots]);
        for (i, step) in net.steps.iter().enumerate() {
            makers[slot(step.makes)] = Some(i);
            step.all_reads().for_each(|read| readers[slot(read)].push(i));
        }
        net.outputs.iter().for_each(|&held| outputs[slot(held)] = true);
        let gone = vec![false; net.steps.len()];
        Self { graph, net, pass, makers, readers, outputs, gone }
    }

    /// Positions of the steps, in the order they run.
    pub fn positions(&self) -> std::ops::Range<usize> {
        0..self.net.steps.len()
    }

    /// A step; `None` where it was merged or dropped.
    pub fn step(&self, position: usize) -> Option<&Step> {
        (!self.gone[position]).then(|| &self.net.steps[position])
    }

    /// The op that a step computes; `None` for conversions and for steps that are gone.
    pub fn op(&self, position: usize) -> Option<(NodeId, &'a Op)> {
        let node = self.step(position)?.head()?;
        Some((node, &self.graph.node(node).op))
    }

    /// The step that makes a value; `None` for inputs.
    pub fn maker(&self, held: TensorRef) -> Option<usize> {
        self.makers[slot(held)]
    }

    /// The steps that read a value, once for each time.
    pub fn readers(&self, held: TensorRef) -> &[usize] {
        &self.readers[slot(held)]
    }

    /// Whether a value is an output of the network.
    pub fn is_output(&self, held: TensorRef) -> bool {
        self.outputs[slot(held)]
    }

    /// Why a value may not be merged into its only reader; `None` where it may.
    pub fn shared(&self, held: TensorRef) -> Option<&'static str> {
        match self.readers(held).len() {
            _ if self.is_output(held) => Some("what it reads is an output"),
            0 | 1 => None,
            _ => Some("others read the value before it"),
        }
    }

    /// Notes what was done.
    pub fn did(&mut self, node: NodeId, why: impl Into<String>) {
        self.net.notes.push(Note { pass: self.pass, node, fired: true, why: why.into() });
    }

    /// Notes what stood in the way.
    pub fn refused(&mut self, node: NodeId, why: impl Into<String>) {
        self.net.notes.push(Note { pass: self.pass, node, fired: false, why: why.into() });
    }

    /// The path of the node that a step computes, for notes.
    pub fn path(&self, position: usize) -> &'a str {
        let step = &self.net.steps[position];
        &self.graph.node(step.head().unwrap_or(step.makes.node)).path
    }

    /// Drops a step whose value nobody reads.
    pub fn drop_step(&mut self, position: usize) {
        self.gone[position] = true;
        self.makers[slot(self.net.steps[position].makes)] = None;
        for read in self.net.steps[position].all_reads().collect::<Vec<_>>() {
            self.unread(read, position);
        }
    }

    fn unread(&mut self, held: TensorRef, position: usize) {
        let readers = &mut self.readers[slot(held)];
        if let Some(i) = readers.iter().position(|&reader| reader == position) {
            readers.swap_remove(i);
        }
    }

    /// Step `into` does the work of `from`, which reads its value: `after` follows, then what `from` had behind it.
    pub fn append(&mut self, into: usize, after: EpilogueOp, from: usize) {
        self.drop_step(from);
        let (makes, rest) = (self.net.steps[from].makes, std::mem::take(&mut self.net.steps[from].epilogue));
        if let EpilogueOp::Sum { value, .. } = after {
            self.readers[slot(value)].push(into);
        }
        let step = &mut self.net.steps[into];
        self.makers[slot(step.makes)] = None;
        step.epilogue.push(after);
        step.epilogue.extend(rest);
        step.makes = makes;
        self.makers[slot(makes)] = Some(into);
    }

    /// Every reader of step `from` does its work on operand 0 as it is read.
    pub fn prepend(&mut self, from: usize, nodes: &[NodeId]) {
        let (makes, operand) = (self.net.steps[from].makes, self.net.steps[from].reads[0]);
        let readers = std::mem::take(&mut self.readers[slot(makes)]);
        for &reader in &readers {
            let step = &mut self.net.steps[reader];
            step.prologue.splice(0..0, nodes.iter().copied());
            step.reads[0] = operand;
            self.readers[slot(operand)].push(reader);
        }
        self.drop_step(from);
    }

    /// Removes the steps that are gone.
    pub fn finish(self) {
        let mut gone = self.gone.into_iter();
        // A pass that writes the line of steps anew has put in others than the index knew.
        self.net.steps.retain(|_| !gone.next().unwrap_or(false));
    }
}
