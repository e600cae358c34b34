//! Steps that change nothing at inference.

use super::edit::Edit;
use super::net::After;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
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
        for after in &mut step.after {
            if let After::Sum { value, .. } = after {
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
    let window_of_one = |sizes: [&[usize]; 2]| sizes.iter().all(|sizes| sizes.iter().all(|&size| size == 1));
    match op {
        Op::Identity(_) => Some("an identity"),
        Op::Dropout(_) => Some("dropout acts in training only"),
        Op::Flatten(_) | Op::Reshape(_) => keeps_order(from, to).then_some("the numbers stay in their order"),
        Op::Crop(_) | Op::CropLike(_) => (from == to).then_some("it crops nothing"),
        Op::Pad(_) | Op::PadLike(_) | Op::ZeroPad(_) => (from == to).then_some("it pads by nothing"),
        Op::Upsample(_) => (from == to).then_some("the size is already so"),
        Op::MaxPool(pool) => window_of_one([&pool.kernel, &pool.stride]).then_some("a window of one position"),
        Op::AvgPool(pool) => window_of_one([&pool.kernel, &pool.stride]).then_some("a window of one position"),
        Op::GlobalPool(_) | Op::AdaptiveAvgPool(_) => (from == to).then_some("a window of one position"),
        Op::Add(_) | Op::Mul(_) | Op::Concat(_) => (operands.len() == 1).then_some("it has one operand"),
        Op::Input(_) | Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_) | Op::Scale(_) => None,
        Op::BatchNorm(_) | Op::GroupNorm(_) | Op::LayerNorm(_) | Op::InstanceNorm(_) => None,
        Op::Activation(_) | Op::Prelu(_) | Op::Softmax(_) | Op::Gate(_) => None,
    }
}

/// Whether a value has the same numbers in the same places in another shape, whatever its layout: the shapes are equal,
/// or both have one position.
fn keeps_order(from: &Shape, to: &Shape) -> bool {
    let one = |shape: &Shape| shape.spatial().iter().all(|&size| size == 1);
    from == to || from.channels() == to.channels() && one(from) && one(to)
}
