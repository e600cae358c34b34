//! Digits scattered on canvases, with the class of every pixel: a small segmentation task.

use super::{Digit, SIDE, load};
use crate::base::Rng;
use crate::train::data::dataset::{Pixels, TargetKind};
use crate::train::data::error::Result;
use crate::train::data::source::DataSpec;
use crate::train::data::split::Split;
use crate::train::data::stored::{Labels, Stored};
use rayon::prelude::*;
use std::sync::Arc;

/// Height and width of a canvas.
const CANVAS: usize = 64;
/// Canvases to learn from, and to measure on.
const TRAIN: usize = 2000;
const TEST: usize = 400;
/// Background, then the ten digits.
const CLASSES: usize = 11;
/// Ink above this, before its brightness is drawn, belongs to the digit.
const INK: f32 = 0.35;
/// Standard deviation of the noise.
const NOISE: f64 = 0.04;

/// `builtin:digits-canvas`: inputs `[1, 64, 64]`, masks with 0 for background and 1 + digit for ink.
///
/// Each canvas holds three to six digits, two to three times their size, resampled by cubic convolution, of brightness
/// 0.7 to 1, on a noisy background. Canvases to learn from hold only digits to learn from, canvases to measure on only
/// the others. They are the same for every seed of the training.
pub fn canvases(want: &DataSpec) -> Result<Split> {
    let (train, test) = load()?;
    let set = |digits: &[Digit], count: usize, part: &str| {
        let mut pixels = Vec::with_capacity(count * CANVAS * CANVAS);
        let mut masks = Vec::with_capacity(count * CANVAS * CANVAS);
        let draw = |i| Canvas::draw(digits, Rng::derive(1998, &format!("canvas {part} {i}")));
        let drawn: Vec<Canvas> = (0..count).into_par_iter().map(draw).collect();
        for canvas in drawn {
            pixels.extend(canvas.ink.iter().map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8));
            masks.extend(canvas.mask);
        }
        let (values, labels) = (Pixels::Bytes(pixels), Labels::Masks(masks));
        let kind = TargetKind::Mask { classes: CLASSES };
        Stored::new("builtin:digits-canvas", [1, CANVAS, CANVAS], &want.shape, values, labels, kind)
    };
    let test = set(&test, TEST, "test")?;
    Ok(Split::new(Arc::new(set(&train, TRAIN, "train")?), Some(Arc::new(test))))
}

/// One canvas being drawn.
struct Canvas {
    ink: Vec<f32>,
    mask: Vec<u8>,
    boxes: Vec<[usize; 3]>,
}

impl Canvas {
    fn draw(digits: &[Digit], mut rng: Rng) -> Self {
        let mut canvas = Canvas { ink: vec![0.0; CANVAS * CANVAS], mask: vec![0; CANVAS * CANVAS], boxes: Vec::new() };
        for _ in 0..3 + rng.below(4) {
            let digit = &digits[rng.below(digits.len())];
            let side = 2 * SIDE + rng.below(SIDE + 1);
            let brightness = 0.7 + 0.3 * rng.uniform() as f32;
            if let Some([y, x]) = canvas.place(side, &mut rng) {
                canvas.stamp(digit, [y, x], side, brightness);
            }
        }
        canvas.ink.iter_mut().for_each(|v| *v += (NOISE * rng.normal()) as f32);
        canvas
    }

    /// A free place for a square of this side, where one is found soon; margins may overlap by two pixels.
    fn place(&mut self, side: usize, rng: &mut Rng) -> Option<[usize; 2]> {
        for _ in 0..30 {
            let (y, x) = (rng.below(CANVAS - side + 1), rng.below(CANVAS - side + 1));
            let apart = |a: usize, a_side: usize, b: usize| a + a_side <= b + 2 || b + side <= a + 2;
            if self.boxes.iter().all(|&[by, bx, s]| apart(by, s, y) || apart(bx, s, x)) {
                self.boxes.push([y, x, side]);
                return Some([y, x]);
            }
        }
        None
    }

    fn stamp(&mut self, digit: &Digit, [top, left]: [usize; 2], side: usize, brightness: f32) {
        let scale = SIDE as f32 / side as f32;
        for i in 0..side {
            for j in 0..side {
                let ink = cubic(&digit.pixels, (i as f32 + 0.5) * scale - 0.5, (j as f32 + 0.5) * scale - 0.5);
                let at = (top + i) * CANVAS + left + j;
                self.ink[at] = self.ink[at].max(ink * brightness);
                if ink > INK {
                    self.mask[at] = digit.label + 1;
                }
            }
        }
    }
}

/// A digit at a point between its pixels, by cubic convolution (Keys 1981, a = −1/2); paper outside it is empty.
fn cubic(pixels: &[f32; SIDE * SIDE], y: f32, x: f32) -> f32 {
    let weights = |t: f32| {
        let (t2, t3) = (t * t, t * t * t);
        [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
    };
    let (y0, x0) = (y.floor(), x.floor());
    let (wy, wx) = (weights(y - y0), weights(x - x0));
    let at = |y: isize, x: isize| {
        let inside = |v: isize| (0..SIDE as isize).contains(&v);
        if inside(y) && inside(x) { pixels[y as usize * SIDE + x as usize] } else { 0.0 }
    };
    let row = |i: usize| -> f32 {
        let y = y0 as isize + i as isize - 1;
        (0..4).map(|j| wx[j] * at(y, x0 as isize + j as isize - 1)).sum()
    };
    (0..4).map(|i| wy[i] * row(i)).sum::<f32>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::data::{Sample, Target};

    #[test]
    fn canvases_show_every_digit_and_mostly_background() {
        let split = canvases(&DataSpec::new(&[1, 64, 64])).unwrap();
        let test = split.test.as_ref().unwrap();
        assert_eq!((split.train.len(), test.len()), (TRAIN, TEST));
        let (mut sample, mut counts) = (Sample::default(), [0usize; CLASSES]);
        for i in 0..test.len() {
            test.get(i, &mut sample).unwrap();
            let Target::Mask(mask) = &sample.target else { panic!() };
            let digits: std::collections::BTreeSet<_> = mask.iter().filter(|&&m| m > 0).collect();
            assert!(!digits.is_empty() && digits.len() <= 6);
            mask.iter().for_each(|&m| counts[m as usize] += 1);
        }
        let all = (TEST * CANVAS * CANVAS) as f64;
        assert!((0.6..0.95).contains(&(counts[0] as f64 / all)), "{counts:?}");
        assert!(counts[1..].iter().all(|&n| n as f64 / all > 0.005), "{counts:?}");
    }

    #[test]
    fn ink_lies_where_the_mask_says() {
        let (train, _) = load().unwrap();
        let canvas = Canvas::draw(&train, Rng::new(3));
        let mean = |digit: bool| {
            let of = canvas.ink.iter().zip(&canvas.mask).filter(|(_, m)| (**m > 0) == digit).map(|(v, _)| *v);
            let (sum, n) = of.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
            sum / n
        };
        assert!(mean(true) > 0.5 && mean(false) < 0.1, "{} {}", mean(true), mean(false));
    }

    #[test]
    fn cubic_resampling_passes_through_the_pixels() {
        let (train, _) = load().unwrap();
        let pixels = &train[0].pixels;
        for (i, &v) in pixels.iter().enumerate() {
            assert!((cubic(pixels, (i / SIDE) as f32, (i % SIDE) as f32) - v).abs() < 1e-6);
        }
    }
}
