//! A run folder.

use crate::base::nearest::meant;
use crate::base::unwritable::no_folder;
use crate::base::{self, Fault, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::{Normalize, Recipe};
use crate::lower::atomic;
use crate::train::data::{Holding, Levels, Split, TargetKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// What was asked for when the run began: enough to do it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The version of archc.
    pub version: String,
    /// The file, as it was named.
    pub file: String,
    /// The model.
    pub model: String,
    /// What `--data` said, or the recipe.
    pub data: String,
    /// What the command line set, in the order of names: `classes = 10`, `optimizer.lr = 0.01`.
    pub settings: BTreeMap<String, String>,
    /// What `--size` said.
    pub sizes: Vec<String>,
    /// Whether skip edges were left out.
    pub plain: bool,
    /// The names of the classes, where the data name them.
    pub classes: Vec<String>,
    /// How data without parts were divided. Runs that do not say it were made when a fifth of each class was drawn.
    #[serde(default = "Holding::unsaid")]
    pub held_out: Holding,
    /// How the levels of masks are read, where the data have masks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Levels>,
    /// How many samples are learnt from; runs of earlier versions do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// The least and the largest number of the inputs, where they are pictures as arrays of numbers that are no bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f32; 2]>,
    /// Whether each epoch had an order of its own.
    pub shuffle: bool,
    /// Whether samples were changed at random.
    pub augment: bool,
    /// The recipe as it came out, for readers.
    pub recipe: serde_json::Value,
}

impl RunInfo {
    /// What a run that begins now notes of its network, its recipe and its data; the rest is the caller's to say.
    pub fn of(network: &Network, recipe: &Recipe, data: &Split) -> Self {
        let classes = match data.train.target() {
            TargetKind::Class { names, .. } => names.clone(),
            TargetKind::Mask { .. } | TargetKind::Tensor(_) => Vec::new(),
        };
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            model: network.name.clone(),
            classes,
            held_out: Holding::ByName,
            levels: data.train.levels().cloned(),
            samples: Some(data.train.len()),
            range: data.train.range().map(|range| range.ends),
            shuffle: true,
            augment: true,
            recipe: serde_json::to_value(recipe).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// How many samples a batch of this run has, where the run says it.
    pub fn batch(&self) -> Option<usize> {
        usize::try_from(self.recipe["batch"].as_u64()?).ok()
    }

    /// How pixels were normalised in this run; as `own` says, where the run does not say it.
    pub fn normalize(&self, own: Option<&Normalize>) -> Option<Normalize> {
        if !self.recipe.is_object() {
            return own.cloned();
        }
        let numbers = |name: &str| {
            let list = self.recipe["normalize"][name].as_array()?.iter();
            list.map(serde_json::Value::as_f64).collect::<Option<Vec<_>>>()
        };
        Some(Normalize { mean: numbers("mean")?, std: numbers("std")? })
    }
}

/// Results of what is about a run's folder alone.
pub type Result<T> = std::result::Result<T, Box<Fault>>;

/// A run folder that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    folder: PathBuf,
}

impl Run {
    /// A new folder `NAME-K` in `parent`, K the first number from 1 that is free.
    ///
    /// # Errors
    /// `E0913` where it cannot be made.
    pub fn create_numbered(parent: &Path, name: &str) -> Result<Self> {
        fs::create_dir_all(parent).map_err(|error| no_folder(codes::RUN_UNWRITABLE, parent, &error))?;
        for number in 1.. {
            let folder = parent.join(format!("{name}-{number}"));
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Self { folder }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(no_folder(codes::RUN_UNWRITABLE, &folder, &error).into()),
            }
        }
        Err(unwritable(parent, &io::Error::other("every number is taken")).into())
    }

    /// A new run in a folder of this very name, made where it is not there.
    ///
    /// # Errors
    /// `E0912` where a run is in it already, `E0913` where it cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        if folder.join(INFO).exists() {
            let shown = folder.display();
            return Err(Fault::new(codes::RUN_UNUSABLE, format!("`{shown}` holds a run already"))
                .help(format!("go on with it by `--resume {shown}`, or name another folder"))
                .into());
        }
        fs::create_dir_all(folder).map_err(|error| no_folder(codes::RUN_UNWRITABLE, folder, &error))?;
        Ok(Self { folder: folder.into() })
    }

    /// The run in a folder.
    ///
    /// # Errors
    /// `E0912` where there is none.
    pub fn open(folder: &Path) -> Result<Self> {
        if folder.join(INFO).is_file() {
            return Ok(Self { folder: folder.into() });
        }
        let message = format!("`{}` is no run: it has no `{INFO}`", folder.display());
        let help = meant(folder).unwrap_or_else(|| "name the folder that `archc train` printed".into());
        Err(Fault::new(codes::RUN_UNUSABLE, message).help(help).into())
    }

    /// The run whose weights a path names: its folder, or a file of weights in it.
    pub fn of_weights(path: &Path) -> Option<(Self, RunInfo)> {
        let folder = if path.is_dir() { path } else { path.parent()? };
        let run = Self::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }).ok()?;
        let own = path.is_dir() || [run.best(), run.last()].iter().any(|file| file.file_name() == path.file_name());
        let info = run.info().ok().filter(|_| own)?;
        Some((run, info))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The state to go on from.
    pub fn last(&self) -> PathBuf {
        self.folder.join("last.safetensors")
    }

    /// The best weights.
    pub fn best(&self) -> PathBuf {
        self.folder.join("best.safetensors")
    }

    /// The log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log.jsonl")
    }

    /// The page about it.
    pub fn report(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// The copy of the file that it was begun with; the copies of its imports lie about it as the files did.
    pub fn source(&self, info: &RunInfo) -> PathBuf {
        self.folder.join("source").join(plain(&info.file))
    }

    /// The weights that measured best, or the last ones where nothing was measured yet.
    pub fn weights(&self) -> PathBuf {
        if self.best().is_file() { self.best() } else { self.last() }
    }

    /// Notes what was asked for, with the source files (by the path that the compiler knows them by).
    ///
    /// # Errors
    /// `E0913` where it cannot be written.
    pub fn describe(&self, info: &RunInfo, sources: &[(String, String)]) -> Result<()> {
        let folder = self.folder.join("source");
        for (name, text) in sources {
            let path = folder.join(plain(name));
            let parent = path.parent().unwrap_or(&folder);
            fs::create_dir_all(parent).map_err(|error| unwritable(parent, &error))?;
            atomic::write_bytes(&path, text.as_bytes()).map_err(|error| unwritable(&path, &error))?;
        }
        let path = self.folder.join(INFO);
        let text = serde_json::to_string_pretty(info).map_err(|error| unwritable(&path, &error.into()))? + "\n";
        Ok(atomic::write_bytes(&path, text.as_bytes()).map_err(|error| unwritable(&path, &error))?)
    }

    /// What was asked for.
    ///
    /// # Errors
    /// `E0912` where it cannot be read.
    pub fn info(&self) -> Result<RunInfo> {
        let path = self.folder.join(INFO);
        let unreadable =
            |why: String| Fault::new(codes::RUN_UNUSABLE, format!("`{}` cannot be read: {why}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
        Ok(serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?)
    }
}

/// The file that makes a folder a run.
const INFO: &str = "recipe.json";

/// A path that stays inside of the folder that it is put in.
fn plain(name: &str) -> PathBuf {
    Path::new(name).components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

/// `E0913`: a file of the run cannot be written.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Fault {
    base::unwritable::unwritable(codes::RUN_UNWRITABLE, path, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_how_pixels_were_normalised() {
        let own = Normalize { mean: vec![0.1], std: vec![0.2] };
        let of = |recipe| RunInfo { recipe, ..RunInfo::default() }.normalize(Some(&own));
        let said = serde_json::json!({ "normalize": { "mean": [0.5], "std": [0.25] } });
        assert_eq!(of(said), Some(Normalize { mean: vec![0.5], std: vec![0.25] }));
        assert_eq!(of(serde_json::json!({ "normalize": null })), None);
        assert_eq!(of(serde_json::Value::Null), Some(own.clone()));
    }

    #[test]
    fn numbers_go_up_and_a_run_is_found_again() -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let first = Run::create_numbered(dir.path(), "digits")?;
        let second = Run::create_numbered(dir.path(), "digits")?;
        assert!(first.folder().ends_with("digits-1") && second.folder().ends_with("digits-2"));
        let info = RunInfo { model: "Digits".into(), shuffle: true, ..RunInfo::default() };
        second.describe(&info, &[("../a/net.arch".into(), "model A {}".into())])?;
        assert_eq!(Run::open(second.folder())?.info()?, info);
        assert_eq!(Run::of_weights(&second.best()).map(|(_, found)| found), Some(info));
        assert!(
            Run::of_weights(&second.folder().join("other.pth")).is_none() && Run::of_weights(first.folder()).is_none()
        );
        let named = RunInfo { file: "../a/net.arch".into(), ..RunInfo::default() };
        assert_eq!(second.source(&named), second.folder().join("source/a/net.arch"));
        assert_eq!(fs::read_to_string(second.folder().join("source/a/net.arch")).unwrap(), "model A {}");
        assert_eq!(Run::open(first.folder()).unwrap_err().code, codes::RUN_UNUSABLE);
        assert_eq!(Run::create(second.folder()).unwrap_err().code, codes::RUN_UNUSABLE);
        Ok(())
    }
}
