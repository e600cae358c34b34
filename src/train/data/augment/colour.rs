//! Changes of value: the mask stays.

use super::image::Image;
use crate::base::Rng;

/// Sets a square of this side to the mean (DeVries and Taylor 2017). Its centre is any pixel, so it may reach over the edge.
pub fn cutout(image: &mut Image, side: usize, mean: &[f64], rng: &mut Rng) {
    let [_, h, w] = image.dims;
    let (y, x) = (rng.below(h), rng.below(w));
    let span = |centre: usize, size: usize| {
        let start = centre as isize - (side / 2) as isize;
        start.clamp(0, size as isize) as usize..(start + side as isize).clamp(0, size as isize) as usize
    };
    for (c, plane) in image.values.chunks_exact_mut(h * w).enumerate() {
        let fill = per_channel(mean, c).unwrap_or(0.0) as f32;
        for i in span(y, h) {
            plane[i * w..][span(x, w)].fill(fill);
        }
    }
}

/// The value of a channel, where one is given for each or one for all.
pub fn per_channel(values: &[f64], channel: usize) -> Option<f64> {
    values.get(channel).or(values.first()).copied()
}

/// Multiplies by a brightness, then scales the distance from the mean grey by a contrast, both uniform in
/// 1 − `factor` to 1 + `factor`. Values that were bytes stay in 0–1.
pub fn jitter(image: &mut Image, factor: f64, rng: &mut Rng) {
    let mut draw = || (1.0 + factor * (2.0 * rng.uniform() - 1.0)).max(0.0) as f32;
    let (brightness, contrast) = (draw(), draw());
    let bound = |v: f32| if image.bounded { v.clamp(0.0, 1.0) } else { v };
    image.values.iter_mut().for_each(|v| *v = bound(*v * brightness));
    let mean = mean_grey(&image.values, image.dims[0]);
    image.values.iter_mut().for_each(|v| *v = bound(mean + contrast * (*v - mean)));
}

/// The mean of the image in grey (ITU-R BT.601 for three channels).
fn mean_grey(values: &[f32], channels: usize) -> f32 {
    let plane = values.len() / channels.max(1);
    let weights: &[f64] = if channels == 3 { &[0.299, 0.587, 0.114] } else { &[1.0] };
    let share = if channels == 3 { 1.0 } else { 1.0 / channels.max(1) as f64 };
    let means = values.chunks_exact(plane.max(1)).map(|p| p.iter().map(|&v| v as f64).sum::<f64>() / plane as f64);
    means.enumerate().map(|(c, m)| m * per_channel(weights, c).unwrap_or(1.0) * share).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::data::resize::Region;
    use crate::train::data::{Pixels, Sample, Target};

    fn grey(value: f32) -> Image {
        let (dims, pixels) = ([1, 8, 8], Pixels::Bytes(vec![(value * 255.0) as u8; 64]));
        let mut image = Image::default();
        image.take(&Sample { dims, pixels, target: Target::Class(0) }, Region::whole([8, 8]), [8, 8]);
        image
    }

    #[test]
    fn cutout_clears_at_most_its_square() {
        let mut rng = Rng::new(1);
        let mut counts = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let mut image = grey(1.0);
            cutout(&mut image, 4, &[0.25], &mut rng);
            counts.insert(image.values.iter().filter(|&&v| v == 0.25).count());
        }
        assert!(counts.last() == Some(&16) && counts.len() > 3, "{counts:?}");
    }

    #[test]
    fn jitter_keeps_bytes_in_range_and_an_even_image_even() {
        let mut rng = Rng::new(1);
        for _ in 0..100 {
            let mut image = grey(204.0 / 255.0);
            jitter(&mut image, 0.5, &mut rng);
            let first = image.values[0];
            assert!((0.4..=1.0).contains(&first) && image.values.iter().all(|v| (v - first).abs() < 1e-5));
        }
    }

    #[test]
    fn grey_weighs_colours() {
        assert!((mean_grey(&[1.0, 0.0, 0.0], 3) - 0.299).abs() < 1e-6);
        assert!((mean_grey(&[1.0, 0.5], 2) - 0.75).abs() < 1e-6);
    }
}
