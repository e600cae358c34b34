//! Random changes of training samples. Masks change with their images.
//!
//! Changes are done in the recipe's order, on values in 0–1, before normalisation, as torchvision's transforms are. A
//! `random_resized_crop` that comes first is done on the image at the size it is stored at; before any other change an
//! image is resized to cover the model's input and cropped about its centre.

mod colour;
mod geometry;
mod image;
mod mixup;

pub use colour::per_channel;
pub use image::Image;
pub use mixup::{mixup, mixup_alpha};

use super::dataset::{Sample, TargetKind};
use super::error::{DataError, Result};
use super::resize::Region;
use crate::base::Rng;
use crate::elaborate::recipe::Augment;

/// Makes a sample the size that the model wants (`to`, `[H, W]`), changing it at random on the way.
///
/// `mean` is what `cutout` fills with, one value per channel or one for all.
///
/// # Errors
/// [`DataError::Augment`] where a change has no meaning for this sample.
pub fn prepare(
    sample: &Sample,
    to: [usize; 2],
    changes: &[Augment],
    mean: &[f64],
    rng: &mut Rng,
    out: &mut Image,
) -> Result<()> {
    let from = [sample.dims[1], sample.dims[2]];
    let rest = match changes.split_first() {
        Some((Augment::RandomResizedCrop { min_area }, rest)) if from != [1, 1] => {
            out.take(sample, geometry::random_region(from, *min_area, rng), to);
            rest
        }
        _ => {
            out.take(sample, Region::cover(from, to), to);
            changes
        }
    };
    rest.iter().try_for_each(|change| {
        check(change, out.dims)?;
        apply(change, out, mean, rng);
        Ok(())
    })
}

fn apply(change: &Augment, image: &mut Image, mean: &[f64], rng: &mut Rng) {
    match *change {
        Augment::PadCrop(pixels) | Augment::Shift(pixels) => {
            let mut step = || rng.below(2 * pixels + 1) as isize - pixels as isize;
            let (down, right) = (step(), step());
            geometry::shift(image, down, right);
        }
        Augment::Flip if rng.below(2) == 1 => geometry::flip(image),
        Augment::FlipVertical if rng.below(2) == 1 => geometry::flip_vertical(image),
        Augment::Flip | Augment::FlipVertical => {}
        Augment::Rotate(degrees) => geometry::rotate(image, (2.0 * rng.uniform() - 1.0) * degrees),
        Augment::Cutout(side) => colour::cutout(image, side, mean, rng),
        Augment::Jitter(factor) => colour::jitter(image, factor, rng),
        Augment::RandomResizedCrop { min_area } => {
            let size = [image.dims[1], image.dims[2]];
            let region = geometry::random_region(size, min_area, rng);
            image.resize(region);
        }
        // Mixup joins samples of a batch, after normalisation.
        Augment::Mixup(_) => {}
    }
}

/// Whether a change has a meaning for an image of these dimensions.
fn check(change: &Augment, [_, h, w]: [usize; 3]) -> Result<()> {
    let least = h.min(w);
    let name = name(change);
    if !matches!(change, Augment::Mixup(_)) && least < 2 {
        return Err(DataError::Augment { name, reason: "the inputs are no images".into() });
    }
    match *change {
        Augment::PadCrop(n) | Augment::Shift(n) | Augment::Cutout(n) if n >= least => {
            Err(DataError::Augment { name, reason: format!("{n} pixels are too many for inputs of {h}×{w}") })
        }
        _ => Ok(()),
    }
}

/// Whether targets move with their inputs. Masks do; numbers for each pixel would stay where they are.
///
/// # Errors
/// [`DataError::Augment`] for the first change that moves pixels, where targets are numbers for each of them.
pub fn check_moves(changes: &[Augment], target: &TargetKind, input: &[usize]) -> Result<()> {
    let (TargetKind::Tensor(dims), &[_, h, w]) = (target, input) else { return Ok(()) };
    let moves = |change: &&Augment| !matches!(change, Augment::Cutout(_) | Augment::Jitter(_) | Augment::Mixup(_));
    match changes.iter().find(moves).filter(|_| h * w > 1 && dims.ends_with(&[h, w])) {
        Some(change) => {
            let reason = "it moves pixels, and the targets, numbers for each pixel, would stay where they are";
            Err(DataError::Augment { name: name(change), reason: reason.into() })
        }
        None => Ok(()),
    }
}

/// As it is written in a recipe.
fn name(change: &Augment) -> &'static str {
    match change {
        Augment::PadCrop(_) => "pad_crop",
        Augment::Flip => "flip",
        Augment::FlipVertical => "flip_vertical",
        Augment::Shift(_) => "shift",
        Augment::Rotate(_) => "rotate",
        Augment::Cutout(_) => "cutout",
        Augment::Jitter(_) => "jitter",
        Augment::RandomResizedCrop { .. } => "random_resized_crop",
        Augment::Mixup(_) => "mixup",
    }
}
