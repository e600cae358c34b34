//! From a graph to steps: where paths part and meet, a skip or a `parallel`.

use super::net::Net;
use crate::ops::Op;
use std::collections::BTreeSet;

/// How deep braces may nest before the flat form is taken.
const DEEPEST: usize = 60;

/// One line of a body.
#[derive(Clone, Debug)]
pub struct Line {
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
    Group(Vec<Line>),
    /// A skip.
    Skip(Box<Skip>),
    /// Paths side by side, and the node where they meet.
    Parallel(usize, Vec<Vec<Line>>),
    /// A block.
    Call(String, Vec<Arg>),
    /// The line once for each i from a first to a last one, whose text may be a parameter.
    For(usize, Arg, Box<Line>),
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
    pub via: Vec<Line>,
    /// Whether that is the standard projection.
    pub project: Option<Option<String>>,
    /// What opens a gate.
    pub by: Vec<Line>,
    /// What it skips.
    pub body: Option<Vec<Line>>,
}

impl Line {
    /// A line without a label.
    pub fn new(step: Step) -> Self {
        Self { label: None, step }
    }
}

/// Finds the steps of a graph.
pub struct Grower<'n> {
    net: &'n Net,
    /// The nearest node that every path to a node passes; `None` for inputs and where paths from several meet.
    above: Vec<Option<usize>>,
    depth: Vec<usize>,
    /// Nodes that `from` goes back to.
    pub named: BTreeSet<usize>,
}

impl<'n> Grower<'n> {
    /// For a graph.
    pub fn new(net: &'n Net) -> Self {
        let mut grower = Self { net, above: Vec::new(), depth: Vec::new(), named: BTreeSet::new() };
        for node in &net.nodes {
            let mut inputs = node.inputs.iter().map(|&i| Some(i));
            let first = inputs.next().flatten();
            let above = inputs.fold(first, |a, b| grower.common(a, b));
            grower.depth.push(above.map_or(0, |a| grower.depth[a] + 1));
            grower.above.push(above);
        }
        grower
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

    /// The steps of the whole graph; `None` where it is none of paths that part and meet in pairs.
    pub fn all(&mut self) -> Option<Vec<Line>> {
        let (net, mut lines) = (self.net, Vec::new());
        let main = net.outputs.iter().map(|(_, node)| *node).max()?;
        let mut last = net.inputs.first()?.1;
        if net.inputs.len() == 1 {
            lines.push(Line::new(Step::Input(last)));
            lines.extend(self.path(last, main, 0)?);
            last = main;
        } else {
            return None;
        }
        let single = net.outputs.len() == 1;
        for (name, node) in &net.outputs {
            if *node != last {
                self.named.insert(*node);
                lines.push(Line::new(Step::From(*node)));
            }
            last = *node;
            if !single {
                lines.push(Line::new(Step::Output(name.clone())));
            }
        }
        let reached: BTreeSet<usize> = super::order::of(&lines).into_iter().collect();
        let whole = reached.len() == net.nodes.len() - net.inputs.len();
        (whole && net.outputs.iter().all(|(_, n)| reached.contains(n) || net.inputs.iter().any(|i| i.1 == *n)))
            .then_some(lines)
    }

    /// The nodes on the way from one to another, without the first.
    fn between(&self, from: usize, to: usize) -> BTreeSet<usize> {
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
    fn path(&mut self, from: usize, to: usize, depth: usize) -> Option<Vec<Line>> {
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
                    Line::new(Step::Layer(at, word, args))
                }
                _ => Line::new(self.merge(at, before, depth + 1)?),
            });
            at = before;
        }
        lines.reverse();
        Some(lines)
    }

    /// Where paths that parted at `before` meet again.
    fn merge(&mut self, at: usize, before: usize, depth: usize) -> Option<Step> {
        let node = &self.net.nodes[at];
        let inputs = node.inputs.clone();
        let regions: Vec<BTreeSet<usize>> = inputs.iter().map(|&i| self.between(before, i)).collect();
        let apart = (0..regions.len()).all(|i| (0..i).all(|j| regions[i].is_disjoint(&regions[j])));
        if !apart {
            return self.crossing(at, before, &inputs, &regions, depth);
        }
        if let (Op::Gate(_), [s, r, t]) = (&node.op, inputs.as_slice()) {
            let (s, by, body) = (*s, self.path(before, *t, depth)?, self.path(before, *r, depth)?);
            let plain = Skip {
                node: at,
                last: false,
                long: false,
                from: None,
                via: Vec::new(),
                project: None,
                by,
                body: Some(body),
            };
            return (s == before).then(|| Step::Skip(Box::new(plain)));
        }
        let scaled = matches!(&node.op, Op::Add(add) if add.scale != 1.0);
        if let [a, b] = inputs[..] {
            let (x, y) = (self.path(before, a, depth)?, self.path(before, b, depth)?);
            let is_via = |short: &Vec<Line>, long: &Vec<Line>| {
                short.len() <= 2 && long.len() > short.len() && short.iter().all(|l| matches!(&l.step, Step::Layer(..)))
            };
            let add = matches!(node.op, Op::Add(_));
            let second = !scaled && (y.is_empty() && !x.is_empty() || add && is_via(&y, &x));
            if x.is_empty() || second || (add && (scaled || is_via(&x, &y))) {
                let (via, body) = if second { (y, x) } else { (x, y) };
                let (s, r) = if second { (b, a) } else { (a, b) };
                let long = self.is_long(before, r, &body);
                let _ = s;
                let last = second && matches!(node.op, Op::Concat(_));
                let skip =
                    Skip { node: at, last, long, from: None, via, project: None, by: Vec::new(), body: Some(body) };
                return Some(Step::Skip(Box::new(skip)));
            }
            return Some(Step::Parallel(at, vec![x, y]));
        }
        let paths = inputs.iter().map(|&i| self.path(before, i, depth)).collect::<Option<_>>()?;
        (!scaled).then_some(Step::Parallel(at, paths))
    }

    /// Two paths that share nodes: the longer one is the main path, the other leaves it somewhere.
    fn crossing(
        &mut self,
        _at: usize,
        _before: usize,
        _inputs: &[usize],
        _regions: &[BTreeSet<usize>],
        _depth: usize,
    ) -> Option<Step> {
        None
    }

    /// Whether a path visits a size that is neither its start's nor its end's.
    fn is_long(&self, from: usize, to: usize, body: &[Line]) -> bool {
        let spatial = |id: usize| self.net.nodes[id].shape.spatial();
        let mut visited = Vec::new();
        self.visit(body, &mut visited);
        visited.iter().any(|&id| !spatial(id).is_empty() && spatial(id) != spatial(from) && spatial(id) != spatial(to))
    }

    /// The nodes on the main path of a body. What scales a value from smaller maps is beside it.
    fn visit(&self, lines: &[Line], out: &mut Vec<usize>) {
        for line in lines {
            match &line.step {
                Step::Layer(id, ..) => out.push(*id),
                Step::Parallel(id, _) => out.push(*id),
                Step::Skip(skip) => {
                    let merge = &self.net.nodes[skip.node];
                    let inputs = merge.inputs.iter().map(|&i| self.net.nodes[i].shape.spatial());
                    if inputs.clone().all(|s| s == merge.shape.spatial()) {
                        skip.body.iter().for_each(|body| self.visit(body, out));
                    }
                    out.push(skip.node);
                }
                Step::Group(body) => self.visit(body, out),
                _ => {}
            }
        }
    }
}
