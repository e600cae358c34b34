//! What a network answers for each pixel, as pictures: masks of classes, and pictures themselves.

use super::error::{DataError, Result};
use super::resize::{Region, bilinear};
use super::tensor_io::TensorData;
use crate::base::atomic;
use std::io;
use std::path::Path;

/// The class of pixels about which the network was not asked.
pub const VOID: u8 = 255;

/// Most classes of a mask: their numbers are bytes, of which the last is [`VOID`].
pub const CLASSES: usize = VOID as usize;

/// The class of each pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// Height and width.
    pub size: [usize; 2],
    /// Classes, row by row.
    pub classes: Vec<u8>,
}

impl Mask {
    /// The likeliest class of each position of scores `[1, C, H, W]` or `[C, H, W]`: the first of the highest, or, of one
    /// channel, 1 where the score is above `threshold` and 0 elsewhere. `None` for other shapes, and more than [`CLASSES`].
    pub fn of(scores: &TensorData, threshold: f32) -> Option<Self> {
        let [c, h, w] = map(scores).filter(|&[c, ..]| c <= CLASSES)?;
        Some(Self { size: [h, w], classes: likeliest(&scores.values, c, h * w, threshold) })
    }

    /// The mask of a picture of another size, of which this one covers a region: the nearest class of each pixel, and
    /// [`VOID`] outside.
    pub fn spread(&self, region: Region, [height, width]: [usize; 2]) -> Self {
        let whole = region == Region::whole(self.size);
        if whole && self.size == [height, width] {
            return self.clone();
        }
        let place = |at: usize, start: f64, length: f64, size: usize| {
            let inside = (at as f64 + 0.5 - start) / length;
            (0.0..1.0).contains(&inside).then(|| ((inside * size as f64) as usize).min(size - 1))
        };
        let columns: Vec<_> = (0..width).map(|x| place(x, region.left, region.width, self.size[1])).collect();
        let mut classes = Vec::with_capacity(height * width);
        for y in 0..height {
            match place(y, region.top, region.height, self.size[0]) {
                Some(row) => {
                    let row = &self.classes[row * self.size[1]..][..self.size[1]];
                    classes.extend(columns.iter().map(|x| x.map_or(VOID, |x| row[x])));
                }
                None => classes.resize(classes.len() + width, VOID),
            }
        }
        Self { size: [height, width], classes }
    }

    /// How many pixels are of each class, those that occur, in order.
    pub fn counts(&self) -> Vec<(u8, usize)> {
        let mut counts = [0usize; 256];
        self.classes.iter().for_each(|&class| counts[class as usize] += 1);
        counts.into_iter().enumerate().filter(|&(_, n)| n > 0).map(|(class, n)| (class as u8, n)).collect()
    }

    /// Writes it as a PNG of indices with a palette: programs read classes, people see colours. The file is the old one or
    /// the new one at any moment.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        write_png(path, self.size, png::ColorType::Indexed, &self.classes)
    }
}

/// Channels, height and width of a map of one sample.
pub fn map(tensor: &TensorData) -> Option<[usize; 3]> {
    match *tensor.shape {
        [1, c, h, w] | [c, h, w] if c > 0 && h > 0 && w > 0 => Some([c, h, w]),
        _ => None,
    }
}

/// Writes values `[1, C, H, W]` of 1 or 3 channels as a picture of `size`, in 8 bits: `low` is black and `high` white, and
/// what lies beyond is cut off; what is no number is black. Gives the share of values that were cut off.
///
/// # Errors
/// [`DataError::Format`] for other shapes, [`DataError::Io`].
pub fn write_picture(path: &Path, values: &TensorData, [low, high]: [f32; 2], size: [usize; 2]) -> Result<f64> {
    let Some([channels @ (1 | 3), h, w]) = map(values) else {
        let reason = format!("a picture has 1 or 3 channels, and the output is {:?}", values.shape);
        return Err(DataError::Format { path: path.display().to_string(), reason });
    };
    let mut resized = Vec::new();
    let unit = |value: f32| (value - low) / (high - low);
    match size == [h, w] {
        true => resized.extend(values.values.iter().map(|&v| unit(v))),
        false => bilinear(&values.values, [h, w], Region::whole([h, w]), size, unit, &mut resized),
    }
    let plane = size[0] * size[1];
    let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0).round() as u8;
    let bytes: Vec<u8> =
        (0..plane).flat_map(|i| (0..channels).map(move |c| c * plane + i)).map(|i| byte(resized[i])).collect();
    // Half a grey level beyond the ends rounds to them.
    let beyond = resized.iter().filter(|v| !v.is_nan() && !(-0.002..=1.002).contains(*v)).count();
    let kind = if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb };
    write_png(path, size, kind, &bytes)?;
    Ok(beyond as f64 / resized.len().max(1) as f64)
}

fn write_png(path: &Path, [h, w]: [usize; 2], kind: png::ColorType, bytes: &[u8]) -> Result<()> {
    let write = |file: &mut io::BufWriter<std::fs::File>| {
        let mut encoder = png::Encoder::new(file, w as u32, h as u32);
        encoder.set_color(kind);
        encoder.set_depth(png::BitDepth::Eight);
        if kind == png::ColorType::Indexed {
            encoder.set_palette(palette());
        }
        encoder.write_header()?.write_image_data(bytes)?;
        Ok(())
    };
    atomic::write_with(path, write).map_err(|error| DataError::io(path, &error))
}

fn likeliest(scores: &[f32], channels: usize, pixels: usize, threshold: f32) -> Vec<u8> {
    let Some((first, others)) = scores.split_at_checked(pixels) else { return Vec::new() };
    if channels == 1 {
        return first.iter().map(|&s| u8::from(s > threshold)).collect();
    }
    let mut best = first.to_vec();
    let mut classes = vec![0u8; pixels];
    for (class, plane) in (1u8..=255).zip(others.chunks_exact(pixels.max(1))) {
        for ((best, chosen), &score) in best.iter_mut().zip(&mut classes).zip(plane) {
            if score > *best {
                (*best, *chosen) = (score, class);
            }
        }
    }
    classes
}

/// 256 colours that differ soon: bit triples of the index, spread from the top bits down (as Pascal VOC's masks).
fn palette() -> Vec<u8> {
    let colour = |index: usize| {
        (0..3).map(move |channel| (0..3).map(|k| ((index >> (3 * k + channel) & 1) << (7 - k)) as u8).sum::<u8>())
    };
    (0..256).flat_map(colour).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_begins_as_pascal_vocs() {
        let p = palette();
        assert_eq!((p.len(), &p[..15]), (768, &[0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128][..]));
        let colours: std::collections::BTreeSet<&[u8]> = p.chunks(3).collect();
        assert_eq!(colours.len(), 256);
    }

    #[test]
    fn the_likeliest_class_is_the_first_of_the_highest() {
        assert_eq!(likeliest(&[0., 5., 1., 5., 0., 1.], 3, 2, 0.0), [1, 0]);
        assert_eq!(likeliest(&[-1., 2.], 1, 2, 0.0), [0, 1]);
        assert_eq!(likeliest(&[0.4, 0.6], 1, 2, 0.5), [0, 1]);
    }

    #[test]
    fn the_number_of_void_is_no_class() {
        let scores = |c: usize| TensorData { shape: vec![1, c, 1, 1], values: (0..c).map(|i| i as f32).collect() };
        assert_eq!(Mask::of(&scores(255), 0.0).unwrap().classes, [254]);
        assert_eq!(Mask::of(&scores(256), 0.0), None);
    }

    #[test]
    fn a_mask_is_brought_to_its_pictures_size() {
        let mask = Mask { size: [2, 2], classes: vec![1, 2, 3, 4] };
        let whole = mask.spread(Region::whole([4, 4]), [4, 4]);
        assert_eq!(whole.classes, [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
        let middle = Region { top: 0.0, left: 1.0, height: 2.0, width: 2.0 };
        assert_eq!(mask.spread(middle, [2, 4]).classes, [VOID, 1, 2, VOID, VOID, 3, 4, VOID]);
        assert_eq!(mask.counts(), [(1, 1), (2, 1), (3, 1), (4, 1)]);
    }
}
