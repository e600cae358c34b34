//! Operands that are written straight into their `concat`.

use super::edit::Edit;
use super::net::{Slice, TensorRef, Work};
use crate::graph::NodeId;
use crate::ops::Op;
use crate::shape::{LANES, Layout};

/// Wishes each operand into the last `concat` that reads it.
pub fn run(edit: &mut Edit<'_>) {
    let mut homes = vec![None; edit.net.same.len()];
    let mut slices = Vec::new();
    for position in edit.positions().rev() {
        let Some((node, Op::Concat(_))) = edit.op(position) else { continue };
        of(edit, position, node, &mut homes, &mut slices);
    }
    // Whoever plans takes those of later wholes first.
    slices.reverse();
    edit.net.slices = slices;
}

fn of(edit: &mut Edit<'_>, position: usize, node: NodeId, homes: &mut [Option<TensorRef>], slices: &mut Vec<Slice>) {
    let whole = edit.net.steps[position].makes;
    let reads = edit.net.steps[position].reads.clone();
    let channels: Vec<usize> =
        edit.graph.operand_shapes(node).iter().map(|shape| shape.channels().unwrap_or(1)).collect();
    let (mut channel_offset, mut made) = (0, 0);
    for (operand, (&part, &count)) in reads.iter().zip(&channels).enumerate() {
        let refused = match in_the_way(edit, part, whole) {
            None if channel_offset % LANES != 0 => Some("starts inside a block"),
            None if count % LANES != 0 && operand + 1 < reads.len() => Some("ends inside a block"),
            None if homes[part.node.index()].is_some() => Some("is in another place already"),
            None if is_copied(edit, part, whole, homes) => Some("would be copied within the same memory"),
            why => why,
        };
        match refused {
            None => {
                homes[part.node.index()] = Some(whole);
                slices.push(Slice { concat: node, operand, part, whole, channel_offset });
                made += 1;
            }
            Some(why) => edit.refused(node, format!("operand {operand} {why}")),
        }
        channel_offset += count;
    }
    if made > 0 {
        edit.did(node, format!("{made} of {} operands may be written straight into it", reads.len()));
    }
}

/// Whether a `concat` would read an operand inside the memory that it writes: it reads it twice, or as well as one that
/// the operand is in.
fn is_copied(edit: &Edit<'_>, part: TensorRef, whole: TensorRef, homes: &[Option<TensorRef>]) -> bool {
    let around = |whole: &TensorRef| homes[whole.node.index()];
    let reads = std::iter::successors(Some(whole), around).filter_map(|whole| edit.maker(whole));
    reads.flat_map(|maker| &edit.net.steps[maker].reads).filter(|&&read| read == part).count() > 1
}

fn in_the_way(edit: &Edit<'_>, part: TensorRef, whole: TensorRef) -> Option<&'static str> {
    let converted = edit.maker(part).is_none_or(|maker| edit.net.steps[maker].work == Work::Convert);
    match () {
        () if matches!(edit.graph.node(part.node).op, Op::Input(_)) => Some("is an input"),
        () if converted => Some("is converted"),
        () if part.layout != Layout::Blocked || whole.layout != Layout::Blocked => Some("is not in blocks"),
        () => None,
    }
}
