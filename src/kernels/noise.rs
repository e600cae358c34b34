//! Seeded noise: dropout, and paths dropped per sample. The seed alone says what is dropped, so that
//! nothing is kept for the backward pass.

use super::Elem;
use super::parallel::pieces;
use crate::base::Rng;

/// Elements that one generator decides on.
const BLOCK: usize = 4096;

/// Zeroes each element with probability `p` and divides the rest by `1 − p`. The backward pass is the
/// same function of the gradient.
pub fn dropout<E: Elem>(seed: u64, p: f64, x: &[E], y: &mut [E]) {
    assert_eq!(x.len(), y.len(), "argument and value are equally long");
    let factor = E::from_f64(if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 });
    // p as a fraction of 2³²: each 64 random bits decide on two elements.
    let limit = (p.clamp(0.0, 1.0) * (1u64 << 32) as f64) as u64;
    pieces(y, BLOCK, |block, y| {
        let mut rng = Rng::new(seed ^ (block as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95));
        let x = &x[block * BLOCK..][..y.len()];
        for (y, x) in y.chunks_mut(2).zip(x.chunks(2)) {
            let bits = rng.next_u64();
            for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                let draw = (bits >> (32 * i)) & 0xffff_ffff;
                *y = if draw < limit { E::ZERO } else { x * factor };
            }
        }
    });
}

/// For each sample 0 with probability `p`, else `1 / (1 − p)`.
pub fn sample_factors(seed: u64, p: f64, samples: usize) -> Vec<f64> {
    let mut rng = Rng::new(seed);
    let kept = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    (0..samples).map(|_| if rng.uniform() < p { 0.0 } else { kept }).collect()
}

/// `y = a + f·b`, `f` given for each sample of `size` elements.
pub fn add_scaled<E: Elem>(size: usize, factors: &[f64], a: &[E], b: &[E], y: &mut [E]) {
    assert!(a.len() == y.len() && b.len() == y.len(), "operands are equally long");
    pieces(y, size.max(1), |n, y| {
        let f = E::from_f64(factors[n]);
        let pairs = a[n * size..].iter().zip(&b[n * size..]);
        y.iter_mut().zip(pairs).for_each(|(y, (&a, &b))| *y = a + f * b);
    });
}

/// `y = f·x`, `f` given for each sample of `size` elements.
pub fn scale<E: Elem>(size: usize, factors: &[f64], x: &[E], y: &mut [E]) {
    assert_eq!(x.len(), y.len(), "argument and value are equally long");
    pieces(y, size.max(1), |n, y| {
        let f = E::from_f64(factors[n]);
        y.iter_mut().zip(&x[n * size..]).for_each(|(y, &x)| *y = f * x);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropout_keeps_the_share_and_the_mean() {
        let x = vec![1.0f32; 100_000];
        let (mut y, mut again, mut other) = (x.clone(), x.clone(), x.clone());
        dropout(5, 0.3, &x, &mut y);
        dropout(5, 0.3, &x, &mut again);
        dropout(6, 0.3, &x, &mut other);
        assert!(y == again && y != other, "the seed alone decides");
        let kept = y.iter().filter(|&&v| v > 0.0).count() as f64 / x.len() as f64;
        assert!((kept - 0.7).abs() < 0.005, "{kept}");
        assert!(y.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-6));
        assert_ne!(y[..4096], y[4096..8192], "blocks differ");
        dropout(5, 1.0, &x, &mut y);
        assert!(y.iter().all(|&v| v == 0.0));
        dropout(5, 0.0, &x, &mut y);
        assert_eq!(x, y);
    }

    #[test]
    fn samples_are_dropped_whole() {
        let factors = sample_factors(1, 0.25, 10_000);
        let kept = factors.iter().filter(|&&f| f > 0.0).count();
        assert!((7_300..7_700).contains(&kept), "{kept}");
        let mut y = [0.0; 4];
        add_scaled(2, &[0.0, 2.0], &[1.0, 2.0, 3.0, 4.0], &[1.0; 4], &mut y);
        assert_eq!(y, [1.0, 2.0, 5.0, 6.0]);
        scale(2, &[3.0, 0.5], &[1.0, 2.0, 3.0, 4.0], &mut y);
        assert_eq!(y, [3.0, 6.0, 1.5, 2.0]);
    }
}
