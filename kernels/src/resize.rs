//! Interpolation of maps to another size, forward and backward.

use super::elem::Elem;
use super::parallel::{Parts, tasks};
use super::simd::simd;

/// How positions between samples get their value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The sample at `⌊i·in/out⌋`.
    Nearest,
    /// Linear in each axis, half-pixel centres (`align_corners=False`).
    Bilinear,
}

/// How the positions of one axis read its samples.
#[derive(Clone, Debug)]
pub struct Axis<E> {
    /// The sample at or before each position.
    pub low: Vec<usize>,
    /// The sample after it.
    pub high: Vec<usize>,
    /// How much of `high` there is, from 0 to 1.
    pub share: Vec<E>,
}

impl<E: Elem> Axis<E> {
    /// An axis of `input` samples seen at `output` positions; neither may be 0.
    pub fn new(input: usize, output: usize, mode: Interpolation) -> Self {
        let mut axis = Self { low: vec![], high: vec![], share: vec![] };
        for i in 0..output {
            let (low, high, share) = match mode {
                Interpolation::Nearest => (i * input / output, i * input / output, 0.0),
                Interpolation::Bilinear => {
                    let at = ((i as f64 + 0.5) * input as f64 / output as f64 - 0.5).max(0.0);
                    let low = (at as usize).min(input - 1);
                    (low, (low + 1).min(input - 1), at - low as f64)
                }
            };
            axis.low.push(low);
            axis.high.push(high);
            axis.share.push(E::from_f64(share));
        }
        axis
    }
}

simd! {
    fn plane<E: Elem>(nearest: bool, rows: &Axis<E>, cols: &Axis<E>, x: &[E], line: &mut [E], y: &mut [E]) {
        let (from, to) = (line.len(), cols.low.len());
        for (row, out) in y.chunks_exact_mut(to).enumerate() {
            let low = &x[rows.low[row] * from..][..from];
            if nearest {
                out.iter_mut().zip(&cols.low).for_each(|(y, &i)| *y = low[i]);
                continue;
            }
            let (high, share) = (&x[rows.high[row] * from..][..from], rows.share[row]);
            for ((line, &a), &b) in line.iter_mut().zip(low).zip(high) {
                *line = a * (E::ONE - share) + b * share;
            }
            for (i, y) in out.iter_mut().enumerate() {
                let share = cols.share[i];
                *y = line[cols.low[i]] * (E::ONE - share) + line[cols.high[i]] * share;
            }
        }
    }

    fn plane_grad<E: Elem>(nearest: bool, rows: &Axis<E>, cols: &Axis<E>, dy: &[E], line: &mut [E], dx: &mut [E]) {
        let (from, to) = (line.len(), cols.low.len());
        dx.fill(E::ZERO);
        for (row, dy) in dy.chunks_exact(to).enumerate() {
            if nearest {
                let dx = &mut dx[rows.low[row] * from..][..from];
                dy.iter().zip(&cols.low).for_each(|(&g, &i)| dx[i] += g);
                continue;
            }
            line.fill(E::ZERO);
            for (i, &g) in dy.iter().enumerate() {
                line[cols.low[i]] += g * (E::ONE - cols.share[i]);
                line[cols.high[i]] += g * cols.share[i];
            }
            for (at, share) in [(rows.low[row], E::ONE - rows.share[row]), (rows.high[row], rows.share[row])] {
                dx[at * from..][..from].iter_mut().zip(line.iter()).for_each(|(d, &g)| *d += g * share);
            }
        }
    }
}

/// Maps of size `input` to maps of size `output`: nearest takes sample `⌊i·in/out⌋`, bilinear has
/// half-pixel centres (`align_corners=False`). Neither size may be 0.
pub fn forward<E: Elem>(mode: Interpolation, input: [usize; 2], output: [usize; 2], x: &[E], y: &mut [E]) {
    let (size, out) = (input[0] * input[1], output[0] * output[1]);
    let (rows, cols) = (Axis::new(input[0], output[0], mode), Axis::new(input[1], output[1], mode));
    let (maps, work) = (y.len() / out, y.len());
    assert_eq!(x.len(), maps * size, "as many maps in as out");
    let y = Parts::new(y);
    tasks(maps, work, |i| {
        // SAFETY: each task has a map of its own.
        let y = unsafe { y.range(i * out, out) };
        let x = &x[i * size..][..size];
        E::with_scratch(input[1], |line| plane(mode == Interpolation::Nearest, &rows, &cols, x, line, y));
    });
}

/// The backward pass of [`forward`].
pub fn grad<E: Elem>(mode: Interpolation, input: [usize; 2], output: [usize; 2], dy: &[E], dx: &mut [E]) {
    let (size, out) = (input[0] * input[1], output[0] * output[1]);
    let (rows, cols) = (Axis::new(input[0], output[0], mode), Axis::new(input[1], output[1], mode));
    let maps = dy.len() / out;
    assert_eq!(dx.len(), maps * size, "as many maps in as out");
    let dx = Parts::new(dx);
    tasks(maps, dy.len(), |i| {
        // SAFETY: each task has a map of its own.
        let dx = unsafe { dx.range(i * size, size) };
        let dy = &dy[i * out..][..out];
        E::with_scratch(input[1], |line| plane_grad(mode == Interpolation::Nearest, &rows, &cols, dy, line, dx));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, gradient_agrees, narrow, random};

    /// Straight from the definition, one output at a time.
    fn reference(mode: Interpolation, [h, w]: [usize; 2], [oh, ow]: [usize; 2], x: &[f64]) -> Vec<f64> {
        let mut y = vec![];
        let at = |i: usize, n: usize, out: usize| ((i as f64 + 0.5) * n as f64 / out as f64 - 0.5).max(0.0);
        for map in x.chunks_exact(h * w) {
            for (oy, ox) in (0..oh).flat_map(|oy| (0..ow).map(move |ox| (oy, ox))) {
                y.push(match mode {
                    Interpolation::Nearest => map[oy * h / oh * w + ox * w / ow],
                    Interpolation::Bilinear => {
                        let (fy, fx) = (at(oy, h, oh), at(ox, w, ow));
                        let tent =
                            |f: f64, i: usize, n: usize| (1.0 - (f.min(n as f64 - 1.0) - i as f64).abs()).max(0.0);
                        (0..h * w).map(|i| map[i] * tent(fy, i / w, h) * tent(fx, i % w, w)).sum()
                    }
                });
            }
        }
        y
    }

    #[test]
    fn agrees_with_the_definition() {
        let sizes = [([3, 4], [6, 8]), ([1, 5], [1, 12]), ([5, 3], [2, 7]), ([1, 1], [3, 2]), ([7, 6], [7, 6])];
        for mode in [Interpolation::Nearest, Interpolation::Bilinear] {
            for (input, output) in sizes {
                let x = random(3 * input[0] * input[1], 5);
                let want = reference(mode, input, output, &x);
                let (mut y, mut y32) = (vec![0.0; want.len()], vec![0.0f32; want.len()]);
                forward(mode, input, output, &x, &mut y);
                forward(mode, input, output, &narrow(&x), &mut y32);
                close(&y, &want, 1e-14);
                close(&y32, &want, 1e-6);
                gradient_agrees(
                    &x,
                    |x| reference(mode, input, output, x),
                    |dy| {
                        let mut dx = vec![0.0; x.len()];
                        grad(mode, input, output, dy, &mut dx);
                        dx
                    },
                );
            }
        }
    }
}
