//! Which parts a directory of classes has.

use super::error::{DataError, Result};
use super::listing::{holds_images, list};
use super::parts::{Parts, gather, role};
use super::remarks::Remarks;
use crate::base::command::quoted_path;
use std::path::Path;

/// The parts of a directory of classes; none where it is one. What lies beside parts is doubted.
///
/// # Errors
/// [`DataError::Meant`] where parts hold images in no folders of classes, or classes lie beside `test/`.
pub fn parts(directory: &Path, remarks: &mut Remarks) -> Result<Parts> {
    let listing = list(directory)?;
    let loose = |folder: &Path| list(folder).map(|listing| !listing.pictures.is_empty());
    let is_part = |folder: &Path| Ok(!loose(folder)? && holds_images(folder)?);
    let parts = Parts::find(directory, &listing.folders, &is_part)?;
    let mut flat = Vec::new();
    for name in listing.folders.iter().filter(|name| role(name).is_some()) {
        if loose(&directory.join(name))? {
            flat.push(name.as_str());
        }
    }
    let roles: Vec<_> = flat.iter().map(|name| role(name)).collect();
    // A folder `train` that holds images itself is a class, of trains; with `test` beside it, it is none.
    let alone = parts.is_empty() && roles.iter().all(|role| *role == roles[0]);
    if parts.train.is_none() && !flat.is_empty() && !alone {
        return Err(unsorted(directory, &flat));
    }
    if parts.is_empty() {
        return Ok(parts);
    }
    beside(directory, &listing.folders, &parts, &flat, remarks)?;
    if let Some(first) = listing.pictures.first() {
        remarks.unread(listing.pictures.len(), "in no part", Some(first));
    }
    Ok(parts)
}

/// Parts whose images lie in no folders of classes.
fn unsorted(directory: &Path, flat: &[&str]) -> DataError {
    let path = directory.display().to_string();
    if let Some(error) = annotated_parts(directory, flat) {
        return error;
    }
    let names = flat.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let hold = if flat.len() == 1 { "holds" } else { "hold" };
    let found = format!("{names} {hold} images directly, in no folders of their classes");
    let help = format!("put the images of each class into a folder of its own:  {path}/{}/cat/1.jpg", flat[0]);
    DataError::Meant { path, found, help }
}

/// Parts of images that each have a folder of masks beside them, named for the part as well: `train` and `trainannot`.
fn annotated_parts(directory: &Path, flat: &[&str]) -> Option<DataError> {
    let folders = list(directory).ok()?.folders;
    let masks = |part: &str| {
        let behind = |name: &String| name.strip_prefix(part).map(str::to_lowercase).unwrap_or_default();
        let named = |name: &&String| ["annot", "mask", "label", "gt", "seg"].iter().any(|w| behind(name).contains(w));
        folders.iter().find(named)
    };
    let pairs = flat.iter().map(|part| Some((*part, masks(part)?))).collect::<Option<Vec<_>>>()?;
    let at = |name: &str| quoted_path(&directory.join(name));
    let moved = |(part, masks): &(&str, &String)| {
        let to = |folder: &str| at(&format!("{folder}/{part}"));
        format!("mv {} {} && mv {} {}", at(part), to("images"), at(masks), to("masks"))
    };
    let commands: Vec<String> = pairs.iter().map(moved).collect();
    let (part, beside) = pairs.first()?;
    let found = format!("`{part}` and `{beside}` look like images with their masks");
    let (images, masks) = (at("images"), at("masks"));
    let help =
        format!("masks are read from `images` and `masks`:  mkdir {images} {masks} && {}", commands.join(" && "));
    Some(DataError::Meant { path: directory.display().to_string(), found, help })
}

/// What lies beside parts: other folders with images, and parts without classes, are not read.
fn beside(directory: &Path, folders: &[String], parts: &Parts, flat: &[&str], remarks: &mut Remarks) -> Result<()> {
    let left = || folders.iter().filter(|name| parts.folders().all(|part| part != *name));
    let mut classes = Vec::new();
    for name in left().filter(|name| parts.train.is_none() && !flat.contains(&name.as_str())) {
        if holds_images(&directory.join(name))? {
            classes.push(name);
        }
    }
    if !classes.is_empty() {
        return Err(without_train(directory, &classes, parts));
    }
    left().try_for_each(|name| {
        let why = if flat.contains(&name.as_str()) { "in no folders of their classes" } else { "in no part" };
        remarks.leave(directory, name, why)
    })
}

/// Folders of images beside parts of which none is there to learn from.
fn without_train(directory: &Path, classes: &[&String], parts: &Parts) -> DataError {
    let part = parts.val.as_ref().or(parts.test.as_ref()).map_or("", String::as_str);
    let names = classes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (folders, lie) = if classes.len() == 1 { ("folder", "lies") } else { ("folders", "lie") };
    let found = format!("the {folders} {names} of images {lie} beside the part `{part}`, and there is no `train`");
    let command = gather(directory, classes.iter().copied(), &directory.join("train"));
    let help = format!("put the classes to learn from into `train`:  {command}");
    DataError::Meant { path: directory.display().to_string(), found, help }
}
