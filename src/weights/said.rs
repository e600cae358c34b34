//! How a file's names were read, in words.

use super::file::WeightFile;
use super::names::{MAX_NAME, Rewrite, Spelling, counted, wrapper};
use super::trial::{Found, Frame, Item, Trial};
use std::collections::BTreeMap;

/// Most things that are named of those passed over.
const SHOWN: usize = 6;

/// Words of names under which training scripts keep a number beside the tensors.
const NOTED: [&str; 9] = ["best", "acc", "loss", "epoch", "step", "lr", "score", "averaged", "updates"];

/// Last parts of buffers that tools leave in modules, which no layer reads: thop's counts, and counters of norms.
const LEFT: [&str; 3] = ["total_ops", "total_params", "num_batches_tracked"];

impl Item<'_> {
    /// Its name without the prefix that is taken off.
    pub fn shown(&self, frame: &Frame) -> &str {
        self.name.strip_prefix(frame.taken.as_str()).unwrap_or(self.name)
    }

    /// Whether it is a note of the one who saved it, and no number of a layer.
    pub fn is_note(&self) -> bool {
        let Some(dims) = self.dims else { return false };
        let name = &self.name[self.dict..];
        let last = name.rsplit('.').next().unwrap_or(name);
        if LEFT.contains(&last) {
            return true;
        }
        let word = |part: &str| NOTED.contains(&part.trim_end_matches(|c: char| c.is_ascii_digit()));
        if dims.len() == 1 && name.split(|c: char| !c.is_alphanumeric()).any(|part| part == "rng") {
            return true;
        }
        let single = matches!(dims[..], [] | [0 | 1]);
        single && !name.contains('.') && name.split(|c: char| !c.is_alphanumeric()).any(word)
    }
}

/// What was chosen and passed over.
pub(super) fn notes(items: &[Item], trial: &Trial, passed: &[usize], key: Option<&str>) -> Vec<String> {
    let Frame { taken, added, others } = &trial.frame;
    let container = container(items, trial);
    let prefix = &taken[container.len()..];
    let mut notes = Vec::new();
    let keys: Vec<&str> = key.iter().map(|key| key.trim_end_matches('.')).chain(container.strip_suffix('.')).collect();
    if !keys.is_empty() {
        notes.push(format!("the tensors are those under its key `{}`", keys.join(".")));
    }
    match (others, wrapper(prefix)) {
        (Some(_), _) => notes.push(partly(items, trial, prefix)),
        (None, Some(who)) => notes.push(format!("`{prefix}`, which {who} puts before every key, was taken off")),
        (None, None) if !prefix.is_empty() => notes.push(format!("`{prefix}` was taken off the front of their names")),
        (None, None) => {}
    }
    if !added.is_empty() && others.is_none() {
        notes.push(format!("`{added}` was put before their names"));
    }
    notes.extend(rewritten(items, trial));
    notes.extend(passed_over(items, passed, container));
    notes
}

/// That only some names have the prefix, or lack it.
fn partly(items: &[Item], trial: &Trial, prefix: &str) -> String {
    let Frame { added, .. } = &trial.frame;
    let framed = |path: &str, spelling: &Spelling| trial.frame.path(&spelling.text).as_deref() == Some(path);
    let own = |(path, found): &(&&str, &Found)| items[found.item].spellings.iter().any(|s| framed(path, s));
    let count = trial.found.iter().filter(own).count();
    let what = match (prefix, added.as_str()) {
        (prefix, "") => format!("`{prefix}` was taken off the front of"),
        ("", added) => format!("`{added}` was put before"),
        (prefix, added) => format!("`{prefix}` was taken off, and `{added}` put before,"),
    };
    format!("{what} {count} of the {} names; the others fit as they stand", trial.found.len())
}

/// That names were too long to be read.
pub(super) fn too_long(file: &WeightFile) -> Option<String> {
    let count = file.tensors.iter().filter(|tensor| tensor.name.len() > MAX_NAME).count();
    (count > 0).then(|| format!("passed over: {} with a name of more than {MAX_NAME} bytes", counted(count, "tensor")))
}

/// The part of the prefix that is the path of a dictionary around all that was found.
fn container<'a>(items: &[Item], trial: &'a Trial) -> &'a str {
    let taken = trial.frame.taken.as_str();
    let inside = |at: usize| trial.found.values().all(|found| items[found.item].dictionary().starts_with(&taken[..at]));
    let ends = taken.match_indices('.').map(|(at, _)| at + 1).filter(|&at| inside(at));
    match trial.found.is_empty() {
        true => taken,
        false => &taken[..ends.max().unwrap_or(0)],
    }
}

fn rewritten(items: &[Item], trial: &Trial) -> impl Iterator<Item = String> {
    Rewrite::ALL.into_iter().filter_map(|rewrite| {
        let mut read = trial.found.values().filter(|found| found.rewrites.contains(&rewrite)).peekable();
        let example = items[read.peek()?.item].name;
        Some(rewrite.words(example, read.count()))
    })
}

fn passed_over(items: &[Item], passed: &[usize], container: &str) -> Option<String> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for &i in passed {
        let name = items[i].name.strip_prefix(container).unwrap_or(items[i].name);
        let group = match name.split_once('.') {
            Some((first, _)) if !items[i].is_note() => format!("{first}."),
            _ => name.to_string(),
        };
        *groups.entry(group).or_default() += 1;
    }
    let said = |(group, count): (&String, &usize)| match group.ends_with('.') {
        true => format!("`{group}` ({})", counted(*count, "tensor")),
        false => format!("`{group}`"),
    };
    let mut parts: Vec<String> = groups.iter().take(SHOWN).map(said).collect();
    if groups.len() > SHOWN {
        parts.push(format!("{} more", groups.len() - SHOWN));
    }
    (!parts.is_empty()).then(|| format!("passed over beside them: {}", parts.join(", ")))
}
