//! Results that are written over what they are computed from.

use super::edit::Edit;
use super::fuse_epilogue::summand;
use super::net::TensorRef;
use crate::graph::Graph;
use crate::ops::Values;

/// Operands up to which a result is made in one go. One of more is made in several, and an operand that was written
/// over in the first would be gone.
const FEW: usize = 32;

/// Wishes element-wise results over their operands, and fused sums over their summands.
pub fn run(edit: &mut Edit<'_>) {
    let mut wishes = Vec::new();
    for position in edit.positions() {
        let Some((node, op)) = edit.op(position) else { continue };
        let step = &edit.net.steps[position];
        let makes = step.makes;
        if let Some(value) = summand(step) {
            if step.reads.contains(&value) {
                edit.refused(node, "it reads what it adds in another role");
            } else {
                wishes.push((makes, value));
                edit.did(node, "it may write its sum over the summand");
            }
        } else if op.nature().values == Values::Elementwise && step.reads.len() > FEW {
            edit.refused(
                node,
                format!("it reads {} values, too many for one go", edit.net.steps[position].reads.len()),
            );
        } else if op.nature().values == Values::Elementwise {
            let operands = op.layer().in_place().iter().filter_map(|&i| step.reads.get(i));
            let over: Vec<TensorRef> = operands.copied().filter(|&read| alike(edit.graph, read, makes)).collect();
            match over.is_empty() {
                true => edit.refused(node, "no operand is as large as the result"),
                false => edit.did(node, "it may write over what it reads"),
            }
            wishes.extend(over.into_iter().map(|read| (makes, read)));
        }
    }
    edit.net.in_place = wishes;
}

/// Whether two values have as many numbers in the same order; axes of one position do not matter.
fn alike(graph: &Graph, a: TensorRef, b: TensorRef) -> bool {
    let (x, y) = (graph.shape(a.node), graph.shape(b.node));
    a.layout == b.layout && x.channels() == y.channels() && x.elements() == y.elements()
}
