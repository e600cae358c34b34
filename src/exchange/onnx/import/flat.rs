//! The plain form: every layer on a line of its own, in order, with `from` where paths part.

use super::net::Net;
use super::tree::{Line, Skip, Step};
use super::words;
use std::collections::BTreeMap;

/// The lines of a graph, and the labels of its nodes.
pub fn lines(net: &Net) -> (Vec<Line>, BTreeMap<usize, String>) {
    let mut lines = Vec::new();
    let mut targets = BTreeMap::new();
    for (name, id) in &net.inputs {
        targets.insert(*id, super::input_name(name, net.nodes[*id].shape.dims().len()));
        lines.push(Line::new(Step::Input(*id)));
    }
    let mut current = net.inputs.last().map(|(_, id)| *id);
    let users = net.users();
    for (id, node) in net.nodes.iter().enumerate() {
        let Some((&first, rest)) = node.inputs.split_first() else { continue };
        let (main, other) = match rest {
            [second] if current == Some(*second) => (*second, Some(first)),
            [second] => (first, Some(*second)),
            _ => (first, None),
        };
        if current != Some(main) {
            lines.push(Line::new(Step::From(main)));
        }
        let last = other == Some(first);
        let step = match other {
            None => {
                let (word, args) = words::of(node);
                Step::Layer(id, word, args)
            }
            Some(other) => Step::Skip(Box::new(Skip {
                node: id,
                // The value that is named comes first of a concat, unless it says otherwise.
                last: !last,
                long: is_long(net, other, id),
                from: Some(other),
                via: Vec::new(),
                project: None,
                by: Vec::new(),
                body: None,
            })),
        };
        let label = format!("n{id}");
        let read_later = users[id].iter().any(|&user| user != id + 1) || users[id].len() != 1;
        let given = net.outputs.iter().any(|(_, output)| *output == id);
        let keep = read_later || given || !node.params.is_empty();
        targets.insert(id, label.clone());
        lines.push(Line { label: keep.then_some(label), step });
        current = Some(id);
    }
    let single = net.outputs.len() == 1;
    for (name, id) in &net.outputs {
        if current != Some(*id) {
            lines.push(Line::new(Step::From(*id)));
            current = Some(*id);
        }
        if !single {
            lines.push(Line::new(Step::Output(name.clone())));
        }
    }
    (lines, targets)
}

/// Whether the layers between two visit a size that is neither's.
fn is_long(net: &Net, from: usize, to: usize) -> bool {
    let spatial = |id: usize| net.nodes[id].shape.spatial();
    (from..to).any(|id| !spatial(id).is_empty() && spatial(id) != spatial(from) && spatial(id) != spatial(to))
}
