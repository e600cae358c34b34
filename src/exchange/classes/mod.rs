//! A network as classes, as a person would write them: one for every body of a block, with what differs between its uses as
//! arguments of its constructor. What Python and Rust have in common is decided here.
//!
//! Every use of a block is a body and a list of numbers (`tree`). Equal bodies are one class; a number that is the same at
//! every use is written as it is, one that is an argument of the block is that argument, and any other gets an argument of its
//! own (`expr`). [`lines`] says which values get names.

mod body;
mod expr;
mod lines;
mod slots;
mod tree;
mod words;

pub use body::{Body, Item, Layer, Ref, Run, What};
pub use expr::Expr;
pub use lines::{Assignment, Value, lines};
pub use slots::axis_names;
pub use tree::Chainable;
pub use words::{Reserved, distinct, unlike};

use crate::elaborate::{Network, Program};
use crate::graph::{NodeId, SkipEdge};
use crate::ops::Op;
use crate::syntax::ast;
use expr::{Base, half_of_base, literal, of_bases};
use slots::Number;
use std::collections::{BTreeMap, BTreeSet};
use tree::{Found, Tree, Use};
use words::Taken;

/// What an argument of a constructor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A size or a count.
    Int,
    /// Another number.
    Float,
    /// A module.
    Module,
}

/// An argument of a constructor.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The number of a use that is passed for it.
    slot: usize,
}

/// A class.
#[derive(Debug)]
pub struct Class {
    /// Its name; no two are equal.
    pub name: String,
    /// What the block is for.
    pub doc: Option<String>,
    /// The constructor's arguments.
    pub params: Vec<Param>,
    /// What it does.
    pub body: Body,
    /// Its body's numbers.
    pub numbers: Vec<Expr>,
}

impl Class {
    /// Arguments that the forward pass needs, too: those of steps that are no members.
    pub fn kept(&self, member: &dyn Fn(&Layer) -> bool) -> Vec<&Param> {
        let mut used = BTreeSet::new();
        for item in &self.body.items {
            match &item.what {
                What::Op(layer) if !member(layer) => {
                    let own = &self.numbers[item.base..item.base + layer.names.len()];
                    own.iter().for_each(|expr| names_in(expr, &mut used));
                }
                _ => {}
            }
        }
        self.params.iter().filter(|param| used.contains(&param.name)).collect()
    }
}

/// Numbers of a step, by position.
pub type Numbers<'a> = &'a dyn Fn(usize) -> Expr;

/// The classes of a network, each after those that it uses; the last is the model.
#[derive(Debug)]
pub struct Classes {
    /// The classes.
    pub list: Vec<Class>,
}

/// The doc comments of a program's blocks, by name.
pub fn docs(program: &Program) -> BTreeMap<String, String> {
    let blocks = program.files().flat_map(|file| &file.items).filter_map(|item| match item {
        ast::Item::Block(block) => Some((block.name.node.clone(), block.doc.clone()?)),
        _ => None,
    });
    blocks.collect()
}

impl Classes {
    /// Finds the classes of a network. `chainable` says which ops the target can write as modules in a sequence, `reserved` which
    /// names it needs itself.
    pub fn of(
        network: &Network,
        docs: &BTreeMap<String, String>,
        chainable: &dyn Fn(&Op) -> bool,
        reserved: Reserved,
    ) -> Self {
        let tree = Tree::of(network, chainable);
        let names = words::of_classes(&tree.found, network, reserved);
        let last = tree.found.len() - 1;
        let set = names.iter().map(String::as_str).collect();
        let mut classes = Self { list: Vec::new() };
        for (i, found) in tree.found.iter().enumerate() {
            let doc = match i == last {
                true => network.doc.clone(),
                false => found.block.as_ref().and_then(|block| docs.get(block)).cloned(),
            };
            let class = classes.unify(&tree, found, Taken::new(reserved, &set, &found.body));
            classes.list.push(Class { name: names[i].clone(), doc, ..class });
        }
        classes
    }

    /// A class whose numbers are right at every use of its body.
    fn unify(&self, tree: &Tree, found: &Found, taken: Taken) -> Class {
        let column = |i: usize| -> Vec<Number> { found.uses.iter().map(|&use_| tree.uses[use_].numbers[i]).collect() };
        let first = &tree.uses[found.uses[0]];
        let own = first.numbers.len() - first.extras.len();
        let extras = distinct(first.extras.iter().cloned(), &|name| taken.holds(name, Kind::Int));
        let bases = extras.iter().enumerate().map(|(i, name)| Base { name: name.clone(), values: column(own + i) });
        let bases = bases.filter(|base| !base.values.contains(&Number::Any)).collect();
        let mut columns = Columns::of(bases, &taken);
        let slots = self.slot_names(&found.body.items, own);
        let numbers: Vec<Expr> = slots
            .iter()
            .enumerate()
            .map(|(i, slot)| slot.as_ref().map_or(Expr::Int(0), |slot| columns.expr(slot, i, column(i))))
            .collect();
        let mut params = known(first, &extras, &numbers);
        params.extend(columns.made);
        if found.uses.len() > 1 {
            return Class { name: String::new(), doc: None, params, body: found.body.clone(), numbers };
        }
        // What is used once makes its modules itself.
        let fixed = |(i, expr): (usize, Expr)| match first.numbers[i] {
            Number::Module(inner) => self.make(tree, inner),
            _ => expr,
        };
        let numbers = numbers.into_iter().enumerate().map(fixed).collect();
        params.retain(|param| param.kind != Kind::Module);
        Class { name: String::new(), doc: None, params, body: found.body.clone(), numbers }
    }

    /// The use of a class that has been unified, as an expression of plain numbers.
    fn make(&self, tree: &Tree, use_: usize) -> Expr {
        let it = &tree.uses[use_];
        let args = self.list[it.class].params.iter().map(|param| match it.numbers[param.slot] {
            Number::Int(n) => Expr::Int(n),
            Number::Float(x) => Expr::Float(x),
            Number::Module(inner) => self.make(tree, inner),
            Number::Any => Expr::Int(0),
        });
        Expr::Make(it.class, args.collect())
    }

    /// The arguments of a use of a class, from the numbers of that use.
    pub fn args(&self, class: usize, number: Numbers) -> Vec<Expr> {
        self.list[class].params.iter().map(|param| number(param.slot)).collect()
    }
}

/// Arguments that every use knows, under these names, as far as numbers are computed from them.
fn known(first: &Use, extras: &[String], numbers: &[Expr]) -> Vec<Param> {
    let mut used = BTreeSet::new();
    numbers.iter().for_each(|expr| names_in(expr, &mut used));
    let own = first.numbers.len() - extras.len();
    let kind = |i: usize| if matches!(first.numbers[own + i], Number::Float(_)) { Kind::Float } else { Kind::Int };
    let known = extras.iter().enumerate().filter(|(_, name)| used.contains(name.as_str()));
    let mut params: Vec<Param> =
        known.map(|(i, name)| Param { name: name.clone(), kind: kind(i), slot: own + i }).collect();
    // What comes in goes first, as in PyTorch.
    params.sort_by_key(|param| !param.name.starts_with("in_"));
    params
}

/// What the numbers of a class are computed from.
struct Columns<'a> {
    /// What every use knows.
    bases: Vec<Base>,
    /// Arguments for numbers that are computed from nothing.
    made: Vec<Param>,
    /// Their names by their values from use to use.
    by_values: BTreeMap<Vec<(u8, u64)>, String>,
    /// All names that arguments have.
    names: BTreeSet<String>,
    taken: &'a Taken<'a>,
}

impl<'a> Columns<'a> {
    /// For a class of which every use knows these.
    fn of(bases: Vec<Base>, taken: &'a Taken<'a>) -> Self {
        let names = bases.iter().map(|base| base.name.clone()).collect();
        Self { bases, made: Vec::new(), by_values: BTreeMap::new(), names, taken }
    }

    /// The number of a slot, which has these values from use to use.
    fn expr(&mut self, slot: &str, i: usize, values: Vec<Number>) -> Expr {
        let plain = slot.rsplit('_').next().is_some_and(|word| WINDOWS.iter().any(|w| word.starts_with(w)));
        let known = literal(&values).or_else(|| of_bases(&values, &self.bases, plain));
        let known = known.or_else(|| half_of_base(&values, &self.bases).filter(|_| slot.ends_with("_pad")));
        let key = || values.iter().map(|number| number.key()).collect::<Vec<_>>();
        let known = known.or_else(|| self.by_values.get(&key()).cloned().map(Expr::Name));
        known.unwrap_or_else(|| {
            let name = self.argument(slot, i, &values);
            self.by_values.insert(key(), name.clone());
            Expr::Name(name)
        })
    }

    fn argument(&mut self, slot: &str, i: usize, values: &[Number]) -> String {
        let kind = match values[0] {
            Number::Module(_) => Kind::Module,
            Number::Float(_) => Kind::Float,
            _ => Kind::Int,
        };
        let name = unlike(slot, |name| self.names.contains(name) || self.taken.holds(name, kind));
        self.names.insert(name.clone());
        self.made.push(Param { name: name.clone(), kind, slot: i });
        name
    }
}

fn names_in(expr: &Expr, found: &mut BTreeSet<String>) {
    match expr {
        Expr::Name(name) => drop(found.insert(name.clone())),
        Expr::Times(a, b) | Expr::Over(a, b) | Expr::Plus(a, b) => {
            names_in(a, found);
            names_in(b, found);
        }
        Expr::Make(_, args) => args.iter().for_each(|arg| names_in(arg, found)),
        Expr::Int(_) | Expr::Float(_) => {}
    }
}

/// Names of windows and steps, which are seldom meant to be computed from widths.
const WINDOWS: [&str; 5] = ["kernel", "stride", "pad", "dilation", "factor"];

impl Classes {
    /// A name for each number of a body, should it become an argument; none for numbers that no class asks for.
    fn slot_names(&self, items: &[Item], count: usize) -> Vec<Option<String>> {
        let mut names = vec![None; count];
        for (i, item) in items.iter().enumerate() {
            let end = items.get(i + 1).map_or(count, |next| next.base);
            let label = item.label.trim_start_matches(|c: char| c.is_ascii_digit());
            let label = if label.is_empty() { format!("part{}", item.label) } else { label.to_string() };
            let params = |class: usize| self.list[class].params.iter();
            let mut enter = |slot: usize, name: &str| {
                let name = if name.is_empty() { label.clone() } else { format!("{label}_{name}") };
                names[item.base + slot] = Some(name);
            };
            match &item.what {
                What::Op(layer) => layer.names.iter().enumerate().for_each(|(slot, name)| enter(slot, name)),
                What::Chain(items) => {
                    let inner = self.slot_names(items, end - item.base);
                    inner.iter().enumerate().for_each(|(slot, name)| name.iter().for_each(|name| enter(slot, name)));
                }
                What::Use(class) => params(*class).for_each(|param| enter(param.slot, &param.name)),
                What::Run(run) => {
                    enter(0, "count");
                    for param in params(run.class) {
                        enter(1 + 2 * param.slot, &param.name);
                        enter(2 + 2 * param.slot, &format!("{}_growth", param.name));
                    }
                }
                What::Hole => enter(0, ""),
            }
        }
        names
    }
}

/// For each body whether one of its steps changes what a skip carries, or is a block whose steps do. A body comes after those
/// that it uses.
fn shrinking(found: &[Found], projected: &BTreeSet<NodeId>) -> Vec<bool> {
    let mut all: Vec<bool> = Vec::new();
    for one in found {
        let shrinks = |item: &Item| match &item.what {
            What::Chain(items) => projects(projected, items),
            What::Op(layer) => layer.key.starts_with("zero_pad"),
            What::Use(class) | What::Run(Run { class, .. }) => {
                projects(projected, &found[*class].body.items) || all.get(*class).copied().unwrap_or(false)
            }
            What::Hole => false,
        };
        let own = one.body.items.iter().any(shrinks);
        all.push(own);
    }
    all
}

/// Whether a chain is what `via project` makes.
fn projects(projected: &BTreeSet<NodeId>, items: &[Item]) -> bool {
    items.last().is_some_and(|item| matches!(&item.what, What::Op(layer) if projected.contains(&layer.node)))
}

/// The last steps of what is on the way of skips.
fn projected(network: &Network) -> BTreeSet<NodeId> {
    let graph = &network.graph;
    let carried = |skip: &SkipEdge| graph.operands(skip.merge).get(skip.source_operand).copied();
    graph.skips.iter().filter(|skip| skip.via.is_some()).filter_map(carried).collect()
}
