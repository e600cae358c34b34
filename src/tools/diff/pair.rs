//! Which parts of two scopes belong together.

use crate::graph::{Graph, NodeId};
use crate::ops::{Family, Op};
use crate::tools::tree::{Item, label};

/// Pairs of parts that are compared at most; beyond, parts with equal labels belong together.
const MOST_PAIRS: usize = 4_000_000;

/// A part of the first scope, of the second, or of both.
pub enum Pair<'t> {
    /// Only the first has it.
    Removed(&'t Item),
    /// Only the second has it.
    Added(&'t Item),
    /// Both have it.
    Both(&'t Item, &'t Item),
}

/// Two graphs being compared.
#[derive(Clone, Copy)]
pub struct Graphs<'g> {
    /// The first.
    pub a: &'g Graph,
    /// The second.
    pub b: &'g Graph,
}

/// The label of a part in its scope.
pub fn label_of<'t>(graph: &'t Graph, item: &'t Item) -> &'t str {
    match item {
        Item::Leaf(id) => label(graph, *id),
        Item::Group(group) => &group.label,
    }
}

/// The word for what a part is: a block's name, a layer's kind.
pub fn kind_of<'t>(graph: &'t Graph, item: &'t Item) -> &'t str {
    match item {
        Item::Leaf(id) => graph.node(*id).op.layer().kind(),
        Item::Group(group) => &group.block,
    }
}

/// Whether a label was not written, but counted: `conv2`, `double1`, or the number of an iteration.
pub fn is_counted(label: &str, kind: &str) -> bool {
    let number = label.strip_prefix(kind.to_lowercase().as_str()).unwrap_or(label);
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the node is where a skip edge arrives.
pub fn is_skip(graph: &Graph, id: NodeId) -> bool {
    graph.skips.iter().any(|skip| skip.merge == id)
}

/// Pairs the parts of two scopes in order, so that as much as possible belongs together.
pub fn pairs<'t>(graphs: Graphs, a: &'t [Item], b: &'t [Item]) -> Vec<Pair<'t>> {
    let same = |(x, y): &(&Item, &Item)| is_same(graphs, x, y);
    let head = a.iter().zip(b).take_while(same).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(same).count();
    let (inner_a, inner_b) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let both = |(x, y)| Pair::Both(x, y);
    let mut pairs: Vec<Pair> = a.iter().zip(b).take(head).map(both).collect();
    match inner_a.len().checked_mul(inner_b.len()) {
        Some(n) if n <= MOST_PAIRS => aligned(graphs, inner_a, inner_b, &mut pairs),
        _ => by_label(graphs, inner_a, inner_b, &mut pairs),
    }
    pairs.extend(a[a.len() - tail..].iter().zip(&b[b.len() - tail..]).map(both));
    pairs
}

/// Whether two parts are the same, label and all.
fn is_same(graphs: Graphs, x: &Item, y: &Item) -> bool {
    label_of(graphs.a, x) == label_of(graphs.b, y) && likeness(graphs, x, y) >= SAME
}

const SAME: u32 = 8;

/// How much speaks for two parts being the same; 0 where they cannot be.
fn score(graphs: Graphs, x: &Item, y: &Item) -> u32 {
    let (label_x, label_y) = (label_of(graphs.a, x), label_of(graphs.b, y));
    let likeness = likeness(graphs, x, y);
    let counted = is_counted(label_x, kind_of(graphs.a, x)) && is_counted(label_y, kind_of(graphs.b, y));
    if label_x == label_y {
        // A counted label says where a part stands, a written one which part is meant.
        return if likeness == 0 { 0 } else { likeness + if counted { 3 } else { 6 } };
    }
    // A written label that differs speaks against: only the same thing may have been renamed.
    if counted || likeness >= 6 { likeness } else { 0 }
}

/// How alike two parts are but for their labels.
fn likeness(graphs: Graphs, x: &Item, y: &Item) -> u32 {
    match (x, y) {
        (Item::Group(x), Item::Group(y)) => match x.block == y.block {
            true if x.exact == y.exact => SAME,
            true if x.form == y.form => 6,
            true if !x.block.is_empty() => 4,
            _ => 2,
        },
        (Item::Leaf(x), Item::Leaf(y)) => leaves(graphs, *x, *y),
        _ => 0,
    }
}

fn leaves(graphs: Graphs, x: NodeId, y: NodeId) -> u32 {
    let (op_x, op_y) = (&graphs.a.node(x).op, &graphs.b.node(y).op);
    let same_kind = op_x.layer().kind() == op_y.layer().kind();
    match op_x == op_y {
        true if graphs.a.shape(x) == graphs.b.shape(y) => SAME,
        true => 6,
        false if same_kind => 4,
        false if op_x.is_merge() && op_y.is_merge() && is_skip(graphs.a, x) == is_skip(graphs.b, y) => 3,
        false => u32::from(label(graphs.a, x) == label(graphs.b, y) || stands_in(op_x, op_y)),
    }
}

/// Whether two layers are of a kind of which one often stands in for another.
fn stands_in(a: &Op, b: &Op) -> bool {
    a.family() == b.family() && matches!(a.family(), Family::Activation | Family::Norm | Family::Pool)
}

/// The alignment of the highest score (Needleman and Wunsch 1970).
fn aligned<'t>(graphs: Graphs, a: &'t [Item], b: &'t [Item], pairs: &mut Vec<Pair<'t>>) {
    let width = b.len() + 1;
    let mut best = vec![0u32; (a.len() + 1) * width];
    let scores: Vec<u32> = a.iter().flat_map(|x| b.iter().map(move |y| score(graphs, x, y))).collect();
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            let score = scores[i * b.len() + j];
            let both = if score > 0 { best[(i + 1) * width + j + 1] + score } else { 0 };
            best[i * width + j] = both.max(best[(i + 1) * width + j]).max(best[i * width + j + 1]);
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let (here, score) = (best[i * width + j], scores[i * b.len() + j]);
        if score > 0 && here == best[(i + 1) * width + j + 1] + score {
            pairs.push(Pair::Both(&a[i], &b[j]));
            (i, j) = (i + 1, j + 1);
        } else if here == best[(i + 1) * width + j] {
            pairs.push(Pair::Removed(&a[i]));
            i += 1;
        } else {
            pairs.push(Pair::Added(&b[j]));
            j += 1;
        }
    }
    pairs.extend(a[i..].iter().map(Pair::Removed));
    pairs.extend(b[j..].iter().map(Pair::Added));
}

/// For scopes too long to align: what has the same label belongs together while the order is kept.
fn by_label<'t>(graphs: Graphs, a: &'t [Item], b: &'t [Item], pairs: &mut Vec<Pair<'t>>) {
    let places: std::collections::BTreeMap<&str, usize> =
        b.iter().enumerate().map(|(j, y)| (label_of(graphs.b, y), j)).collect();
    let mut next = 0;
    for x in a {
        match places.get(label_of(graphs.a, x)) {
            Some(&j) if j >= next && score(graphs, x, &b[j]) > 0 => {
                pairs.extend(b[next..j].iter().map(Pair::Added));
                pairs.push(Pair::Both(x, &b[j]));
                next = j + 1;
            }
            _ => pairs.push(Pair::Removed(x)),
        }
    }
    pairs.extend(b[next..].iter().map(Pair::Added));
}
