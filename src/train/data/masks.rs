//! `images/` and `masks/`: a class for each pixel.

use super::dataset::{Dataset, Sample, TargetKind};
use super::error::{DataError, Result};
use super::folder::{Checked, drop_broken, split_of};
use super::paired::{self, Pair};
use super::pictures::{decode, look, read_mask, turned};
use super::remarks::Remarks;
use super::source::{Want, check_pictures};
use super::split::Split;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Images with masks, decoded when asked for.
struct Masks {
    directory: PathBuf,
    entries: Vec<Pair>,
    shape: Vec<usize>,
    kind: TargetKind,
    binary: bool,
}

/// Opens images with their masks, in the parts that `paired` finds. Masks that hold only 0 and 255 mean classes 0 and 1;
/// otherwise 255 marks pixels to ignore.
pub fn open(directory: &Path, want: &Want, mut remarks: Remarks) -> Result<Split> {
    check_pictures(directory, &want.shape)?;
    let pairs = paired::find(directory, want, &mut remarks)?;
    let levels = Mutex::new([false; 256]);
    let check = |entry: &Pair| check(directory, entry, &levels);
    let mut sound = |entries: Vec<Pair>| drop_broken(entries, want.strict, &mut remarks, check);
    let train = sound(pairs.train)?;
    let val = pairs.val.map(&mut sound).transpose()?;
    let test = pairs.test.map(&mut sound).transpose()?;
    let levels = levels.into_inner().unwrap_or_else(PoisonError::into_inner);
    let binary = levels[255] && levels[1..255].iter().all(|&seen| !seen);
    let highest = levels[..255].iter().rposition(|&seen| seen).unwrap_or(0);
    let part = |entries| -> Arc<dyn Dataset> {
        let kind = TargetKind::Mask { classes: highest.max(1) + 1 };
        Arc::new(Masks { directory: directory.to_path_buf(), entries, shape: want.shape.clone(), kind, binary })
    };
    split_of(directory, (part(train), val.map(part), test.map(part)), &pairs.parts, remarks)
}

/// Reads a mask, notes its grey levels, and compares its size with the image's.
fn check(directory: &Path, (image, mask): &Pair, levels: &Mutex<[bool; 256]>) -> Result<Checked> {
    let seen = look(&directory.join(image.as_ref()))?;
    let (size, pixels) = read_mask(&directory.join(mask.as_ref()))?;
    let (_, pixels) = turned(&directory.join(mask.as_ref()), &seen, size, pixels)?;
    let mut found = [false; 256];
    pixels.iter().for_each(|&p| found[p as usize] = true);
    let mut levels = levels.lock().unwrap_or_else(PoisonError::into_inner);
    levels.iter_mut().zip(found).for_each(|(all, one)| *all |= one);
    let name = |yes: bool| yes.then(|| image.to_string());
    Ok(Checked { frames: name(seen.frames), turned: name(seen.fits_either()) })
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
        let path = self.directory.join(image.as_ref());
        let [h, w] = decode(&path, self.shape[0], out.pixels.bytes())?;
        let seen = look(&path)?;
        let path = self.directory.join(mask.as_ref());
        let (size, pixels) = read_mask(&path)?;
        let (_, pixels) = turned(&path, &seen, size, pixels)?;
        let class = |level: u8| if self.binary && level == 255 { 1 } else { level as i32 };
        out.target.mask().extend(pixels.into_iter().map(class));
        out.dims = [self.shape[0], h, w];
        Ok(())
    }
}
