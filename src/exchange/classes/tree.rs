//! The network as nested uses of blocks, from the labels and scopes of its graph.

use super::body::{Body, Item, Layer, Ref, Run, What};
use super::expr::agree;
use super::slots::{Number, parts};
use crate::elaborate::Network;
use crate::graph::{BlockUse, Graph, NodeId, ScopeKind};
use crate::ops::Op;
use crate::ops::Value;
use crate::ops::structure::Identity;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// One use of a body.
pub struct Use {
    /// Which body; equal bodies of one name have one number.
    pub class: usize,
    /// Its numbers: those of its items, then what the input and the block's arguments are.
    pub numbers: Vec<Number>,
    /// The names of the last of them.
    pub extras: Vec<String>,
}

/// A body with a name.
pub struct Found {
    /// The block's name, or a name made of the label.
    pub name: String,
    /// The block, where it is one.
    pub block: Option<String>,
    /// The body.
    pub body: Body,
    /// Its uses.
    pub uses: Vec<usize>,
}

/// A step that may be part of a chain, for the target at hand.
pub type Chainable<'a> = &'a dyn Fn(&Op) -> bool;

pub struct Tree<'n> {
    graph: &'n Graph,
    nodes: Vec<NodeId>,
    at: BTreeMap<NodeId, usize>,
    labels: Vec<Vec<&'n str>>,
    blocks: BTreeMap<&'n str, &'n BlockUse>,
    read_by: Vec<Vec<usize>>,
    given: Vec<bool>,
    chainable: Chainable<'n>,
    pub found: Vec<Found>,
    /// Which of them are alike, for looking one up.
    known: HashMap<u64, Vec<usize>>,
    pub uses: Vec<Use>,
}

/// A body as it is found, its numbers beside it.
struct Made {
    body: Body,
    numbers: Vec<Number>,
}

impl<'n> Tree<'n> {
    /// Finds every body of a network; the last one found is the model's own.
    pub fn of(network: &'n Network, chainable: Chainable<'n>) -> Self {
        let graph = &network.graph;
        let nodes: Vec<NodeId> = graph.order().collect();
        let at: BTreeMap<NodeId, usize> = nodes.iter().enumerate().map(|(i, &id)| (id, i)).collect();
        let mut blocks: BTreeMap<&str, &BlockUse> = BTreeMap::new();
        let mut seen = BTreeSet::from([""]);
        for (_, scope) in graph.scopes.iter() {
            // A `_:` block has the path of the scope around it, which came first.
            if let (true, ScopeKind::Block(block)) = (seen.insert(&scope.path), &scope.kind) {
                blocks.insert(&scope.path, block);
            }
        }
        let position = |id: &NodeId| at.get(id).copied().unwrap_or(0);
        let outputs: BTreeSet<NodeId> = graph.outputs.iter().map(|output| output.node).collect();
        let given = nodes.iter().map(|id| outputs.contains(id)).collect();
        let mut tree = Self {
            graph,
            labels: nodes.iter().map(|&id| graph.node(id).path.split('.').collect()).collect(),
            read_by: nodes.iter().map(|&id| graph.users(id).iter().map(position).collect()).collect(),
            nodes,
            at,
            blocks,
            given,
            chainable,
            found: Vec::new(),
            known: HashMap::new(),
            uses: Vec::new(),
        };
        let inputs = graph.inputs.iter().map(|id| tree.at[id]).collect();
        let outputs = graph.outputs.iter().map(|output| tree.at[&output.node]).collect();
        let made = tree.body(0..tree.nodes.len(), 0, &[], inputs, outputs);
        tree.enter(made, network.name.clone(), Some(network.name.clone()), Vec::new());
        tree
    }

    fn operands(&self, at: usize) -> Vec<usize> {
        self.graph.operands(self.nodes[at]).iter().map(|id| self.at[id]).collect()
    }

    /// Values from before that nodes of a range read, by first use.
    fn inputs(&self, range: &Range<usize>) -> Vec<usize> {
        let mut found = Vec::new();
        for operand in range.clone().flat_map(|at| self.operands(at)) {
            if operand < range.start && !found.contains(&operand) {
                found.push(operand);
            }
        }
        found
    }

    /// Values of a range that are read after it, or are the network's outputs.
    fn outputs(&self, range: &Range<usize>) -> Vec<usize> {
        let leaves = |&at: &usize| self.given[at] || self.read_by[at].iter().any(|reader| !range.contains(reader));
        let found: Vec<usize> = range.clone().filter(leaves).collect();
        if found.is_empty() { vec![range.end - 1] } else { found }
    }

    /// The body of a range of nodes whose labels share their first `depth`.
    fn body(
        &mut self,
        range: Range<usize>,
        depth: usize,
        open: &[&str],
        inputs: Vec<usize>,
        outputs: Vec<usize>,
    ) -> Made {
        let mut values: BTreeMap<usize, Ref> = inputs.iter().enumerate().map(|(i, &at)| (at, Ref::Input(i))).collect();
        let (mut items, mut numbers) = (Vec::<Item>::new(), Vec::new());
        let mut at = range.start;
        while at < range.end {
            if matches!(self.graph.node(self.nodes[at]).op, Op::Input(_)) {
                at += 1;
                continue;
            }
            let leaf = self.labels[at].len() == depth + 1;
            let end = if leaf { at + 1 } else { self.end_of_group(at, range.end, depth) };
            let (what, own, reads, gives) = match leaf {
                true => self.op(at),
                false => self.group(at..end, depth + 1, open),
            };
            let reads: Vec<Ref> = reads.iter().map(|read| values.get(read).copied().unwrap_or(Ref::Input(0))).collect();
            for (result, value) in gives.iter().enumerate() {
                values.insert(*value, Ref::Item(items.len(), result));
            }
            let label = self.labels[at][depth].to_string();
            items.push(Item { label, what, reads, gives: gives.len(), base: numbers.len() });
            numbers.extend(own);
            at = end;
        }
        let outputs = outputs.iter().map(|value| values.get(value).copied().unwrap_or(Ref::Input(0))).collect();
        runs(Made { body: Body { inputs: inputs.len(), items, outputs }, numbers })
    }

    fn end_of_group(&self, at: usize, end: usize, depth: usize) -> usize {
        let group = &self.labels[at][..=depth];
        (at..end).take_while(|&i| self.labels[i].len() > group.len() && self.labels[i].starts_with(group)).count() + at
    }

    fn op(&self, at: usize) -> (What, Vec<Number>, Vec<usize>, Vec<usize>) {
        let id = self.nodes[at];
        let parts = parts(&self.graph.node(id).op, &self.graph.operand_shapes(id));
        let (names, numbers) = parts.slots.into_iter().unzip();
        (What::Op(Layer { node: id, key: parts.key, names }), numbers, self.operands(at), vec![at])
    }

    /// A group of nodes: a chain in its place, or the use of a class.
    fn group(
        &mut self,
        range: Range<usize>,
        depth: usize,
        open: &[&str],
    ) -> (What, Vec<Number>, Vec<usize>, Vec<usize>) {
        let path = self.labels[range.start][..depth].join(".");
        let block = self.blocks.get(path.as_str()).copied();
        let open: Vec<&str> = open.iter().copied().chain(block.map(|block| block.block.as_str())).collect();
        let (inputs, outputs) = (self.inputs(&range), self.outputs(&range));
        let made = self.body(range.clone(), depth, &open, inputs.clone(), outputs.clone());
        let in_place = made.body.is_chain() && self.plain_chain(&made.body.items) && !self.one_of_many(&range, depth);
        if block.is_none() && in_place {
            return (What::Chain(made.body.items), made.numbers, inputs, outputs);
        }
        let name = block.map_or_else(
            || group_name(self.labels[range.start][depth - 1], open.last().copied()),
            |block| block.block.clone(),
        );
        let shape = inputs.first().map(|&at| self.graph.shape(self.nodes[at]));
        let extras = extras(block, shape.and_then(|shape| Some((shape.channels()?, shape.rank()))));
        let class = self.enter(made, name, block.map(|block| block.block.clone()), extras);
        let alone = inputs.len() == 1 && outputs.len() == 1;
        let recursive = alone && block.is_some_and(|block| open[..open.len() - 1].contains(&block.block.as_str()));
        let (what, numbers) = match recursive {
            true => (What::Hole, vec![Number::Module(self.uses.len() - 1)]),
            false => (What::Use(class), self.uses[self.uses.len() - 1].numbers.clone()),
        };
        (what, numbers, inputs, outputs)
    }

    /// Whether a group is one turn of a loop that has several.
    fn one_of_many(&self, range: &Range<usize>, depth: usize) -> bool {
        let number = |at: usize| self.labels.get(at)?.get(depth - 1)?.parse::<usize>().ok();
        let beside = |at: Option<usize>, want: Option<usize>| {
            let Some((at, want)) = at.zip(want) else { return false };
            let around = &self.labels[range.start][..depth - 1];
            number(at) == Some(want) && self.labels[at].len() > depth && self.labels[at].starts_with(around)
        };
        number(range.start).is_some_and(|own| {
            beside(range.start.checked_sub(1), own.checked_sub(1)) || beside(Some(range.end), Some(own + 1))
        })
    }

    /// Whether the target can write each step of a chain as a module.
    fn plain_chain(&self, items: &[Item]) -> bool {
        items.iter().all(|item| match &item.what {
            What::Op(layer) => (self.chainable)(&self.graph.node(layer.node).op),
            // A target that writes no sequences refuses the identity, too.
            _ => (self.chainable)(&Op::Identity(Identity {})),
        })
    }

    fn enter(&mut self, made: Made, name: String, block: Option<String>, extras: Vec<(String, Number)>) -> usize {
        let same = |found: &Found| {
            found.name == name && found.body == made.body && {
                let other = &self.uses[found.uses[0]];
                other.extras.iter().eq(extras.iter().map(|(name, _)| name))
                    && other.numbers.len() == made.numbers.len() + extras.len()
            }
        };
        let mut state = DefaultHasher::new();
        (&name, &made.body).hash(&mut state);
        let alike = self.known.entry(state.finish()).or_default();
        let class = alike.iter().copied().find(|&class| same(&self.found[class])).unwrap_or(self.found.len());
        if class == self.found.len() {
            alike.push(class);
            self.found.push(Found { name, block, body: made.body, uses: Vec::new() });
        }
        self.found[class].uses.push(self.uses.len());
        let (names, values): (Vec<String>, Vec<Number>) = extras.into_iter().unzip();
        let numbers = made.numbers.into_iter().chain(values).collect();
        self.uses.push(Use { class, numbers, extras: names });
        class
    }
}

/// What a use of a block knows: the width of what comes in, and its arguments.
fn extras(block: Option<&BlockUse>, input: Option<(usize, usize)>) -> Vec<(String, Number)> {
    let channels = input.map(|(channels, rank)| {
        (if rank == 2 { "in_features" } else { "in_channels" }.to_string(), Number::Int(channels as i64))
    });
    let args = block.map_or(&[][..], |block| &block.args);
    let number = |value: &Value| match value {
        Value::Int(n) => Number::Int(*n),
        Value::Float(x) => Number::Float(*x),
        Value::Bool(_) | Value::Str(_) | Value::Word(_) | Value::List(_) | Value::Call(..) | Value::Record(_) => {
            Number::Any
        }
    };
    let args = args.iter().map(|arg| (arg.name.clone(), number(&arg.value)));
    args.chain(channels).collect()
}

/// `image_features` as `ImageFeatures`, `level1` as `Level`, the turns of a loop after the block they stand in.
fn group_name(label: &str, around: Option<&str>) -> String {
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    let words = counted(label).map_or(label, |(words, _)| words);
    let name: String = words.split('_').filter(|part| !part.is_empty()).map(capital).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name
    } else {
        format!("{}Part", around.unwrap_or_default())
    }
}

/// The label without the number at its end, and the number.
fn counted(label: &str) -> Option<(&str, usize)> {
    let digits = label.len() - label.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (prefix, number) = label.split_at(label.len() - digits);
    let number: usize = number.parse().ok()?;
    (number.to_string().len() == digits).then_some((prefix, number))
}

/// The body with uses of one class in a row made runs.
fn runs(made: Made) -> Made {
    let readers = made.body.uses();
    let (old, mut items, mut numbers) = (made.body.items, Vec::<Item>::new(), Vec::new());
    let mut moved: BTreeMap<Ref, Ref> = BTreeMap::new();
    let mut at = 0;
    while at < old.len() {
        let item = &old[at];
        let end = old.get(at + 1).map_or(made.numbers.len(), |next| next.base);
        let own = &made.numbers[item.base..end];
        let count = run_length(&old[at..], at, &made.numbers, &readers);
        let reads = item.reads.iter().map(|read| moved.get(read).copied().unwrap_or(*read)).collect();
        let (what, list) = match (&item.what, counted(&item.label)) {
            // A single use is a run of one, so that deeper stages are the same class as shallower ones.
            (What::Use(class), Some((prefix, first))) if count > 0 && (count > 1 || prefix.is_empty()) => {
                let next =
                    old.get(at + 1).filter(|_| count > 1).map(|next| &made.numbers[next.base..next.base + own.len()]);
                let run = Run { class: *class, numbers: own.len(), prefix: prefix.to_string(), first };
                (What::Run(run), progression(own, next, count))
            }
            _ => (item.what.clone(), own.to_vec()),
        };
        let count = if matches!(what, What::Run(_)) { count } else { 1 };
        for i in 0..count {
            for result in 0..item.gives {
                moved.insert(Ref::Item(at + i, result), Ref::Item(items.len(), result));
            }
        }
        items.push(Item { label: item.label.clone(), what, reads, gives: item.gives, base: numbers.len() });
        numbers.extend(list);
        at += count;
    }
    let outputs = made.body.outputs.iter().map(|value| moved.get(value).copied().unwrap_or(*value)).collect();
    Made { body: Body { inputs: made.body.inputs, items, outputs }, numbers }
}

/// The numbers of a run: how many, then for each number the first and its growth.
fn progression(first: &[Number], second: Option<&[Number]>, count: usize) -> Vec<Number> {
    let mut numbers = vec![Number::Int(count as i64)];
    for (i, &number) in first.iter().enumerate() {
        numbers.push(number);
        numbers.push(match (number, second.map(|second| second[i])) {
            (Number::Int(a), Some(Number::Int(b))) => Number::Int(b - a),
            _ => Number::Any,
        });
    }
    numbers
}

/// How many items from here on are uses of one class in a row, read only by the next, whose numbers grow evenly.
fn run_length(items: &[Item], at: usize, numbers: &[Number], readers: &BTreeMap<Ref, usize>) -> usize {
    let What::Use(class) = &items[0].what else { return 0 };
    let Some((prefix, first)) = counted(&items[0].label) else { return 0 };
    if items[0].reads.len() != 1 || items[0].gives != 1 {
        return 0;
    }
    let width = items.get(1).map_or(numbers.len() - items[0].base, |next| next.base - items[0].base);
    let of = |i: usize| &numbers[items[i].base..items[i].base + width];
    let mut count = 1;
    while let Some(next) = items.get(count) {
        let linked = next.reads == [Ref::Item(at + count - 1, 0)] && next.gives == 1;
        let read_once = readers.get(&Ref::Item(at + count - 1, 0)) == Some(&1);
        let same = matches!(&next.what, What::Use(other) if other == class);
        if !(linked && read_once && same && counted(&next.label) == Some((prefix, first + count))) {
            break;
        }
        let even = (0..width).all(|j| {
            let (a, b, c) = (of(0)[j], of(1)[j], of(count)[j]);
            match (a, b, c) {
                (Number::Int(a), Number::Int(b), Number::Int(c)) => a + (b - a) * count as i64 == c,
                _ => agree(a, c),
            }
        });
        if !even {
            break;
        }
        count += 1;
    }
    // Two may differ in any way and still grow evenly: they are a run only where they are equal.
    if count == 2 && of(0).iter().zip(of(1)).any(|(&a, &b)| !agree(a, b)) { 1 } else { count }
}
