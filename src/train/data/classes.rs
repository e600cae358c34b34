//! A folder of images for each class.

use super::dataset::{Dataset, Sample, Target, TargetKind};
use super::error::{DataError, Result};
use super::folder::{drop_broken, names_in, split_group, split_of, test_part};
use super::pictures::{decode, is_image, size};
use super::source::{Split, Want};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders inside a class's folder that are searched for images.
const DEPTH: usize = 8;

/// Sets up to this many files are checked when they are opened; larger ones as they are read.
const CHECKED: usize = 100_000;

/// One image: its class, and its path below the directory.
type Entry = (u32, Box<str>);

/// Images with a class each, decoded when asked for.
struct Folder {
    directory: PathBuf,
    entries: Vec<Entry>,
    shape: Vec<usize>,
    kind: TargetKind,
}

/// Opens `train/CLASS/…` and `test/CLASS/…`, or `CLASS/…` of which every fifth image is kept for testing. Classes are the
/// folders' names, sorted. Images are resized to the model's input.
pub fn open(directory: &Path, want: &Want) -> Result<Split> {
    super::source::check_pictures(directory, &want.shape)?;
    let names = names_in(directory)?;
    // A folder `train` that holds images itself is a class, of trains.
    let inside = names_in(&directory.join("train")).unwrap_or_default();
    let given = names.iter().any(|n| n == "train") && !inside.iter().any(|n| is_image(n));
    let parts = given.then(|| test_part(&names));
    let top = if parts.is_some() { "train/" } else { "" };
    let classes = class_names(&directory.join(top))?;
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (class, name) in classes.iter().enumerate() {
        let entries = images(directory, &format!("{top}{name}"), class)?;
        match parts {
            Some(_) => train.extend(entries),
            None => split_group(entries, &mut train, &mut test, name),
        }
    }
    if let Some(Some(part)) = parts {
        test = test_images(directory, part, &classes)?;
    }
    let mut broken = Vec::new();
    let check = |(_, path): &Entry| size(&directory.join(path.as_ref())).map(|_| ());
    let mut part = |entries| -> Result<Arc<dyn Dataset>> {
        let entries: Vec<Entry> = entries;
        let few = entries.len() <= CHECKED;
        let entries = if few { drop_broken(entries, want.strict, &mut broken, check)? } else { entries };
        let kind = TargetKind::Class { count: classes.len(), names: classes.clone() };
        Ok(Arc::new(Folder { directory: directory.to_path_buf(), entries, shape: want.shape.clone(), kind }))
    };
    let (train, test) = (part(train)?, part(test)?);
    split_of(directory, train, Some(test), &broken)
}

/// The folders that hold images.
fn class_names(directory: &Path) -> Result<Vec<String>> {
    let mut classes = Vec::new();
    let names = names_in(directory)?;
    for name in &names {
        if directory.join(name).is_dir() && !images(directory, name, 0)?.is_empty() {
            classes.push(name.clone());
        }
    }
    if !classes.is_empty() {
        return Ok(classes);
    }
    let found = match (names.iter().filter(|n| is_image(n)).count(), names.first()) {
        (0, None) => "it is empty".to_string(),
        (0, Some(first)) => format!("it holds `{first}`{}", if names.len() > 1 { " and more" } else { "" }),
        (n, _) => format!("{n} images lie in it, in no folders of their classes"),
    };
    Err(DataError::Layout { path: directory.display().to_string(), found, near: None })
}

/// The images to measure on; their classes must be among those to learn.
fn test_images(directory: &Path, part: &str, classes: &[String]) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for name in class_names(&directory.join(part))? {
        let Some(class) = classes.iter().position(|c| *c == name) else {
            let found = format!("`{part}/{name}` is a class that `train/` does not have");
            return Err(DataError::Layout { path: directory.display().to_string(), found, near: None });
        };
        entries.extend(images(directory, &format!("{part}/{name}"), class)?);
    }
    Ok(entries)
}

/// The images below `below`, sorted by their paths.
fn images(directory: &Path, below: &str, class: usize) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut open = vec![(below.to_string(), 0)];
    while let Some((path, depth)) = open.pop() {
        for name in names_in(&directory.join(&path))? {
            let inner = format!("{path}/{name}");
            if is_image(&name) {
                entries.push((class as u32, inner.into_boxed_str()));
            } else if depth < DEPTH && directory.join(&inner).is_dir() {
                open.push((inner, depth + 1));
            }
        }
    }
    entries.sort();
    Ok(entries)
}

impl Dataset for Folder {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn target(&self) -> &TargetKind {
        &self.kind
    }

    fn get(&self, index: usize, out: &mut Sample) -> Result<()> {
        let (class, path) = &self.entries[index];
        let [h, w] = decode(&self.directory.join(path.as_ref()), self.shape[0], out.pixels.bytes())?;
        out.dims = [self.shape[0], h, w];
        out.target = Target::Class(*class as i64);
        Ok(())
    }
}
