//! What a net promises, checked after every pass.

use super::net::{Net, Step, TensorRef, Work};
use super::{fuse_epilogue, fuse_prologue};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::Layout;

/// Checks that reads are made before, that each value is made once, that outputs are held, that what is fused is supported,
/// and that each node is computed by one step.
///
/// # Errors
/// The first promise that is not kept, in words.
pub fn verify(graph: &Graph, net: &Net) -> Result<(), String> {
    let count = net.same.len();
    let mut held = vec![[false; 2]; count];
    let mut computed = vec![false; count];
    for &input in &graph.inputs {
        held[input.index()][0] = true;
        computed[input.index()] = true;
    }
    for step in &net.steps {
        let path = || &graph.node(step.makes.node).path;
        if let Some(read) = step.all_reads().find(|read| !is(&held, *read)) {
            return Err(format!("`{}` reads {}, which is not made before", path(), name(graph, read)));
        }
        match step.work {
            Work::Op(node) => op(graph, step, node, &mut computed)?,
            Work::Convert => convert(graph, step)?,
        }
        if std::mem::replace(&mut held[step.makes.node.index()][lies(step.makes)], true) {
            return Err(format!("{} is made twice", name(graph, step.makes)));
        }
    }
    match net.outputs.iter().find(|&&output| !is(&held, output)) {
        Some(&output) => return Err(format!("the output {} is not held", name(graph, output))),
        None if net.outputs.len() != graph.outputs.len() => return Err("an output is lost".into()),
        None => {}
    }
    whole(graph, net, &computed)?;
    wishes(graph, net, &held)
}

fn lies(held: TensorRef) -> usize {
    usize::from(held.layout == Layout::Blocked)
}

fn is(held: &[[bool; 2]], it: TensorRef) -> bool {
    held[it.node.index()][lies(it)]
}

fn name(graph: &Graph, held: TensorRef) -> String {
    let layout = if held.layout == Layout::Plain { "plain" } else { "blocked" };
    format!("`{}` ({layout})", graph.node(held.node).path)
}

/// A step that computes: what is fused into it is supported, and it makes the value of its last node.
fn op(graph: &Graph, step: &Step, node: NodeId, computed: &mut [bool]) -> Result<(), String> {
    let it = graph.node(node);
    if !fuse_epilogue::supported(&it.op, &step.epilogue) {
        return Err(format!("`{}` cannot do what stands after it", it.path));
    }
    let groups = if let Op::Conv(conv) = &it.op { conv.groups } else { 0 };
    if !step.prologue.is_empty() && (groups != 1 || !fuse_prologue::supported(graph, &step.prologue)) {
        return Err(format!("`{}` cannot do what stands before it", it.path));
    }
    let nodes = step.nodes();
    if nodes.last() != Some(&step.makes.node) {
        return Err(format!("`{}` does not make the value of its last node", it.path));
    }
    for node in &nodes[step.prologue.len()..] {
        if std::mem::replace(&mut computed[node.index()], true) {
            return Err(format!("`{}` is computed twice", graph.node(*node).path));
        }
    }
    step.prologue.iter().for_each(|node| computed[node.index()] = true);
    Ok(())
}

fn convert(graph: &Graph, step: &Step) -> Result<(), String> {
    let sound = match step.reads.as_slice() {
        [from] => from.node == step.makes.node && from.layout != step.makes.layout,
        _ => false,
    };
    match sound && step.prologue.is_empty() && step.epilogue.is_empty() {
        true => Ok(()),
        false => Err(format!("the conversion of `{}` does something else", graph.node(step.makes.node).path)),
    }
}

/// Whoever is computed finds the operands that it looks into computed, too.
fn whole(graph: &Graph, net: &Net, computed: &[bool]) -> Result<(), String> {
    for node in graph.order().filter(|node| computed[node.index()]) {
        if net.same[node.index()] != node {
            return Err(format!("`{}` is computed and the same as another", graph.node(node).path));
        }
        let op = &graph.node(node).op;
        for (_, operand) in graph.operands(node).into_iter().enumerate().filter(|&(i, _)| op.reads_values(i)) {
            if !computed[net.same[operand.index()].index()] {
                return Err(format!("`{}` is read and computed nowhere", graph.node(operand).path));
            }
        }
    }
    Ok(())
}

/// Wishes are about values that are held.
fn wishes(graph: &Graph, net: &Net, held: &[[bool; 2]]) -> Result<(), String> {
    let slices = net.slices.iter().flat_map(|slice| [slice.part, slice.whole]);
    let mut wished = slices.chain(net.in_place.iter().flat_map(|&(makes, over)| [makes, over]));
    match wished.find(|it| !is(held, *it)) {
        Some(it) => Err(format!("a wish is about {}, which is not held", name(graph, it))),
        None => Ok(()),
    }
}
