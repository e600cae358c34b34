//! Padding, cropping and subsampling of maps, forward and backward.

use super::elem::Elem;
use super::parallel::{Parts, tasks};

/// What padding is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadMode {
    /// Zeros.
    Zero,
    /// The map mirrored at its edge, the edge not repeated; less than the size.
    Reflect,
    /// The edge repeated.
    Replicate,
}

/// The input position that each output position of an axis reads; `None` for zero.
pub fn sources(input: usize, (before, after): (usize, usize), mode: PadMode) -> Vec<Option<usize>> {
    let last = input as isize - 1;
    let source = |i: usize| {
        let at = i as isize - before as isize;
        let at = match mode {
            PadMode::Zero => return (0..=last).contains(&at).then_some(at as usize),
            PadMode::Replicate => at.clamp(0, last),
            PadMode::Reflect if at > last => 2 * last - at,
            PadMode::Reflect => at.abs(),
        };
        Some(at as usize)
    };
    (0..before + input + after).map(source).collect()
}

/// Pads maps of size `input` by `amounts` (before and after, for rows and for columns). Reflection
/// must stay below the size.
///
/// # Panics
/// Where slices do not fit the sizes.
pub fn pad<E: Elem>(mode: PadMode, input: [usize; 2], amounts: [(usize, usize); 2], x: &[E], y: &mut [E]) {
    let (rows, cols) = (sources(input[0], amounts[0], mode), sources(input[1], amounts[1], mode));
    let (size, out) = (input[0] * input[1], rows.len() * cols.len());
    let (maps, work) = (y.len() / out.max(1), y.len());
    assert_eq!(x.len(), maps * size, "as many maps in as out");
    let middle = amounts[1].0..amounts[1].0 + input[1];
    let y = Parts::new(y);
    tasks(maps, work, |i| {
        // SAFETY: each task has a map of its own.
        let y = unsafe { y.range(i * out, out) };
        for (row, y) in rows.iter().zip(y.chunks_exact_mut(cols.len())) {
            let Some(row) = row else {
                y.fill(E::ZERO);
                continue;
            };
            let x = &x[i * size + row * input[1]..][..input[1]];
            y[middle.clone()].copy_from_slice(x);
            for col in (0..middle.start).chain(middle.end..cols.len()) {
                y[col] = cols[col].map_or(E::ZERO, |c| x[c]);
            }
        }
    });
}

/// The backward pass of [`pad`].
///
/// # Panics
/// Where slices do not fit the sizes.
pub fn pad_grad<E: Elem>(mode: PadMode, input: [usize; 2], amounts: [(usize, usize); 2], dy: &[E], dx: &mut [E]) {
    let (rows, cols) = (sources(input[0], amounts[0], mode), sources(input[1], amounts[1], mode));
    let (size, out) = (input[0] * input[1], rows.len() * cols.len());
    let (maps, work) = (dy.len() / out.max(1), dy.len());
    assert_eq!(dx.len(), maps * size, "as many maps in as out");
    let middle = amounts[1].0..amounts[1].0 + input[1];
    let dx = Parts::new(dx);
    tasks(maps, work, |i| {
        // SAFETY: each task has a map of its own.
        let dx = unsafe { dx.range(i * size, size) };
        dx.fill(E::ZERO);
        for (row, dy) in rows.iter().zip(dy[i * out..][..out].chunks_exact(cols.len())) {
            let Some(row) = row else { continue };
            let dx = &mut dx[row * input[1]..][..input[1]];
            dx.iter_mut().zip(&dy[middle.clone()]).for_each(|(d, &g)| *d += g);
            for col in (0..middle.start).chain(middle.end..cols.len()) {
                if let Some(c) = cols[col] {
                    dx[c] += dy[col];
                }
            }
        }
    });
}

/// Cuts `size` at `offset` out of maps of size `input`. Its backward pass is a zero [`pad`].
///
/// # Panics
/// Where the cut does not lie inside.
pub fn crop<E: Elem>(input: [usize; 2], offset: [usize; 2], size: [usize; 2], x: &[E], y: &mut [E]) {
    assert!((0..2).all(|a| offset[a] + size[a] <= input[a]), "the cut lies inside");
    let (plane, out) = (input[0] * input[1], size[0] * size[1]);
    let (maps, work) = (y.len() / out.max(1), y.len());
    let y = Parts::new(y);
    tasks(maps, work, |i| {
        // SAFETY: each task has a map of its own.
        let y = unsafe { y.range(i * out, out) };
        for (row, y) in y.chunks_exact_mut(size[1]).enumerate() {
            let start = i * plane + (offset[0] + row) * input[1] + offset[1];
            y.copy_from_slice(&x[start..start + size[1]]);
        }
    });
}

/// Every `stride`-th row and column of `[N, C, H, W]`, between channels of zeros: `before` of them,
/// then the input's, then zeros up to `width` (option A of He et al. 2015).
pub fn subsample<E: Elem>(
    channels: usize,
    width: usize,
    before: usize,
    input: [usize; 2],
    stride: [usize; 2],
    x: &[E],
    y: &mut [E],
) {
    let output = [input[0].div_ceil(stride[0]), input[1].div_ceil(stride[1])];
    let (size, out) = (input[0] * input[1], output[0] * output[1]);
    let (maps, work) = (y.len() / out.max(1), y.len());
    let y = Parts::new(y);
    tasks(maps, work, |i| {
        // SAFETY: each task has a map of its own.
        let y = unsafe { y.range(i * out, out) };
        let (n, c) = (i / width, i % width);
        if c < before || c >= before + channels {
            return y.fill(E::ZERO);
        }
        let x = &x[(n * channels + c - before) * size..][..size];
        for (row, y) in y.chunks_exact_mut(output[1]).enumerate() {
            let x = x[row * stride[0] * input[1]..].iter().step_by(stride[1]);
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = x);
        }
    });
}

/// The backward pass of [`subsample`].
pub fn subsample_grad<E: Elem>(
    channels: usize,
    width: usize,
    before: usize,
    input: [usize; 2],
    stride: [usize; 2],
    dy: &[E],
    dx: &mut [E],
) {
    let output = [input[0].div_ceil(stride[0]), input[1].div_ceil(stride[1])];
    let (size, out) = (input[0] * input[1], output[0] * output[1]);
    let (maps, work) = (dx.len() / size.max(1), dx.len());
    let dx = Parts::new(dx);
    tasks(maps, work, |i| {
        // SAFETY: each task has a map of its own.
        let dx = unsafe { dx.range(i * size, size) };
        dx.fill(E::ZERO);
        let (n, c) = (i / channels, i % channels);
        let dy = &dy[(n * width + before + c) * out..][..out];
        for (row, dy) in dy.chunks_exact(output[1]).enumerate() {
            let dx = dx[row * stride[0] * input[1]..].iter_mut().step_by(stride[1]);
            dx.zip(dy).for_each(|(d, &g)| *d = g);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, gradient_agrees, random};

    /// Straight from the definition, one output at a time.
    fn reference(mode: PadMode, [h, w]: [usize; 2], [r, c]: [(usize, usize); 2], x: &[f64]) -> Vec<f64> {
        let bounce = |i: isize, n: isize| match mode {
            PadMode::Reflect if i < 0 => -i,
            PadMode::Reflect if i >= n => 2 * n - 2 - i,
            _ => i.clamp(0, n - 1),
        };
        let mut y = vec![];
        for map in x.chunks_exact(h * w) {
            for oy in 0..(r.0 + h + r.1) as isize {
                for ox in 0..(c.0 + w + c.1) as isize {
                    let (iy, ix) = (oy - r.0 as isize, ox - c.0 as isize);
                    let outside = iy < 0 || ix < 0 || iy >= h as isize || ix >= w as isize;
                    let at = bounce(iy, h as isize) as usize * w + bounce(ix, w as isize) as usize;
                    y.push(if outside && mode == PadMode::Zero { 0.0 } else { map[at] });
                }
            }
        }
        y
    }

    #[test]
    fn padding_agrees_with_the_definition() {
        let cases = [([4, 5], [(1, 2), (3, 0)]), ([1, 6], [(0, 0), (2, 5)]), ([3, 3], [(2, 2), (2, 2)])];
        for mode in [PadMode::Zero, PadMode::Reflect, PadMode::Replicate] {
            for (input, amounts) in cases {
                let x = random(2 * input[0] * input[1], 3);
                let want = reference(mode, input, amounts, &x);
                let mut y = vec![9.0; want.len()];
                pad(mode, input, amounts, &x, &mut y);
                close(&y, &want, 0.0);
                gradient_agrees(
                    &x,
                    |x| reference(mode, input, amounts, x),
                    |dy| {
                        let mut dx = vec![9.0; x.len()];
                        pad_grad(mode, input, amounts, dy, &mut dx);
                        dx
                    },
                );
            }
        }
    }

    #[test]
    fn a_crop_is_the_inside() {
        let x: Vec<f64> = (0..24).map(f64::from).collect();
        let mut y = vec![0.0; 4];
        crop([3, 4], [1, 1], [1, 2], &x, &mut y);
        assert_eq!(y, [5.0, 6.0, 17.0, 18.0]);
    }

    #[test]
    fn subsampling_puts_channels_between_zeros() {
        let x: Vec<f64> = (1..=12).map(f64::from).collect();
        let (mut y, mut dx) = (vec![9.0; 16], vec![9.0; 12]);
        subsample(2, 4, 1, [2, 3], [1, 2], &x, &mut y);
        assert_eq!(y, [0., 0., 0., 0., 1., 3., 4., 6., 7., 9., 10., 12., 0., 0., 0., 0.]);
        subsample_grad(2, 4, 1, [2, 3], [1, 2], &y, &mut dx);
        assert_eq!(dx, [1., 0., 3., 4., 0., 6., 7., 0., 9., 10., 0., 12.]);
    }
}
