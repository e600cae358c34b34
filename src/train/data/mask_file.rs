//! A mask in an image file: a level for each pixel.

use super::error::{DataError, Result};
use super::listing::list;
use super::misfit::Misfit;
use super::pictures::{self, Look};
use crate::base::command::quoted;
use image::{DynamicImage, ImageFormat};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Bytes that a decoded mask may take up.
const LIMIT: u64 = 512 << 20;
/// Colours that a refusal names.
const NAMED: usize = 4;

/// A mask as it is stored.
#[derive(Debug)]
pub struct MaskFile {
    /// Height and width.
    pub size: [usize; 2],
    /// Palette indices or grey levels, row by row.
    pub levels: Vec<i32>,
    /// The palette, where there is one.
    pub palette: Option<Vec<[u8; 3]>>,
    /// What the file is, where that changes levels when it stores them: `a JPEG`.
    pub lossy: Option<&'static str>,
}

/// Reads a mask: palette indices as they are, grey levels of up to 16 bits as they are, and colours where each is a grey
/// (red, green and blue are equal, and nothing is transparent).
///
/// # Errors
/// [`DataError::Target`] where it has other colours or transparency, [`DataError::Broken`] where it is no image, or too
/// large.
pub fn read(path: &Path) -> Result<MaskFile> {
    if is_png(path)? {
        return read_png(path);
    }
    let (image, seen) = pictures::stored(path)?;
    let size = [image.height() as usize, image.width() as usize];
    let levels = match image {
        DynamicImage::ImageLuma8(grey) => grey.into_raw().into_iter().map(i32::from).collect(),
        DynamicImage::ImageLuma16(grey) => grey.into_raw().into_iter().map(i32::from).collect(),
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => {
            let help = "a mask holds class numbers: write it with 8 or 16 bits";
            return Err(Misfit::new(format!("the mask `{}` holds fractions", path.display())).help(help).into());
        }
        other => {
            let color = other.color();
            let bytes = color.bytes_per_pixel() / color.channel_count().max(1);
            // Bytes are stretched to 16 bits by 257.
            grey(path, other.to_rgba16().into_raw().as_chunks::<4>().0, size, if bytes == 1 { 257 } else { 1 })?
        }
    };
    Ok(MaskFile { size, levels, palette: None, lossy: lossy(&seen) })
}

/// What a file is that changes levels.
fn lossy(seen: &Look) -> Option<&'static str> {
    let name = match seen.format {
        ImageFormat::Jpeg => "a JPEG",
        ImageFormat::WebP => "a lossy WebP",
        ImageFormat::Tiff => "a TIFF that holds a JPEG",
        _ => "a file",
    };
    seen.lossy.then_some(name)
}

fn is_png(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(8).read_to_end(&mut start));
    read.map_err(|error| DataError::io(path, &error))?;
    Ok(start == b"\x89PNG\r\n\x1a\n")
}

fn read_png(path: &Path) -> Result<MaskFile> {
    let broken = |reason: String| DataError::broken(path.display(), reason);
    let file = File::open(path).map_err(|error| DataError::io(path, &error))?;
    let mut decoder = png::Decoder::new_with_limits(BufReader::new(file), png::Limits { bytes: LIMIT as usize });
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| broken(error.to_string()))?;
    let info = reader.info();
    let (w, h, bits, color) = (info.width as usize, info.height as usize, info.bit_depth as usize, info.color_type);
    let palette = info.palette.as_ref().filter(|_| color == png::ColorType::Indexed);
    let palette = palette.map(|colours| colours.as_chunks::<3>().0.to_vec());
    let size = reader.output_buffer_size().filter(|&size| size as u64 <= LIMIT && w as u64 * h as u64 <= LIMIT);
    let mut packed = vec![0u8; size.ok_or_else(|| broken(format!("{w}×{h} pixels are too many")))?];
    let frame = reader.next_frame(&mut packed).map_err(|error| broken(error.to_string()))?;
    let samples = color.samples();
    let values = packed.chunks_exact(frame.line_size.max(1)).take(h).flat_map(|line| {
        let value = move |i: usize| match bits {
            16 => u16::from_be_bytes([line[2 * i], line[2 * i + 1]]),
            8 => u16::from(line[i]),
            _ => u16::from(line[i * bits / 8] >> (8 - bits - i * bits % 8) & (0xff >> (8 - bits))),
        };
        (0..w * samples).map(value)
    });
    let levels = match color {
        png::ColorType::Grayscale | png::ColorType::Indexed => values.map(i32::from).collect(),
        _ => grey(path, &rgba(values.collect(), samples, bits), [h, w], 1)?,
    };
    Ok(MaskFile { size: [h, w], levels, palette, lossy: None })
}

/// Pixels of two to four samples as red, green, blue and alpha.
fn rgba(values: Vec<u16>, samples: usize, bits: usize) -> Vec<[u16; 4]> {
    let opaque = if bits == 16 { u16::MAX } else { 255 };
    let pixel = |v: &[u16]| match *v {
        [r, g, b] => [r, g, b, opaque],
        [r, g, b, a] => [r, g, b, a],
        [grey, a] => [grey, grey, grey, a],
        _ => [0, 0, 0, opaque],
    };
    values.chunks_exact(samples.max(1)).map(pixel).collect()
}

/// The grey levels of pixels that are grey, each divided by `unit`.
fn grey(path: &Path, pixels: &[[u16; 4]], [_, w]: [usize; 2], unit: u16) -> Result<Vec<i32>> {
    let refuse = |at: usize, what: &str| {
        let (row, column) = (at / w.max(1), at % w.max(1));
        Misfit::new(format!("the mask `{}` has {what} at row {row}, column {column}", path.display()))
    };
    if let Some(at) = pixels.iter().position(|&[r, g, b, _]| r != g || g != b) {
        let [r, g, b, _] = pixels[at].map(|v| v / unit);
        let colours: BTreeSet<[u16; 3]> = pixels.iter().map(|&[r, g, b, _]| [r, g, b].map(|v| v / unit)).collect();
        let names: Vec<String> = colours.iter().take(NAMED).map(|[r, g, b]| format!("({r}, {g}, {b})")).collect();
        let more = if colours.len() > NAMED { format!(" and {} more", colours.len() - NAMED) } else { String::new() };
        let colours = format!("its colours are {}{more}", names.join(", "));
        return Err(refuse(at, &format!("the colour ({r}, {g}, {b})")).note(colours).into());
    }
    if let Some(at) = pixels.iter().position(|&[_, _, _, a]| a != pixels[0][3]) {
        let help = "save masks without an alpha channel, a class number for each pixel";
        return Err(refuse(at, "another transparency").help(help).into());
    }
    Ok(pixels.iter().map(|&[level, ..]| i32::from(level / unit)).collect())
}

/// Masks of a folder that are looked at for their colours, at most.
const LOOKED_AT: usize = 1000;
/// Colours up to which they stand for classes; a photograph has more, and so have edges that were smoothed.
const MOST_COLOURS: usize = 64;

/// What to do about the colours of a mask that was refused: the colours of all masks in its folder, and Python that numbers them.
/// A misfit that is about something else stays as it is.
pub fn with_colours(misfit: Misfit, path: &Path) -> Misfit {
    let grey = |colour: &[u8; 3]| colour[0] == colour[1] && colour[1] == colour[2];
    let (own, folder) = (colours(path), path.parent().unwrap_or(Path::new(".")));
    if own.iter().all(grey) {
        return misfit;
    }
    let ending = path.extension().unwrap_or_default();
    let masks = list(folder).unwrap_or_default().pictures.into_iter().map(|name| folder.join(name));
    let alike = masks.filter(|mask| mask.extension() == Some(ending)).take(LOOKED_AT);
    let mut all = own;
    for mask in alike {
        all.extend(colours(&mask));
        if all.len() > MOST_COLOURS {
            let help = format!(
                "a mask has a colour for each class, and these have more than {MOST_COLOURS}: photographs, or masks whose edges \
                 were smoothed; resize masks by the nearest pixel"
            );
            return misfit.help(help);
        }
    }
    misfit.help(format!(
        "a mask holds class numbers. List the colours in the order of the classes; this replaces the masks, so keep a copy:  {}",
        numbering(&all, folder, &ending.to_string_lossy())
    ))
}

/// Python for a shell that replaces the colours of all masks of a folder by their places in a list.
fn numbering(colours: &BTreeSet<[u8; 3]>, folder: &Path, ending: &str) -> String {
    let list: Vec<String> = colours.iter().map(|[r, g, b]| format!("({r}, {g}, {b})")).collect();
    let mask = "sum(i * (np.array(Image.open(p).convert(\"RGB\")) == c).all(2) for i, c in enumerate(colours))";
    let script = format!(
        "import numpy as np; from pathlib import Path; from PIL import Image; colours = [{}]; \
         [Image.fromarray({mask}.astype(\"uint8\")).save(p) for p in Path({:?}).glob(\"*.{ending}\")]",
        list.join(", "),
        folder.display().to_string()
    );
    format!("python3 -c {}", quoted(&script))
}

/// The colours of a mask as a program sees them that asks for red, green and blue; none where it cannot be read, and of more than
/// are classes the first.
fn colours(path: &Path) -> BTreeSet<[u8; 3]> {
    let Ok((image, _)) = pictures::stored(path) else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    for pixel in image.to_rgb8().pixels() {
        found.insert(pixel.0);
        if found.len() > MOST_COLOURS {
            break;
        }
    }
    found
}
