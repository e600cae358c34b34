//! The model as a graph of layers, without what nobody reads.

use super::lift::Lift;
use super::tensor::Tensor;
use crate::ops::Op;
use crate::shape::Shape;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One layer.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// What it reads, by position.
    pub inputs: Vec<usize>,
    /// Parameters by PyTorch's names.
    pub params: Vec<(&'static str, Rc<Tensor>)>,
    /// Its value's shape.
    pub shape: Shape,
    /// Where it stands among modules; the last word is its own name where it has parameters.
    pub path: Option<Vec<String>>,
    /// The modules' classes, the model's own first.
    pub classes: Vec<String>,
    /// The file's node that it was made from, for messages.
    pub title: String,
    /// The sizes that its op states, as they follow from its operand's where those are free.
    pub stated: Option<Vec<String>>,
}

/// A model whose every node is a layer, in order of evaluation.
#[derive(Clone, Debug)]
pub struct Net {
    /// Operands come before their readers.
    pub nodes: Vec<Node>,
    /// Names and nodes.
    pub inputs: Vec<(String, usize)>,
    /// Names and nodes.
    pub outputs: Vec<(String, usize)>,
    /// Remarks for people.
    pub notes: Vec<String>,
}

impl Net {
    /// What a model's outputs need of it.
    pub fn of(lift: &Lift) -> Self {
        let order = order(lift);
        let place: BTreeMap<usize, usize> = order.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        let node = |&old: &usize| {
            let item = &lift.items[old];
            Some(Node {
                op: item.op()?.clone(),
                inputs: item.inputs.iter().map(|input| place.get(input).copied()).collect::<Option<_>>()?,
                params: item.params.clone(),
                shape: Shape::new(item.dims.get(1..)?),
                path: item.path.clone(),
                classes: item.classes.clone(),
                title: lift.title(old),
                stated: None,
            })
        };
        let nodes = order.iter().filter_map(node).collect();
        let named =
            |list: &[(String, usize)]| list.iter().filter_map(|(n, i)| Some((n.clone(), *place.get(i)?))).collect();
        let mut net =
            Self { nodes, inputs: named(&lift.inputs), outputs: named(&lift.outputs), notes: lift.notes.clone() };
        net.nest();
        net
    }

    /// Weights that more than one layer uses, which the language cannot say; each has a copy then.
    pub fn shared(&self) -> Option<String> {
        let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in &self.nodes {
            for (_, tensor) in node.params.iter().filter(|(_, tensor)| !tensor.name.is_empty()) {
                users.entry(&tensor.name).or_default().push(&node.title);
            }
        }
        let shared: Vec<(&str, Vec<&str>)> = users.into_iter().filter(|(_, users)| users.len() > 1).collect();
        let (name, users) = shared.first()?;
        let rest = if shared.len() > 1 { format!("; so are {} more", shared.len() - 1) } else { String::new() };
        let (first, second) = (users.first()?, users.get(1)?);
        let times = users.len();
        Some(format!(
            "`{name}` is used {times} times, first by {first} and {second}{rest}: the language cannot share weights, so each layer has a copy, and training would part them"
        ))
    }

    /// A `concat` of what an earlier one joined, and more, reads that instead: so dense blocks are nested.
    fn nest(&mut self) {
        let mut seen: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for id in 0..self.nodes.len() {
            if !matches!(self.nodes[id].op, Op::Concat(_)) {
                continue;
            }
            let all = self.nodes[id].inputs.clone();
            let longest = (2..all.len()).rev().find_map(|n| Some((n, *seen.get(&all[..n])?)));
            if let Some((n, earlier)) = longest {
                self.nodes[id].inputs.splice(..n, [earlier]);
            }
            seen.entry(all).or_insert(id);
        }
    }
}

/// The items that outputs need, and all inputs; each after what it reads.
fn order(lift: &Lift) -> Vec<usize> {
    let mut order: Vec<usize> = lift.inputs.iter().map(|(_, id)| *id).collect();
    let mut done = vec![false; lift.items.len()];
    order.iter().for_each(|&id| done[id] = true);
    let mut stack: Vec<(usize, bool)> = lift.outputs.iter().rev().map(|(_, id)| (*id, false)).collect();
    while let Some((id, ready)) = stack.pop() {
        if done[id] {
            continue;
        }
        if ready {
            done[id] = true;
            order.push(id);
            continue;
        }
        stack.push((id, true));
        stack.extend(lift.items[id].inputs.iter().rev().filter(|&&i| !done[i]).map(|&i| (i, false)));
    }
    order
}
