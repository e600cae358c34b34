//! Activations and additions, done to each number before it is written.

use super::edit::Edit;
use super::net::{EpilogueOp, Step, TensorRef};
use crate::graph::NodeId;
use crate::ops::{Family, Op, Values};

/// What a step can take behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// `[Affine]*, [Activation], [Sum], [Activation]`
    All,
    /// One activation.
    Activation,
    /// Nothing.
    Nothing,
}

/// What an op can take behind it: kernels of sums of products end in all, those of norms and those that go number by number in
/// an activation.
pub fn takes(op: &Op) -> Takes {
    match op.family() {
        Family::Convolution | Family::Linear if op.mixes_channels() => Takes::All,
        Family::Norm => Takes::Activation,
        Family::Linear | Family::Merge(_) if op.nature().values == Values::Elementwise => Takes::Activation,
        Family::Input | Family::Convolution | Family::Linear | Family::Activation | Family::Pool => Takes::Nothing,
        Family::Resize | Family::Regularization | Family::View | Family::Merge(_) => Takes::Nothing,
    }
}

/// Whether what stands behind an op is in an order that is supported.
pub fn supported(op: &Op, after: &[EpilogueOp]) -> bool {
    let mut left = after.iter().peekable();
    let all = takes(op) == Takes::All;
    while all && left.next_if(|a| matches!(a, EpilogueOp::Affine(_))).is_some() {}
    if takes(op) != Takes::Nothing {
        left.next_if(|a| matches!(a, EpilogueOp::Activation(_)));
    }
    if all && left.next_if(|a| matches!(a, EpilogueOp::Sum { .. })).is_some() {
        left.next_if(|a| matches!(a, EpilogueOp::Activation(_)));
    }
    left.next().is_none()
}

/// Fuses each activation and each addition of two into the step before it.
pub fn run(edit: &mut Edit<'_>) {
    for position in edit.positions() {
        let Some((node, op)) = edit.op(position) else { continue };
        if let Op::Activation(_) = op {
            activation(edit, position, node);
        } else if let Op::Add(add) = op {
            sum(edit, position, node, add.scale);
        }
    }
}

fn activation(edit: &mut Edit<'_>, position: usize, node: NodeId) {
    let read = edit.net.steps[position].reads[0];
    let after = EpilogueOp::Activation(node);
    let refused = match edit.maker(read) {
        None => Some("it reads an input".into()),
        Some(maker) => edit.shared(read).map(String::from).or_else(|| in_the_way(edit, maker, after)),
    };
    fuse(edit, position, node, edit.maker(read), after, refused);
}

/// What keeps a step from taking `after` behind it.
fn in_the_way(edit: &Edit<'_>, maker: usize, after: EpilogueOp) -> Option<String> {
    let path = edit.path(maker);
    let Some((_, op)) = edit.op(maker) else { return Some("a conversion stands before it".into()) };
    let mut chain = edit.net.steps[maker].epilogue.clone();
    chain.push(after);
    match takes(op) {
        _ if supported(op, &chain) => None,
        Takes::Nothing => Some(format!("{path} before it takes nothing in")),
        _ if edit.net.steps[maker].epilogue.is_empty() => Some(format!("{path} before it takes in no sum")),
        _ => Some(format!("{path} before it is full")),
    }
}

fn sum(edit: &mut Edit<'_>, position: usize, node: NodeId, scale: f64) {
    let reads = edit.net.steps[position].reads.clone();
    let &[first, second] = reads.as_slice() else {
        return edit.refused(node, format!("it adds {} values, and two can be fused", reads.len()));
    };
    if first == second {
        return edit.refused(node, "it adds a value to itself");
    }
    // The other summand must be there when the sum is made, so only the later of the two can take it in.
    let (last, value, own, other) = match edit.maker(first) > edit.maker(second) {
        true => (first, second, 1.0, scale),
        false => (second, first, scale, 1.0),
    };
    let after = EpilogueOp::Sum { node, value, own, other };
    let maker = edit.maker(last);
    let refused = match maker {
        None => Some("it adds inputs".into()),
        Some(maker) => later(edit, maker, value, after).or_else(|| edit.shared(last).map(String::from)),
    };
    fuse(edit, position, node, maker, after, refused);
}

/// [`in_the_way`] of a sum, saying so where the other summand could have taken it.
fn later(edit: &Edit<'_>, maker: usize, value: TensorRef, after: EpilogueOp) -> Option<String> {
    let why = in_the_way(edit, maker, after)?;
    match edit.maker(value) {
        Some(earlier) if in_the_way(edit, earlier, after).is_none() => {
            Some(format!("{} is made after {}, which could take it in", edit.path(maker), edit.path(earlier)))
        }
        _ => Some(why),
    }
}

fn fuse(
    edit: &mut Edit<'_>,
    position: usize,
    node: NodeId,
    maker: Option<usize>,
    after: EpilogueOp,
    refused: Option<String>,
) {
    match (maker, refused) {
        (Some(maker), None) => {
            edit.append(maker, after, position);
            let path = edit.path(maker);
            edit.did(node, format!("fused into {path}"));
        }
        (_, why) => edit.refused(node, why.unwrap_or_default()),
    }
}

/// Whether a step ends in a sum, whose other summand its result may replace.
pub fn summand(step: &Step) -> Option<TensorRef> {
    step.epilogue.iter().find_map(|after| match after {
        EpilogueOp::Sum { value, .. } => Some(*value),
        _ => None,
    })
}
