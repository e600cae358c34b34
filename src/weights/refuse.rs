//! Why a file of weights is not used.

use super::Result;
use super::element::Element;
use super::file::{WeightFile, unreadable};
use super::names::counted;
use super::trial::{Found, Frame, Item, Trial};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, codes};
use std::collections::{BTreeMap, BTreeSet};

/// Most keys that are listed.
const SHOWN: usize = 12;

/// Something that cannot be read stands where a parameter is wanted: `E0811`.
pub(super) fn in_place(file: &WeightFile, items: &[Item], trial: &Trial) -> Result<()> {
    let unread = |(path, found): (&&str, &Found)| {
        let item = &items[found.item];
        let words = match item.dims {
            Some(_) => (integers(path, file.tensors.get(item.at)?.element)?, ""),
            None => (words(&file.others.get(item.at)?.class), "; nothing was called"),
        };
        Some((path.to_string(), words))
    };
    let Some((path, ((what, help), end))) = trial.found.iter().find_map(unread) else { return Ok(()) };
    let message = format!("`{}` has {what} in place of the tensor `{path}`{end}", file.path().display());
    Err(Box::new(Diagnostic::new(codes::WEIGHTS_REFUSED, message).help(help)))
}

/// Bytes in place of a weight are codes of a quantised one, whose factors lie elsewhere.
fn integers(path: &str, element: Element) -> Option<(String, &'static str)> {
    let what = match element {
        Element::I8 | Element::U8 => "integers of 8 bits",
        Element::Bool => "truth values",
        Element::F64 | Element::F32 | Element::F16 | Element::Bf16 => return None,
        Element::I64 | Element::I32 | Element::I16 => return None,
    };
    let help = "use the file from before it was quantised; where they are the weights themselves, save `tensor.float()` \
                under the same name";
    (!path.ends_with("num_batches_tracked")).then(|| (what.to_string(), help))
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
        () if last.starts_with("_rebuild_tensor") => (
            format!("a negated or conjugated tensor (`{class}`)"),
            "write its numbers out: save `tensor.resolve_neg().resolve_conj()` under the same name",
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
pub(super) fn ambiguous(file: &WeightFile, network: &str, frames: &[&Frame], key: Option<&str>) -> Box<Diagnostic> {
    let words = |frame: &&Frame| match (name(frame, key), frame.added.as_str()) {
        (name, "") if name.is_empty() => "its names as they stand".to_string(),
        (name, added) if name.is_empty() => format!("its names with `{added}` before them"),
        (name, "") => format!("`{name}`"),
        (name, added) => format!("`{name}` with `{added}` before its names"),
    };
    let parts: Vec<String> = frames.iter().take(SHOWN).map(words).collect();
    let message =
        format!("`{}` fits `{network}` in {} ways: {}", file.path().display(), frames.len(), parts.join(", "));
    // Only what `--key` takes: what is read in another way than it is written has no key.
    let taken = |name: &String| file.tensors.iter().any(|tensor| tensor.name.starts_with(&format!("{name}.")));
    let keys: BTreeSet<String> = frames.iter().map(|frame| name(frame, key)).filter(taken).collect();
    let keys: Vec<String> = keys.iter().take(SHOWN).map(|key| format!("`--key {key}`")).collect();
    let added: BTreeSet<&str> = frames.iter().map(|frame| frame.added.as_str()).collect();
    let help = match (frames.iter().find(|frame| !frame.added.is_empty()), keys.is_empty()) {
        // No key tells apart what differs in where it belongs.
        (Some(frame), _) if added.len() > 1 => {
            format!("save it under the names that are meant: {}", renamed(file, frame, key))
        }
        (_, false) => format!("say which is meant: {}", keys.join(" or ")),
        (_, true) => "save the part that is meant in a file of its own".into(),
    };
    Box::new(Diagnostic::new(codes::WEIGHTS_UNFIT, message).help(help))
}

/// Python that saves what lies under a frame with the network's names.
fn renamed(file: &WeightFile, frame: &Frame, key: Option<&str>) -> String {
    let (path, added) = (file.path().display(), &frame.added);
    let whole = name(frame, key);
    let prefix = format!("{whole}.");
    let dictionary = file.tensors.iter().any(|tensor| tensor.dictionary() == prefix);
    let (keys, old) = match () {
        () if whole.is_empty() => (String::new(), "k".to_string()),
        () if dictionary => (whole.split('.').map(|key| format!("[\"{key}\"]")).collect(), "k".to_string()),
        () => (String::new(), format!("k.removeprefix(\"{prefix}\")")),
    };
    let safe = file.path().extension().is_some_and(|ending| ending == "safetensors");
    let (load, save, ending) = match safe {
        true => ("safetensors.torch.load_file", "safetensors.torch.save_file", "safetensors"),
        false => ("torch.load", "torch.save", "pth"),
    };
    let made = added.trim_end_matches('.');
    format!("{save}({{\"{added}\" + {old}: v for k, v in {load}(\"{path}\"){keys}.items()}}, \"{made}.{ending}\")")
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
    // What dictionaries lie in is a key as well.
    let outer = keys.iter().flat_map(|(name, _)| name.match_indices('.').map(|(at, _)| &name[..at]));
    let near = nearest(key.trim_end_matches('.'), keys.iter().map(|(name, _)| name.as_str()).chain(outer));
    let diagnostic = match (near, keys.first()) {
        (Some(near), _) => diagnostic.help(format!("one of its keys is meant, perhaps `--key {near}`")),
        (None, Some((most, _))) => diagnostic.help(format!("most of its tensors are under `--key {most}`")),
        (None, None) => diagnostic.help("leave out `--key`: its tensors lie in one dictionary"),
    };
    let line = listed(&keys);
    Box::new(if line.is_empty() { diagnostic } else { diagnostic.note(format!("its keys: {line}")) })
}

/// Whether all tensors are what an optimizer remembers of each parameter, by its number: `opt.state.0.exp_avg`.
pub(super) fn are_memory(items: &[Item]) -> bool {
    let memory = |name: &str| {
        let parts: Vec<&str> = name.split('.').collect();
        let of_layer = |last: &str| last == "weight" || last == "bias" || last.starts_with("running_");
        matches!(parts[..], [.., "state", number, last]
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && !of_layer(last))
    };
    let mut tensors = items.iter().filter(|item| item.dims.is_some()).peekable();
    tensors.peek().is_some() && tensors.all(|item| memory(item.name))
}

/// A file that only an optimizer wants: `E0810`.
pub(super) fn memory(file: &WeightFile) -> Box<Diagnostic> {
    let help = "save the model's tensors: torch.save(model.state_dict(), \"weights.pth\")";
    Box::new(unreadable(file.path(), "it holds an optimizer's state only, and no tensor of a network").help(help))
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

/// Dictionaries of tensors, and first parts of names that several have, with how many; the largest first.
fn keys(file: &WeightFile) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for tensor in &file.tensors {
        let part = match tensor.dictionary().strip_suffix('.') {
            Some(dict) => Some(dict),
            None => tensor.name.split_once('.').map(|(first, _)| first),
        };
        *counts.entry(part.unwrap_or_default()).or_default() += 1;
    }
    counts.retain(|name, _| !name.is_empty());
    let mut keys: Vec<(String, usize)> = counts.into_iter().map(|(name, count)| (name.to_string(), count)).collect();
    // Those of one size stay in the order of their names.
    keys.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    keys
}

/// Where nothing fits, what else the file holds.
pub(super) fn other_keys(file: &WeightFile) -> Option<String> {
    let keys = keys(file);
    let dicts = file.tensors.iter().any(|tensor| tensor.dict > 0);
    (dicts && keys.len() > 1).then(|| format!("its keys: {}; `--key NAME` reads one of them", listed(&keys)))
}

fn listed(keys: &[(String, usize)]) -> String {
    let said = |(name, count): &(String, usize)| format!("`{name}` ({})", counted(*count, "tensor"));
    let mut parts: Vec<String> = keys.iter().take(SHOWN).map(said).collect();
    if keys.len() > SHOWN {
        parts.push(format!("{} more", keys.len() - SHOWN));
    }
    parts.join(", ")
}
