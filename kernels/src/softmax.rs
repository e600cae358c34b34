//! Softmax over channels of `[N, C, positions]`, and its logarithm.

use super::elem::Elem;
use super::parallel::pieces;
use super::simd::simd;

/// Positions that are gone through together.
const BLOCK: usize = 64;

simd! {
    /// One block of positions of one sample: the maximum is taken off, so that nothing overflows.
    fn values<E: Elem>(positions: usize, first: usize, log: bool, x: &[E], y: &mut [E]) {
        let len = BLOCK.min(positions - first);
        let (mut top, mut sum) = ([E::NEG_INFINITY; BLOCK], [E::ZERO; BLOCK]);
        for row in x.chunks_exact(positions) {
            for (top, &v) in top.iter_mut().zip(&row[first..first + len]) {
                *top = if v > *top || v.is_nan() { v } else { *top };
            }
        }
        for (row, out) in x.chunks_exact(positions).zip(y.chunks_exact_mut(positions)) {
            let (row, out) = (&row[first..first + len], &mut out[first..first + len]);
            for i in 0..len {
                let shifted = row[i] - top[i];
                let power = shifted.exp();
                sum[i] += power;
                out[i] = if log { shifted } else { power };
            }
        }
        for s in &mut sum[..len] {
            *s = if log { s.ln() } else { E::ONE / *s };
        }
        for out in y.chunks_exact_mut(positions) {
            for (out, &s) in out[first..first + len].iter_mut().zip(&sum) {
                *out = if log { *out - s } else { *out * s };
            }
        }
    }

    /// `y·(dy − Σ dy·y)`, or `dy − eʸ·Σ dy` for the logarithm.
    fn grads<E: Elem>(positions: usize, first: usize, log: bool, y: &[E], dy: &[E], dx: &mut [E]) {
        let len = BLOCK.min(positions - first);
        let mut sum = [E::ZERO; BLOCK];
        for (y, dy) in y.chunks_exact(positions).zip(dy.chunks_exact(positions)) {
            let (y, dy) = (&y[first..first + len], &dy[first..first + len]);
            for i in 0..len {
                sum[i] += if log { dy[i] } else { dy[i] * y[i] };
            }
        }
        for ((y, dy), dx) in y.chunks_exact(positions).zip(dy.chunks_exact(positions)).zip(dx.chunks_exact_mut(positions)) {
            let (y, dy, dx) = (&y[first..first + len], &dy[first..first + len], &mut dx[first..first + len]);
            for i in 0..len {
                dx[i] = if log { dy[i] - y[i].exp() * sum[i] } else { y[i] * (dy[i] - sum[i]) };
            }
        }
    }
}

/// `y = eˣ / Σ eˣ` over channels, or its logarithm where `log`.
pub fn forward<E: Elem>(channels: usize, positions: usize, log: bool, x: &[E], y: &mut [E]) {
    assert_eq!(x.len(), y.len(), "argument and value are equally long");
    let size = channels * positions;
    pieces(y, size.max(1), |n, y| {
        (0..positions).step_by(BLOCK).for_each(|first| values(positions, first, log, &x[n * size..][..size], y));
    });
}

/// The backward pass of [`forward`], from its result.
pub fn grad<E: Elem>(channels: usize, positions: usize, log: bool, y: &[E], dy: &[E], dx: &mut [E]) {
    assert!(y.len() == dx.len() && dy.len() == dx.len(), "all are equally long");
    let size = channels * positions;
    pieces(dx, size.max(1), |n, dx| {
        let (y, dy) = (&y[n * size..][..size], &dy[n * size..][..size]);
        (0..positions).step_by(BLOCK).for_each(|first| grads(positions, first, log, y, dy, dx));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, gradient_agrees, random};

    fn reference(c: usize, p: usize, log: bool, x: &[f64]) -> Vec<f64> {
        let mut y = vec![0.0; x.len()];
        for i in 0..x.len() {
            let start = i / (c * p) * c * p + i % p;
            let sum: f64 = (0..c).map(|k| x[start + k * p].exp()).sum();
            y[i] = if log { x[i] - sum.ln() } else { x[i].exp() / sum };
        }
        y
    }

    #[test]
    fn agrees_with_the_definition() {
        for (n, c, p) in [(2, 5, 1), (3, 4, 70), (1, 1, 3), (2, 17, 65)] {
            for log in [false, true] {
                let x = random(n * c * p, 7);
                let mut y = vec![0.0; x.len()];
                forward(c, p, log, &x, &mut y);
                close(&y, &reference(c, p, log, &x), 1e-13);
                let narrow: Vec<f32> = x.iter().map(|&v| v as f32).collect();
                let mut y32 = vec![0.0f32; x.len()];
                forward(c, p, log, &narrow, &mut y32);
                close(&y32, &reference(c, p, log, &x), 1e-6);
                gradient_agrees(
                    &x,
                    |x| reference(c, p, log, x),
                    |dy| {
                        let mut dx = vec![0.0; dy.len()];
                        grad(c, p, log, &y, dy, &mut dx);
                        dx
                    },
                );
            }
        }
    }

    #[test]
    fn large_arguments_do_not_overflow() {
        let mut y = [0.0f32; 2];
        forward(2, 1, false, &[1000.0, 1000.0], &mut y);
        assert_eq!(y, [0.5, 0.5]);
        forward(2, 1, true, &[-1e30, 0.0], &mut y);
        assert_eq!(y, [-1e30, 0.0]);
    }
}
