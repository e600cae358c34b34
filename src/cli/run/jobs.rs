//! What to run on: pictures, folders of pictures and tensors, one after the other, or one file for each of several inputs.

use crate::cli::compute::say;
use crate::cli::shell::{Exit, Shell};
use archc::base::command::quoted_path;
use archc::train::data::DataError;
use archc::train::data::listing::{at, join, walk};
use archc::train::data::pictures::is_image;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders of a data set whose pictures have a class for each pixel.
const IMAGES: &str = "images";
const MASKS: &str = "masks";

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
        let Found { jobs: found, others, masks } = found(path, except).map_err(|error| say(error.fault(), shell))?;
        passed_over(path, &others, shell);
        masks_beside(path, &masks, shell);
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

/// What lies in a folder and below it.
struct Found {
    /// The pictures, in order of their names.
    jobs: Vec<Job>,
    /// What is no picture.
    others: Vec<PathBuf>,
    /// Folders of masks beside one of images, as data sets have them, with how many files lie in each.
    masks: BTreeMap<String, usize>,
}

/// Pictures in a folder and below it, and what is none. What is hidden is left alone, and a folder is seen once, whatever links
/// lead to it.
fn found(root: &Path, except: Option<&Path>) -> Result<Found, DataError> {
    let start = real(root);
    let except = except.map(real).filter(|except| except.starts_with(&start) && *except != start);
    let (mut pictures, mut others, mut masks) = (Vec::new(), Vec::new(), BTreeMap::new());
    walk(root, "", |folder, listing| {
        let named = |name: &str| listing.folders.iter().any(|folder| folder == name);
        if named(IMAGES) && named(MASKS) {
            masks.insert(join(folder, MASKS), 0);
        }
        let is_below = |(masks, _): &(&String, &mut usize)| Path::new(folder).starts_with(masks);
        if let Some((_, count)) = masks.iter_mut().find(is_below) {
            *count += listing.pictures.len() + listing.others.len();
            return true;
        }
        let here = real(&at(root, folder));
        let kept = |name: &&String| except.as_ref().is_none_or(|except| !here.join(name).starts_with(except));
        let paths = |names: &[String]| -> Vec<PathBuf> {
            names.iter().filter(kept).map(|name| PathBuf::from(join(folder, name))).collect()
        };
        pictures.extend(paths(&listing.pictures));
        others.extend(paths(&listing.others));
        true
    })?;
    pictures.sort();
    others.sort();
    let jobs = pictures.into_iter().map(|name| Job::of(&root.join(&name), &name)).collect();
    masks.retain(|_, count| *count > 0);
    Ok(Found { jobs, others, masks })
}

/// The file that a path leads to, links followed; the path itself where nothing is there.
pub fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Says which pictures are masks to learn from, and not asked about.
fn masks_beside(folder: &Path, masks: &BTreeMap<String, usize>, shell: &Shell) {
    for (name, count) in masks {
        let (is, at) = (if *count == 1 { "file is" } else { "files are" }, folder.join(name));
        let (shown, beside) = (folder.display(), quoted_path(&at));
        shell.note(&format!(
            "{shown}: {count} {is} in `{name}`, beside `{IMAGES}`, and passed over as masks; {beside} asks about them"
        ));
    }
}

/// Says which files of a folder are no pictures.
fn passed_over(folder: &Path, others: &[PathBuf], shell: &Shell) {
    let Some(first) = others.first() else { return };
    let names = match others {
        [one] => format!("`{}` is no picture, and is passed over", one.display()),
        _ => format!("{} files are no pictures, and are passed over: `{}` and others", others.len(), first.display()),
    };
    shell.note(&format!("{}: {names}", folder.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_is_searched_once_and_pipes_are_no_pictures() {
        use std::os::unix::{fs::symlink, net::UnixListener};
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for name in ["b/2.png", "a.png", "out/1.png", "b/.hidden.png"] {
            std::fs::create_dir_all(here.join(name).parent().unwrap()).unwrap();
            std::fs::write(here.join(name), "").unwrap();
        }
        symlink(here, here.join("b/back")).unwrap();
        symlink(here.join("b"), here.join("same")).unwrap();
        let _socket = UnixListener::bind(here.join("s.png")).unwrap();
        let Found { jobs, others, .. } = found(here, Some(&here.join("out"))).unwrap();
        let names: Vec<String> = jobs.iter().map(|job| job.name.display().to_string()).collect();
        assert_eq!(names, ["a.png", "b/2.png"]);
        assert_eq!(others, [PathBuf::from("s.png")]);
    }

    #[test]
    fn masks_of_a_data_set_are_no_pictures_to_ask_about() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for name in ["train/images/a.png", "train/masks/in/a.png", "masks/b.png", "c.png"] {
            std::fs::create_dir_all(here.join(name).parent().unwrap()).unwrap();
            std::fs::write(here.join(name), "").unwrap();
        }
        let names = |found: &Found| found.jobs.iter().map(|job| job.name.display().to_string()).collect::<Vec<_>>();
        let all = found(here, None).unwrap();
        assert_eq!(names(&all), ["c.png", "masks/b.png", "train/images/a.png"]);
        assert_eq!(all.masks, [("train/masks".to_string(), 1)].into());
        // Named by itself, it is asked about.
        assert_eq!(names(&found(&here.join("train/masks"), None).unwrap()), ["in/a.png"]);
    }
}
