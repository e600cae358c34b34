//! What a class's body does, without its numbers: equal bodies are one class.

use crate::graph::NodeId;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// A value within a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ref {
    /// An input, by its position.
    Input(usize),
    /// A result of an item: the item and which of its results.
    Item(usize, usize),
}

/// One step of a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// Its label: what its parameters' paths go on with.
    pub label: String,
    /// What it does.
    pub what: What,
    /// What it reads.
    pub reads: Vec<Ref>,
    /// How many values it gives.
    pub gives: usize,
    /// Where its numbers begin among those of the body.
    pub base: usize,
}

/// What a step does. Its numbers are counted from its item's `base`.
#[derive(Clone, Debug)]
pub enum What {
    /// One op.
    Op(Layer),
    /// The use of a class.
    Use(usize),
    /// Steps in a row, each reading the one before: a sequence without a class of its own.
    Chain(Vec<Item>),
    /// Uses of a class in a row, under labels that count up. The first number is how many; then come two for each of the
    /// class's: the first use's, and how much it grows from use to use.
    Run(Run),
    /// A module that the constructor is given: the same block again, with other things inside.
    Hole,
}

/// One op with the names of its numbers.
#[derive(Clone, Debug)]
pub struct Layer {
    /// An example of the op.
    pub node: NodeId,
    /// Equal keys are equal but for the numbers.
    pub key: String,
    /// The names of the numbers.
    pub names: Vec<&'static str>,
}

/// Uses of a class in a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    /// The class.
    pub class: usize,
    /// How many numbers a use of it has.
    pub numbers: usize,
    /// The label before the count.
    pub prefix: String,
    /// The first count.
    pub first: usize,
}

/// The node is an example: what counts is the key.
impl PartialEq for What {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Op(a), Self::Op(b)) => a.key == b.key,
            (Self::Use(a), Self::Use(b)) => a == b,
            (Self::Chain(a), Self::Chain(b)) => a == b,
            (Self::Run(a), Self::Run(b)) => a == b,
            (Self::Hole, Self::Hole) => true,
            _ => false,
        }
    }
}

impl Eq for What {}

/// The node is an example here, too.
impl Hash for What {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Op(layer) => layer.key.hash(state),
            Self::Use(class) => class.hash(state),
            Self::Chain(items) => items.hash(state),
            Self::Run(run) => run.hash(state),
            Self::Hole => {}
        }
    }
}

/// A body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Body {
    /// How many values come in.
    pub inputs: usize,
    /// The steps, in order.
    pub items: Vec<Item>,
    /// What goes out.
    pub outputs: Vec<Ref>,
}

impl Body {
    /// Whether every step reads what the one before gives, and nothing else is read or given.
    pub fn is_chain(&self) -> bool {
        let linked = |(i, item): (usize, &Item)| {
            let before = i.checked_sub(1).map_or(Ref::Input(0), |i| Ref::Item(i, 0));
            item.gives == 1 && item.reads == [before]
        };
        let last = self.items.len().checked_sub(1).map(|i| Ref::Item(i, 0));
        self.inputs == 1
            && self.outputs.first().copied() == last
            && self.outputs.len() == 1
            && self.items.iter().enumerate().all(linked)
    }

    /// How often each value is read, outputs counted.
    pub fn uses(&self) -> BTreeMap<Ref, usize> {
        let mut uses = BTreeMap::new();
        let reads = self.items.iter().flat_map(|item| &item.reads).chain(&self.outputs);
        reads.for_each(|read| *uses.entry(*read).or_default() += 1);
        uses
    }
}
