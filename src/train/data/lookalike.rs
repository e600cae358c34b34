//! Layouts that are like another: masks whose names have a part more than their images', and folders that look like classes and
//! are images with their masks.

use super::error::{DataError, Result};
use super::listing::Listing;
use super::mask_file;
use super::pictures::look;
use crate::base::command::{quoted, quoted_path};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Levels that masks have at most, and pictures hardly ever as few.
const LEVELS: usize = 32;
/// Pairs of files that are looked into.
const LOOKED: usize = 16;

/// What the names of masks have more than those of their images: `_mask` behind, or `mask_` before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affix {
    /// What stands before the image's name.
    pub before: String,
    /// What stands behind it.
    pub behind: String,
}

impl Affix {
    /// What all of these masks have more than one of these images each; names are paths without endings.
    pub fn of(images: &BTreeSet<&str>, masks: &BTreeSet<&str>) -> Option<Self> {
        let first = masks.first()?;
        let (folder, name) = split(first);
        let inside = images.iter().map(|image| split(image)).filter(|(there, _)| *there == folder);
        let parts = inside.flat_map(|(_, image)| {
            name.match_indices(image).map(move |(at, _)| (&name[..at], &name[at + image.len()..]))
        });
        // Digits alone number files: `11` is no mask of `1`.
        let worded = parts.filter(|(before, behind)| format!("{before}{behind}").contains(char::is_alphabetic));
        let mut found: Vec<Self> =
            worded.map(|(before, behind)| Self { before: before.into(), behind: behind.into() }).collect();
        found.sort_by_key(|affix| affix.before.len() + affix.behind.len());
        found
            .into_iter()
            .find(|affix| masks.iter().all(|mask| affix.bare(mask).is_some_and(|bare| images.contains(bare.as_str()))))
    }

    /// The name of the image of which this is the mask.
    pub fn bare(&self, mask: &str) -> Option<String> {
        let (folder, name) = split(mask);
        let name = name.strip_prefix(self.before.as_str())?.strip_suffix(self.behind.as_str())?;
        (!name.is_empty()).then(|| format!("{folder}{name}"))
    }

    /// The name of the mask of this image.
    pub fn of_image(&self, image: &str) -> String {
        let (folder, name) = split(image);
        format!("{folder}{}{name}{}", self.before, self.behind)
    }

    /// `` `_mask` ``, or what stands before and behind.
    pub fn shown(&self) -> String {
        match (&*self.before, &*self.behind) {
            ("", behind) => format!("`{behind}`"),
            (before, "") => format!("`{before}`"),
            (before, behind) => format!("`{before}` and `{behind}`"),
        }
    }
}

/// A path as its folder, with the slash, and its name.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |at| at + 1))
}

/// A name up to its ending.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// That a folder holds images and their masks together, told by their names: `0.jpg` and `0_mask.png`.
pub fn mixed(folder: &Path, listing: &Listing) -> Option<DataError> {
    let stems: BTreeSet<&str> = listing.pictures.iter().map(|name| stem(name)).collect();
    let word = |stem: &str| ["mask", "label", "seg", "_gt", "annot"].iter().any(|w| stem.to_lowercase().contains(w));
    let (masks, images): (BTreeSet<&str>, BTreeSet<&str>) = stems.into_iter().partition(|stem| word(stem));
    let affix = Affix::of(&images, &masks)?;
    let path = folder.display().to_string();
    let (image, mask) = (images.first()?, masks.first()?);
    let found = format!("it holds images and their masks together, as `{image}` and `{mask}`");
    let at = |name: &str| quoted_path(&folder.join(name));
    let word = |part: &str| if part.is_empty() { String::new() } else { quoted(part) };
    let named = format!("{}*{}.*", word(&affix.before), word(&affix.behind));
    let help = format!(
        "masks lie in a folder of their own:  mkdir {images} {masks} && mv {here}/{named} {masks}/ && mv {here}/*.* {images}/",
        images = at("images"),
        masks = at("masks"),
        here = quoted_path(folder),
    );
    Some(DataError::Meant { path, found, help })
}

/// That two folders of classes are images and their masks: the same names in both, files of one size, and in one of them few levels
/// of grey. `classes` are the folders' names with the files in them, as paths below the folder.
///
/// # Errors
/// [`DataError::Meant`], with the command that names them so.
pub fn twins(root: &Path, classes: [(&str, &[&str]); 2]) -> Result<()> {
    let files = classes.map(|(_, files)| files.iter().map(|file| (stem(file), *file)).collect::<BTreeMap<_, _>>());
    let stems = [0, 1].map(|i| files[i].keys().copied().collect::<BTreeSet<_>>());
    for (images, masks) in [(0, 1), (1, 0)] {
        let same = stems[images] == stems[masks];
        let affix = if same { None } else { Affix::of(&stems[images], &stems[masks]) };
        if !same && (affix.is_none() || stems[images].len() != stems[masks].len()) {
            continue;
        }
        let partner = |image: &str| affix.as_ref().map_or(image.to_string(), |affix| affix.of_image(image));
        let pairs =
            files[images].iter().filter_map(|(image, file)| Some((*file, *files[masks].get(&*partner(image))?)));
        let [image, mask] = [classes[images].0, classes[masks].0];
        if pairs.take(LOOKED).all(|(file, other)| is_pair(&root.join(image).join(file), &root.join(mask).join(other))) {
            return Err(meant(root, image, mask));
        }
    }
    Ok(())
}

/// Whether two files are of one size, the second has few levels of grey, and the first is no such mask.
fn is_pair(image: &Path, mask: &Path) -> bool {
    let flat = |path: &Path| {
        let levels = |found: mask_file::MaskFile| found.levels.into_iter().collect::<BTreeSet<_>>().len();
        mask_file::read(path).is_ok_and(|found| levels(found) <= LEVELS)
    };
    let size = |path: &Path| look(path).ok().map(|seen| seen.stored);
    size(image).is_some() && size(image) == size(mask) && flat(mask) && !flat(image)
}

fn meant(root: &Path, image: &str, mask: &str) -> DataError {
    let found = format!(
        "`{image}` and `{mask}` hold files of the same names and sizes, those of `{mask}` in few levels of grey: they look like \
         images with their masks"
    );
    let at = |name: &str| quoted_path(&root.join(name));
    let renames = [(image, "images"), (mask, "masks")].map(|(from, to)| format!("mv {} {}", at(from), at(to)));
    let help = format!(
        "masks are read from `images` and `masks`:  {}  (where they are two classes, give their files different names)",
        renames.join(" && ")
    );
    DataError::Meant { path: root.display().to_string(), found, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affix(images: &[&str], masks: &[&str]) -> Option<String> {
        let [images, masks] = [images, masks].map(|names| names.iter().copied().collect());
        Affix::of(&images, &masks).map(|affix| affix.shown())
    }

    #[test]
    fn what_masks_are_called_more_is_the_same_for_all_of_them() {
        assert_eq!(affix(&["p 0", "p 1"], &["p 0_mask", "p 1_mask"]).as_deref(), Some("`_mask`"));
        assert_eq!(affix(&["a/1", "a/11"], &["a/gt_1", "a/gt_11"]).as_deref(), Some("`gt_`"));
        assert_eq!(affix(&["0", "1", "2"], &["0_L"]).as_deref(), Some("`_L`"));
        assert_eq!(affix(&["0", "1"], &["0_mask", "1_gt"]), None);
        assert_eq!(affix(&["1", "2"], &["11", "12"]), None);
        assert_eq!(affix(&["a/1"], &["b/1_mask"]), None);
    }
}
