//! The layout of each value. Everything is in blocks of channels but what meets the outside, and what reshapes.

use super::edit::Edit;
use super::net::{EpilogueOp, Step, TensorRef, Work};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::Layout;

/// Channels up to which a convolution reads an input as it arrives.
const FEW: usize = 4;

/// The line of steps as it is written anew.
struct Rewrite {
    steps: Vec<Step>,
    /// For each node whether its value is held: plain, blocked.
    held: Vec<[bool; 2]>,
    converted: Vec<NodeId>,
}

fn lies(layout: Layout) -> usize {
    usize::from(layout == Layout::Blocked)
}

impl Rewrite {
    /// Makes sure that a value is held in a layout.
    fn need(&mut self, to: TensorRef) {
        let held = &mut self.held[to.node.index()];
        if std::mem::replace(&mut held[lies(to.layout)], true) {
            return;
        }
        let from = TensorRef { node: to.node, layout: other(to.layout) };
        let step =
            Step { work: Work::Convert, reads: vec![from], prologue: Vec::new(), epilogue: Vec::new(), makes: to };
        self.steps.push(step);
        self.converted.push(to.node);
    }

    fn push(&mut self, mut step: Step, graph: &Graph) {
        for i in 0..step.reads.len() {
            let layout = wanted(graph, &step, i, step.reads[i].node);
            step.reads[i].layout = layout;
            self.need(step.reads[i]);
        }
        for after in &mut step.epilogue {
            if let EpilogueOp::Sum { value, .. } = after {
                value.layout = Layout::Blocked;
                self.need(*value);
            }
        }
        step.makes.layout = if reshapes(graph, step.work) { Layout::Plain } else { Layout::Blocked };
        self.held[step.makes.node.index()][lies(step.makes.layout)] = true;
        self.steps.push(step);
    }
}

fn other(layout: Layout) -> Layout {
    match layout {
        Layout::Plain => Layout::Blocked,
        Layout::Blocked => Layout::Plain,
    }
}

fn reshapes(graph: &Graph, work: Work) -> bool {
    matches!(work, Work::Op(node) if matches!(graph.node(node).op, Op::Reshape(_)))
}

/// Whether a step reads an operand as it arrives from outside: a convolution over an image.
fn stem(graph: &Graph, step: &Step, operand: usize, value: NodeId) -> bool {
    let Work::Op(node) = step.work else { return false };
    let few = graph.shape(value).channels().is_some_and(|channels| channels <= FEW);
    let conv = matches!(&graph.node(node).op, Op::Conv(conv) if conv.groups == 1);
    operand == 0 && conv && few && step.prologue.is_empty() && matches!(graph.node(value).op, Op::Input(_))
}

/// The layout in which a step reads an operand.
fn wanted(graph: &Graph, step: &Step, operand: usize, value: NodeId) -> Layout {
    match reshapes(graph, step.work) || stem(graph, step, operand, value) {
        true => Layout::Plain,
        false => Layout::Blocked,
    }
}

/// Gives every value its layout and puts the conversions in: of inputs first, of outputs last.
pub fn run(edit: &mut Edit<'_>) {
    let graph = edit.graph;
    let mut line = Rewrite { steps: Vec::new(), held: vec![[false; 2]; edit.net.same.len()], converted: Vec::new() };
    graph.inputs.iter().for_each(|input| line.held[input.index()][lies(Layout::Plain)] = true);
    let steps = std::mem::take(&mut edit.net.steps);
    let blocked = |step: &Step| -> Vec<NodeId> {
        let reads = step.reads.iter().enumerate();
        let reads = reads.filter(|&(i, read)| wanted(graph, step, i, read.node) == Layout::Blocked);
        let sums = step.all_reads().skip(step.reads.len()).map(|read| read.node);
        reads.map(|(_, read)| read.node).chain(sums).collect()
    };
    for node in steps.iter().flat_map(blocked) {
        if matches!(graph.node(node).op, Op::Input(_)) {
            line.need(TensorRef { node, layout: Layout::Blocked });
        }
    }
    let stems: Vec<NodeId> = steps
        .iter()
        .filter(|step| step.reads.first().is_some_and(|read| stem(graph, step, 0, read.node)))
        .filter_map(Step::head)
        .collect();
    steps.into_iter().for_each(|step| line.push(step, graph));
    for held in &mut edit.net.outputs {
        held.layout = Layout::Plain;
        line.need(*held);
    }
    edit.net.steps = line.steps;
    stems.into_iter().for_each(|node| edit.did(node, "it reads the input as it arrives"));
    line.converted.into_iter().for_each(|node| edit.did(node, "its value is converted"));
}
