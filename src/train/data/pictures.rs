//! Image files: decoded within limits, so that a small file cannot fill the memory; turned as their EXIF orientation says.

use super::channels::adapt;
use super::error::{DataError, Result};
use super::intact::{jpeg_head, other_kind, structure};
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

/// Bytes that one decoded image may take up, and its file.
const LIMIT: u64 = 512 << 20;
/// Pixels along one side.
const SIDE: u32 = 1 << 16;

/// The endings of images that can be read, in any case.
const ENDINGS: [&str; 11] =
    [".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"];

/// Whether a file's ending is an image's that can be read.
pub fn is_image(name: &str) -> bool {
    let name = name.to_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What can be seen of a picture without decoding it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Height and width, turned as it is to be seen.
    pub size: [usize; 2],
    /// Height and width as it is stored.
    pub stored: [usize; 2],
    /// How it is turned.
    pub orientation: Orientation,
    /// What the file is, whatever its ending says.
    pub format: ImageFormat,
    /// The kind of its pixels.
    pub kind: ExtendedColorType,
    /// Whether it holds more frames or pages than the one that is read.
    pub frames: bool,
    /// Whether its values were changed when they were stored, as JPEG does.
    pub lossy: bool,
}

impl Look {
    /// Whether the picture is turned, and a mask of its size would fit it turned and unturned.
    pub fn fits_either(&self) -> bool {
        self.orientation != Orientation::NoTransforms && self.size == self.stored
    }

    /// Compares the size of a mask with the picture's, turned or as it is stored.
    ///
    /// # Errors
    /// [`DataError::Broken`] where it is neither.
    pub fn check_mask(&self, mask: &Path, found: [usize; 2]) -> Result<()> {
        if [self.size, self.stored].contains(&found) {
            return Ok(());
        }
        let ([h, w], [mh, mw]) = (self.size, found);
        Err(DataError::broken(mask.display(), format!("it is {mh}×{mw}, and its image {h}×{w}")))
    }
}

/// The values of a mask that belongs to a picture (and was checked), turned with it where it has the size at which the picture
/// is stored.
pub fn turned<T: Copy>(picture: &Look, [mh, mw]: [usize; 2], values: Vec<T>) -> Vec<T> {
    let [h, w] = picture.size;
    if [h, w] == [mh, mw] {
        return values;
    }
    // A sideways picture: row y and column x of what is seen come from column y and row x, one or both counted backwards.
    let (down, right) = match picture.orientation {
        Orientation::Rotate90 => (false, true),
        Orientation::Rotate270 => (true, false),
        Orientation::Rotate90FlipH => (false, false),
        _ => (true, true),
    };
    let from = |y: usize, x: usize| {
        let row = if right { mh - 1 - x } else { x };
        let column = if down { mw - 1 - y } else { y };
        values.get(row * mw + column).copied()
    };
    (0..h).flat_map(|y| (0..w).filter_map(move |x| from(y, x))).collect()
}

/// Looks at a picture: its header, and whether its file is whole.
///
/// # Errors
/// [`DataError::Broken`] where it is no image, cut short, or too large to be decoded.
pub fn look(path: &Path) -> Result<Look> {
    let file = File::open(path).map_err(|error| DataError::io(path, &error))?;
    look_into(BufReader::new(file), path)
}

fn look_into(mut file: impl BufRead + Seek, path: &Path) -> Result<Look> {
    let io = |error: std::io::Error| DataError::io(path, &error);
    let mut start = Vec::new();
    file.by_ref().take(64).read_to_end(&mut start).map_err(io)?;
    let format = image::guess_format(&start).ok().filter(ImageFormat::reading_enabled);
    let Some(format) = format.filter(|_| other_kind(&start).is_none()) else {
        let reason = other_kind(&start).unwrap_or("it is no picture of a kind that is read, whatever its ending says");
        return Err(DataError::broken(path.display(), reason));
    };
    let seen = structure(&mut file, format).map_err(io)?;
    if let Some(wrong) = seen.wrong {
        return Err(DataError::broken(path.display(), wrong));
    }
    file.rewind().map_err(io)?;
    let header = match format {
        // Its decoder would read all of the file before it says anything.
        ImageFormat::Jpeg => header(decoder(Cursor::new(jpeg_head(&mut file).map_err(io)?), format, path)?),
        _ => header(decoder(file, format, path)?),
    };
    let ([width, height], orientation, kind) = header;
    if width == 0 || height == 0 {
        return Err(DataError::broken(path.display(), "it has no pixels"));
    }
    if width > SIDE || height > SIDE || width as u64 * height as u64 * 4 > LIMIT {
        return Err(DataError::broken(path.display(), format!("{width}×{height} pixels are too many")));
    }
    let stored = [height as usize, width as usize];
    let size = if is_sideways(orientation) { [stored[1], stored[0]] } else { stored };
    Ok(Look { size, stored, orientation, format, kind, frames: seen.frames, lossy: seen.lossy })
}

/// Width and height, how a picture is turned, and the kind of its pixels.
fn header(mut decoder: impl ImageDecoder) -> ([u32; 2], Orientation, ExtendedColorType) {
    let (width, height) = decoder.dimensions();
    // A tag that cannot be read turns nothing, as in viewers.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    ([width, height], orientation, decoder.original_color_type())
}

/// Whether height and width change places.
fn is_sideways(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Decodes an image to `channels` (1 or 3), appends them one after the other to `out`, and gives what was seen of it.
///
/// It is turned as its EXIF orientation says. Transparency is dropped, as `convert("RGB")` of Pillow does; 16-bit values are
/// scaled and rounded to 8; CMYK becomes RGB.
///
/// # Errors
/// [`DataError::Broken`] where it is no image, cut short, too large, or of floating point.
pub fn decode(path: &Path, channels: usize, out: &mut Vec<u8>) -> Result<Look> {
    let (image, seen) = load(path)?;
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
    Ok(seen)
}

/// A whole picture, turned.
fn load(path: &Path) -> Result<(DynamicImage, Look)> {
    let (mut image, seen) = stored(path)?;
    if matches!(image, DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)) {
        let reason = "it holds floating-point values, whose range is not known: write it with 8 or 16 bits";
        return Err(DataError::broken(path.display(), reason));
    }
    image.apply_orientation(seen.orientation);
    Ok((image, seen))
}

/// A whole picture as it is stored, not turned, and what is to be seen of it.
///
/// # Errors
/// [`DataError::Broken`] where it is no image, cut short, or too large.
pub fn stored(path: &Path) -> Result<(DynamicImage, Look)> {
    let io = |error: std::io::Error| DataError::io(path, &error);
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(LIMIT + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > LIMIT {
        return Err(DataError::broken(path.display(), format!("its file is larger than {} MiB", LIMIT >> 20)));
    }
    let seen = look_into(Cursor::new(&bytes), path)?;
    let decoder = decoder(Cursor::new(&bytes), seen.format, path)?;
    let image = DynamicImage::from_decoder(decoder).map_err(|error| broken(path, &error))?;
    Ok((image, seen))
}

/// A decoder of the first frame, within the limits.
fn decoder<'f>(file: impl BufRead + Seek + 'f, format: ImageFormat, path: &Path) -> Result<impl ImageDecoder + 'f> {
    let mut reader = ImageReader::with_format(file, format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(LIMIT);
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE), Some(SIDE));
    reader.limits(limits);
    reader.into_decoder().map_err(|error| broken(path, &error))
}

fn broken(path: &Path, error: &image::ImageError) -> DataError {
    DataError::broken(path.display(), error.to_string())
}
