//! A picture for a network: decoded, with what was done to it on the way, and made the network's numbers.

use super::augment::per_channel;
use super::error::{DataError, Result};
use super::intact::jpeg_head;
use super::pictures::{decode, look};
use super::resize::{Region, bilinear};
use crate::base::command::quoted_path;
use crate::base::{Fault, codes};
use crate::elaborate::recipe::Normalize;
use image::{ExtendedColorType, ImageFormat, metadata::Orientation};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A decoded picture, with the channels that the network wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Height and width, upright.
    pub size: [usize; 2],
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Grey levels, channel by channel.
    pub pixels: Vec<u8>,
    /// What the file holds: `RGB`, `grey`, `16-bit RGBA`.
    pub stored: String,
    /// What the network gets: `RGB` or `grey`.
    pub made: &'static str,
    /// What else was done to it, in words.
    pub changes: Vec<String>,
}

impl Photo {
    /// Reads a picture for a network of 1 or 3 channels.
    ///
    /// # Errors
    /// [`DataError::Io`]; [`DataError::Broken`] where it is no picture, is truncated or too large; [`DataError::Format`]
    /// where its pixels are no grey levels.
    pub fn read(path: &Path, channels: usize) -> Result<Self> {
        let seen = look(path)?;
        let mut about = Stored::of(seen.kind).ok_or_else(|| DataError::Format {
            path: path.display().to_string(),
            reason: "its pixels are floats, whose range a picture does not say: give them as `.npy`".into(),
        })?;
        if seen.format == ImageFormat::Jpeg {
            about.cmyk = has_four_colours(path)?;
        }
        let mut pixels = Vec::new();
        let size = decode(path, channels, &mut pixels)?.size;
        let mut changes = Vec::new();
        let mut change = |on: bool, words: &str| on.then(|| changes.push(words.to_string()));
        change(seen.orientation != Orientation::NoTransforms, "turned upright");
        change(about.deep, "values rounded to 8 bits");
        change(about.alpha, "transparency dropped");
        change(seen.frames, "the first of several frames");
        let made = if channels == 1 { "grey" } else { "RGB" };
        Ok(Self { size, channels, pixels, stored: about.words(), made, changes })
    }

    /// A region of it, resized to `to` as data sets are, scaled to 0–1 and normalised: `[C, H, W]`.
    pub fn values(&self, region: Region, to: [usize; 2], by: Option<&Normalize>) -> Vec<f32> {
        let unit = |byte: u8| byte as f32 / 255.0;
        let mut values = Vec::with_capacity(self.channels * to[0] * to[1]);
        match to == self.size && region == Region::whole(self.size) {
            true => values.extend(self.pixels.iter().map(|&byte| unit(byte))),
            false => bilinear(&self.pixels, self.size, region, to, unit, &mut values),
        }
        normalize(&mut values, self.channels, to[0] * to[1], by);
        values
    }
}

/// Endings of pictures that are not read, and that other programs convert.
const FOREIGN: [&str; 10] = ["heic", "heif", "avif", "jxl", "jp2", "svg", "tga", "ppm", "pgm", "psd"];

/// What is said of a picture of a kind that is not read, by its ending: the command that converts it.
pub fn foreign(path: &Path) -> Option<Fault> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    let fact = || format!("`{}` cannot be used here: `.{ending}` pictures are not read", path.display());
    let (from, to) = (quoted_path(path), quoted_path(&path.with_extension("png")));
    let help = || format!("convert it, say by ImageMagick:  magick {from} {to}");
    FOREIGN.contains(&ending.as_str()).then(|| Fault::new(codes::DATA_FORMAT, fact()).help(help()))
}

/// Whether a JPEG is CMYK, which its decoder does not tell.
fn has_four_colours(path: &Path) -> Result<bool> {
    let head = File::open(path).and_then(|file| jpeg_head(&mut BufReader::new(file)));
    Ok(components(&head.map_err(|error| DataError::io(path, &error))?) == Some(4))
}

/// Numbers of a pixel, as the header of a JPEG's frame says (ITU-T T.81, B.2.2): `FF C0`, its length, bits, height, width, and
/// the count. C4, C8 and CC are of other things.
fn components(head: &[u8]) -> Option<u8> {
    let mut rest = head.get(2..)?;
    loop {
        rest = &rest[rest.iter().position(|&byte| byte == 0xff)? + 1..];
        match *rest {
            [0 | 0xff, ..] => {}
            [0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, _, _, _, _, _, _, _, count, ..] => {
                return Some(count);
            }
            [_, high, low, ..] => rest = rest.get(1 + usize::from(u16::from_be_bytes([high, low]))..)?,
            _ => return None,
        }
    }
}

/// The kind of a file's pixels.
#[derive(Clone, Copy, Default)]
struct Stored {
    colours: usize,
    alpha: bool,
    deep: bool,
    cmyk: bool,
}

impl Stored {
    /// `None` for floats.
    fn of(kind: ExtendedColorType) -> Option<Self> {
        use ExtendedColorType as Kind;
        let plain = |colours: usize| Self { colours, ..Self::default() };
        Some(match kind {
            Kind::A8 | Kind::L1 | Kind::L2 | Kind::L4 | Kind::L8 => plain(1),
            Kind::L16 => Self { deep: true, ..plain(1) },
            Kind::La1 | Kind::La2 | Kind::La4 | Kind::La8 => Self { alpha: true, ..plain(1) },
            Kind::La16 => Self { alpha: true, deep: true, ..plain(1) },
            Kind::Rgba1 | Kind::Rgba2 | Kind::Rgba4 | Kind::Rgba8 | Kind::Bgra8 => Self { alpha: true, ..plain(3) },
            Kind::Rgb16 => Self { deep: true, ..plain(3) },
            Kind::Rgba16 => Self { alpha: true, deep: true, ..plain(3) },
            Kind::Cmyk8 => Self { cmyk: true, ..plain(3) },
            Kind::Cmyk16 => Self { cmyk: true, deep: true, ..plain(3) },
            Kind::Rgb32F | Kind::Rgba32F => return None,
            _ => plain(3),
        })
    }

    fn words(self) -> String {
        let colours = match (self.cmyk, self.colours, self.alpha) {
            (true, ..) => "CMYK",
            (_, 1, false) => "grey",
            (_, 1, true) => "grey with transparency",
            (_, _, false) => "RGB",
            (_, _, true) => "RGBA",
        };
        if self.deep { format!("16-bit {colours}") } else { colours.into() }
    }
}

/// `(x − mean) / std` per channel, in place; `plane` numbers a channel.
pub fn normalize(values: &mut [f32], channels: usize, plane: usize, by: Option<&Normalize>) {
    let Some(by) = by else { return };
    for (i, values) in values.chunks_exact_mut(plane.max(1)).enumerate() {
        let channel = i % channels.max(1);
        let mean = per_channel(&by.mean, channel).unwrap_or(0.0) as f32;
        let std = per_channel(&by.std, channel).unwrap_or(1.0) as f32;
        values.iter_mut().for_each(|v| *v = (*v - mean) / std);
    }
}

/// `[C, H, W]` values in a larger frame, `lead` rows below its upper and columns right of its left edge; around them the
/// picture is mirrored, its edge pixels not repeated (as numpy's and PyTorch's `reflect`), as often as needed.
pub fn reflect(values: &[f32], [h, w]: [usize; 2], lead: [usize; 2], frame: [usize; 2]) -> Vec<f32> {
    let rows: Vec<usize> = (0..frame[0]).map(|y| mirror(y, lead[0], h)).collect();
    let columns: Vec<usize> = (0..frame[1]).map(|x| mirror(x, lead[1], w)).collect();
    let mut out = Vec::with_capacity(values.len() / (h * w).max(1) * frame[0] * frame[1]);
    for plane in values.chunks_exact((h * w).max(1)) {
        for &row in &rows {
            let row = &plane[row * w..][..w];
            out.extend(columns.iter().map(|&x| row[x]));
        }
    }
    out
}

/// The position of `n` that is seen `lead` positions before `at`.
fn mirror(at: usize, lead: usize, n: usize) -> usize {
    let period = 2 * (n.max(2) - 1);
    let at = (at as isize - lead as isize).rem_euclid(period as isize) as usize;
    if n == 1 { 0 } else { at.min(period - at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_colours_are_seen_in_the_frames_header() {
        let head = |count: u8| {
            let frame = [0xff, 0xff, 0xc2, 0, 20, 8, 0, 4, 0, 4, count];
            [&[0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xc0][..], &frame].concat()
        };
        assert_eq!((components(&head(4)), components(&head(3))), (Some(4), Some(3)));
        assert!((0..19).all(|cut| components(&head(4)[..cut]).is_none()));
    }

    #[test]
    fn frames_mirror_the_picture() {
        let seen = |n: usize, lead: usize| (0..8).map(|at| mirror(at, lead, n)).collect::<Vec<_>>();
        // numpy.pad(numpy.arange(3), (2, 3), mode="reflect")
        assert_eq!(seen(3, 2), [2, 1, 0, 1, 2, 1, 0, 1]);
        assert_eq!((seen(1, 3), seen(2, 1)), (vec![0; 8], vec![1, 0, 1, 0, 1, 0, 1, 0]));
        let framed = reflect(&[1., 2., 3., 4.], [2, 2], [1, 0], [3, 3]);
        assert_eq!(framed, [3., 4., 3., 1., 2., 1., 3., 4., 3.]);
    }
}
