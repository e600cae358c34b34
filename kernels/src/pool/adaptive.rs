//! Mean over windows chosen to give a size: window `i` of `n` is `⌊i·in/n⌋..⌈(i+1)·in/n⌉`.

use crate::elem::Elem;
use crate::parallel::{Parts, tasks};
use std::ops::Range;

fn window(i: usize, input: usize, output: usize) -> Range<usize> {
    i * input / output..((i + 1) * input).div_ceil(output)
}

/// Calls `f(output position, input row's elements, 1 / count)` for each row of each window.
fn each_row(input: [usize; 2], output: [usize; 2], mut f: impl FnMut(usize, Range<usize>, f64)) {
    for oy in 0..output[0] {
        for ox in 0..output[1] {
            let (rows, cols) = (window(oy, input[0], output[0]), window(ox, input[1], output[1]));
            let factor = 1.0 / (rows.len() * cols.len()) as f64;
            for y in rows {
                f(oy * output[1] + ox, y * input[1] + cols.start..y * input[1] + cols.end, factor);
            }
        }
    }
}

/// Means of maps of size `input`, to maps of size `output`.
pub fn adaptive_avg<E: Elem>(input: [usize; 2], output: [usize; 2], x: &[E], y: &mut [E]) {
    let (size, out) = (input[0] * input[1], output[0] * output[1]);
    let maps = y.len() / out.max(1);
    let y = Parts::new(y);
    tasks(maps, x.len(), |i| {
        let x = &x[i * size..][..size];
        let mut sums = vec![0.0; out];
        each_row(input, output, |o, row, f| sums[o] += x[row].iter().map(|v| v.to_f64()).sum::<f64>() * f);
        // SAFETY: each task has a map of its own.
        let y = unsafe { y.range(i * out, out) };
        y.iter_mut().zip(sums).for_each(|(y, s)| *y = E::from_f64(s));
    });
}

/// The backward pass of [`adaptive_avg`].
pub fn adaptive_avg_grad<E: Elem>(input: [usize; 2], output: [usize; 2], dy: &[E], dx: &mut [E]) {
    let (size, out) = (input[0] * input[1], output[0] * output[1]);
    let maps = dy.len() / out.max(1);
    let dx = Parts::new(dx);
    tasks(maps, maps * size, |i| {
        // SAFETY: each task has a map of its own.
        let dx = unsafe { dx.range(i * size, size) };
        dx.fill(E::ZERO);
        let dy = &dy[i * out..][..out];
        each_row(input, output, |o, row, f| {
            let g = dy[o] * E::from_f64(f);
            dx[row].iter_mut().for_each(|d| *d += g);
        });
    });
}
