//! From a graph to steps: where paths part and meet, a skip or a `parallel`.

use super::net::Net;
use crate::graph::resolution::Resolutions;
use crate::ops::Op;
use std::collections::BTreeSet;

/// How deep braces may nest before the flat form is taken.
const DEEPEST: usize = 60;

/// One line of a body.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its label.
    pub label: Option<String>,
    /// What it says.
    pub step: Step,
}

/// An argument of a layer or block.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// In a loop, its value in the first turn.
    pub first: Option<String>,
}

/// A step.
#[derive(Clone, Debug)]
pub enum Step {
    /// A layer, the node that it is, its word and all its arguments.
    Layer(usize, String, Vec<Arg>),
    /// Braces under a label.
    Group(Vec<Statement>),
    /// A skip.
    Skip(Box<Skip>),
    /// Paths side by side, and the node where they meet.
    Parallel(usize, Vec<Vec<Statement>>),
    /// A block.
    Call(String, Vec<Arg>),
    /// The line once for each i from a first to a last one, whose text may be a parameter.
    For(usize, Arg, Box<Statement>),
    /// Goes on from a node's value.
    From(usize),
    /// An input, by its node.
    Input(usize),
    /// An output's name.
    Output(String),
}

/// A skip edge.
#[derive(Clone, Debug)]
pub struct Skip {
    /// The merge.
    pub node: usize,
    /// Whether its source comes last (of a concat).
    pub last: bool,
    /// Whether it leaves its resolution and comes back.
    pub long: bool,
    /// The node it starts at, where that is not what enters the braces.
    pub from: Option<usize>,
    /// What its source passes.
    pub via: Vec<Statement>,
    /// Whether that is the standard projection.
    pub project: Option<Option<String>>,
    /// What opens a gate.
    pub by: Vec<Statement>,
    /// What it skips.
    pub body: Option<Vec<Statement>>,
}

impl Skip {
    /// A bare skip that ends in this merge.
    pub fn of(node: usize) -> Self {
        let (via, by) = (Vec::new(), Vec::new());
        Self { node, last: false, long: false, from: None, via, project: None, by, body: None }
    }
}

impl Statement {
    /// A line without a label.
    pub fn new(step: Step) -> Self {
        Self { label: None, step }
    }
}

/// Where paths part and meet.
pub struct Regions<'n> {
    net: &'n Net,
    /// The nearest node that every path to a node passes; `None` for inputs and where paths from several meet.
    above: Vec<Option<usize>>,
    depth: Vec<usize>,
    resolutions: Resolutions,
}

impl<'n> Regions<'n> {
    /// For a graph.
    pub fn new(net: &'n Net) -> Self {
        let mut regions = Self { net, above: Vec::new(), depth: Vec::new(), resolutions: Resolutions::default() };
        for node in &net.nodes {
            let shapes: Vec<_> = node.inputs.iter().map(|&i| &net.nodes[i].shape).collect();
            regions.resolutions.push(&node.op, &node.shape, &node.inputs, &shapes);
            let mut inputs = node.inputs.iter().map(|&i| Some(i));
            let first = inputs.next().flatten();
            let above = inputs.fold(first, |a, b| regions.common(a, b));
            regions.depth.push(above.map_or(0, |a| regions.depth[a] + 1));
            regions.above.push(above);
        }
        regions
    }

    /// The nearest node that every path to this one passes; `None` for inputs and where paths from several meet.
    pub fn above(&self, id: usize) -> Option<usize> {
        self.above[id]
    }

    fn common(&self, a: Option<usize>, b: Option<usize>) -> Option<usize> {
        let (mut a, mut b) = (a?, b?);
        while a != b {
            if self.depth[a] >= self.depth[b] && (self.depth[a] > self.depth[b] || a > b) {
                a = self.above[a]?;
            } else {
                b = self.above[b]?;
            }
        }
        Some(a)
    }

    /// The nodes on the way from one to another, without the first.
    pub fn between(&self, from: usize, to: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut stack = vec![to];
        while let Some(id) = stack.pop() {
            if id != from && found.insert(id) {
                stack.extend(&self.net.nodes[id].inputs);
            }
        }
        found
    }

    /// The steps from one node's value to another's.
    fn path(&self, from: usize, to: usize, depth: usize) -> Option<Vec<Statement>> {
        if depth > DEEPEST {
            return None;
        }
        let mut lines = Vec::new();
        let mut at = to;
        while at != from {
            let node = &self.net.nodes[at];
            let before = self.above[at]?;
            lines.push(match node.inputs.as_slice() {
                [_] => {
                    let (word, args) = super::words::of(node);
                    Statement::new(Step::Layer(at, word, args))
                }
                _ => Statement::new(self.merge(at, before, depth + 1)?),
            });
            at = before;
        }
        lines.reverse();
        Some(lines)
    }

    /// Where paths that parted at `before` meet again; `None` where they cross on the way.
    pub fn merge(&self, at: usize, before: usize, depth: usize) -> Option<Step> {
        let node = &self.net.nodes[at];
        let inputs = node.inputs.clone();
        let regions: Vec<BTreeSet<usize>> = inputs.iter().map(|&i| self.between(before, i)).collect();
        let apart = (0..regions.len()).all(|i| (0..i).all(|j| regions[i].is_disjoint(&regions[j])));
        if !apart {
            return None;
        }
        let scaled = matches!(&node.op, Op::Add(add) if add.scale != 1.0);
        let gates = matches!(node.op, Op::Gate(_));
        match *inputs.as_slice() {
            [s, r, t] if gates => {
                let (by, body) = (self.path(before, t, depth)?, self.path(before, r, depth)?);
                let skip = Skip { by, body: Some(body), ..Skip::of(at) };
                (s == before).then(|| Step::Skip(Box::new(skip)))
            }
            [a, b] => self.pair(at, before, (a, b), depth),
            _ => {
                let paths = inputs.iter().map(|&i| self.path(before, i, depth)).collect::<Option<_>>()?;
                (!scaled).then_some(Step::Parallel(at, paths))
            }
        }
    }

    /// Two paths: a skip where one of them is empty, or short enough for a `via`.
    fn pair(&self, at: usize, before: usize, (a, b): (usize, usize), depth: usize) -> Option<Step> {
        let op = &self.net.nodes[at].op;
        let (add, scaled) = (matches!(op, Op::Add(_)), matches!(op, Op::Add(add) if add.scale != 1.0));
        let (x, y) = (self.path(before, a, depth)?, self.path(before, b, depth)?);
        let second = !scaled && (y.is_empty() && !x.is_empty() || add && self.is_via(&y, &x));
        if !(x.is_empty() || second || (add && (scaled || self.is_via(&x, &y)))) {
            return Some(Step::Parallel(at, vec![x, y]));
        }
        let (via, body) = if second { (y, x) } else { (x, y) };
        let long = self.is_long(before, at);
        let last = second && matches!(op, Op::Concat(_));
        Some(Step::Skip(Box::new(Skip { last, long, via, body: Some(body), ..Skip::of(at) })))
    }

    /// Whether a path is what the source passes beside another: a few layers, or channels of zeros, which stand nowhere else.
    fn is_via(&self, short: &[Statement], long: &[Statement]) -> bool {
        let layer =
            |line: &Statement| if let Step::Layer(id, ..) = line.step { Some(&self.net.nodes[id].op) } else { None };
        let padded = matches!(short, [line] if matches!(layer(line), Some(Op::ZeroPad(_))));
        padded || short.len() <= 2 && long.len() > short.len() && short.iter().all(|line| layer(line).is_some())
    }

    /// Whether a skip leaves the resolutions of its ends.
    pub fn is_long(&self, source: usize, merge: usize) -> bool {
        let operands =
            |id: usize, each: &mut dyn FnMut(usize)| self.net.nodes[id].inputs.iter().for_each(|&id| each(id));
        self.resolutions.visits(source, merge, operands).leaves.is_some()
    }
}
