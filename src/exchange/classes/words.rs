//! Names that a target can have: not its own words, and no two things by one name.

use super::tree::Found;
use super::{Body, Kind, What, shrinks};
use crate::elaborate::Network;
use std::collections::BTreeSet;

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
    let mut taken = BTreeSet::from([model.clone()]);
    let block = |i: usize| {
        let name = free(found, i, network, &|name| taken.contains(name) || reserved(name));
        taken.insert(name.clone());
        name
    };
    (0..last).map(block).chain([model.clone()]).collect()
}

/// Whether Python changes a name within a class, or no class can have it.
fn private(name: &str) -> bool {
    name == "_" || name.starts_with("__")
}

/// A name that is not taken: the block's own, with what sets this body apart.
fn free(found: &[Found], at: usize, network: &Network, taken: Reserved) -> String {
    let own = &found[at].name;
    let base = if private(own) { format!("Block{}", own.trim_start_matches('_')) } else { own.clone() };
    let variants = found.iter().filter(|other| other.name == *own).count();
    let suffix =
        if variants > 1 && found[at].body.items.iter().any(|item| shrinks(found, item, network)) { "Down" } else { "" };
    let numbered = (2..).map(|count| format!("{base}{suffix}{count}"));
    let names = std::iter::once(format!("{base}{suffix}")).chain(numbered);
    names.into_iter().find(|name| !taken(name)).unwrap_or_default()
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
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let name = unlike(&name, |name| taken(name) || found.iter().any(|other| other == name));
        found.push(name);
    }
    found
}

/// What arguments of a class's constructor are not called: words of the target, classes, and, for what the class keeps, its
/// members.
pub(super) struct Taken<'a> {
    pub reserved: Reserved<'a>,
    pub classes: &'a [String],
    pub body: &'a Body,
}

impl Taken<'_> {
    /// Whether an argument cannot have a name.
    pub fn holds(&self, name: &str, kind: Kind) -> bool {
        let member = || self.body.items.iter().any(|item| item.label == name || counted(&item.what, name));
        // A module is the member of its name.
        (self.reserved)(name) || self.classes.iter().any(|class| class == name) || (kind != Kind::Module && member())
    }
}

/// Whether a name is that of a run's count.
fn counted(what: &What, name: &str) -> bool {
    matches!(what, What::Run(run) if name.strip_suffix("_count") == Some(run.prefix.as_str()))
}
