//! Which arrays of a file are which part's: `x` and `y`, and the same with a part's name behind.

use super::arrays::ending;
use super::error::{DataError, Result};
use super::parts::{Role, role};
use crate::base::nearest::nearest;
use crate::base::{Fault, codes};
use std::collections::BTreeMap;
use std::path::Path;

/// Names that are listed of many.
const LISTED: usize = 8;

/// Inputs and targets by their names.
pub type Pair = (String, String);

/// The arrays of each part.
#[derive(Debug, PartialEq, Eq)]
pub struct Names {
    /// To learn from: `x` and `y`, or `x_train` and `y_train`.
    pub train: Pair,
    /// To choose on: `x_val`, `x_valid`, `x_validation`.
    pub val: Option<Pair>,
    /// To measure on: `x_test`.
    pub test: Option<Pair>,
    /// What no name says how to read.
    pub others: Vec<String>,
}

impl Names {
    /// That arrays were passed over, where some were.
    pub fn warning(&self, path: &Path) -> Option<Fault> {
        let (arrays, are) = if self.others.len() == 1 { ("array", "is") } else { ("arrays", "are") };
        let list = quoted(&self.others);
        let fact = format!(
            "{} {arrays} of `{}` {are} no part's, and {are} not read: {list}",
            self.others.len(),
            path.display()
        );
        let help = "parts are `x` and `y`, `x_val` and `y_val`, `x_test` and `y_test`";
        (!self.others.is_empty()).then(|| Fault::new(codes::DATA_OTHER_FILES, fact).help(help))
    }
}

/// Finds the arrays of each part among these names.
///
/// # Errors
/// [`DataError::Meant`] for inputs without targets, targets without inputs, and two pairs for one part, or where other names say
/// which arrays are meant; [`DataError::Layout`] where there is nothing to learn from.
pub fn names(path: &Path, all: &[String]) -> Result<Names> {
    let (mut pairs, mut others) = (BTreeMap::new(), Vec::new());
    for name in all {
        match placed(name) {
            Some((role, suffix)) => _ = pairs.insert(suffix, role),
            None => others.push(name.clone()),
        }
    }
    let (mut train, mut val, mut test) = (None, None, None);
    for (suffix, role) in pairs {
        let pair = (format!("x{suffix}"), format!("y{suffix}"));
        let (x, y) = (&pair.0, &pair.1);
        for (there, missing) in [(x, y), (y, x)] {
            if !all.contains(missing) {
                return Err(half(path, role, [there, missing], &others));
            }
        }
        let slot = match role {
            Role::Train => &mut train,
            Role::Val => &mut val,
            Role::Test => &mut test,
        };
        if let Some((other, _)) = slot.replace(pair.clone()) {
            let found = format!("`{other}` and `{x}` are both named for the same part");
            let help = changed(path, &format!("d.pop('{x}'); d.pop('{y}')"));
            return Err(DataError::Meant { path: path.display().to_string(), found, help });
        }
    }
    let train = train.ok_or_else(|| {
        let found = format!("it has no arrays `x` and `y`, but {}", quoted(all));
        let (help, path) = (renamed(path, all), path.display().to_string());
        match help {
            Some(help) => DataError::Meant { path, found, help },
            None => DataError::Layout { path, found, near: None },
        }
    })?;
    Ok(Names { train, val, test, others })
}

/// The part that a name is for, and what stands behind its `x` or `y`.
fn placed(name: &str) -> Option<(Role, &str)> {
    let suffix = name.strip_prefix('x').or_else(|| name.strip_prefix('y'))?;
    match suffix.strip_prefix('_') {
        None => suffix.is_empty().then_some((Role::Train, suffix)),
        Some(part) => Some((role(part)?, suffix)),
    }
}

/// Inputs without targets, or the other way round; one of the arrays that have no place may be meant.
fn half(path: &Path, role: Role, [there, missing]: [&str; 2], others: &[String]) -> DataError {
    let found = format!("it has `{there}`, and no `{missing}`");
    let near = nearest(missing, others.iter().map(String::as_str));
    let help = match (near, role) {
        (Some(near), _) => {
            format!("is it `{near}`? In Python:  {}", changed(path, &format!("d['{missing}'] = d.pop('{near}')")))
        }
        (None, Role::Train) => format!("inputs are `x`, and their targets `y`: add `{missing}`"),
        (None, Role::Val | Role::Test) => {
            let change = changed(path, &format!("d.pop('{there}')"));
            format!("add `{missing}`, or take `{there}` out. In Python:  {change}")
        }
    };
    DataError::Meant { path: path.display().to_string(), found, help }
}

/// A line of Python that changes the arrays of a file.
pub fn changed(path: &Path, change: &str) -> String {
    let name = format!("'{}'", path.display().to_string().replace('\\', "\\\\").replace('\'', "\\'"));
    match ending(path).as_str() {
        "safetensors" => format!(
            "from safetensors.numpy import load_file, save_file; d = load_file({name}); {change}; save_file(d, {name})"
        ),
        _ => format!("d = dict(np.load({name})); {change}; np.savez({name}, **d)"),
    }
}

/// What inputs and targets are called elsewhere.
const INPUTS: [&str; 10] = ["images", "image", "imgs", "data", "inputs", "input", "features", "samples", "x", "arr_0"];
const TARGETS: [&str; 11] =
    ["labels", "label", "targets", "target", "classes", "outputs", "output", "masks", "mask", "y", "arr_1"];

/// A line of Python that saves arrays by the names that are read, where some of them are inputs and targets by their names, or there
/// are two.
fn renamed(path: &Path, all: &[String]) -> Option<String> {
    let mut pairs = Vec::new();
    for (part, suffix) in [("", ""), ("train", ""), ("val", "_val"), ("valid", "_val"), ("test", "_test")] {
        let find = |words: &[&str]| {
            words.iter().find_map(|word| all.iter().find(|name| bare(name, part).as_deref() == Some(*word)))
        };
        if let (Some(x), Some(y)) = (find(&INPUTS), find(&TARGETS)) {
            pairs.extend([(format!("x{suffix}"), x), (format!("y{suffix}"), y)]);
        }
    }
    let learnt = pairs.iter().any(|(name, _)| name == "x");
    let (pairs, sure) = match (all, learnt) {
        (_, true) => (pairs, ""),
        ([a, b], false) => (vec![("x".to_string(), a), ("y".to_string(), b)], ", with the inputs as x"),
        _ => return None,
    };
    Some(format!("give them those names{sure}. In Python:  {}", saved(path, &pairs)))
}

/// A name in lower case without that of a part: `images` of `train_images` and `imagesTrain`. `None` where it has another.
fn bare(name: &str, part: &str) -> Option<String> {
    let name = name.to_lowercase();
    if part.is_empty() {
        return Some(name);
    }
    let rest = name.strip_prefix(part).or_else(|| name.strip_suffix(part))?;
    Some(rest.trim_matches(['_', '-', '.']).to_string())
}

/// A line of Python that saves some arrays of a file by other names, in another file beside it.
fn saved(path: &Path, pairs: &[(String, &String)]) -> String {
    let ending = ending(path);
    let text = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let file = |path: &Path| text(&path.display().to_string());
    let named = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let other = path.with_file_name(format!("{named}-xy.{ending}"));
    let (from, to) = (file(path), file(&other));
    let list = |one: &dyn Fn(&str, String) -> String| {
        pairs.iter().map(|(name, old)| one(name, text(old))).collect::<Vec<_>>().join(", ")
    };
    match ending.as_str() {
        "safetensors" => format!(
            "from safetensors.numpy import load_file, save_file; d = load_file({from}); save_file({{{}}}, {to})",
            list(&|name, old| format!("'{name}': d[{old}]"))
        ),
        _ => format!("d = np.load({from}); np.savez({to}, {})", list(&|name, old| format!("{name}=d[{old}]"))),
    }
}

/// `` `a`, `b` and 3 more ``, or "nothing".
fn quoted(names: &[String]) -> String {
    let list: Vec<String> = names.iter().take(LISTED).map(|n| format!("`{n}`")).collect();
    match (list.is_empty(), names.len().saturating_sub(LISTED)) {
        (true, _) => "nothing".into(),
        (false, 0) => list.join(", "),
        (false, more) => format!("{} and {more} more", list.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: &[&str]) -> Result<Names> {
        names(Path::new("d.npz"), &all.iter().map(|name| name.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn parts_have_the_names_that_folders_have() {
        let pair = |suffix: &str| (format!("x{suffix}"), format!("y{suffix}"));
        for part in ["val", "valid", "validation"] {
            let (x, y) = pair(&format!("_{part}"));
            let found = of(&["x", "x_test", &x, "y", "y_test", &y, "z"]).unwrap();
            let want =
                Names { train: pair(""), val: Some((x, y)), test: Some(pair("_test")), others: vec!["z".into()] };
            assert_eq!(found, want);
        }
        assert_eq!(of(&["x_train", "y_train"]).unwrap().train, pair("_train"));
        assert_eq!(placed("x_of"), None);
        assert_eq!(placed("xs"), None);
    }

    #[test]
    fn what_stands_alone_or_twice_is_refused_with_what_to_write() {
        let refused = |all: &[&str]| {
            let error = of(all).unwrap_err();
            format!("{error} {}", error.fault().help.clone().map(String::from).unwrap_or_default())
        };
        let said = refused(&["x", "y", "x_test", "ytest"]);
        assert!(
            said.contains("it has `x_test`, and no `y_test`") && said.contains("d['y_test'] = d.pop('ytest')"),
            "{said}"
        );
        let said = refused(&["x", "y", "y_val"]);
        assert!(said.contains("it has `y_val`, and no `x_val`") && said.contains("d.pop('y_val')"), "{said}");
        assert!(refused(&["x", "x_train", "y", "y_train"]).contains("both named for the same part"));
        assert!(refused(&["a", "b"]).contains("it has no arrays `x` and `y`, but `a`, `b`"));
        assert!(refused(&["arr_0", "arr_1"]).ends_with("np.savez('d-xy.npz', x=d['arr_0'], y=d['arr_1'])"));
        assert!(refused(&["images", "labels"]).contains("d = np.load('d.npz')"));
        let said = refused(&["test_images", "test_labels", "train_images", "train_labels"]);
        assert!(said.contains("x=d['train_images'], y=d['train_labels'], x_test=d['test_images']"), "{said}");
        assert!(refused(&["a", "b", "c"]).contains("known are"));
    }
}
