//! The UCI digits, embedded: 1,797 handwritten digits of 8 × 8 pixels.
//!
//! E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998,
//! <https://doi.org/10.24432/C50P49>, CC BY 4.0 (see `LICENCE.md` beside this file).
//!
//! Of each class, every fifth digit in file order is kept for testing: 1,442 to learn from, 355 to measure on, the same
//! on every machine and for every seed. The digits come from 13 writers, who are on both sides of the split.

mod canvas;

pub use canvas::canvases;

use super::dataset::{Pixels, TargetKind};
use super::error::{DataError, Result};
use super::source::DataSpec;
use super::split::Split;
use super::stored::{Labels, Stored};
use std::io::Read;
use std::sync::Arc;

/// Digits, and the height and width of each.
const COUNT: usize = 1797;
const SIDE: usize = 8;
const PACKED: &[u8] = include_bytes!("digits.bin.gz");

/// One digit.
struct Digit {
    /// 0 to 9.
    label: u8,
    /// Row by row, 0 to 1.
    pixels: [f32; SIDE * SIDE],
}

/// `builtin:digits`: classes 0 to 9, inputs `[1, 8, 8]`.
pub fn digits(want: &DataSpec) -> Result<Split> {
    let (train, test) = load()?;
    let set = |digits: Vec<Digit>| {
        let labels = digits.iter().map(|d| d.label as i32).collect();
        let values = Pixels::Floats(digits.iter().flat_map(|d| d.pixels).collect());
        let kind = TargetKind::Class { count: 10, names: (0..10).map(|d| d.to_string()).collect() };
        Stored::new("builtin:digits", [1, SIDE, SIDE], &want.shape, values, Labels::Classes(labels), kind)
    };
    Ok(Split::new(Arc::new(set(train)?), Some(Arc::new(set(test)?))))
}

/// The digits to learn from and those to measure on.
fn load() -> Result<(Vec<Digit>, Vec<Digit>)> {
    let mut bytes = Vec::with_capacity(COUNT * (1 + SIDE * SIDE));
    let unpacked = flate2::read::GzDecoder::new(PACKED).read_to_end(&mut bytes);
    if unpacked.is_err() || bytes.len() != COUNT * (1 + SIDE * SIDE) {
        return Err(DataError::Internal("the embedded digits do not unpack".into()));
    }
    let (labels, pixels) = bytes.split_at(COUNT);
    let (mut train, mut test, mut seen) = (Vec::new(), Vec::new(), [0usize; 10]);
    for (&label, grey) in labels.iter().zip(pixels.chunks_exact(SIDE * SIDE)) {
        let digit = Digit { label, pixels: std::array::from_fn(|i| grey[i] as f32 / 16.0) };
        let nth = &mut seen[label as usize % 10];
        *nth += 1;
        if nth.is_multiple_of(5) { test.push(digit) } else { train.push(digit) }
    }
    Ok((train, test))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::data::{Sample, Target};

    #[test]
    fn digits_are_split_by_class_and_lie_in_0_to_1() {
        let split = digits(&DataSpec::new(&[1, 8, 8])).unwrap();
        let test = split.test.as_ref().unwrap();
        assert_eq!((split.train.len(), test.len()), (1442, 355));
        let mut sample = Sample::default();
        let mut counts = [0; 10];
        for i in 0..test.len() {
            test.get(i, &mut sample).unwrap();
            let Target::Class(class) = sample.target else { panic!() };
            counts[class as usize] += 1;
            let Pixels::Floats(v) = &sample.pixels else { panic!() };
            assert!(v.len() == 64 && v.iter().all(|x| (0.0..=1.0).contains(x)) && v.iter().any(|&x| x > 0.8));
        }
        assert!(counts.iter().all(|&n| (34..=36).contains(&n)), "{counts:?}");
    }

    #[test]
    fn digits_become_colour_or_vectors_but_are_not_resized() {
        assert_eq!(digits(&DataSpec::new(&[3, 8, 8])).unwrap().train.input_shape(), [3, 8, 8]);
        assert_eq!(digits(&DataSpec::new(&[64])).unwrap().train.input_shape(), [64]);
        assert!(matches!(digits(&DataSpec::new(&[1, 16, 16])), Err(DataError::Size { .. })));
    }
}
