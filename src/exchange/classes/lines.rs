//! Which values of a body get names, and which are written where they are read.

use super::Reserved;
use super::body::{Body, Ref, What};
use crate::graph::Graph;
use crate::ops::Family;
use std::collections::{BTreeMap, BTreeSet};

/// A value as it is written.
#[derive(Clone, Debug)]
pub enum Value {
    /// A variable.
    Name(String),
    /// The result of an item, from what it reads.
    Item(usize, Vec<Value>),
}

/// One line of a body.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The names that it gives; none for the last line, which returns.
    pub names: Vec<String>,
    /// What it computes; several only where it returns several.
    pub values: Vec<Value>,
}

/// How an item is treated.
#[derive(Clone, Copy, PartialEq)]
enum Weight {
    /// A convolution or a linear layer.
    Heavy,
    Norm,
    Activation,
    /// Merges and what fits their operands.
    Merge,
    /// Uses of classes, and chains.
    Part,
    /// Always on a line of its own.
    Alone,
    /// Pools, and all else that is a function.
    Other,
}

struct Writer<'a> {
    body: &'a Body,
    weights: Vec<Weight>,
    inlined: BTreeSet<usize>,
}

/// The lines of a body whose inputs have these names; those that are `kept` are not given to other values.
pub fn lines(graph: &Graph, body: &Body, inputs: &[String], kept: Reserved) -> Vec<Assignment> {
    let weights = body.items.iter().map(|item| weight(graph, &item.what, item.gives)).collect();
    let mut writer = Writer { body, weights, inlined: BTreeSet::new() };
    let uses = body.uses();
    let once = |read: &Ref| uses.get(read) == Some(&1);
    for i in 0..body.items.len() {
        for read in &body.items[i].reads {
            if let Ref::Item(from, _) = *read
                && once(read)
                && writer.fits(i, from)
            {
                writer.inlined.insert(from);
            }
        }
    }
    let last = body.items.len().checked_sub(1);
    let returned = last
        .filter(|&i| body.outputs == [Ref::Item(i, 0)] && once(&Ref::Item(i, 0)) && writer.weights[i] != Weight::Alone);
    writer.inlined.extend(returned);
    writer.named(inputs, kept)
}

fn weight(graph: &Graph, what: &What, gives: usize) -> Weight {
    let What::Op(layer) = what else {
        return if matches!(what, What::Run(_)) || gives != 1 { Weight::Alone } else { Weight::Part };
    };
    match graph.node(layer.node).op.family() {
        Family::Convolution | Family::Linear if graph.node(layer.node).op.mixes_channels() => Weight::Heavy,
        Family::Norm => Weight::Norm,
        Family::Activation => Weight::Activation,
        Family::Merge(_) => Weight::Merge,
        Family::Input | Family::Convolution | Family::Linear | Family::Pool => Weight::Other,
        Family::Resize | Family::Regularization | Family::View => Weight::Other,
    }
}

/// Names of values that are still read.
#[derive(Default)]
struct LiveNames {
    counts: BTreeMap<String, usize>,
    /// Names by the last line that reads them.
    until: BTreeMap<usize, Vec<String>>,
    /// Of `v0`, `v1`, … the first that was never found to be held, and those before it that were let go of.
    next: usize,
    spare: BTreeSet<usize>,
}

impl LiveNames {
    fn hold(&mut self, name: &str, until: usize) {
        *self.counts.entry(name.into()).or_default() += 1;
        self.until.entry(until).or_default().push(name.into());
    }

    /// Lets go of the names that no line after this one reads.
    fn free_until(&mut self, line: usize) {
        while let Some(first) = self.until.first_entry().filter(|first| *first.key() <= line) {
            for name in first.remove() {
                if let Some(count) = self.counts.get_mut(&name) {
                    *count -= 1;
                    if *count == 0 {
                        self.counts.remove(&name);
                        let number = name.strip_prefix('v').and_then(|number| number.parse().ok());
                        self.spare.extend(number.filter(|&number: &usize| number < self.next));
                    }
                }
            }
        }
    }
}

impl LiveNames {
    /// The first of `v0`, `v1`, … that is free.
    fn numbered(&mut self, kept: Reserved) -> String {
        let counts = &self.counts;
        let free = |name: &String| !counts.contains_key(name) && !kept(name);
        while let Some(&first) = self.spare.first() {
            let name = format!("v{first}");
            if free(&name) {
                return name;
            }
            self.spare.remove(&first);
        }
        loop {
            let name = format!("v{}", self.next);
            if free(&name) {
                return name;
            }
            self.next += 1;
        }
    }
}

impl Writer<'_> {
    /// Whether the value of one item is written inside the call of another.
    fn fits(&self, at: usize, from: usize) -> bool {
        use Weight::{Activation, Heavy, Merge, Norm, Other, Part};
        let depth = self.depth(from);
        match (self.weights[at], self.weights[from]) {
            (Activation, Heavy | Norm | Merge) => depth <= 3,
            (Norm, Heavy) => depth <= 2,
            (Heavy, Norm | Activation) => depth <= 2 && !self.holds_heavy(from),
            (Merge, Part | Activation | Heavy) => depth <= 2,
            (Merge, Other) => depth <= 1,
            (Other, Activation) => depth <= 1,
            _ => false,
        }
    }

    fn inner(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        self.body.items[at].reads.iter().filter_map(|read| match read {
            Ref::Item(from, _) if self.inlined.contains(from) => Some(*from),
            _ => None,
        })
    }

    fn depth(&self, at: usize) -> usize {
        1 + self.inner(at).map(|from| self.depth(from)).max().unwrap_or(0)
    }

    fn holds_heavy(&self, at: usize) -> bool {
        self.weights[at] == Weight::Heavy || self.inner(at).any(|from| self.holds_heavy(from))
    }

    /// Every value that an item reads by name, those of inlined items too.
    fn reads(&self, at: usize) -> Vec<Ref> {
        let own = self.body.items[at].reads.iter();
        own.flat_map(|read| match read {
            Ref::Item(from, _) if self.inlined.contains(from) => self.reads(*from),
            read => vec![*read],
        })
        .collect()
    }

    fn value(&self, read: Ref, names: &BTreeMap<Ref, String>) -> Value {
        match read {
            Ref::Item(from, _) if self.inlined.contains(&from) => self.call(from, names),
            read => Value::Name(names.get(&read).cloned().unwrap_or_default()),
        }
    }

    fn call(&self, at: usize, names: &BTreeMap<Ref, String>) -> Value {
        Value::Item(at, self.body.items[at].reads.iter().map(|read| self.value(*read, names)).collect())
    }

    fn named(&self, inputs: &[String], kept: Reserved) -> Vec<Assignment> {
        let mut names: BTreeMap<Ref, String> =
            inputs.iter().enumerate().map(|(i, name)| (Ref::Input(i), name.clone())).collect();
        let outer: Vec<usize> = (0..self.body.items.len()).filter(|i| !self.inlined.contains(i)).collect();
        let mut last = BTreeMap::new();
        for (line, &item) in outer.iter().enumerate() {
            last.extend(self.reads(item).into_iter().map(|read| (read, line)));
        }
        for output in &self.body.outputs {
            let reads = match output {
                Ref::Item(item, _) if self.inlined.contains(item) => self.reads(*item),
                output => vec![*output],
            };
            last.extend(reads.into_iter().map(|read| (read, outer.len())));
        }
        let mut lines = Vec::new();
        let mut held = LiveNames::default();
        names.iter().for_each(|(read, name)| held.hold(name, last.get(read).copied().unwrap_or(0)));
        for (line, &item) in outer.iter().enumerate() {
            let call = self.call(item, &names);
            held.free_until(line);
            let given: Vec<String> = (0..self.body.items[item].gives)
                .map(|result| {
                    let value = Ref::Item(item, result);
                    let lives = last.get(&value).copied().unwrap_or(line);
                    let name = self.name(item, lives > line + 1, &mut held, kept, &names);
                    names.insert(value, name.clone());
                    if lives > line {
                        held.hold(&name, lives);
                    }
                    name
                })
                .collect();
            lines.push(Assignment { names: given, values: vec![call] });
        }
        let values = self.body.outputs.iter().map(|output| self.value(*output, &names)).collect();
        lines.push(Assignment { names: Vec::new(), values });
        lines
    }

    /// A name for a result: its label where it is read much later, the operand's where that is done with, else a letter.
    fn name(
        &self,
        item: usize,
        long: bool,
        held: &mut LiveNames,
        kept: Reserved,
        names: &BTreeMap<Ref, String>,
    ) -> String {
        let free = |name: &str| !held.counts.contains_key(name) && !kept(name);
        let label = &self.body.items[item].label;
        let word = label.starts_with(|c: char| c.is_ascii_lowercase());
        if long && word && free(label) {
            return label.clone();
        }
        let operand = self.reads(item).first().and_then(|read| names.get(read));
        if let Some(operand) = operand.filter(|name| free(name) && name.len() == 1) {
            return operand.clone();
        }
        let letter = ["x", "y", "z", "u", "v", "w"].into_iter().find(|name| free(name)).map(String::from);
        letter.unwrap_or_else(|| held.numbered(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_let_go_of_are_given_again() {
        let (mut held, kept) = (LiveNames::default(), |name: &str| name == "v1");
        for (i, until) in [5, 3, 9].into_iter().enumerate() {
            let name = held.numbered(&kept);
            assert_eq!(name, ["v0", "v2", "v3"][i]);
            held.hold(&name, until);
        }
        held.free_until(3);
        assert_eq!(held.numbered(&kept), "v2");
        held.hold("v2", 9);
        assert_eq!(held.numbered(&kept), "v4");
        held.free_until(5);
        assert_eq!(held.numbered(&kept), "v0");
    }
}
