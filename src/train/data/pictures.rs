//! Image files: decoded within limits, so that a small file cannot fill the memory.

use super::channels::adapt;
use super::error::{DataError, Result};
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Bytes that one decoded image may take up.
const LIMIT: u64 = 512 << 20;
/// Pixels along one side.
const SIDE: u32 = 1 << 16;

/// Whether a file's ending is an image's that can be read.
pub fn is_image(name: &str) -> bool {
    let name = name.to_lowercase();
    [".png", ".jpg", ".jpeg"].iter().any(|ending| name.ends_with(ending))
}

/// Height and width, from the header alone.
///
/// # Errors
/// [`DataError::Broken`] where it is no image, or too large to be decoded.
pub fn size(path: &Path) -> Result<[usize; 2]> {
    let (width, height) = reader(path)?.into_dimensions().map_err(|error| broken(path, &error))?;
    let bytes = width as u64 * height as u64 * 4;
    if width > SIDE || height > SIDE || bytes > LIMIT {
        return Err(DataError::broken(path.display(), format!("{width}×{height} pixels are too many")));
    }
    Ok([height as usize, width as usize])
}

/// Decodes an image to `channels` (1 or 3), appends them one after the other to `out`, and gives height and width.
///
/// Transparency is dropped; 16-bit values are rounded to 8.
///
/// # Errors
/// [`DataError::Broken`] where it is no image, or too large.
pub fn decode(path: &Path, channels: usize, out: &mut Vec<u8>) -> Result<[usize; 2]> {
    size(path)?;
    let image = reader(path)?.decode().map_err(|error| broken(path, &error))?;
    let size = [image.height() as usize, image.width() as usize];
    if image.color().has_color() {
        let rgb = match image {
            DynamicImage::ImageRgb8(rgb) => rgb,
            other => other.to_rgb8(),
        };
        let pixels = rgb.as_raw();
        let mut planes = Vec::with_capacity(pixels.len());
        (0..3).for_each(|c| planes.extend(pixels.iter().skip(c).step_by(3)));
        adapt(&planes, 3, channels, out);
    } else {
        adapt(image.to_luma8().as_raw(), 1, channels, out);
    }
    Ok(size)
}

/// An image as it is stored, with the format of its file.
///
/// # Errors
/// As [`decode`].
pub fn stored(path: &Path) -> Result<(DynamicImage, ImageFormat)> {
    size(path)?;
    let reader = reader(path)?;
    let format = reader.format().ok_or_else(|| DataError::broken(path.display(), "it is no image that is known"))?;
    Ok((reader.decode().map_err(|error| broken(path, &error))?, format))
}

fn reader(path: &Path) -> Result<ImageReader<BufReader<File>>> {
    let io = |error: std::io::Error| DataError::io(path, &error);
    let mut reader = ImageReader::open(path).map_err(io)?.with_guessed_format().map_err(io)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(LIMIT);
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE), Some(SIDE));
    reader.limits(limits);
    Ok(reader)
}

fn broken(path: &Path, error: &image::ImageError) -> DataError {
    DataError::broken(path.display(), error.to_string())
}
