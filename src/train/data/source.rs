//! From what `--data` says to a data set.

use super::error::{DataError, Result};
use super::folder::names_in;
use super::held::Holding;
use super::levels::Levels;
use super::listing::{Listing, at};
use super::matched::match_classes;
use super::parts::{annotated, look_through};
use super::remarks::Remarks;
use super::split::Split;
use super::{cifar, classes, digits, idx, masks, paired, tensors};
use crate::base::{memory, nearest::nearest};
use std::path::Path;

/// What the model wants of its data.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    /// The shape of its input without the batch: `[C, H, W]`, `[C, L]` or `[F]`.
    pub shape: Vec<usize>,
    /// Whether one broken file ends the run (`--strict`); otherwise it is named, counted and passed over.
    pub strict: bool,
    /// Bytes that one file may take up in memory.
    pub memory: u64,
    /// How data that come as one are divided; [`Holding::Nothing`] where they are only measured on.
    pub holding: Holding,
    /// The names of the classes that weights were learnt with, in their order: classes are matched to them by name. Empty
    /// where nothing is known.
    pub known: Vec<String>,
    /// Whether classes may come that are not known (to learn further), or are refused (to measure, or to go on).
    pub growing: bool,
    /// How targets are to be read.
    pub aim: Aim,
}

/// What is known of targets before they are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aim {
    /// What the losses compare.
    pub compares: Compares,
    /// The target that the losses leave out.
    pub ignore: Option<i64>,
    /// How masks were read when training started; decided by what they hold where nothing is known.
    pub levels: Option<Levels>,
}

/// What losses compare with outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compares {
    /// Classes or numbers, whichever the data have.
    #[default]
    Either,
    /// Classes, or their probabilities.
    Classes,
    /// Numbers.
    Numbers,
}

impl DataSpec {
    /// Data for a model with this input shape (without the batch); broken files are passed over, and one file may take
    /// up half of the memory that is free.
    pub fn new(shape: &[usize]) -> Self {
        let memory = memory::available().unwrap_or(8 << 30) / 2;
        let (holding, known, aim) = (Holding::default(), Vec::new(), Aim::default());
        Self { shape: shape.to_vec(), strict: false, memory, holding, known, growing: false, aim }
    }
}

/// The names that are no paths.
pub const NAMES: [&str; 3] = ["builtin:digits", "builtin:digits-canvas", "fashion-mnist"];

/// Opens what `--data` says, made to fit the model.
///
/// # Errors
/// [`DataError`], where there is no such data, or nothing in it can be used, or it does not fit the model.
pub fn open(spec: &str, want: &DataSpec) -> Result<Split> {
    match_classes(open_as_named(spec, want)?, spec, want)
}

/// Opens it with the classes in the order that they have by themselves.
fn open_as_named(spec: &str, want: &DataSpec) -> Result<Split> {
    match spec {
        "builtin:digits" => return digits::digits(want),
        "builtin:digits-canvas" => return digits::canvases(want),
        "fashion-mnist" => return idx::fashion(want),
        _ => {}
    }
    let path = Path::new(spec);
    if path.is_dir() {
        return directory(path, want);
    }
    if path.is_file() {
        return tensors::open(path, want);
    }
    Err(DataError::Unknown { spec: spec.to_string(), near: near(spec) })
}

fn directory(path: &Path, want: &DataSpec) -> Result<Split> {
    let mut remarks = Remarks::default();
    let is_other = |path: &Path| {
        let names = names_in(path).unwrap_or_default();
        idx::is_idx(&names) || cifar::is_cifar(&names) || paired::is_masks(path)
    };
    let done = |path: &Path, listing: &Listing| is_other(path) || annotated(&listing.folders).is_some();
    let below = look_through(path, "", &mut remarks, &done)?;
    let path = &at(path, &below);
    let names = names_in(path)?;
    if idx::is_idx(&names) {
        return idx::open(path, Vec::new(), want);
    }
    if cifar::is_cifar(&names) {
        return cifar::open(path, want);
    }
    if paired::is_masks(path) {
        return masks::open(path, want, remarks);
    }
    classes::open(path, want, remarks).map_err(|error| match error {
        DataError::Layout { path, found, near: None } => {
            let found = cifar::pickled(&names).map_or(found, str::to_string);
            let near = inside(Path::new(&path), 2);
            DataError::Layout { path, found, near }
        }
        other => other,
    })
}

/// A directory below this one, at most `depth` down, that holds a data set.
fn inside(path: &Path, depth: usize) -> Option<String> {
    let below: Vec<_> = names_in(path).ok()?.into_iter().take(100).map(|n| path.join(n)).collect();
    let holds = |path: &Path| {
        let names = names_in(path).unwrap_or_default();
        idx::is_idx(&names) || cifar::is_cifar(&names) || paired::is_masks(path)
    };
    let here = below.iter().find(|path| path.is_dir() && holds(path));
    here.map(|path| path.display().to_string())
        .or_else(|| (depth > 1).then(|| below.iter().find_map(|path| inside(path, depth - 1)))?)
}

/// The name, or the neighbour in the directory, that may have been meant: `digits` for `builtin:digits`.
fn near(spec: &str) -> Option<String> {
    let short = |name: &str| name.trim_start_matches("builtin:") == spec;
    if let Some(name) = nearest(spec, NAMES).or_else(|| NAMES.into_iter().find(|name| short(name))) {
        return Some(name.to_string());
    }
    let path = Path::new(spec);
    let parent = path.parent()?;
    let here = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let names = names_in(here).ok()?;
    let name = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(parent.join(name).display().to_string())
}

/// Refuses images for a model whose input is none.
///
/// # Errors
/// [`DataError::Pictures`].
pub fn check_pictures(path: &Path, shape: &[usize]) -> Result<()> {
    match shape {
        [1 | 3, _, _] => Ok(()),
        wants => Err(DataError::Pictures { path: path.display().to_string(), wants: wants.to_vec() }),
    }
}
