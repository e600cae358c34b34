//! Parts of a data set in folders: `train/`, `val/` and `test/` by their many names, and folders around them.

use super::error::{DataError, Result};
use super::listing::{Listing, at, holds_images, join, list};
use super::remarks::Remarks;
use crate::base::command::quoted_path;
use std::path::{Path, PathBuf};

/// Folders around a data set that are looked through.
const WRAPPED: usize = 8;

/// What a part is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To learn from.
    Train,
    /// To choose the best weights on.
    Val,
    /// To measure on.
    Test,
}

/// The role that a folder's name says, in any case: `train`, `Training`, `training_set`, `valid`, `Test-Images`.
pub fn role(name: &str) -> Option<Role> {
    const FILLERS: [&str; 10] = ["set", "data", "dataset", "images", "imgs", "split", "dir", "folder", "part", "seg"];
    let name = name.to_lowercase();
    let mut roles = name.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty() && !FILLERS.contains(w));
    let role = match roles.next()? {
        "train" | "training" | "trainset" | "traindata" | "trn" => Role::Train,
        "val" | "valid" | "validation" | "validate" | "valset" | "valdata" | "dev" | "eval" | "evaluation" => Role::Val,
        "test" | "tests" | "testing" | "testset" | "testdata" | "tst" => Role::Test,
        _ => return None,
    };
    roles.next().is_none().then_some(role)
}

/// The folders of the parts, as paths below the data set's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// To learn from.
    pub train: Option<String>,
    /// To choose on.
    pub val: Option<String>,
    /// To measure on.
    pub test: Option<String>,
}

impl Parts {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The folders of all of them.
    pub fn folders(&self) -> impl Iterator<Item = &String> {
        [&self.train, &self.val, &self.test].into_iter().flatten()
    }

    /// Of these folders, those that are named for parts and laid out as `is_part` says.
    ///
    /// # Errors
    /// [`DataError::Meant`] where two folders are named for one part.
    pub fn find(root: &Path, folders: &[String], is_part: &dyn Fn(&Path) -> Result<bool>) -> Result<Self> {
        let mut parts = Self::default();
        for name in folders {
            let Some(role) = role(name) else { continue };
            if !is_part(&root.join(name))? {
                continue;
            }
            let slot = match role {
                Role::Train => &mut parts.train,
                Role::Val => &mut parts.val,
                Role::Test => &mut parts.test,
            };
            if let Some(other) = slot.replace(name.clone()) {
                let found = format!("`{other}` and `{name}` are both named for the same part");
                let (from, to) = (quoted_path(&root.join(name)), quoted_path(&aside(root, name)));
                let help = format!("move one of them elsewhere:  mv {from} {to}");
                return Err(DataError::Meant { path: root.display().to_string(), found, help });
            }
        }
        Ok(parts)
    }

    /// Makes a part that is only to be measured on the whole data set, where there is nothing to learn from.
    ///
    /// # Errors
    /// [`DataError::Meant`] where it is to be learnt from.
    pub fn with_train(mut self, root: &Path, measure: bool) -> Result<Self> {
        if self.train.is_some() {
            return Ok(self);
        }
        if measure {
            let test = self.test.take();
            self.train = self.val.take().or_else(|| test.clone());
            self.test = test.filter(|test| self.train.as_ref() != Some(test));
            return Ok(self);
        }
        let part = self.test.or(self.val).unwrap_or_default();
        let found = format!("it has the part `{part}`, and none to learn from");
        let (from, to) = (root.join(&part), root.join(&part).with_file_name("train"));
        let rename = format!("mv {} {}", quoted_path(&from), quoted_path(&to));
        let help = format!("put what is to be learnt from into `{}`, or rename:  {rename}", to.display());
        Err(DataError::Meant { path: root.display().to_string(), found, help })
    }
}

/// A place beside a directory, for what is to be taken out of it: `pets-val`.
pub fn aside(directory: &Path, name: &str) -> PathBuf {
    PathBuf::from(format!("{}-{name}", directory.display().to_string().trim_end_matches('/')))
}

/// A command that moves folders of a directory into a new one.
pub fn gather<'n>(directory: &Path, names: impl IntoIterator<Item = &'n String>, into: &Path) -> String {
    let from: Vec<String> = names.into_iter().map(|name| quoted_path(&directory.join(name))).collect();
    format!("mkdir {0} && mv {1} {0}/", quoted_path(into), from.join(" "))
}

/// Goes down from a folder, as long as all of its images lie in one folder that holds only folders itself, and says so. `done`
/// says where to stay.
///
/// # Errors
/// [`DataError::Io`] where a folder cannot be read.
pub fn look_through(
    root: &Path,
    below: &str,
    remarks: &mut Remarks,
    done: &dyn Fn(&Path, &Listing) -> bool,
) -> Result<String> {
    let mut here = below.to_string();
    for _ in 0..WRAPPED {
        let path = at(root, &here);
        let listing = list(&path)?;
        if !listing.pictures.is_empty() || done(&path, &listing) {
            break;
        }
        let mut full = Vec::new();
        for name in &listing.folders {
            if holds_images(&path.join(name))? {
                full.push(name);
            }
        }
        let [only] = full[..] else { break };
        let is_part = below.is_empty() && role(only).is_some();
        if is_part || !list(&path.join(only))?.pictures.is_empty() {
            break;
        }
        for name in listing.folders.iter().filter(|name| *name != only && role(name).is_some()) {
            remarks.no_part(&path.join(name).display().to_string());
        }
        here = join(&here, only);
        remarks.notes.push(format!("all images of `{}` lie in its folder `{only}`, which is taken", path.display()));
    }
    Ok(here)
}

/// Names of folders that hold pictures of all classes.
const PICTURES: [&str; 8] = ["images", "image", "imgs", "img", "jpegimages", "pictures", "photos", "inputs"];
/// Names of folders that hold what is known of each picture.
const KNOWN: [&str; 16] = [
    "masks",
    "mask",
    "labels",
    "label",
    "annotations",
    "annotation",
    "anns",
    "gt",
    "groundtruth",
    "segmentation",
    "segmentations",
    "segmentationclass",
    "seg",
    "targets",
    "gts",
    "labelmaps",
];

/// The folder among these that has one of the names, whatever its case and signs.
fn named<'a>(folders: &'a [String], names: &[&str]) -> Option<&'a String> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_', ' '], "");
    names.iter().find_map(|wanted| folders.iter().find(|name| plain(name) == *wanted))
}

/// The names of `images` and `masks` in a folder, in the case that they have there.
pub fn images_and_masks(folder: &Path) -> Option<(String, String)> {
    let folders = list(folder).ok()?.folders;
    Some((named(&folders, &["images"])?.clone(), named(&folders, &["masks"])?.clone()))
}

/// The folders that hold pictures and what is known of each, where two are named so.
pub fn annotated(folders: &[String]) -> Option<(&String, &String)> {
    Some((named(folders, &PICTURES)?, named(folders, &KNOWN)?))
}

/// Refuses pictures beside a folder of what is known of them, which is no folder for each class: masks by another name, or boxes.
///
/// # Errors
/// [`DataError::Meant`], with what was probably meant.
pub fn check_annotations(folder: &Path) -> Result<()> {
    let folders = list(folder)?.folders;
    let Some((pictures, known)) = annotated(&folders) else { return Ok(()) };
    let path = folder.display().to_string();
    if holds_images(&folder.join(known))? {
        let found = format!("`{pictures}` and `{known}` hold images, and look like pictures with their masks");
        let at = |name: &str| quoted_path(&folder.join(name));
        let rename = |from: &str, to: &str| (from != to).then(|| format!("mv {} {}", at(from), at(to)));
        let renames: Vec<String> = [rename(pictures, "images"), rename(known, "masks")].into_iter().flatten().collect();
        let help = match renames.is_empty() {
            true => {
                "put the pictures directly into `images`, and the masks into `masks`, or both into `train/` and `val/`"
                    .into()
            }
            false => format!("masks are read from `images` and `masks`:  {}", renames.join(" && ")),
        };
        return Err(DataError::Meant { path, found, help });
    }
    let found =
        format!("`{pictures}` holds pictures, and `{known}` no masks of them; boxes and captions are not learnt from");
    let help = format!(
        "for classes, put the pictures of each into a folder of its own ({path}/cat/1.jpg); for a class of each pixel, write \
         PNGs of class indices into {path}/masks"
    );
    Err(DataError::Meant { path, found, help })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_many_names() {
        for name in
            ["train", "Training", "TRAIN", "training_set", "train-images", "seg_train", "Train Data", "trainset"]
        {
            assert_eq!(role(name), Some(Role::Train), "{name}");
        }
        for name in ["val", "valid", "Validation", "VAL", "validation_set", "dev", "eval"] {
            assert_eq!(role(name), Some(Role::Val), "{name}");
        }
        for name in ["test", "Testing", "TEST", "test_set", "seg_test"] {
            assert_eq!(role(name), Some(Role::Test), "{name}");
        }
        for name in ["cat", "train station", "trains", "images", "", "_", "set", "testosterone", "valley"] {
            assert_eq!(role(name), None, "{name}");
        }
    }
}
