//! Bytes of which nothing is known.

use super::{Seed, pick};
use archc::base::Rng;

/// Numbers at which arithmetic breaks.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    127,
    128,
    255,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
];

/// A few changes.
pub fn mutate(seeds: &[Seed], seed: usize, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = seeds[seed].bytes.clone();
    for _ in 0..1 + rng.below(4) {
        change(&mut bytes, rng);
    }
    if rng.below(20) == 0 {
        let other = &seeds[rng.below(seeds.len())].bytes;
        let (cut, from) = (rng.below(bytes.len() + 1), rng.below(other.len() + 1));
        bytes.truncate(cut);
        bytes.extend_from_slice(&other[from..]);
    }
    bytes
}

/// A stretch of at most `longest` bytes.
fn stretch(length: usize, longest: usize, rng: &mut Rng) -> std::ops::Range<usize> {
    let start = rng.below(length + 1);
    start..(start + rng.below(longest.max(1))).min(length)
}

/// One change: bytes overwritten, taken out, put in, repeated, or cut off.
pub fn change(bytes: &mut Vec<u8>, rng: &mut Rng) {
    // Headers come first, so many of the changes are there.
    let reach = if rng.below(2) == 0 { bytes.len().min(96) } else { bytes.len() };
    if reach == 0 {
        bytes.extend((0..rng.below(9)).map(|_| rng.below(256) as u8));
        return;
    }
    let at = rng.below(reach);
    match rng.below(9) {
        0 => bytes.truncate(rng.below(bytes.len() + 1)),
        1 => bytes[at] ^= 1 << rng.below(8),
        2 => bytes[at] = pick(&[&0u8, &1, &127, &128, &255], rng).to_owned(),
        3 => bytes[at] = rng.below(256) as u8,
        4 => number(bytes, at, rng),
        5 => drop(bytes.drain(stretch(bytes.len(), 32, rng))),
        6 => {
            let part = bytes[stretch(bytes.len(), 64, rng)].to_vec();
            bytes.splice(at..at, part);
        }
        7 => {
            let noise: Vec<u8> = (0..rng.below(9)).map(|_| rng.below(256) as u8).collect();
            bytes.splice(at..at, noise);
        }
        _ => {
            let end = (at + 1 + rng.below(8)).min(bytes.len());
            bytes[at..end].reverse();
        }
    }
}

/// A number of 1 to 8 bytes in either order.
fn number(bytes: &mut [u8], at: usize, rng: &mut Rng) {
    let value = NUMBERS[rng.below(NUMBERS.len())].wrapping_add([0, 1, u64::MAX][rng.below(3)]);
    let width = [1, 2, 4, 8][rng.below(4)].min(bytes.len() - at);
    let little = value.to_le_bytes();
    let place = &mut bytes[at..at + width];
    place.copy_from_slice(&little[..width]);
    if rng.below(2) == 0 {
        place.reverse();
    }
}
