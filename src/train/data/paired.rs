//! `images/` and `masks/`: which mask is whose, and in which part.

use super::error::{DataError, Result};
use super::held::Holding;
use super::listing::{at, holds_images, join, list, walk};
use super::lookalike::Affix;
use super::parts::{Parts, aside, gather, images_and_masks, role};
use super::remarks::Remarks;
use super::source::DataSpec;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// An image and its mask, as paths below the directory.
pub type Pair = (Box<str>, Box<str>);

/// Images with their masks, in parts.
pub struct Pairs {
    /// The folders of the parts; none where the pairs come as one.
    pub parts: Parts,
    /// To learn from.
    pub train: Vec<Pair>,
    /// To choose on.
    pub val: Option<Vec<Pair>>,
    /// To measure on.
    pub test: Option<Vec<Pair>>,
}

/// Whether a directory is laid out so: `images/` with `masks/`, or parts of which one is.
pub fn is_masks(directory: &Path) -> bool {
    let folders = list(directory).map(|listing| listing.folders).unwrap_or_default();
    let mut parts = folders.iter().filter(|name| role(name).is_some());
    images_and_masks(directory).is_some() || parts.any(|part| images_and_masks(&directory.join(part)).is_some())
}

/// Finds all pairs: in `train/images/…` with `train/masks/…` (and `val/`, `test/`), in `images/train/…` with `masks/train/…`, or in
/// `images/…` with `masks/…`, of which a part is held out. An image and its mask have the same name up to the ending, or all masks have
/// the same more (`_mask`), which a note says.
///
/// # Errors
/// [`DataError::Meant`] for parts that make no sense, [`DataError::Broken`] for the first image without a mask where `want.strict`.
pub fn find(directory: &Path, want: &DataSpec, remarks: &mut Remarks) -> Result<Pairs> {
    let (parts, inside) = parts(directory, remarks)?;
    let given = !parts.is_empty();
    let parts = if given { parts.with_train(directory, want.holding == Holding::Nothing)? } else { parts };
    let mut read = |part: &str| -> Result<Vec<Pair>> {
        let (images, masks) = folders(directory, part, inside.as_ref())?;
        pairs(directory, &images, &masks, remarks)
    };
    let mut all = read(parts.train.as_deref().unwrap_or_default())?;
    let mut other = |part: &Option<String>| part.as_deref().map(&mut read).transpose();
    let (val, mut test) = (other(&parts.val)?, other(&parts.test)?);
    if let Some(inside) = &inside {
        masks_beside(directory, &parts, inside, remarks)?;
    }
    // Runs that do not say how learnt from all of a lonely `train/`.
    if val.is_none() && test.is_none() && !(given && want.holding == Holding::Drawn) {
        let (images, _) = folders(directory, parts.train.as_deref().unwrap_or_default(), inside.as_ref())?;
        let (learnt, held) =
            want.holding.divide(all, "masks", |(image, _)| image.get(images.len() + 1..).unwrap_or(image));
        (all, test) = (learnt, (!held.is_empty()).then_some(held));
    }
    match remarks.broken.first() {
        Some(first) if want.strict => Err(first.clone()),
        _ => Ok(Pairs { parts, train: all, val, test }),
    }
}

/// The parts, and the names of `images` and `masks` where the parts lie inside of these. What lies beside is doubted.
fn parts(directory: &Path, remarks: &mut Remarks) -> Result<(Parts, Option<(String, String)>)> {
    let listing = list(directory)?;
    let is_part = |folder: &Path| Ok(images_and_masks(folder).is_some());
    let outside = Parts::find(directory, &listing.folders, &is_part)?;
    let Some((images, masks)) = images_and_masks(directory) else {
        let taken: Vec<&String> = outside.folders().collect();
        beside(directory, "", &taken, "in no part", remarks)?;
        for part in taken {
            if let Some((images, masks)) = images_and_masks(&directory.join(part)) {
                beside(directory, part, &[&images, &masks], AMONG, remarks)?;
            }
        }
        return Ok((outside, None));
    };
    let inside = inside(directory, &images, remarks)?;
    if !outside.is_empty() {
        return Err(both(directory, [&images, &masks], &outside, inside.is_empty()));
    }
    beside(directory, "", &[&images, &masks], AMONG, remarks)?;
    let inside_of = (!inside.is_empty()).then_some((images, masks));
    Ok((inside, inside_of))
}

/// Where images lie that are neither images nor masks of a part.
const AMONG: &str = "beside `images` and `masks`";

/// The parts inside of `images`; none where images lie in it directly, or in other folders alone.
fn inside(directory: &Path, images: &str, remarks: &mut Remarks) -> Result<Parts> {
    let root = directory.join(images);
    let listing = list(&root)?;
    if !listing.pictures.is_empty() {
        return Ok(Parts::default());
    }
    let parts = Parts::find(&root, &listing.folders, &holds_images)?;
    if parts.is_empty() {
        listing
            .folders
            .iter()
            .filter(|name| role(name).is_some())
            .for_each(|name| remarks.no_part(&join(images, name)));
        return Ok(parts);
    }
    let taken: Vec<&String> = parts.folders().collect();
    beside(directory, images, &taken, "in no part", remarks)?;
    let below = |part: Option<String>| part.map(|name| join(images, &name));
    Ok(Parts { train: below(parts.train), val: below(parts.val), test: below(parts.test) })
}

/// Doubts what lies in a folder beside what is taken of it.
fn beside(directory: &Path, folder: &str, taken: &[&String], why: &str, remarks: &mut Remarks) -> Result<()> {
    let listing = list(&at(directory, folder))?;
    for name in listing.folders.iter().filter(|name| !taken.contains(name)) {
        remarks.leave(directory, &join(folder, name), why)?;
    }
    if let Some(first) = listing.pictures.first() {
        remarks.unread(listing.pictures.len(), why, Some(&join(folder, first)));
    }
    Ok(())
}

/// Doubts the masks of which no part's images are.
fn masks_beside(directory: &Path, parts: &Parts, inside: &(String, String), remarks: &mut Remarks) -> Result<()> {
    let masks = &inside.1;
    let mut used = Vec::new();
    for part in parts.folders() {
        let (_, folder) = folders(directory, part, Some(inside))?;
        used.extend(folder.strip_prefix(masks.as_str()).map(|name| name.trim_start_matches('/').to_string()));
    }
    beside(directory, masks, &used.iter().collect::<Vec<_>>(), "in no part", remarks)
}

/// Images and masks beside parts that have some of their own: what is to be learnt from is not said.
fn both(directory: &Path, own: [&String; 2], parts: &Parts, whole: bool) -> DataError {
    let path = directory.display().to_string();
    let [images, masks] = own;
    let names = parts.folders().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let own_ones =
        if parts.folders().count() == 1 { "which has images and masks of its own" } else { "which have their own" };
    let found = format!("`{images}` and `{masks}` lie beside {names}, {own_ones}");
    let help = match whole && parts.train.is_none() {
        true => {
            let learnt = gather(directory, own, &directory.join("train"));
            format!("where they are what is to be learnt from, they are the part `train`:  {learnt}")
        }
        false => {
            let kept = gather(directory, parts.folders(), &aside(directory, "more"));
            format!("keep one of them, and put the other aside:  {kept}")
        }
    };
    DataError::Meant { path, found, help }
}

/// The folders of images and of masks of a part.
fn folders(directory: &Path, part: &str, inside: Option<&(String, String)>) -> Result<(String, String)> {
    let missing = |what: &str| DataError::Layout {
        path: at(directory, part).display().to_string(),
        found: format!("it has no {what}"),
        near: None,
    };
    let Some((images, masks)) = inside else {
        let (images, masks) = images_and_masks(&at(directory, part)).ok_or_else(|| missing("`images` with `masks`"))?;
        return Ok((join(part, &images), join(part, &masks)));
    };
    let name = part.strip_prefix(images.as_str()).unwrap_or(part).trim_start_matches('/');
    let others = list(&directory.join(masks))?.folders;
    // The same name comes first: `masks/val` may lie beside `masks/valid`.
    let same = others.iter().find(|other| *other == name);
    let same = same.or_else(|| others.iter().find(|other| role(other) == role(name)));
    let same = same.ok_or_else(|| missing(&format!("masks: there is no `{masks}/{name}`")))?;
    Ok((part.to_string(), join(masks, same)))
}

/// A path up to its ending.
fn stem(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') => stem,
        _ => path,
    }
}

/// The pictures below a folder, by their paths below it.
fn pictures(directory: &Path, folder: &str, remarks: &mut Remarks) -> Result<Vec<Box<str>>> {
    let mut found = Vec::new();
    walk(directory, folder, |here, listing| {
        found.extend(listing.pictures.iter().map(|name| join(here, name).into_boxed_str()));
        listing.others.iter().for_each(|name| remarks.pass_over(join(here, name)));
        true
    })?;
    found.sort();
    Ok(found)
}

/// Masks by what their images are called; where none has its image's name, and all of them have the same more, without that.
fn by_image(directory: &Path, images: &[Box<str>], folders: [&str; 2], remarks: &mut Remarks) -> Result<ByStem> {
    let [inside, masks] = folders;
    let mut by_stem = BTreeMap::new();
    for mask in pictures(directory, masks, remarks)? {
        if let Some(other) = by_stem.insert(key(&mask, masks).to_string(), mask.clone()) {
            remarks.doubts.push(format!("`{other}` and `{mask}` are masks of one image: the second is read"));
        }
    }
    let names: BTreeSet<&str> = images.iter().map(|image| key(image, inside)).collect();
    let unlike = names.iter().all(|name| !by_stem.contains_key(*name));
    let affix = if unlike { Affix::of(&names, &by_stem.keys().map(String::as_str).collect()) } else { None };
    let Some(affix) = affix else { return Ok((by_stem, None)) };
    let note = format!("masks in `{masks}` are matched to their images without {} in their names", affix.shown());
    remarks.notes.push(note);
    let bare = by_stem.into_iter().map(|(name, mask)| (affix.bare(&name).unwrap_or(name), mask)).collect();
    Ok((bare, Some(affix)))
}

/// Masks by the names of their images, and what they are called more than these.
type ByStem = (BTreeMap<String, Box<str>>, Option<Affix>);

/// What tells an image or a mask in its folder: its path there, up to the ending.
fn key<'p>(path: &'p str, folder: &str) -> &'p str {
    stem(path.get(folder.len() + 1..).unwrap_or(path))
}

/// Images with their masks, sorted; images without are broken, masks without are doubted.
fn pairs(directory: &Path, images: &str, masks: &str, remarks: &mut Remarks) -> Result<Vec<Pair>> {
    let found = pictures(directory, images, remarks)?;
    let (by_stem, affix) = by_image(directory, &found, [images, masks], remarks)?;
    let mut entries = Vec::new();
    let mut alone: BTreeMap<&str, &str> = by_stem.iter().map(|(key, mask)| (key.as_str(), &**mask)).collect();
    for image in found {
        let name = key(&image, images);
        alone.remove(name);
        match by_stem.get(name) {
            Some(mask) => entries.push((image, mask.clone())),
            None => {
                let wanted = affix.as_ref().map_or(name.to_string(), |affix| affix.of_image(name));
                let reason = format!("it has no mask `{masks}/{wanted}.png`");
                remarks.broken.push(DataError::broken(directory.join(image.as_ref()).display(), reason));
            }
        }
    }
    if let (Some(first), false) = (alone.values().next(), entries.is_empty()) {
        let (masks, are) = if alone.len() == 1 { ("mask has", "is") } else { ("masks have", "are") };
        remarks
            .doubts
            .push(format!("{} {masks} no image of the same name, and {are} not read: `{first}`", alone.len()));
    }
    Ok(entries)
}
