//! What `archc run` reads and writes: tensors, images and masks in files.

use super::arrays::{ArrayFile, ending};
use super::augment::{Image, per_channel};
use super::dataset::{Pixels, Sample, Target};
use super::elements::{Array, Values};
use super::error::{DataError, Result};
use super::npy;
use super::pictures::{decode, is_image};
use super::resize::Region;
use super::source::check_pictures;
use crate::base::atomic;
use crate::elaborate::recipe::Normalize;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Numbers with a shape, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorData {
    /// The shape, the batch included.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<f32>,
}

/// How an input is read.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The input's name, which an array in a file of several may have.
    pub name: &'a str,
    /// Its shape without the batch, to which images are resized.
    pub shape: &'a [usize],
    /// The recipe's normalisation, for images and bytes.
    pub normalize: Option<&'a Normalize>,
    /// Bytes of memory it may take up.
    pub memory: u64,
}

/// Reads an input for a model.
///
/// Images (`.png`, `.jpg`) are resized to cover the input, cropped about their centre, scaled to 0–1 and normalised, as
/// evaluation does. Arrays (`.safetensors`, `.npy`, `.npz`) of bytes are scaled and normalised; of other numbers they are
/// taken as they are. An array without a batch axis gets one of size 1.
///
/// # Errors
/// [`DataError::Format`] for another kind of file, or one that does not say which of its arrays is meant; what reading
/// reports.
pub fn read_input(path: &Path, reading: &Reading) -> Result<TensorData> {
    if is_image(&path.to_string_lossy()) {
        return read_picture(path, reading);
    }
    if !ArrayFile::knows(path) {
        let reason = "an input ends in `.safetensors`, `.npy`, `.npz`, `.png` or `.jpg`";
        return Err(format_error(path, reason));
    }
    let mut file = ArrayFile::open(path, reading.memory)?;
    let names = file.names();
    let name = match names.as_slice() {
        [one] => one,
        _ => {
            names.iter().find(|n| *n == reading.name).or_else(|| names.iter().find(|n| *n == "x")).ok_or_else(|| {
                let found = names.iter().take(6).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                format_error(path, format!("none of its arrays is named `{}` or `x`, but {found}", reading.name))
            })?
        }
    };
    let array = file.read(name)?;
    Ok(from_array(array, reading))
}

fn format_error(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::Format { path: path.display().to_string(), reason: reason.into() }
}

fn from_array(array: Array, reading: &Reading) -> TensorData {
    let mut shape = array.shape;
    if shape.len() == reading.shape.len() {
        shape.insert(0, 1);
    }
    let bytes = matches!(array.values, Values::Bytes(_));
    let mut values = array.values.floats();
    if bytes {
        values.iter_mut().for_each(|v| *v /= 255.0);
        if let [_, channels, rest @ ..] = shape.as_slice() {
            normalize(&mut values, *channels, rest.iter().product(), reading.normalize);
        }
    }
    TensorData { shape, values }
}

fn read_picture(path: &Path, reading: &Reading) -> Result<TensorData> {
    check_pictures(path, reading.shape)?;
    let &[channels, h, w] = reading.shape else {
        return Err(DataError::Internal("an image has three axes".into()));
    };
    let mut pixels = Vec::new();
    let size = decode(path, channels, &mut pixels)?;
    let sample =
        Sample { dims: [channels, size[0], size[1]], pixels: Pixels::Bytes(pixels), target: Target::default() };
    let mut image = Image::default();
    image.take(&sample, Region::cover(size, [h, w]), [h, w]);
    let mut values = image.values;
    normalize(&mut values, channels, h * w, reading.normalize);
    Ok(TensorData { shape: vec![1, channels, h, w], values })
}

fn normalize(values: &mut [f32], channels: usize, plane: usize, by: Option<&Normalize>) {
    let Some(by) = by else { return };
    for (i, values) in values.chunks_exact_mut(plane.max(1)).enumerate() {
        let channel = i % channels.max(1);
        let mean = per_channel(&by.mean, channel).unwrap_or(0.0) as f32;
        let std = per_channel(&by.std, channel).unwrap_or(1.0) as f32;
        values.iter_mut().for_each(|v| *v = (*v - mean) / std);
    }
}

/// Writes a model's outputs, by the path's ending: `.safetensors` takes all by their names, `.npy` takes one, `.png`
/// takes one of scores for each pixel and holds the likeliest class of each. The file is the old one or the new one at
/// any moment.
///
/// # Errors
/// [`DataError::Format`] where the ending or the outputs do not allow it, [`DataError::Io`].
pub fn write_outputs(path: &Path, outputs: &[(String, TensorData)]) -> Result<()> {
    let kind = ending(path);
    if kind == "safetensors" {
        return write_safetensors(path, outputs);
    }
    if kind != "npy" && kind != "png" {
        return Err(format_error(path, "an output ends in `.safetensors`, `.npy` or `.png`"));
    }
    let [(_, output)] = outputs else {
        let reason = format!("it holds one output, and there are {}: name a `.safetensors` file", outputs.len());
        return Err(format_error(path, reason));
    };
    if kind == "npy" { write_npy(path, output) } else { write_mask(path, output) }
}

/// Writes one tensor as `.npy`, `<f4`.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_npy(path: &Path, tensor: &TensorData) -> Result<()> {
    let write = |file: &mut io::BufWriter<std::fs::File>| npy::write(file, &tensor.shape, &tensor.values);
    atomic::write_with(path, write).map_err(|error| DataError::io(path, &error))
}

/// Writes tensors by their names as `.safetensors`.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_safetensors(path: &Path, tensors: &[(String, TensorData)]) -> Result<()> {
    use safetensors::tensor::{Dtype, TensorView, serialize};
    let refused = |error: safetensors::SafeTensorError| format_error(path, error.to_string());
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, t)| t.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<std::result::Result<BTreeMap<_, _>, _>>().map_err(refused)?;
    let file = serialize(views, None).map_err(refused)?;
    atomic::write_bytes(path, &file).map_err(|error| DataError::io(path, &error))
}

/// Writes scores `[1, C, H, W]` (or `[C, H, W]`) as a PNG of class indices with a palette: the class of the highest score,
/// or, of one channel, 1 where its logit is above 0.
///
/// # Errors
/// [`DataError::Format`] for another shape or more than 256 classes, [`DataError::Io`].
pub fn write_mask(path: &Path, scores: &TensorData) -> Result<()> {
    let [c, h, w] = match *scores.shape {
        [1, c, h, w] | [c, h, w] if (1..=256).contains(&c) && h > 0 && w > 0 => [c, h, w],
        _ => {
            let reason = format!("a mask is written of scores [1, C, H, W], and these are {:?}", scores.shape);
            return Err(format_error(path, reason));
        }
    };
    let classes = likeliest(&scores.values, c, h * w);
    let write = |file: &mut io::BufWriter<std::fs::File>| {
        let mut encoder = png::Encoder::new(file, w as u32, h as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette());
        encoder.write_header()?.write_image_data(&classes)?;
        Ok(())
    };
    atomic::write_with(path, write).map_err(|error| DataError::io(path, &error))
}

/// The class of the highest score of each pixel; the first of equals.
fn likeliest(scores: &[f32], channels: usize, pixels: usize) -> Vec<u8> {
    if channels == 1 {
        return scores.iter().map(|&s| u8::from(s > 0.0)).collect();
    }
    let class = |pixel: usize| {
        (1..channels).fold(
            0,
            |best, c| {
                if scores[c * pixels + pixel] > scores[best * pixels + pixel] { c } else { best }
            },
        ) as u8
    };
    (0..pixels).map(class).collect()
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
        assert_eq!(likeliest(&[0., 5., 1., 5., 0., 1.], 3, 2), [1, 0]);
        assert_eq!(likeliest(&[-1., 2.], 1, 2), [0, 1]);
    }
}
