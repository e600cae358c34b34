//! Why a file of weights is not used.

use super::Result;
use super::file::{WeightFile, unreadable};
use super::report::Report;
use super::trial::{Frame, Item, Trial};
use crate::base::{Diagnostic, codes};
use std::collections::BTreeMap;

/// Most keys that are listed.
const SHOWN: usize = 12;

/// Something that cannot be read stands where a parameter is wanted: `E0811`.
pub(super) fn in_place(file: &WeightFile, items: &[Item], trial: &Trial) -> Result<()> {
    let other = |item: &Item| if item.dims.is_none() { file.others.get(item.at) } else { None };
    let Some((path, other)) = trial.found.iter().find_map(|(path, f)| Some((path, other(&items[f.item])?))) else {
        return Ok(());
    };
    let file = file.path().display();
    let (what, help) = words(&other.class);
    let message = format!("`{file}` has {what} in place of the tensor `{path}`; nothing was called");
    Err(Box::new(Diagnostic::new(codes::WEIGHTS_REFUSED, message).help(help)))
}

/// What a class is, and how to save a tensor instead.
fn words(class: &str) -> (String, &'static str) {
    let last = class.rsplit('.').next().unwrap_or(class);
    let plain = "save plain tensors: torch.save({k: v.cpu() for k, v in model.state_dict().items()}, \"weights.pth\")";
    match () {
        () if last.contains("qtensor") || last.starts_with('Q') => {
            (format!("a quantised tensor (`{class}`)"), "dequantise it: save `tensor.dequantize()` under the same name")
        }
        () if last.contains("sparse") => {
            (format!("a sparse tensor (`{class}`)"), "make it dense: save `tensor.to_dense()` under the same name")
        }
        () if last.contains("meta") => (
            format!("a tensor without numbers (`{class}`)"),
            "it was saved from the `meta` device: load the real weights before saving",
        ),
        () if class.starts_with("numpy") => (
            format!("a numpy array (`{class}`)"),
            "make it a tensor: save `torch.from_numpy(array)` under the same name",
        ),
        () if !class.contains('.') && !["int", "bytes", "dict", "object"].contains(&class) => {
            (format!("numbers of type {class}"), "convert it: save `tensor.float()` under the same name")
        }
        () => (format!("`{class}`"), plain),
    }
}

/// Two parts of the file fit equally: `E0812`.
pub(super) fn ambiguous(report: &Report, first: &Frame, rivals: &[Frame], key: Option<&str>) -> Box<Diagnostic> {
    let all: Vec<&Frame> = std::iter::once(first).chain(rivals).collect();
    let words = |frame: &&Frame| match frame.added.is_empty() {
        true => format!("`{}`", name(frame, key)),
        false => format!("`{}` with `{}` before its names", name(frame, key), frame.added),
    };
    let parts: Vec<String> = all.iter().take(SHOWN).map(words).collect();
    let (file, network) = (&report.file, &report.network);
    let message = format!("`{file}` fits `{network}` in {} ways: {}", all.len(), parts.join(", "));
    let diagnostic = Diagnostic::new(codes::WEIGHTS_UNFIT, message);
    let mut keys: Vec<String> = all.iter().map(|frame| name(frame, key)).filter(|name| !name.is_empty()).collect();
    keys.dedup();
    let help = keys.iter().take(SHOWN).map(|key| format!("`--key {key}`")).collect::<Vec<_>>().join(" or ");
    Box::new(diagnostic.help(format!("say which is meant: {help}")))
}

fn name(frame: &Frame, key: Option<&str>) -> String {
    let inner = frame.taken.trim_end_matches('.');
    let parts: Vec<&str> =
        key.into_iter().map(|key| key.trim_end_matches('.')).chain((!inner.is_empty()).then_some(inner)).collect();
    parts.join(".")
}

/// There is nothing under a key: `E0812`, with the keys that there are.
pub(super) fn no_key(file: &WeightFile, key: &str) -> Box<Diagnostic> {
    let message = format!("`{}` has no tensors under the key `{key}`", file.path().display());
    let diagnostic = Diagnostic::new(codes::WEIGHTS_UNFIT, message);
    let keys = keys(file);
    let near = keys.keys().min_by_key(|name| strsim::levenshtein(name, key)).map(|name| format!("`--key {name}`"));
    let diagnostic = match near {
        Some(near) => diagnostic.help(format!("one of its keys is meant, perhaps {near}")),
        None => diagnostic.help("leave out `--key`: its tensors lie in one dictionary"),
    };
    let line = listed(&keys);
    Box::new(if line.is_empty() { diagnostic } else { diagnostic.note(format!("its keys: {line}")) })
}

/// A file without a tensor: `E0810`.
pub(super) fn no_tensors(file: &WeightFile) -> Box<Diagnostic> {
    let message = match file.keys.is_empty() {
        true => "it holds no tensor".to_string(),
        false => {
            let keys = file.keys.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            format!("it holds no tensor; its keys are {keys}")
        }
    };
    let help = "save the tensors: torch.save(model.state_dict(), \"weights.pth\")";
    Box::new(unreadable(file.path(), message).help(help))
}

/// Dictionaries of tensors, and first parts of names that several have, with how many.
fn keys(file: &WeightFile) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for tensor in &file.tensors {
        let part = match tensor.dictionary().strip_suffix('.') {
            Some(dict) => Some(dict),
            None => tensor.name.split_once('.').map(|(first, _)| first),
        };
        *counts.entry(part.unwrap_or_default().to_string()).or_default() += 1;
    }
    counts.retain(|name, _| !name.is_empty());
    counts
}

/// Where nothing fits, what else the file holds.
pub(super) fn other_keys(file: &WeightFile) -> Option<String> {
    let keys = keys(file);
    let dicts = file.tensors.iter().any(|tensor| tensor.dict > 0);
    (dicts && keys.len() > 1).then(|| format!("its keys: {}; `--key NAME` reads one of them", listed(&keys)))
}

fn listed(keys: &BTreeMap<String, usize>) -> String {
    let mut parts: Vec<String> =
        keys.iter().take(SHOWN).map(|(name, count)| format!("`{name}` ({count} tensors)")).collect();
    if keys.len() > SHOWN {
        parts.push(format!("{} more", keys.len() - SHOWN));
    }
    parts.join(", ")
}
