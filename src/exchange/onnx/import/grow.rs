//! The walk over a whole graph: what parts and meets in pairs becomes skips and paths; where paths cross, values are named, and
//! `from` goes back to them.

use super::net::Net;
use super::order;
use super::tree::{Regions, Skip, Statement, Step};
use crate::ops::{Family, Op};
use std::collections::BTreeSet;

/// How many merges may wait for one another.
const DEEPEST: usize = 200;

/// Finds the steps of a graph.
pub struct Grower<'n> {
    net: &'n Net,
    regions: Regions<'n>,
    /// Whether braces are made around what is skipped.
    braces: bool,
    /// Which nodes are made.
    made: Vec<bool>,
    current: Option<usize>,
    declared: usize,
    lines: Vec<Statement>,
    /// Nodes that `from` goes back to.
    pub named: BTreeSet<usize>,
}

impl<'n> Grower<'n> {
    /// For a graph; without `braces`, every layer is a step of the model itself.
    pub fn new(net: &'n Net, braces: bool) -> Self {
        let n = net.nodes.len();
        Self {
            net,
            regions: Regions::new(net),
            braces,
            made: vec![false; n],
            current: None,
            declared: 0,
            lines: Vec::new(),
            named: BTreeSet::new(),
        }
    }

    /// The steps; `None` where they would nest too deep.
    pub fn all(&mut self) -> Option<Vec<Statement>> {
        let net = self.net;
        let last = net.outputs.iter().map(|(_, node)| *node).max()?;
        // In order, nothing waits for anything; from the end of the longest way, braces are as large as they can be.
        let order: Vec<usize> = if self.braces { vec![self.deepest()?] } else { (0..=last).collect() };
        for id in order {
            let waits = matches!(net.nodes[id].op, Op::ZeroPad(_)) || net.nodes[id].op.family() == Family::Input;
            if !self.made[id] && !waits {
                self.bring(id, 0)?;
            }
        }
        if self.declared < net.inputs.len() {
            self.declare(net.inputs.len());
        }
        let (single, mut taken) = (net.outputs.len() == 1, BTreeSet::new());
        for (name, node) in &net.outputs {
            self.bring(*node, 0)?;
            if !single {
                self.lines.push(Statement::new(Step::Output(output_name(name, &mut taken))));
            }
        }
        let whole = order::of(&self.lines).len() == net.nodes.len() - net.inputs.len();
        (whole && self.made.iter().all(|&made| made)).then(|| std::mem::take(&mut self.lines))
    }

    /// What could not be said, where [`Self::all`] found no steps.
    pub fn left(&self) -> String {
        let left = self.net.nodes.iter().zip(&self.made).find(|(node, made)| !**made && !node.inputs.is_empty());
        let what = left.or(self.net.nodes.iter().zip(&self.made).next_back());
        let what = what.map_or_else(String::new, |(node, _)| {
            format!(": {}, a `{}`, was left", node.title, node.op.layer().kind())
        });
        format!("the model cannot be said in the language{what}")
    }

    /// The output that is made of the most values; of many outputs only the first are asked.
    fn deepest(&self) -> Option<usize> {
        let made_of = |id: usize| {
            let (mut seen, mut stack) = (BTreeSet::from([id]), vec![id]);
            while let Some(id) = stack.pop() {
                stack.extend(self.net.nodes[id].inputs.iter().filter(|&&input| seen.insert(input)));
            }
            seen.len()
        };
        self.net.outputs.iter().take(64).map(|(_, id)| *id).max_by_key(|&id| made_of(id))
    }

    /// Makes a node, if it is not made yet.
    fn ensure(&mut self, id: usize, depth: usize) -> Option<()> {
        if self.made[id] { Some(()) } else { self.bring(id, depth) }
    }

    /// Declares so many inputs, in the file's order.
    fn declare(&mut self, count: usize) {
        while self.declared < count {
            let (_, id) = self.net.inputs[self.declared];
            self.declared += 1;
            self.lines.push(Statement::new(Step::Input(id)));
            self.note(id);
            self.current = Some(id);
        }
    }

    /// Notes that a node is made now.
    fn note(&mut self, id: usize) {
        self.made[id] = true;
    }

    /// Makes a node's value the current one.
    fn bring(&mut self, id: usize, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        let (mut at, mut steps, mut open) = (id, Vec::new(), None);
        while !self.made[at] && !self.net.nodes[at].inputs.is_empty() {
            match self.closed(at) {
                Some((before, step)) => {
                    steps.push(step);
                    at = before;
                }
                None => {
                    open = Some(at);
                    break;
                }
            }
        }
        match open {
            Some(merge) => self.open(merge, depth + 1)?,
            None => self.go_to(at),
        }
        while let Some(step) = steps.pop() {
            self.push(step);
        }
        Some(())
    }

    /// The step that makes a node of one before it; `None` for a merge of values that must be made one by one.
    fn closed(&self, at: usize) -> Option<(usize, Step)> {
        if let [before] = self.net.nodes[at].inputs[..] {
            let (word, args) = super::words::of(&self.net.nodes[at]);
            return Some((before, Step::Layer(at, word, args)));
        }
        let before = self.regions.above(at).filter(|_| self.braces)?;
        let inside = self.regions.between(before, at);
        let fresh = inside.iter().all(|&id| !self.made[id]);
        Some((before, self.regions.merge(at, before, 1).filter(|_| fresh)?))
    }

    fn go_to(&mut self, id: usize) {
        if let Some(input) = self.net.inputs.iter().position(|(_, node)| *node == id) {
            self.declare(input + 1);
        }
        if self.current != Some(id) {
            self.named.insert(id);
            self.lines.push(Statement::new(Step::From(id)));
            self.current = Some(id);
        }
    }

    /// Adds a step that goes on from the current value.
    fn push(&mut self, step: Step) {
        let line = Statement::new(step);
        let end = self.trace(std::slice::from_ref(&line), self.current);
        self.lines.push(line);
        self.current = end;
    }

    /// Notes the nodes of lines; gives the one that they end in.
    fn trace(&mut self, lines: &[Statement], start: Option<usize>) -> Option<usize> {
        lines.iter().fold(start, |at, line| match &line.step {
            Step::Layer(id, ..) => {
                self.note(*id);
                Some(*id)
            }
            Step::From(id) => Some(*id),
            Step::Parallel(id, paths) => {
                for path in paths {
                    self.trace(path, at);
                }
                self.note(*id);
                Some(*id)
            }
            Step::Skip(skip) => {
                for body in skip.body.iter().chain([&skip.via, &skip.by]) {
                    self.trace(body, at);
                }
                self.note(skip.node);
                Some(skip.node)
            }
            Step::Group(body) => self.trace(body, at),
            _ => at,
        })
    }

    /// Makes a merge of values that are made before it.
    fn open(&mut self, merge: usize, depth: usize) -> Option<()> {
        let node = &self.net.nodes[merge];
        let plain = Skip::of(merge);
        let gates = matches!(node.op, Op::Gate(_));
        let skip = match node.inputs.as_slice() {
            &[s, r, t] if gates => {
                self.ensure(s, depth)?;
                self.ensure(t, depth)?;
                self.bring(r, depth)?;
                self.named.insert(t);
                let by = vec![Statement::new(Step::Group(vec![Statement::new(Step::From(t))]))];
                Skip { from: Some(s), by, ..plain }
            }
            &[a, b] => self.pair(plain, a, b, depth)?,
            all => {
                for &operand in all {
                    self.ensure(operand, depth)?;
                }
                self.named.extend(all);
                let paths = all.iter().map(|&id| vec![Statement::new(Step::From(id))]).collect();
                self.push(Step::Parallel(merge, paths));
                return Some(());
            }
        };
        let source = skip.from?;
        self.named.insert(source);
        let long = self.regions.is_long(source, skip.node);
        self.push(Step::Skip(Box::new(Skip { long, ..skip })));
        Some(())
    }

    /// The skip of two values. What is made last is the result; the other is named, and may pass `zero_pad` on its way.
    fn pair(&mut self, plain: Skip, a: usize, b: usize, depth: usize) -> Option<Skip> {
        let op = &self.net.nodes[plain.node].op;
        let scaled = matches!(op, Op::Add(add) if add.scale != 1.0);
        let padded = |id: usize| matches!(self.net.nodes[id].op, Op::ZeroPad(_)) && !self.made[id];
        let first = (!self.made[b], self.current == Some(b), b) > (!self.made[a], self.current == Some(a), a);
        let second = !scaled && !padded(a) && (padded(b) || !first);
        let (s, r) = if second { (b, a) } else { (a, b) };
        let (mut source, mut via) = (s, Vec::new());
        if padded(s) {
            source = *self.net.nodes[s].inputs.first()?;
            let (word, args) = super::words::of(&self.net.nodes[s]);
            via.push(Statement::new(Step::Layer(s, word, args)));
        }
        let last = second && matches!(op, Op::Concat(_));
        self.ensure(source, depth)?;
        self.bring(r, depth)?;
        Some(Skip { from: Some(source), via, last, ..plain })
    }
}

/// An output's name as the language can have it, and no other's.
fn output_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut clean = super::places::clean(name).trim_matches('_').to_string();
    let starts = clean.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts || super::WORDS.contains(&clean.as_str()) {
        clean = format!("out_{clean}");
    }
    let numbered = (2..).map(|n| format!("{clean}_{n}"));
    let free = std::iter::once(clean.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(free.clone());
    free
}
