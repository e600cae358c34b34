//! What every graph promises, checked after elaboration and after every pass.

use super::{Graph, NodeId, SkipEdge};
use crate::ops::Op;
use crate::shape::Shape;
use std::collections::BTreeSet;

/// Checks every promise; the first that is broken, in words, where one is.
///
/// Nodes come after what they read. Paths are unique. Every stored shape is what the op's rule gives, which
/// also checks the number of operands. Inputs are the `Op::Input` nodes, in order. Outputs have
/// different names and exist. Skip edges meet at a merge that reads their result and, at the operand
/// they name, a value that depends on their source; they stand in the order of their merges.
///
/// # Errors
/// Where a promise is broken.
pub fn verify(graph: &Graph) -> Result<(), String> {
    let mut paths = BTreeSet::new();
    let mut inputs = Vec::new();
    for id in graph.order() {
        let node = graph.node(id);
        if !paths.insert(node.path.as_str()) {
            return Err(format!("two nodes are named `{}`", node.path));
        }
        if node.scope.0 as usize >= graph.scopes.len() {
            return Err(format!("`{}` stands in no scope", node.path));
        }
        if matches!(node.op, Op::Input(_)) {
            inputs.push(id);
        }
        shape_holds(graph, id)?;
    }
    if inputs != graph.inputs {
        return Err("the list of inputs is not that of the input nodes".into());
    }
    outputs_exist(graph)?;
    graph.skips.iter().try_for_each(|skip| skip_holds(graph, skip))?;
    match graph.skips.windows(2).find(|pair| pair[0].merge >= pair[1].merge) {
        Some(pair) => Err(format!("the skip at `{}` is out of order", graph.node(pair[1].merge).path)),
        None => Ok(()),
    }
}

fn shape_holds(graph: &Graph, id: NodeId) -> Result<(), String> {
    let node = graph.node(id);
    let operands = graph.operands(id);
    if let Some(late) = operands.iter().find(|&&operand| operand >= id) {
        return Err(format!("`{}` reads `{}`, which comes later", node.path, graph.node(*late).path));
    }
    if let Op::Input(input) = &node.op {
        let same = operands.is_empty() && input.shape == node.shape;
        return if same { Ok(()) } else { Err(format!("the input `{}` is not what it says", node.path)) };
    }
    if operands.is_empty() {
        return Err(format!("`{}` reads nothing", node.path));
    }
    let shapes: Vec<&Shape> = operands.iter().map(|&operand| graph.shape(operand)).collect();
    match node.op.layer().infer(&shapes) {
        Ok(shape) if shape == node.shape => Ok(()),
        Ok(shape) => Err(format!("`{}` is stored as {} and inferred as {shape}", node.path, node.shape)),
        Err(error) => Err(format!("`{}`: {}", node.path, error.message(node.op.layer().kind(), &shapes))),
    }
}

fn outputs_exist(graph: &Graph) -> Result<(), String> {
    let mut names = BTreeSet::new();
    if graph.outputs.is_empty() {
        return Err("there is no output".into());
    }
    for output in &graph.outputs {
        if !graph.contains(output.node) {
            return Err(format!("the output `{}` does not exist", output.name));
        }
        if !names.insert(output.name.as_str()) {
            return Err(format!("two outputs are named `{}`", output.name));
        }
    }
    Ok(())
}

fn skip_holds(graph: &Graph, skip: &SkipEdge) -> Result<(), String> {
    let alive = [skip.merge, skip.source, skip.result].iter().all(|&id| graph.contains(id));
    if !alive {
        return Err("a skip edge has lost one of its ends".into());
    }
    let merge = graph.node(skip.merge);
    let wrong = |what: &str| Err(format!("the skip at `{}` {what}", merge.path));
    if !merge.op.is_merge() {
        return wrong("does not end in a merge");
    }
    let operands = graph.operands(skip.merge);
    let met = operands.iter().enumerate().any(|(i, &operand)| operand == skip.result && i != skip.source_operand);
    if !met {
        return wrong("does not meet its result");
    }
    if skip.source_operand >= operands.len() {
        return wrong("arrives at no operand");
    }
    if skip.source >= skip.merge {
        return wrong("starts after its end");
    }
    Ok(())
}
