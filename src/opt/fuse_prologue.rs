//! Norms and activations done to each number of a convolution's operand as it is read.

use super::edit::Edit;
use super::net::EpilogueOp;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::ops::activation::Activation;

/// Readers that may each do the work anew.
const READERS: usize = 2;

/// Whether nodes are affine maps and then at most one activation that keeps 0.
pub fn supported(graph: &Graph, nodes: &[NodeId]) -> bool {
    let mut left = nodes.iter().map(|&node| &graph.node(node).op).peekable();
    while left.next_if(|op| matches!(op, Op::BatchNorm(_) | Op::Scale(_))).is_some() {}
    left.next_if(|op| matches!(op, Op::Activation(f) if keeps_zero(f)));
    left.next().is_none()
}

/// Padding and the lanes past the last channel are zero and must stay so.
fn keeps_zero(f: &Activation) -> bool {
    !matches!(f, Activation::Sigmoid | Activation::HardSigmoid)
}

/// Puts each norm and activation that is left into the convolutions that read it, last first.
pub fn run(edit: &mut Edit<'_>) {
    for position in edit.positions().rev() {
        let Some((node, Op::BatchNorm(_) | Op::Scale(_) | Op::Activation(_))) = edit.op(position) else { continue };
        let step = &edit.net.steps[position];
        let acts = step.epilogue.iter().filter_map(|after| match after {
            EpilogueOp::Activation(act) => Some(*act),
            _ => None,
        });
        let nodes: Vec<NodeId> = std::iter::once(node).chain(acts).collect();
        match in_the_way(edit, position, &nodes) {
            Some(why) => edit.refused(node, why),
            None => {
                let readers = edit.readers(edit.net.steps[position].makes).to_vec();
                let paths: Vec<&str> = readers.iter().map(|&reader| edit.path(reader)).collect();
                edit.prepend(position, &nodes);
                edit.did(node, format!("done by {} as it reads", paths.join(" and ")));
            }
        }
    }
}

fn in_the_way(edit: &Edit<'_>, position: usize, nodes: &[NodeId]) -> Option<String> {
    let step = &edit.net.steps[position];
    let readers = edit.readers(step.makes);
    if edit.is_output(step.makes) {
        return Some("it is an output".into());
    }
    if edit.maker(step.reads[0]).is_none() {
        return Some("it reads an input".into());
    }
    if !supported(edit.graph, nodes) {
        return Some("it makes something of 0, and padding must stay 0".into());
    }
    if readers.len() > READERS {
        return Some(format!("{} steps read it, and each would do it again", readers.len()));
    }
    for &reader in readers {
        let path = edit.path(reader);
        let it = &edit.net.steps[reader];
        let Some((_, Op::Conv(conv))) = edit.op(reader) else {
            return Some(format!("{path} reads it, which is no convolution"));
        };
        if conv.groups != 1 {
            return Some(format!("{path} reads it, a convolution in groups"));
        }
        if it.all_reads().skip(1).any(|read| read == step.makes) || it.reads[0] != step.makes {
            return Some(format!("{path} adds it"));
        }
        let chain: Vec<NodeId> = nodes.iter().chain(&it.prologue).copied().collect();
        if !supported(edit.graph, &chain) {
            return Some(format!("{path} cannot do it before what it does already"));
        }
    }
    None
}
