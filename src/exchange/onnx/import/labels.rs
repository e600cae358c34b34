//! Steps gathered into labelled groups, as the file's modules were.

use super::net::Net;
use super::order;
use super::tree::{Skip, Statement, Step};
use crate::ops::Op;
use std::collections::{BTreeMap, BTreeSet};

/// Gives lines their labels and groups.
pub struct Labeller<'n> {
    net: &'n Net,
    /// Modules that hold others.
    containers: BTreeSet<Vec<String>>,
}

/// The labels of a scope.
#[derive(Debug, Default)]
pub struct Taken {
    labels: BTreeSet<String>,
    /// The last number that a word was given.
    numbers: BTreeMap<String, usize>,
}

impl Taken {
    /// A scope that has these names.
    pub fn of(names: &[String]) -> Self {
        Self { labels: names.iter().cloned().collect(), numbers: BTreeMap::new() }
    }

    /// A label that is not taken yet: this word, or this word with a number.
    fn unique(&mut self, word: &str) -> String {
        if self.labels.insert(word.to_string()) {
            return word.to_string();
        }
        let last = self.numbers.entry(word.to_string()).or_insert(1);
        loop {
            *last += 1;
            let label = format!("{word}_{last}");
            if self.labels.insert(label.clone()) {
                return label;
            }
        }
    }
}

/// Where a line belongs below a module.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// In the module of this name.
    In(String),
    /// In the module itself.
    Here,
    /// Nobody knows.
    Open,
}

impl<'n> Labeller<'n> {
    /// For a graph.
    pub fn new(net: &'n Net) -> Self {
        let mut containers = BTreeSet::new();
        for node in net.nodes.iter().filter(|node| !node.params.is_empty()) {
            let path = node.path.clone().unwrap_or_default();
            (0..path.len()).for_each(|n| {
                containers.insert(path[..n].to_vec());
            });
        }
        Self { net, containers }
    }

    /// The module that a node stands in, without its own name.
    fn module(&self, id: usize) -> Option<Vec<String>> {
        let node = &self.net.nodes[id];
        let path = node.path.clone()?;
        if !node.params.is_empty() {
            return Some(path[..path.len().saturating_sub(1)].to_vec());
        }
        let holds = (0..=path.len()).rev().map(|n| path[..n].to_vec()).find(|p| self.containers.contains(p));
        Some(holds.unwrap_or_default())
    }

    /// The module that holds all parameters of a line, or of a line without any, where it stands.
    fn home(&self, line: &Statement) -> Option<Vec<String>> {
        let nodes = order::of(std::slice::from_ref(line));
        let with: Vec<usize> = nodes.iter().copied().filter(|&id| !self.net.nodes[id].params.is_empty()).collect();
        if nodes.is_empty() {
            return None;
        }
        let mut modules = if with.is_empty() { nodes } else { with }.into_iter().map(|id| self.module(id));
        let first = modules.next()??;
        modules.try_fold(first, |a, b| {
            let same = a.iter().zip(b?.iter()).take_while(|(x, y)| x == y).count();
            Some(a[..same].to_vec())
        })
    }

    fn place(&self, line: &Statement, depth: usize) -> Place {
        match self.home(line) {
            _ if matches!(line.step, Step::Input(_) | Step::Output(_)) => Place::Here,
            None => Place::Open,
            Some(home) => home.get(depth).map_or(Place::Here, |word| Place::In(word.clone())),
        }
    }

    /// Lines of a body inside a module at this depth; `taken` are the labels of the scope.
    pub fn body(&self, lines: Vec<Statement>, depth: usize, taken: &mut Taken) -> Vec<Statement> {
        let mut places: Vec<Place> = lines.iter().map(|line| self.place(line, depth)).collect();
        let next = known(&places);
        for i in 0..places.len() {
            if places[i] != Place::Open {
                continue;
            }
            let before = places[..i].last().cloned().unwrap_or(Place::Here);
            let after = next[i].clone();
            let activation =
                matches!(&lines[i].step, Step::Layer(id, ..) if matches!(self.net.nodes[*id].op, Op::Activation(_)));
            places[i] = if after.as_ref() == Some(&before) || activation { before } else { Place::Here };
        }
        let parted = self.parted(&lines, &mut places);
        let mut out: Vec<Statement> = Vec::new();
        let mut run: Option<(String, Vec<Statement>)> = None;
        for (line, place) in lines.into_iter().zip(places) {
            match (&mut run, place) {
                (Some((word, body)), Place::In(next)) if *word == next => body.push(line),
                (_, place) => {
                    out.extend(run.take().map(|group| self.group(group, &parted, depth, taken)));
                    match place {
                        Place::In(word) => run = Some((word, vec![line])),
                        _ => out.push(self.line(line, depth, taken)),
                    }
                }
            }
        }
        out.extend(run.map(|group| self.group(group, &parted, depth, taken)));
        out
    }

    /// Modules whose lines are parted by activations that stand around them, as those of a list are that a loop runs through.
    /// The activations behind all of the parts, and behind all entries of a list, become theirs; how many of each part.
    fn parted(&self, lines: &[Statement], places: &mut [Place]) -> BTreeMap<String, usize> {
        let mut ends: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, place) in places.iter().enumerate() {
            if let Place::In(word) = place
                && places.get(i + 1) != Some(place)
            {
                ends.entry(word.clone()).or_default().push(i + 1);
            }
        }
        let entry = |(word, ends): (&String, &Vec<usize>)| {
            (ends.len() == 1 && word.bytes().all(|c| c.is_ascii_digit())).then(|| (word.clone(), ends[0]))
        };
        let entries: Vec<(String, usize)> = ends.iter().filter_map(entry).collect();
        let shared = self.shared(lines, places, &entries.iter().map(|(_, end)| *end).collect::<Vec<_>>());
        entries.iter().for_each(|(word, end)| places[*end..end + shared].fill(Place::In(word.clone())));
        let mut parted = BTreeMap::new();
        for (word, ends) in ends.into_iter().filter(|(_, ends)| ends.len() > 1) {
            let shared = self.shared(lines, places, &ends);
            ends.iter().for_each(|&end| places[end..end + shared].fill(Place::In(word.clone())));
            parted.insert(word, shared);
        }
        parted
    }

    /// How many activations stand behind all of several places, the same behind each.
    fn shared(&self, lines: &[Statement], places: &[Place], ends: &[usize]) -> usize {
        let passed = |at: usize| {
            let Step::Layer(id, ..) = &lines.get(at)?.step else { return None };
            let Op::Activation(function) = &self.net.nodes[*id].op else { return None };
            matches!(places.get(at)?, Place::Here | Place::Open).then_some(*function)
        };
        let alike = |n: &usize| {
            let op = ends.first().and_then(|first| passed(first + n));
            op.is_some() && ends.iter().all(|end| passed(end + n) == op)
        };
        if ends.len() < 2 { 0 } else { (0..lines.len()).take_while(alike).count() }
    }

    /// A module's lines under its label; of a part that is one entry of a list, under the list's and the entry's.
    fn group(
        &self,
        (word, mut body): (String, Vec<Statement>),
        parted: &BTreeMap<String, usize>,
        depth: usize,
        taken: &mut Taken,
    ) -> Statement {
        if let Some(shared) = parted.get(&word) {
            let behind = body.split_off(body.len().saturating_sub(*shared));
            let entries: BTreeSet<Option<String>> =
                body.iter().map(|line| self.home(line).and_then(|home| home.get(depth + 1).cloned())).collect();
            if let (1, Some(Some(entry))) = (entries.len(), entries.first()) {
                let label = Some(taken.unique(&format!("{word}_{entry}")));
                let mut scope = Taken::default();
                let mut body = self.body(body, depth + 2, &mut scope);
                body.extend(behind.into_iter().map(|line| self.line(line, depth + 2, &mut scope)));
                return Statement { label, step: Step::Group(body) };
            }
            body.extend(behind);
        }
        let label = Some(taken.unique(&word));
        Statement { label, step: Step::Group(self.body(body, depth + 1, &mut Taken::default())) }
    }

    /// Whether the file tells of any modules.
    pub fn knows(&self) -> bool {
        self.containers.iter().any(|path| !path.is_empty())
    }

    fn line(&self, line: Statement, depth: usize, taken: &mut Taken) -> Statement {
        match line.step {
            Step::Layer(id, word, args) => {
                let node = &self.net.nodes[id];
                let own = node.path.as_ref().and_then(|path| path.last()).filter(|_| !node.params.is_empty());
                let label = own.map(|word| taken.unique(word));
                Statement { label, step: Step::Layer(id, word, args) }
            }
            Step::Parallel(id, paths) => {
                let paths = paths.into_iter().map(|path| self.body(path, depth, taken)).collect();
                Statement::new(Step::Parallel(id, paths))
            }
            Step::Skip(skip) => {
                let Skip { body, via, by, .. } = *skip;
                let body = body.map(|body| self.body(body, depth, taken));
                let project = self.projection(&via, depth);
                let via = if project.is_some() { via } else { self.side(via, depth, taken) };
                let by = self.side(by, depth, taken);
                Statement::new(Step::Skip(Box::new(Skip { body, via, by, project, ..*skip })))
            }
            step => Statement::new(step),
        }
    }

    /// The lines of `via` or `by` as one step.
    fn side(&self, lines: Vec<Statement>, depth: usize, taken: &mut Taken) -> Vec<Statement> {
        if lines.is_empty() {
            return lines;
        }
        let mut made = self.body(lines, depth, taken);
        if made.len() > 1 {
            made = vec![Statement::new(Step::Group(made))];
        }
        made
    }

    /// The label of a `via` that is the standard projection: a 1×1 convolution without bias, and a batch norm.
    fn projection(&self, via: &[Statement], depth: usize) -> Option<Option<String>> {
        let [Statement { step: Step::Layer(a, ..), .. }, Statement { step: Step::Layer(b, ..), .. }] = via else {
            return None;
        };
        let (Op::Conv(conv), Op::BatchNorm(norm)) = (&self.net.nodes[*a].op, &self.net.nodes[*b].op) else {
            return None;
        };
        let plain = conv.kernel.iter().chain(&conv.dilation).all(|&n| n == 1) && conv.pad.iter().all(|&p| p == 0);
        let standard = plain && conv.groups == 1 && !conv.bias && norm.eps == 1e-5 && norm.affine;
        let module = self.module(*a);
        standard.then(|| module.and_then(|path| path.get(depth).cloned()))
    }
}

/// The first place from each line on that somebody knows.
fn known(places: &[Place]) -> Vec<Option<Place>> {
    let mut next = None;
    let mut all: Vec<Option<Place>> = places
        .iter()
        .rev()
        .map(|place| {
            if *place != Place::Open {
                next = Some(place.clone());
            }
            next.clone()
        })
        .collect();
    all.reverse();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_taken_get_numbers() {
        let mut taken = Taken::of(&["conv_3".into()]);
        let labels = ["conv", "conv", "conv", "norm"].map(|word| taken.unique(word));
        assert_eq!(labels, ["conv", "conv_2", "conv_4", "norm"]);
    }

    #[test]
    fn what_nobody_knows_is_followed_by_the_next_that_somebody_does() {
        let (a, open) = (Place::In("a".into()), Place::Open);
        let found = known(&[open.clone(), a.clone(), open.clone(), Place::Here, open]);
        assert_eq!(found, [Some(a.clone()), Some(a), Some(Place::Here), Some(Place::Here), None]);
    }
}
