//! Samples as pictures that stand in the page.

use crate::elaborate::recipe::Normalize;
use crate::train::data::Batch;

/// Sides that a picture may have in the page: larger ones are thinned out.
const LARGEST: usize = 256;

/// A picture, red, green and blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Three bytes a pixel, row by row.
    pub rgb: Vec<[u8; 3]>,
}

impl Picture {
    /// Sample `i` of a batch as the network saw it, without the recipe's normalisation; `None` where it is no image.
    /// What the network answers about a smaller field than it sees (`size`, height and width) shows that field.
    pub fn of(batch: &Batch, i: usize, normalize: Option<&Normalize>, size: Option<[usize; 2]>) -> Option<Self> {
        let [_, channels, rows, columns] = batch.dims[..] else { return None };
        let [height, width] = size.filter(|&[h, w]| h <= rows && w <= columns).unwrap_or([rows, columns]);
        let (top, left) = ((rows - height) / 2, (columns - width) / 2);
        let sample = batch.inputs.get(i * channels * rows * columns..(i + 1) * channels * rows * columns)?;
        let value = |channel: usize, y: usize, x: usize| {
            let value = sample[(channel * rows + top + y) * columns + left + x] as f64;
            let of = |list: &[f64], none: f64| list.get(channel).or(list.first()).copied().unwrap_or(none);
            let value = normalize.map_or(value, |n| value * of(&n.std, 1.0) + of(&n.mean, 0.0));
            (value.clamp(0.0, 1.0) * 255.0).round() as u8
        };
        let colored = channels == 3;
        let pixel = |y, x| if colored { [value(0, y, x), value(1, y, x), value(2, y, x)] } else { [value(0, y, x); 3] };
        let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (y, x))).map(|(y, x)| pixel(y, x)).collect();
        Some(Self { width, height, rgb })
    }

    /// The picture, greyed, with classes of pixels in their colours over it; class 0 and what is to be ignored stay as they are.
    pub fn overlaid(&self, classes: &[i64]) -> Self {
        let blend = |(&pixel, &class): (&[u8; 3], &i64)| {
            let grey = pixel.iter().map(|&c| c as u32).sum::<u32>() as f64 / 3.0;
            if class <= 0 || class == 255 {
                return [grey as u8; 3];
            }
            color(class as usize).map(|c| (0.75 * c as f64 + 0.25 * grey) as u8)
        };
        Self { rgb: self.rgb.iter().zip(classes).map(blend).collect(), ..*self }
    }

    /// Pixels where two answers differ, in red over the greyed picture.
    pub fn marked(&self, wrong: &[bool]) -> Self {
        let mark = |(&pixel, &wrong): (&[u8; 3], &bool)| {
            let grey = (pixel.iter().map(|&c| c as u32).sum::<u32>() / 3) as u8;
            if wrong { [230, 40, 50] } else { [grey / 2 + 40; 3] }
        };
        Self { rgb: self.rgb.iter().zip(wrong).map(mark).collect(), ..*self }
    }

    /// The picture as a `data:` address; `None` where it cannot be encoded.
    pub fn address(&self) -> Option<String> {
        let step = self.width.max(self.height).div_ceil(LARGEST).max(1);
        let (width, height) = (self.width.div_ceil(step), self.height.div_ceil(step));
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (y * step, x * step)));
        let bytes: Vec<u8> = places.filter_map(|(y, x)| self.rgb.get(y * self.width + x)).flatten().copied().collect();
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&bytes).ok()?;
        writer.finish().ok()?;
        Some(format!("data:image/png;base64,{}", base64(&file)))
    }
}

/// Colours of classes 1, 2, …, each unlike the others.
const COLORS: [[u8; 3]; 11] = [
    [66, 133, 244],
    [234, 67, 53],
    [52, 199, 89],
    [255, 214, 10],
    [175, 82, 222],
    [255, 140, 0],
    [0, 199, 190],
    [255, 105, 180],
    [162, 132, 94],
    [190, 245, 110],
    [150, 190, 255],
];

/// The colour of a class; of many, hues a golden angle apart in three degrees of lightness.
pub fn color(class: usize) -> [u8; 3] {
    if let Some(color) = class.checked_sub(1).and_then(|at| COLORS.get(at)) {
        return *color;
    }
    let (hue, light) = ((class as f64 * 137.508 + 80.0) % 360.0, [0.55, 0.45, 0.65][class % 3]);
    let spread = 0.85 * f64::min(light, 1.0 - light);
    let channel = |n: f64| {
        let k = (n + hue / 30.0) % 12.0;
        ((light - spread * f64::min(k - 3.0, 9.0 - k).clamp(-1.0, 1.0)) * 255.0).round() as u8
    };
    [channel(0.0), channel(8.0), channel(4.0)]
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let bits = part.iter().fold(0u32, |bits, &byte| bits << 8 | byte as u32) << (8 * (3 - part.len()));
        for i in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * i)) as usize & 63] as char;
            text.push(if i <= part.len() { sign } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_one_of_the_rfc() {
        let of = |text: &str| base64(text.as_bytes());
        assert_eq!([of(""), of("f"), of("fo"), of("foo"), of("foob")], ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn large_pictures_are_thinned_out() {
        let picture = Picture { width: 600, height: 2, rgb: vec![[1, 2, 3]; 1200] };
        assert!(picture.address().is_some_and(|text| text.starts_with("data:image/png;base64,iVBOR")));
    }
}
