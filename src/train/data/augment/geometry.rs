//! Changes of place: what comes in from outside is 0, in images and in masks.

use super::image::Image;
use crate::base::Rng;
use crate::train::data::resize::Region;

/// Moves down and right by whole pixels. Zero padding and a crop back are the same.
pub fn shift(image: &mut Image, down: isize, right: isize) {
    if (down, right) == (0, 0) {
        return;
    }
    let [_, h, w] = image.dims;
    image.replace(|values, out| {
        values.chunks_exact(h * w).for_each(|plane| shift_plane(plane, [h, w], [down, right], 0.0, out));
    });
    if let Some(mask) = &mut image.mask {
        let mut out = Vec::with_capacity(h * w);
        shift_plane(mask, [h, w], [down, right], 0, &mut out);
        *mask = out;
    }
}

fn shift_plane<T: Copy>(plane: &[T], [h, w]: [usize; 2], [down, right]: [isize; 2], fill: T, out: &mut Vec<T>) {
    let left = right.clamp(0, w as isize) as usize;
    let from = (-right).clamp(0, w as isize) as usize;
    let kept = w - left.max(from);
    for i in 0..h as isize {
        let row = i - down;
        if row < 0 || row >= h as isize {
            out.extend(std::iter::repeat_n(fill, w));
            continue;
        }
        out.extend(std::iter::repeat_n(fill, left));
        out.extend_from_slice(&plane[row as usize * w + from..][..kept]);
        out.extend(std::iter::repeat_n(fill, w - left - kept));
    }
}

/// Swaps left and right.
pub fn flip(image: &mut Image) {
    let w = image.dims[2];
    image.values.chunks_exact_mut(w).for_each(<[f32]>::reverse);
    if let Some(mask) = &mut image.mask {
        mask.chunks_exact_mut(w).for_each(<[i32]>::reverse);
    }
}

/// Swaps top and bottom.
pub fn flip_vertical(image: &mut Image) {
    let [_, h, w] = image.dims;
    image.values.chunks_exact_mut(h * w).for_each(|plane| swap_rows(plane, h, w));
    if let Some(mask) = &mut image.mask {
        swap_rows(mask, h, w);
    }
}

fn swap_rows<T>(plane: &mut [T], h: usize, w: usize) {
    let (upper, lower) = plane.split_at_mut(h / 2 * w);
    let lower = &mut lower[(h % 2) * w..];
    upper.chunks_exact_mut(w).zip(lower.chunks_exact_mut(w).rev()).for_each(|(a, b)| a.swap_with_slice(b));
}

/// Turns counterclockwise about the centre: bilinear for the image, nearest for its mask.
pub fn rotate(image: &mut Image, degrees: f64) {
    let [_, h, w] = image.dims;
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (cy, cx) = ((h as f64 - 1.0) / 2.0, (w as f64 - 1.0) / 2.0);
    // Where the pixel that ends at (i, j) comes from.
    let source = |at: usize| {
        let (y, x) = ((at / w) as f64 - cy, (at % w) as f64 - cx);
        (cos * y + sin * x + cy, cos * x - sin * y + cx)
    };
    let places: Vec<(f64, f64)> = (0..h * w).map(source).collect();
    image.replace(|values, out| {
        for plane in values.chunks_exact(h * w) {
            out.extend(places.iter().map(|&(y, x)| between(plane, [h, w], y, x)));
        }
    });
    if let Some(mask) = &mut image.mask {
        let pixel = |&(y, x): &(f64, f64)| at(mask, [h, w], y.round() as isize, x.round() as isize).unwrap_or(0);
        *mask = places.iter().map(pixel).collect();
    }
}

fn at<T: Copy>(plane: &[T], [h, w]: [usize; 2], y: isize, x: isize) -> Option<T> {
    let inside = (0..h as isize).contains(&y) && (0..w as isize).contains(&x);
    inside.then(|| plane[y as usize * w + x as usize])
}

/// The value between four pixels.
fn between(plane: &[f32], size: [usize; 2], y: f64, x: f64) -> f32 {
    let (y0, x0) = (y.floor(), x.floor());
    let (fy, fx) = ((y - y0) as f32, (x - x0) as f32);
    let get = |dy: isize, dx: isize| at(plane, size, y0 as isize + dy, x0 as isize + dx).unwrap_or(0.0);
    let upper = get(0, 0) * (1.0 - fx) + get(0, 1) * fx;
    let lower = get(1, 0) * (1.0 - fx) + get(1, 1) * fx;
    upper * (1.0 - fy) + lower * fy
}

/// A random part of an image: its area a share between `min_area` and 1, its aspect between 3/4 and 4/3, log-uniform
/// (Szegedy et al. 2015); after ten parts that do not fit, the largest centred one that keeps the aspect's bounds.
pub fn random_region([h, w]: [usize; 2], min_area: f64, rng: &mut Rng) -> Region {
    let area = (h * w) as f64;
    for _ in 0..10 {
        let target = area * (min_area + (1.0 - min_area) * rng.uniform());
        let log = (4.0f64 / 3.0).ln();
        let aspect = ((2.0 * rng.uniform() - 1.0) * log).exp();
        let (rw, rh) = ((target * aspect).sqrt().round() as usize, (target / aspect).sqrt().round() as usize);
        if (1..=w).contains(&rw) && (1..=h).contains(&rh) {
            let (top, left) = (rng.below(h - rh + 1) as f64, rng.below(w - rw + 1) as f64);
            return Region { top, left, height: rh as f64, width: rw as f64 };
        }
    }
    let (hf, wf) = (h as f64, w as f64);
    let aspect = (wf / hf).clamp(3.0 / 4.0, 4.0 / 3.0);
    let (rw, rh) = if wf / hf > aspect { (hf * aspect, hf) } else { (wf, wf / aspect) };
    Region { top: (hf - rh) / 2.0, left: (wf - rw) / 2.0, height: rh, width: rw }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::data::{Pixels, Sample, Target};

    fn image() -> Image {
        let values: Vec<f32> = (1..=12).map(|v| v as f32).collect();
        let sample =
            Sample { dims: [2, 2, 3], pixels: Pixels::Floats(values), target: Target::Mask((1..=6).collect()) };
        let mut image = Image::default();
        image.take(&sample, Region::whole([2, 3]), [2, 3]);
        image
    }

    fn changed(change: impl Fn(&mut Image)) -> (Vec<f32>, Vec<i32>) {
        let mut image = image();
        change(&mut image);
        (image.values, image.mask.unwrap())
    }

    #[test]
    fn shifts_bring_in_zeros() {
        let (values, mask) = changed(|i| shift(i, 1, -1));
        assert_eq!(values, [0., 0., 0., 2., 3., 0., 0., 0., 0., 8., 9., 0.]);
        assert_eq!(mask, [0, 0, 0, 2, 3, 0]);
        assert_eq!(changed(|i| shift(i, -1, 2)).1, [0, 0, 4, 0, 0, 0]);
        assert_eq!(changed(|i| shift(i, 0, 3)).1, [0; 6]);
        assert_eq!(changed(|i| shift(i, -5, 0)).1, [0; 6]);
    }

    #[test]
    fn flips_mirror() {
        assert_eq!(changed(flip).1, [3, 2, 1, 6, 5, 4]);
        let (values, mask) = changed(flip_vertical);
        assert_eq!((values[..6].to_vec(), mask), (vec![4., 5., 6., 1., 2., 3.], vec![4, 5, 6, 1, 2, 3]));
    }

    #[test]
    fn a_half_turn_is_two_flips_and_a_quarter_turn_goes_counterclockwise() {
        let turned = changed(|i| rotate(i, 180.0));
        let flipped = changed(|i| {
            flip(i);
            flip_vertical(i);
        });
        assert_eq!(turned.1, flipped.1);
        assert!(turned.0.iter().zip(&flipped.0).all(|(a, b)| (a - b).abs() < 1e-5));
        let sample = Sample { dims: [1, 2, 2], pixels: Pixels::Floats(vec![1., 2., 3., 4.]), target: Target::Class(0) };
        let mut square = Image::default();
        square.take(&sample, Region::whole([2, 2]), [2, 2]);
        rotate(&mut square, 90.0);
        assert!(square.values.iter().zip([2., 4., 1., 3.]).all(|(a, b)| (a - b).abs() < 1e-5), "{:?}", square.values);
    }

    #[test]
    fn random_regions_lie_inside_and_keep_their_area() {
        let mut rng = Rng::new(1);
        for size in [[100, 80], [3, 200], [1, 1]] {
            for _ in 0..200 {
                let r = random_region(size, 0.25, &mut rng);
                assert!(r.top >= 0.0 && r.left >= 0.0 && r.height > 0.0 && r.width > 0.0);
                assert!(r.top + r.height <= size[0] as f64 + 1e-9 && r.left + r.width <= size[1] as f64 + 1e-9);
                if size == [100, 80] {
                    assert!((0.24..=1.0).contains(&(r.height * r.width / 8000.0)), "{r:?}");
                }
            }
        }
    }
}
