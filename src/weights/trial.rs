//! One way to read a file's names: a prefix that is taken off, a prefix that is put before, and how well the names fit then.

use super::file::WeightFile;
use super::load::Wanted;
use super::names::{MAX_NAME, Rewrite, Spelling};
use crate::ops::ParamSpec;
use std::collections::{BTreeMap, BTreeSet};

/// What is taken off the front of a file's names, and what is put before them then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Frame {
    /// Taken off; with the dot at its end.
    pub taken: String,
    /// Put before; with the dot at its end.
    pub added: String,
    /// Where some names are without the prefix, what is taken off the front of those: the path of a dictionary, or nothing.
    pub others: Option<String>,
}

/// Something in the file: a tensor, or another value where one could stand.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// The file's name of it.
    pub name: &'a str,
    /// How much of it is the path of its dictionary.
    pub dict: usize,
    /// Its sizes, where it is a tensor.
    pub dims: Option<&'a [usize]>,
    /// Its place among the file's tensors, or else among its other values.
    pub at: usize,
    /// How its name can be read.
    pub spellings: Vec<Spelling>,
}

/// Where a parameter is found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// The item.
    pub item: usize,
    /// How its name was read.
    pub rewrites: Vec<Rewrite>,
}

/// The parameters of a network, by path.
pub(super) type Specs<'a> = BTreeMap<&'a str, &'a ParamSpec>;

/// A frame, tried.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    pub frame: Frame,
    /// Where each parameter is found.
    pub found: BTreeMap<&'a str, Found>,
    /// Items under the prefix, in dictionaries of which others were found or in their neighbours, that the network has no
    /// place for.
    pub strange: Vec<usize>,
    /// Items of these dictionaries that do not lie under the prefix.
    pub beside: Vec<usize>,
    /// Parameters that are found with their sizes.
    pub fitting: usize,
    /// Those found whose names are read as they stand.
    exact: usize,
}

/// Every item of a file whose name is not longer than names are.
pub(super) fn items(file: &WeightFile) -> Vec<Item<'_>> {
    let item = |(at, name, dict, dims)| Item { name, dict, dims, at, spellings: super::names::spellings(name) };
    let tensors = file.tensors.iter().enumerate().map(|(i, t)| (i, t.name.as_str(), t.dict, Some(t.dims.as_slice())));
    let others = file.others.iter().enumerate().map(|(i, o)| (i, o.name.as_str(), o.dict, None));
    tensors.chain(others).filter(|(_, name, ..)| name.len() <= MAX_NAME).map(item).collect()
}

/// A network's parameters, by path.
pub(super) fn specs(wanted: &Wanted) -> Specs<'_> {
    wanted.params.iter().map(|(path, spec)| (path.as_str(), spec)).collect()
}

impl<'a> Trial<'a> {
    /// Tries a frame on the items of a file.
    pub fn new(frame: Frame, items: &[Item], specs: &Specs<'a>) -> Self {
        let mut found: BTreeMap<&str, Found> = BTreeMap::new();
        let mut placed = BTreeSet::new();
        // Names that fit as they stand come before those that are read in another way.
        let depth = items.iter().map(|item| item.spellings.len()).max().unwrap_or(0);
        for turn in 0..depth {
            for (i, item) in items.iter().enumerate() {
                let Some(spelling) = item.spellings.get(turn).filter(|_| !placed.contains(&i)) else { continue };
                let Some(path) = frame.found(&spelling.text, specs) else { continue };
                if !found.contains_key(path) {
                    found.insert(path, Found { item: i, rewrites: spelling.rewrites.clone() });
                    placed.insert(i);
                }
            }
        }
        let mut trial = Self { frame, found, strange: Vec::new(), beside: Vec::new(), fitting: 0, exact: 0 };
        trial.count(items, specs, &placed);
        trial
    }

    fn count(&mut self, items: &[Item], specs: &Specs, placed: &BTreeSet<usize>) {
        // Where names without the prefix are read, too, all of the dictionary lies under what is read.
        let prefix = self.frame.others.as_ref().unwrap_or(&self.frame.taken);
        let around = Surroundings::of(placed.iter().map(|&i| items[i].dictionary()));
        for (i, item) in items.iter().enumerate().filter(|(i, _)| !placed.contains(i)) {
            if around.hold(item.dictionary()) {
                let under = item.spellings.iter().any(|s| s.text.starts_with(prefix.as_str()));
                if under { self.strange.push(i) } else { self.beside.push(i) }
            }
        }
        let fits = |(path, found): &(&&str, &Found)| items[found.item].dims == specs.get(**path).map(|s| &s.dims[..]);
        self.fitting = self.found.iter().filter(fits).count();
        self.exact = self.found.values().filter(|found| found.rewrites.is_empty()).count();
    }

    /// How well it fits; more is better.
    pub fn score(&self) -> (usize, usize) {
        (self.fitting, self.found.len())
    }

    /// Whether it is more than a coincidence: half of what lies under the prefix, or half of what is wanted, is found.
    pub fn plausible(&self, wanted: usize) -> bool {
        self.fitting * 2 >= wanted.min(self.found.len() + self.strange.len())
    }

    /// Whether every tensor of the file and every parameter has its place: `optional` are those that may be absent.
    pub fn complete(&self, items: &[Item], specs: &Specs, optional: impl Fn(&str) -> bool) -> bool {
        let absent = |(path, spec): (&&str, &&ParamSpec)| !self.found.contains_key(*path) && !optional(spec.name);
        let passed = |&i: &usize| items[i].dims.is_none() || items[i].is_note();
        self.fitting == self.found.len() && !specs.iter().any(absent) && self.strange.iter().all(passed)
    }

    /// Whether it gives every parameter the same numbers as another.
    pub fn alike(&self, other: &Self, same: impl Fn(usize, usize) -> bool) -> bool {
        self.found
            .iter()
            .all(|(path, a)| other.found.get(path).is_some_and(|b| a.item == b.item || same(a.item, b.item)))
    }

    /// Whether all that is found is called in the file as the prefix and the network's path say, with nothing rewritten.
    pub fn stands(&self) -> bool {
        self.exact == self.found.len()
    }

    /// Of those that fit alike, the simplest is the least: few words are needed to say how the names were read.
    pub fn simplicity(&self) -> (std::cmp::Reverse<usize>, usize, usize, &Frame) {
        let Frame { taken, added, .. } = &self.frame;
        (std::cmp::Reverse(self.exact), added.len(), taken.len(), &self.frame)
    }
}

/// The dictionaries in which something was found, and their neighbours: those as deep below the path that all of them share.
/// So a layer of its own dictionary that the network lacks is seen, and an optimizer's memory, which lies deeper, is not.
struct Surroundings<'n> {
    shared: &'n str,
    depths: BTreeSet<usize>,
}

impl<'n> Surroundings<'n> {
    fn of(dicts: impl Iterator<Item = &'n str>) -> Self {
        let dicts: BTreeSet<&str> = dicts.collect();
        let (first, last) = (dicts.first().copied().unwrap_or_default(), dicts.last().copied().unwrap_or_default());
        // In order, what the first and the last begin with is what all begin with.
        let same = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        let end = first.as_bytes()[..same].iter().rposition(|&byte| byte == b'.').map_or(0, |at| at + 1);
        let depths = dicts.iter().map(|dict| depth(dict)).collect();
        Self { shared: &first[..end], depths }
    }

    fn hold(&self, dict: &str) -> bool {
        dict.starts_with(self.shared) && self.depths.contains(&depth(dict))
    }
}

/// How many keys a dictionary's path has.
fn depth(dict: &str) -> usize {
    dict.matches('.').count()
}

impl Item<'_> {
    /// The path of its dictionary.
    pub fn dictionary(&self) -> &str {
        &self.name[..self.dict]
    }
}

impl Frame {
    /// The parameter that a name is of.
    fn found<'s>(&self, name: &str, specs: &Specs<'s>) -> Option<&'s str> {
        let known = |path: &str| specs.get_key_value(path).map(|(path, _)| *path);
        let own = self.path(name).and_then(|path| known(&path));
        own.or_else(|| known(name.strip_prefix(self.others.as_deref()?)?))
    }

    /// A name as the network has it, where it lies under the prefix.
    pub fn path(&self, name: &str) -> Option<String> {
        Some(format!("{}{}", self.added, name.strip_prefix(self.taken.as_str())?))
    }
}

#[cfg(test)]
mod tests {
    use super::Surroundings;

    #[test]
    fn dictionaries_as_deep_as_those_that_are_read_are_neighbours() {
        let near = |read: &[&str], dict: &str| Surroundings::of(read.iter().copied()).hold(dict);
        let layers = ["conv.", "bn.", "fc."];
        assert!(near(&layers, "gate.") && near(&layers, "conv."));
        assert!(!near(&layers, "optimizer.state.0.") && !near(&layers, ""));
        let deep = ["net.conv1.", "net.conv2."];
        assert!(near(&deep, "net.gate.") && !near(&deep, "other.gate.") && !near(&deep, "net."));
        assert!(!near(&["state_dict."], "optimizer.") && !near(&[""], "optimizer.") && !near(&[], ""));
    }
}
