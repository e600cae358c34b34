//! Which parts a directory of classes has.

use super::error::{DataError, Result};
use super::listing::{holds_images, list, walk};
use super::parts::{Parts, role};
use super::remarks::Remarks;
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
        let (count, lie) =
            (listing.pictures.len(), if listing.pictures.len() == 1 { "image lies" } else { "images lie" });
        remarks.doubts.push(format!("{count} {lie} in no part, and is not read: `{first}`"));
    }
    Ok(parts)
}

/// Parts whose images lie in no folders of classes.
fn unsorted(directory: &Path, flat: &[&str]) -> DataError {
    let path = directory.display().to_string();
    let names = flat.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let found = format!("{names} hold images directly, in no folders of their classes");
    let help = format!("put the images of each class into a folder of its own:  {path}/{}/cat/1.jpg", flat[0]);
    DataError::Meant { path, found, help }
}

/// What lies beside parts: other folders with images, and parts without classes, are not read.
fn beside(directory: &Path, folders: &[String], parts: &Parts, flat: &[&str], remarks: &mut Remarks) -> Result<()> {
    let taken = [&parts.train, &parts.val, &parts.test];
    for name in folders.iter().filter(|name| taken.iter().all(|part| part.as_ref() != Some(name))) {
        let mut count = 0;
        walk(directory, name, |_, listing| {
            count += listing.pictures.len();
            true
        })?;
        if count == 0 {
            continue;
        }
        if parts.train.is_none() && !flat.contains(&name.as_str()) {
            let part = parts.val.as_ref().or(parts.test.as_ref()).map_or("", String::as_str);
            let path = directory.display().to_string();
            let found = format!("the folder `{name}` of images lies beside the part `{part}`, and there is no `train`");
            let help = format!(
                "put the classes to learn from into `train`:  mkdir {path}/train && mv {path}/{name} {path}/train/"
            );
            return Err(DataError::Meant { path, found, help });
        }
        let why = if flat.contains(&name.as_str()) { "in no folders of their classes" } else { "in no part" };
        let lie = if count == 1 { "image lies" } else { "images lie" };
        remarks.doubts.push(format!("{count} {lie} in `{name}`, {why}: they are not read"));
    }
    Ok(())
}
