//! Labels for the values that `from` goes back to.

use super::net::Net;
use super::tree::{Statement, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Labels what has to be named; gives each node's path. The last value of a group is named by the group, a merge by an empty
/// group behind it.
pub fn give(
    net: &Net,
    inputs: &[String],
    lines: &mut Vec<Statement>,
    named: &BTreeSet<usize>,
) -> BTreeMap<usize, String> {
    let mut taken: BTreeSet<String> = inputs.iter().cloned().collect();
    labels(lines, &mut taken);
    let mut namer = Namer { net, named, taken, numbers: BTreeMap::new(), paths: BTreeMap::new() };
    namer.paths.extend(net.inputs.iter().zip(inputs).map(|((_, id), name)| (*id, name.clone())));
    namer.body(lines, "");
    namer.paths
}

/// Every label of lines, however deep.
fn labels(lines: &[Statement], out: &mut BTreeSet<String>) {
    for line in lines {
        out.extend(line.label.clone());
        inner(&line.step, &mut |body| labels(body, out));
    }
}

fn inner(step: &Step, f: &mut dyn FnMut(&[Statement])) {
    match step {
        Step::Group(body) => f(body),
        Step::Parallel(_, paths) => paths.iter().for_each(|path| f(path)),
        Step::Skip(skip) => {
            skip.body.iter().for_each(|body| f(body));
            f(&skip.via);
            f(&skip.by);
        }
        _ => {}
    }
}

/// The node whose value lines end with.
fn end(lines: &[Statement]) -> Option<usize> {
    match &lines.last()?.step {
        Step::Layer(id, ..) | Step::Parallel(id, _) | Step::From(id) => Some(*id),
        Step::Skip(skip) => Some(skip.node),
        Step::Group(body) => end(body),
        _ => None,
    }
}

struct Namer<'n> {
    net: &'n Net,
    named: &'n BTreeSet<usize>,
    taken: BTreeSet<String>,
    /// The last number that a layer of each kind was given.
    numbers: BTreeMap<&'static str, usize>,
    paths: BTreeMap<usize, String>,
}

impl Namer<'_> {
    fn open(&self, id: usize) -> bool {
        self.named.contains(&id) && !self.paths.contains_key(&id)
    }

    fn unique(&mut self, id: usize) -> String {
        let kind = self.net.nodes[id].op.layer().kind();
        let last = self.numbers.entry(kind).or_default();
        loop {
            *last += 1;
            let label = format!("{kind}_{last}");
            if self.taken.insert(label.clone()) {
                return label;
            }
        }
    }

    fn body(&mut self, lines: &mut Vec<Statement>, prefix: &str) {
        let mut at = 0;
        while at < lines.len() {
            let line = &mut lines[at];
            let label = line.label.clone();
            match &mut line.step {
                Step::Layer(id, ..) if self.open(*id) => {
                    let id = *id;
                    let label = label.unwrap_or_else(|| self.unique(id));
                    self.paths.insert(id, format!("{prefix}{label}"));
                    line.label = Some(label);
                }
                Step::Group(body) => {
                    let path = label.map_or(prefix.to_string(), |label| {
                        if let Some(end) = end(body).filter(|&end| self.open(end)) {
                            self.paths.insert(end, format!("{prefix}{label}"));
                        }
                        format!("{prefix}{label}.")
                    });
                    self.body(body, &path);
                }
                Step::Parallel(_, paths) => paths.iter_mut().for_each(|path| self.body(path, prefix)),
                Step::Skip(skip) => {
                    skip.body.iter_mut().for_each(|body| self.body(body, prefix));
                    if skip.project.is_none() {
                        self.body(&mut skip.via, prefix);
                    }
                    self.body(&mut skip.by, prefix);
                }
                _ => {}
            }
            if let Some(label) = self.behind(&lines[at], prefix) {
                at += 1;
                lines.insert(at, label);
            }
            at += 1;
        }
    }

    /// The empty group that names the merge before it, where that has to be named.
    fn behind(&mut self, line: &Statement, prefix: &str) -> Option<Statement> {
        let merges = matches!(line.step, Step::Skip(_) | Step::Parallel(..));
        let id = end(std::slice::from_ref(line)).filter(|&id| merges && self.open(id))?;
        let label = self.unique(id);
        self.paths.insert(id, format!("{prefix}{label}"));
        Some(Statement { label: Some(label), step: Step::Group(Vec::new()) })
    }
}
