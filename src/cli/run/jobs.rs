//! What to run on: pictures, folders of pictures and tensors, one after the other, or one file for each of several inputs.

use crate::cli::compute::say;
use crate::cli::shell::{Exit, Shell};
use crate::train::data::DataError;
use crate::train::data::pictures::is_image;
use std::path::{Path, PathBuf};

/// Folders inside a folder that are searched for pictures.
const DEPTH: usize = 16;

/// What a network is asked about at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// A file for each input, in file order.
    pub files: Vec<PathBuf>,
    /// Its file as people know it.
    pub shown: String,
    /// Where its answer belongs in a folder of answers: its name, below the folder that it was found in.
    pub name: PathBuf,
}

impl Job {
    fn of(file: &Path, name: &Path) -> Self {
        Self { files: vec![file.into()], shown: file.display().to_string(), name: name.into() }
    }
}

/// Whether a file is a picture by its name.
pub fn is_picture(path: &Path) -> bool {
    is_image(&path.to_string_lossy())
}

/// The jobs that the command line names. `inputs` are the network's, `except` a folder of answers, which is not searched.
///
/// # Errors
/// The exit status, after saying what makes no sense.
pub fn jobs(texts: &[String], inputs: &[&str], except: Option<&Path>, shell: &Shell) -> Result<Vec<Job>, Exit> {
    let placed = texts.iter().map(|text| place(text, inputs, shell)).collect::<Result<Vec<_>, _>>()?;
    if inputs.len() != 1 {
        return one_each(&placed, inputs, shell).map(|job| vec![job]);
    }
    let mut jobs = Vec::new();
    for (_, path) in placed {
        let path = Path::new(path);
        if !path.is_dir() {
            jobs.push(Job::of(path, Path::new(path.file_name().unwrap_or(path.as_os_str()))));
            continue;
        }
        let (mut found, mut others) = (Vec::new(), Vec::new());
        walk(path, path, except, 0, &mut found, &mut others);
        passed_over(path, &others, shell);
        if found.is_empty() {
            let reason = "it holds no picture".to_string();
            return Err(say(DataError::Empty { path: path.display().to_string(), reason }.fault(), shell));
        }
        jobs.extend(found);
    }
    Ok(jobs)
}

/// A file for every input of several.
fn one_each(placed: &[(usize, &str)], inputs: &[&str], shell: &Shell) -> Result<Job, Exit> {
    let mut files: Vec<Option<&str>> = vec![None; inputs.len()];
    for &(slot, path) in placed {
        if files[slot].replace(path).is_some() {
            return Err(shell.usage(&format!("the input `{}` is given twice", inputs[slot]), "name each input once"));
        }
    }
    if let Some(missing) = files.iter().position(Option::is_none) {
        let help = format!("--input {}=FILE", inputs[missing]);
        return Err(shell.usage(&format!("the input `{}` is not given", inputs[missing]), &help));
    }
    let files: Vec<PathBuf> = files.into_iter().flatten().map(PathBuf::from).collect();
    let shown = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    let name = files.first().and_then(|file| file.file_name()).map(PathBuf::from).unwrap_or_default();
    Ok(Job { files, shown, name })
}

/// Which input a `[NAME=]FILE` is for.
fn place<'t>(text: &'t str, names: &[&str], shell: &Shell) -> Result<(usize, &'t str), Exit> {
    if let Some((name, path)) = text.split_once('=') {
        if let Some(slot) = names.iter().position(|n| *n == name) {
            return Ok((slot, path));
        }
        if !Path::new(text).exists() {
            let help = format!("the inputs are {}", names.join(", "));
            return Err(shell.usage(&format!("there is no input `{name}`"), &help));
        }
    }
    match names.len() {
        1 => Ok((0, text)),
        _ => {
            let help = names.iter().map(|n| format!("--input {n}=FILE")).collect::<Vec<_>>().join(" ");
            Err(shell.usage("the network has several inputs, and the file does not say which one it is", &help))
        }
    }
}

/// Pictures in a folder, in order of their names; what is hidden is left alone.
fn walk(
    root: &Path,
    folder: &Path,
    except: Option<&Path>,
    depth: usize,
    found: &mut Vec<Job>,
    others: &mut Vec<PathBuf>,
) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let excepted = except.is_some_and(|except| same(except, &path));
        if hidden || excepted {
            continue;
        }
        if path.is_dir() {
            if depth < DEPTH {
                walk(root, &path, except, depth + 1, found, others);
            }
        } else if is_picture(&path) {
            found.push(Job::of(&path, path.strip_prefix(root).unwrap_or(&path)));
        } else {
            others.push(path);
        }
    }
}

/// Whether two paths lead to one file.
pub fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// Says which files of a folder are no pictures.
fn passed_over(folder: &Path, others: &[PathBuf], shell: &Shell) {
    let Some(first) = others.first() else { return };
    let name = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let names = match others {
        [one] => format!("`{}` is no picture, and is passed over", name(one)),
        _ => format!("{} files are no pictures, and are passed over: `{}` and others", others.len(), name(first)),
    };
    shell.note(&format!("{}: {names}", folder.display()));
}
