//! `images/` and `masks/`: a class for each pixel.

use super::dataset::{Dataset, Sample, TargetKind};
use super::error::{DataError, Result};
use super::folder::{drop_broken, names_in, split_group, split_of, test_part};
use super::pictures::{decode, is_image, read_mask, size};
use super::source::{Split, Want};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// An image and its mask, as paths below the directory.
type Entry = (Box<str>, Box<str>);

/// Images with masks, decoded when asked for.
struct Masks {
    directory: PathBuf,
    entries: Vec<Entry>,
    shape: Vec<usize>,
    kind: TargetKind,
    binary: bool,
}

/// Whether a directory is laid out so, in parts or as one.
pub fn is_masks(directory: &Path) -> bool {
    ["", "train"].iter().any(|part| {
        let part = directory.join(part);
        part.join("images").is_dir() && part.join("masks").is_dir()
    })
}

/// Opens `images/` and `masks/`, below `train/` and `test/` or directly; then every fifth pair is kept for testing. An
/// image and its mask have the same name up to the ending. Masks that hold only 0 and 255 mean classes 0 and 1;
/// otherwise 255 marks pixels to ignore.
pub fn open(directory: &Path, want: &Want) -> Result<Split> {
    super::source::check_pictures(directory, &want.shape)?;
    let mut broken = Vec::new();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    if directory.join("images").is_dir() {
        split_group(pairs(directory, "", &mut broken)?, &mut train, &mut test, "masks");
    } else {
        train = pairs(directory, "train/", &mut broken)?;
        if let Some(part) = test_part(&names_in(directory)?) {
            test = pairs(directory, &format!("{part}/"), &mut broken)?;
        }
    }
    if let (true, Some(first)) = (want.strict, broken.first()) {
        return Err(first.clone());
    }
    let levels = Mutex::new([false; 256]);
    let check = |entry: &Entry| check(directory, entry, &levels);
    let train = drop_broken(train, want.strict, &mut broken, check)?;
    let test = drop_broken(test, want.strict, &mut broken, check)?;
    let levels = levels.into_inner().unwrap_or_else(PoisonError::into_inner);
    let binary = levels[255] && levels[1..255].iter().all(|&seen| !seen);
    let highest = levels[..255].iter().rposition(|&seen| seen).unwrap_or(0);
    let part = |entries| -> Arc<dyn Dataset> {
        let kind = TargetKind::Mask { classes: highest.max(1) + 1 };
        Arc::new(Masks { directory: directory.to_path_buf(), entries, shape: want.shape.clone(), kind, binary })
    };
    split_of(directory, part(train), Some(part(test)), &broken)
}

/// Images with their masks, sorted; images without are noted.
fn pairs(directory: &Path, part: &str, broken: &mut Vec<DataError>) -> Result<Vec<Entry>> {
    let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_string();
    let masks = names_in(&directory.join(format!("{part}masks")))?;
    let masks: BTreeMap<String, String> = masks.into_iter().filter(|n| is_image(n)).map(|n| (stem(&n), n)).collect();
    let mut entries = Vec::new();
    for name in names_in(&directory.join(format!("{part}images")))?.into_iter().filter(|n| is_image(n)) {
        let image = format!("{part}images/{name}");
        match masks.get(&stem(&name)) {
            Some(mask) => entries.push((image.into_boxed_str(), format!("{part}masks/{mask}").into_boxed_str())),
            None => {
                let reason = format!("it has no mask `{part}masks/{}.png`", stem(&name));
                broken.push(DataError::broken(directory.join(&image).display(), reason));
            }
        }
    }
    Ok(entries)
}

/// Reads a mask, notes its grey levels, and compares its size with the image's.
fn check(directory: &Path, (image, mask): &Entry, levels: &Mutex<[bool; 256]>) -> Result<()> {
    let expected = size(&directory.join(image.as_ref()))?;
    let path = directory.join(mask.as_ref());
    let (found, pixels) = read_mask(&path)?;
    same_size(&path, expected, found)?;
    let mut seen = [false; 256];
    pixels.iter().for_each(|&p| seen[p as usize] = true);
    let mut levels = levels.lock().unwrap_or_else(PoisonError::into_inner);
    levels.iter_mut().zip(seen).for_each(|(all, one)| *all |= one);
    Ok(())
}

fn same_size(mask: &Path, [h, w]: [usize; 2], [mh, mw]: [usize; 2]) -> Result<()> {
    if [h, w] == [mh, mw] {
        return Ok(());
    }
    Err(DataError::broken(mask.display(), format!("it is {mh}×{mw}, and its image {h}×{w}")))
}

impl Dataset for Masks {
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
        let (image, mask) = &self.entries[index];
        let [h, w] = decode(&self.directory.join(image.as_ref()), self.shape[0], out.pixels.bytes())?;
        let path = self.directory.join(mask.as_ref());
        let (size, pixels) = read_mask(&path)?;
        same_size(&path, [h, w], size)?;
        let class = |level: u8| if self.binary && level == 255 { 1 } else { level as i32 };
        out.target.mask().extend(pixels.into_iter().map(class));
        out.dims = [self.shape[0], h, w];
        Ok(())
    }
}
