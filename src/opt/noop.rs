//! Steps that change nothing at inference.

use super::edit::Edit;
use super::net::EpilogueOp;
use crate::graph::{Graph, NodeId};
use crate::ops::{Family, Field, Op};
use crate::shape::Shape;

/// Lets the readers of what changes nothing read its operand.
pub fn run(edit: &mut Edit<'_>) {
    for position in edit.positions() {
        let Some((node, op)) = edit.op(position) else { continue };
        match nothing(edit.graph, node, op) {
            Some(why) => {
                let operand = edit.graph.operands(node)[0];
                edit.net.same[node.index()] = edit.net.same[operand.index()];
                edit.drop_step(position);
                edit.did(node, why);
            }
            None if matches!(op, Op::Flatten(_) | Op::Reshape(_)) => {
                edit.refused(node, "it puts the numbers of several positions in another order");
            }
            None => {}
        }
    }
    let net = &mut *edit.net;
    let same = &net.same;
    for step in &mut net.steps {
        step.reads.iter_mut().for_each(|read| read.node = same[read.node.index()]);
        for after in &mut step.epilogue {
            if let EpilogueOp::Sum { value, .. } = after {
                value.node = same[value.node.index()];
            }
        }
    }
    net.outputs.iter_mut().for_each(|held| held.node = same[held.node.index()]);
}

/// What a node is, where it gives its operand as it is.
fn nothing(graph: &Graph, node: NodeId, op: &Op) -> Option<&'static str> {
    let operands = graph.operand_shapes(node);
    let (from, to) = (*operands.first()?, graph.shape(node));
    match op.family() {
        Family::Regularization => Some("dropout acts in training only"),
        Family::View if matches!(op, Op::Identity(_)) => Some("an identity"),
        Family::View => keeps_order(from, to).then_some("the numbers stay in their order"),
        Family::Resize => (from == to).then_some(unresized(op)),
        Family::Pool => looks_at_one(op, from, to).then_some("a window of one position"),
        Family::Merge(_) => (operands.len() == 1).then_some("it has one operand"),
        Family::Input | Family::Convolution | Family::Linear | Family::Norm | Family::Activation => None,
    }
}

/// What an op does that changes no size.
fn unresized(op: &Op) -> &'static str {
    match op.layer().kind() {
        "upsample" => "the size is already so",
        kind if kind.ends_with("crop") => "it crops nothing",
        _ => "it pads by nothing",
    }
}

/// Whether a pool's windows hold one position, all of them in order.
fn looks_at_one(op: &Op, from: &Shape, to: &Shape) -> bool {
    let ones = |sizes: &[usize]| sizes.iter().all(|&size| size == 1);
    match op.layer().field(&[from]) {
        Field::Window { extent, stride } if !matches!(op, Op::AdaptiveAvgPool(_)) => ones(&extent) && ones(&stride),
        Field::Window { .. } | Field::Global | Field::Pointwise | Field::Spread { .. } => from == to,
    }
}

/// Whether a value has the same numbers in the same places in another shape, whatever its layout: the shapes are equal,
/// or both have one position.
fn keeps_order(from: &Shape, to: &Shape) -> bool {
    let one = |shape: &Shape| shape.spatial().iter().all(|&size| size == 1);
    from == to || from.channels() == to.channels() && one(from) && one(to)
}
