//! Where answers are written: one file, a folder with a file for each picture, or a table of classes.

use super::ask::Answer;
use super::framing::{Fit, Framing};
use super::jobs::{Job, real};
use super::kind::Kind;
use crate::cli::compute::say;
use crate::cli::shell::{Exit, Shell};
use archc::base::command::quoted_path;
use archc::base::{Fault, codes};
use archc::train::data::DataError;
use archc::train::data::painted::{Mask, VOID, map, write_picture};
use archc::train::data::tensor_io::{TensorData, write_npy, write_safetensors};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a file of answers may be called.
const ENDINGS: &str = "an output ends in `.safetensors`, `.npy`, `.png`, `.csv` or `.json`, or is a folder, `answers/`";

/// Where answers go.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Nowhere but to the screen.
    Nowhere,
    /// One file, for one picture or tensor.
    File(PathBuf),
    /// A file in a folder for each job, by its position.
    Folder(PathBuf, Vec<PathBuf>),
    /// All classes in one table.
    Table(PathBuf),
}

impl Target {
    /// What `--output` says, for these jobs.
    ///
    /// # Errors
    /// The exit status, after saying why: one file is named for several, its ending is unknown, or an input would be replaced.
    pub fn new(path: Option<&Path>, jobs: &[Job], whole_folder: bool, shell: &Shell) -> Result<Self, Exit> {
        let Some(path) = path else { return Ok(Self::Nowhere) };
        let ending = ending(path);
        let slash = path.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
        let several = jobs.len() > 1 || whole_folder;
        let target = match ending.as_str() {
            "csv" | "json" if !path.is_dir() => Self::Table(path.into()),
            _ if path.is_dir() || slash || (several && ending.is_empty()) => {
                Self::Folder(path.into(), names(jobs).into_iter().map(|name| path.join(name)).collect())
            }
            _ if several => {
                let help = format!("--output {}", path.with_extension("").join("").display());
                let inputs = match jobs.len() {
                    1 => "a folder is given".to_string(),
                    n => format!("there are {n} inputs"),
                };
                let message = format!("`{}` is one file, and {inputs}", path.display());
                return Err(shell.usage(&message, &format!("name a folder: {help}")));
            }
            "safetensors" | "npy" | "png" => Self::File(path.into()),
            _ => return Err(say(refused(path, ENDINGS).fault(), shell)),
        };
        target.spare(jobs, shell)?;
        target.has_place(shell)?;
        Ok(target)
    }

    /// Refuses a file in a folder that is not there: after hours of computing it would be too late. A folder of answers is made.
    fn has_place(&self, shell: &Shell) -> Result<(), Exit> {
        let path = match self {
            Self::Nowhere | Self::Folder(..) => return Ok(()),
            Self::File(path) | Self::Table(path) => path,
        };
        let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
        let shown = folder.display();
        let fault = |fact: String| Fault::new(codes::DATA_IO, fact);
        match (folder.is_dir(), folder.exists()) {
            (true, _) => Ok(()),
            (false, true) => {
                Err(say(fault(format!("`{shown}` is no folder, where `{}` would lie", path.display())), shell))
            }
            (false, false) => {
                let help = format!("mkdir -p {}", quoted_path(folder));
                Err(say(fault(format!("there is no folder `{shown}`")).help(help), shell))
            }
        }
    }

    /// Refuses to write over what is read.
    fn spare(&self, jobs: &[Job], shell: &Shell) -> Result<(), Exit> {
        let written: Vec<PathBuf> = match self {
            Self::Nowhere => return Ok(()),
            Self::File(path) | Self::Table(path) => vec![path.clone()],
            Self::Folder(_, stems) => {
                stems.iter().flat_map(|stem| ["png", "safetensors"].map(|e| with(stem, e))).collect()
            }
        };
        let inputs: BTreeSet<PathBuf> = jobs.iter().flat_map(|job| &job.files).map(|file| real(file)).collect();
        // Only what exists can be replaced.
        match written.iter().find(|path| path.exists() && inputs.contains(&real(path))) {
            None => Ok(()),
            Some(path) => {
                let message = format!("`{}` is an input, and the answer would replace it", path.display());
                Err(shell.usage(&message, "name another folder or file: --output answers/"))
            }
        }
    }

    /// The table, where that is what is asked for.
    pub fn table(&self) -> Option<&Path> {
        match self {
            Self::Table(path) => Some(path),
            _ => None,
        }
    }

    /// Whether numbers or masks are kept.
    pub fn keeps(&self) -> bool {
        *self != Self::Nowhere
    }

    /// Writes the answers to one job, and gives the files.
    ///
    /// # Errors
    /// What writing reports, and [`DataError::Format`] where a file of this kind cannot hold the answers.
    pub fn write(
        &self,
        job: usize,
        answers: &[Answer],
        kinds: &[Kind],
        framing: Option<&Framing>,
    ) -> Result<Vec<Written>, DataError> {
        match self {
            Self::Nowhere | Self::Table(_) => Ok(Vec::new()),
            Self::File(path) => file(path, answers, kinds, framing).map(|written| vec![written]),
            Self::Folder(_, stems) => {
                let stem = stems.get(job).ok_or_else(|| DataError::Internal("a job has no name".into()))?;
                folder(stem, answers, kinds, framing)
            }
        }
    }
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// Its path.
    pub path: PathBuf,
    /// What is to be known about it.
    pub remark: Option<String>,
}

fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// The path with an ending put behind it: a name may hold points.
fn with(stem: &Path, ending: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_os_string();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Names of answers, without endings: those of the files, whole where two would be the same, and numbered where that is not
/// enough.
fn names(jobs: &[Job]) -> Vec<PathBuf> {
    let stem = |job: &Job| job.name.with_extension("");
    let lower = |path: &Path| path.to_string_lossy().to_lowercase();
    let mut often: BTreeMap<String, usize> = BTreeMap::new();
    jobs.iter().for_each(|job| *often.entry(lower(&stem(job))).or_default() += 1);
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let name = |job: &Job| {
        let stem = stem(job);
        let name = if often.get(&lower(&stem)) == Some(&1) { stem } else { job.name.clone() };
        let turn = taken.entry(lower(&name)).or_default();
        *turn += 1;
        if *turn == 1 { name } else { with(&name, &turn.to_string()) }
    };
    jobs.iter().map(name).collect()
}

fn refused(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::Format { path: path.display().to_string(), reason: reason.into() }
}

/// One file, by its ending.
fn file(path: &Path, answers: &[Answer], kinds: &[Kind], framing: Option<&Framing>) -> Result<Written, DataError> {
    let written = |remark| Ok(Written { path: path.into(), remark });
    match (ending(path).as_str(), answers) {
        ("safetensors", _) => {
            write_safetensors(path, &tensors(answers))?;
            written(None)
        }
        ("npy", [one]) => {
            write_npy(path, &one.tensor)?;
            written(None)
        }
        ("png", [one]) => drawn(path, one, kinds.first().copied().unwrap_or(Kind::Numbers), framing),
        ("npy" | "png", _) => {
            let reason = format!("it holds one output, and there are {}: name a `.safetensors` file", answers.len());
            Err(refused(path, reason))
        }
        _ => Err(refused(path, ENDINGS)),
    }
}

/// A picture for every output that is one, or all outputs as numbers.
fn folder(
    stem: &Path,
    answers: &[Answer],
    kinds: &[Kind],
    framing: Option<&Framing>,
) -> Result<Vec<Written>, DataError> {
    if let Some(parent) = stem.parent() {
        std::fs::create_dir_all(parent).map_err(|error| DataError::io(parent, &error))?;
    }
    let drawable: Vec<_> = answers.iter().zip(kinds).filter(|(_, kind)| **kind != Kind::Numbers).collect();
    if drawable.is_empty() {
        let path = with(stem, "safetensors");
        write_safetensors(&path, &tensors(answers))?;
        return Ok(vec![Written { path, remark: None }]);
    }
    let one = drawable.len() == 1;
    let path = |answer: &Answer| if one { with(stem, "png") } else { with(&with(stem, &answer.name), "png") };
    drawable.into_iter().map(|(answer, kind)| drawn(&path(answer), answer, *kind, framing)).collect()
}

fn tensors(answers: &[Answer]) -> Vec<(String, TensorData)> {
    answers.iter().map(|answer| (answer.name.clone(), answer.tensor.clone())).collect()
}

/// Whether values say nothing at all.
fn is_nan(values: &[f32]) -> bool {
    !values.is_empty() && values.iter().all(|value| value.is_nan())
}

/// The mask of an answer, at the size of its picture where there is one. `None` where it is no map, or all of it is NaN.
pub fn mask(answer: &Answer, threshold: f32, framing: Option<&Framing>) -> Option<Mask> {
    let mask = Mask::of(&answer.tensor, threshold).filter(|_| !is_nan(&answer.tensor.values))?;
    Some(match (framing, answer.part) {
        (Some(framing), Some(part)) => mask.spread(part.covers, framing.picture),
        _ => mask,
    })
}

fn drawn(path: &Path, answer: &Answer, kind: Kind, framing: Option<&Framing>) -> Result<Written, DataError> {
    let TensorData { shape, values } = &answer.tensor;
    let mut remarks: Vec<String> = odd(path, values)?.into_iter().collect();
    match kind {
        Kind::Mask { threshold, guessed } => {
            let reason = || refused(path, format!("a mask is written of scores [1, C, H, W], and these are {shape:?}"));
            let mask = mask(answer, threshold, framing).ok_or_else(reason)?;
            mask.write(path)?;
            remarks.extend(mask.classes.contains(&VOID).then(|| format!("{VOID} where the picture was cut off")));
            remarks.extend(guessed.then(|| guess(map(&answer.tensor).map_or(1, |[channels, ..]| channels), threshold)));
        }
        Kind::Picture { range } => {
            let beyond = write_picture(path, &answer.tensor, range, drawn_size(answer, framing))?;
            let (share, [low, high]) = (100.0 * beyond, range);
            let cut = || format!("{share:.2} % of its values lie beyond {low} to {high}, and are cut off");
            remarks.extend((beyond > 0.0).then(cut));
        }
        Kind::Numbers => {
            let shows = "a picture shows one class for each pixel, or 1 or 3 channels of values";
            return Err(refused(path, format!("{shows}, and the output is {shape:?}: name a `.safetensors` file")));
        }
    }
    Ok(Written { path: path.to_path_buf(), remark: (!remarks.is_empty()).then(|| remarks.join("; ")) })
}

/// How many values are none that can be drawn, where some are.
///
/// # Errors
/// [`DataError::Format`] where all are: a clean black picture would hide it.
fn odd(path: &Path, values: &[f32]) -> Result<Option<String>, DataError> {
    let odd = values.iter().filter(|value| !value.is_finite()).count();
    if is_nan(values) {
        let reason =
            "all values of the answer are NaN, of which nothing can be drawn: look at the weights and the input";
        return Err(refused(path, reason));
    }
    Ok((odd > 0).then(|| format!("{odd} of its {} values are NaN or infinite: it says nothing there", values.len())))
}

/// What a mask shows where nothing says that the output is one.
fn guess(channels: usize, threshold: f32) -> String {
    match channels {
        1 => format!("1 where the value is above {threshold}; `--as picture` writes values"),
        3 => "the likeliest of 3 classes for each pixel; `--as picture` writes values".into(),
        _ => format!("the likeliest of {channels} classes for each pixel; `--output y.npy` keeps values"),
    }
}

/// The size of a picture that is an answer: its proportions are those of what it was made of.
fn drawn_size(answer: &Answer, framing: Option<&Framing>) -> [usize; 2] {
    let (Some(framing), Some(part)) = (framing, answer.part) else {
        return match answer.tensor.shape[..] {
            [.., h, w] => [h, w],
            _ => [0, 0],
        };
    };
    if !matches!(framing.fit, Fit::Stretch | Fit::Cover) {
        return part.size;
    }
    let scale = |axis: usize| part.size[axis] as f64 / framing.scaled[axis] as f64;
    [0, 1].map(|axis| ((framing.picture[axis] as f64 * scale(axis)).round() as usize).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a mask of these scores of two classes, or why none is written.
    fn written(values: Vec<f32>, guessed: bool) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let tensor = TensorData { shape: vec![1, 2, 1, 2], values };
        let answer = Answer { name: "y".into(), tensor, part: None };
        let kind = Kind::Mask { threshold: 0.0, guessed };
        let written = drawn(&folder.path().join("y.png"), &answer, kind, None);
        written.map(|it| it.remark).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_no_number_is_said_and_nothing_is_drawn_of_nothing_else() {
        assert_eq!(written(vec![0.0, 1.0, 2.0, 3.0], false), Ok(None));
        let some = "2 of its 4 values are NaN or infinite: it says nothing there";
        assert_eq!(written(vec![f32::NAN, 1.0, f32::INFINITY, 3.0], false), Ok(Some(some.into())));
        assert!(written(vec![f32::NAN; 4], false).unwrap_err().contains("all values of the answer are NaN"));
    }

    #[test]
    fn a_guess_is_said() {
        let guess = "the likeliest of 2 classes for each pixel; `--output y.npy` keeps values";
        assert_eq!(written(vec![0.0, 1.0, 2.0, 3.0], true), Ok(Some(guess.into())));
    }

    #[test]
    fn names_are_kept_apart() {
        let job = |name: &str| Job { files: vec![], shown: String::new(), name: name.into() };
        let jobs = ["a.jpg", "b.jpg", "b.png", "in/c.png", "d.v2.png", "e.png", "e.png"].map(job);
        let names: Vec<String> = names(&jobs).iter().map(|p| p.display().to_string()).collect();
        assert_eq!(names, ["a", "b.jpg", "b.png", "in/c", "d.v2", "e.png", "e.png.2"]);
    }
}
