//! A sample on its way to a batch.

use crate::train::data::dataset::{Pixels, Sample, Target};
use crate::train::data::resize::{Region, bilinear, nearest};

/// A sample as floats in 0–1, at the model's size. Its buffers are reused from sample to sample.
#[derive(Debug, Default)]
pub struct Image {
    /// Channels, height and width.
    pub dims: [usize; 3],
    /// The values, `[C, H, W]`.
    pub values: Vec<f32>,
    /// The class of each pixel, `[H, W]`, where there is a mask.
    pub mask: Option<Vec<i32>>,
    /// Whether values were bytes, and so are to stay in 0–1.
    pub bounded: bool,
    spare: Vec<f32>,
}

impl Image {
    /// Takes a region of a sample, resized to `to` (`[H, W]`).
    pub fn take(&mut self, sample: &Sample, region: Region, to: [usize; 2]) {
        let [c, h, w] = sample.dims;
        let whole = to == [h, w] && region == Region::whole([h, w]);
        self.dims = [c, to[0], to[1]];
        self.values.clear();
        self.bounded = matches!(sample.pixels, Pixels::Bytes(_));
        let unit = |byte: u8| byte as f32 / 255.0;
        match &sample.pixels {
            Pixels::Bytes(v) if whole => self.values.extend(v.iter().map(|&b| unit(b))),
            Pixels::Floats(v) if whole => self.values.extend_from_slice(v),
            Pixels::Bytes(v) => bilinear(v, [h, w], region, to, unit, &mut self.values),
            Pixels::Floats(v) => bilinear(v, [h, w], region, to, |x| x, &mut self.values),
        }
        self.mask = match &sample.target {
            Target::Mask(mask) if whole => Some(mask.clone()),
            Target::Mask(mask) => Some(nearest(mask, [h, w], region, to)),
            _ => None,
        };
    }

    /// Resizes a region of the image to the size of the whole.
    pub fn resize(&mut self, region: Region) {
        let size = [self.dims[1], self.dims[2]];
        self.replace(|values, out| bilinear(values, size, region, size, |x| x, out));
        if let Some(mask) = &mut self.mask {
            *mask = nearest(mask, size, region, size);
        }
    }

    /// Replaces the values by what `make` appends to an empty buffer.
    pub fn replace(&mut self, make: impl FnOnce(&[f32], &mut Vec<f32>)) {
        let mut out = std::mem::take(&mut self.spare);
        out.clear();
        make(&self.values, &mut out);
        self.spare = std::mem::replace(&mut self.values, out);
    }
}
