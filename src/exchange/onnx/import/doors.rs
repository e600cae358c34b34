//! Inputs that a file takes with their channels last, as TensorFlow and Keras have them, and turns.

use crate::exchange::onnx::proto::{AttributeProto, GraphProto};
use std::collections::BTreeSet;

/// The order that puts the channels last.
pub fn last(rank: usize) -> Vec<usize> {
    [0].into_iter().chain(2..rank).chain([1]).collect()
}

/// What people have to do to the data of such an input.
pub fn note(name: &str, rank: usize) -> String {
    let (theirs, ours, order) = match rank {
        3 => ("[N, L, C]", "[N, C, L]", "0, 2, 1"),
        _ => ("[N, H, W, C]", "[N, C, H, W]", "0, 3, 1, 2"),
    };
    format!("the input `{name}` is {ours}, and {theirs} in the file: x.transpose({order}) gives the model's")
}

/// The inputs of which a node moves the last axis in front, perhaps after what works on each number by itself.
pub fn of(graph: &GraphProto) -> BTreeSet<String> {
    let constant: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let inputs = graph.input.iter().filter(|input| !constant.contains(input.name.as_str()));
    let turned = |name: &&str| {
        let mut same: BTreeSet<&str> = BTreeSet::from([*name]);
        graph.node.iter().any(|node| {
            let reads = node.input.iter().any(|input| same.contains(input.as_str()));
            if reads && BY_NUMBER.contains(&node.op_type.as_str()) {
                same.extend(node.output.iter().map(String::as_str));
            }
            reads && node.op_type == "Transpose" && node.attribute.iter().any(fronts_channels)
        })
    };
    inputs.map(|input| input.name.as_str()).take(MOST_INPUTS).filter(turned).map(String::from).collect()
}

/// A network has fewer inputs than these.
const MOST_INPUTS: usize = 32;

/// What may stand between an input and where it is turned.
const BY_NUMBER: [&str; 9] = ["Add", "Cast", "Clip", "Div", "Identity", "Mul", "Neg", "Pad", "Sub"];

fn fronts_channels(attribute: &AttributeProto) -> bool {
    let front: Vec<i64> = match attribute.ints.len() {
        rank @ 3..=4 => [0, rank as i64 - 1].into_iter().chain(1..rank as i64 - 1).collect(),
        _ => return false,
    };
    attribute.name == "perm" && attribute.ints == front
}
