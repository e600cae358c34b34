//! Names that a target can have: not its own words, and no two things by one name.

use super::tree::Found;
use super::{Body, Kind, What, projected, shrinking};
use crate::elaborate::Network;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Which words the target keeps for itself: its keywords, and what the file it writes needs.
pub type Reserved<'a> = &'a dyn Fn(&str) -> bool;

/// The names of classes, each after those of the list; the last is the model's.
pub(super) fn of_classes(found: &[Found], network: &Network, reserved: Reserved) -> Vec<String> {
    let last = found.len() - 1;
    let own = &network.name;
    let model = match private(own) {
        true => unlike(&format!("Model{}", own.trim_start_matches('_')), reserved),
        false if reserved(own) => unlike(&format!("{own}Net"), reserved),
        false => own.clone(),
    };
    let mut names = Names::new(found, network, &model);
    (0..last).map(|i| names.free(i, reserved)).chain([model.clone()]).collect()
}

/// Whether Python changes a name within a class, or no class can have it.
fn private(name: &str) -> bool {
    name == "_" || name.starts_with("__")
}

/// Names of blocks' classes, none of them twice.
struct Names<'f> {
    found: &'f [Found],
    /// Which bodies change what skips carry, where it is fitted to what they meet.
    shrinking: Vec<bool>,
    taken: BTreeSet<String>,
    /// How many bodies have a name, and how many were given it.
    variants: BTreeMap<&'f str, usize>,
    counts: BTreeMap<String, usize>,
}

impl<'f> Names<'f> {
    fn new(found: &'f [Found], network: &'f Network, model: &str) -> Self {
        let mut variants: BTreeMap<&str, usize> = BTreeMap::new();
        found.iter().for_each(|one| *variants.entry(&one.name).or_default() += 1);
        let (taken, shrinking) = (BTreeSet::from([model.to_string()]), shrinking(found, &projected(network)));
        Self { found, shrinking, taken, variants, counts: BTreeMap::new() }
    }

    /// A name that is not taken: the block's own, with what sets this body apart.
    fn free(&mut self, at: usize, reserved: Reserved) -> String {
        let one = &self.found[at];
        let own =
            if private(&one.name) { format!("Block{}", one.name.trim_start_matches('_')) } else { one.name.clone() };
        let several = self.variants.get(one.name.as_str()).is_some_and(|&count| count > 1);
        let down = several && self.shrinking[at];
        let base = format!("{own}{}", if down { "Down" } else { "" });
        let count = self.counts.entry(base.clone()).or_default();
        loop {
            *count += 1;
            let name = if *count == 1 { base.clone() } else { format!("{base}{count}") };
            if !reserved(&name) && self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// A name with as many underscores as it needs to be free.
pub fn unlike(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut name = name.to_string();
    while taken(&name) {
        name.push('_');
    }
    name
}

/// The names of several things in order, no two of them equal.
pub fn distinct(names: impl IntoIterator<Item = String>, taken: Reserved) -> Vec<String> {
    let (mut list, mut found) = (Vec::new(), BTreeSet::new());
    for name in names {
        let name = unlike(&name, |name| taken(name) || found.contains(name));
        found.insert(name.clone());
        list.push(name);
    }
    list
}

/// What arguments of a class's constructor are not called: words of the target, classes, and, for what the class keeps, its
/// members.
pub(super) struct Taken<'a> {
    reserved: Reserved<'a>,
    classes: &'a BTreeSet<&'a str>,
    /// Labels, and the counts of runs.
    members: BTreeSet<Cow<'a, str>>,
}

impl<'a> Taken<'a> {
    pub fn new(reserved: Reserved<'a>, classes: &'a BTreeSet<&'a str>, body: &'a Body) -> Self {
        let labels = body.items.iter().map(|item| Cow::from(&item.label));
        let counts = body.items.iter().filter_map(|item| match &item.what {
            What::Run(run) => Some(Cow::from(format!("{}_count", run.prefix))),
            What::Op(_) | What::Use(_) | What::Chain(_) | What::Hole => None,
        });
        Self { reserved, classes, members: labels.chain(counts).collect() }
    }

    /// Whether an argument cannot have a name.
    pub fn holds(&self, name: &str, kind: Kind) -> bool {
        // A module is the member of its name.
        let member = || kind != Kind::Module && self.members.contains(name);
        (self.reserved)(name) || self.classes.contains(name) || member()
    }
}
