//! Layer normalisation over channels (Ba et al. 2016): a set is the channels at one position.

use super::{BatchShape, Grads, Moments};
use crate::elem::Elem;
use crate::parallel::{Parts, tasks};
use crate::simd::simd;

/// Positions that are gone through together.
const BLOCK: usize = 64;

/// Normalises the channels at each position; returns the moments, position by position.
pub fn layer_norm<E: Elem>(
    shape: &BatchShape,
    eps: f64,
    x: &[E],
    weight: Option<&[E]>,
    bias: Option<&[E]>,
    y: &mut [E],
) -> Moments {
    assert!(x.len() == y.len() && x.len() == shape.count() * shape.channels, "maps are as long as their shape");
    let sets = shape.count();
    let mut moments = Moments { mean: vec![0.0; sets], scale: vec![0.0; sets], var: vec![0.0; sets] };
    {
        let (y, mean) = (Parts::new(y), Parts::new(&mut moments.mean));
        let (scale, var) = (Parts::new(&mut moments.scale), Parts::new(&mut moments.var));
        let size = shape.channels * shape.positions;
        tasks(shape.batch, 4 * x.len(), |n| {
            let at = n * shape.positions;
            // SAFETY: each task has a sample of its own.
            let (y, mean) = unsafe { (y.range(n * size, size), mean.range(at, shape.positions)) };
            // SAFETY: as above.
            let (scale, var) = unsafe { (scale.range(at, shape.positions), var.range(at, shape.positions)) };
            for first in (0..shape.positions).step_by(BLOCK) {
                let to = (first + BLOCK).min(shape.positions);
                let block = (&mut mean[first..to], &mut scale[first..to], &mut var[first..to]);
                normalise(shape.positions, first, eps, &x[n * size..][..size], weight, bias, y, block);
            }
        });
    }
    moments
}

simd! {
    fn normalise<E: Elem>(
        positions: usize,
        first: usize,
        eps: f64,
        x: &[E],
        weight: Option<&[E]>,
        bias: Option<&[E]>,
        y: &mut [E],
        moments: (&mut [f64], &mut [f64], &mut [f64]),
    ) {
        let (mean, scale, var) = moments;
        let len = mean.len();
        let count = (x.len() / positions) as f64;
        let rows = |x| <[E]>::chunks_exact(x, positions);
        for row in rows(x) {
            mean.iter_mut().zip(&row[first..first + len]).for_each(|(m, v)| *m += v.to_f64());
        }
        mean.iter_mut().for_each(|m| *m /= count);
        for row in rows(x) {
            for ((v, &m), x) in var.iter_mut().zip(mean.iter()).zip(&row[first..first + len]) {
                let d = x.to_f64() - m;
                *v += d * d;
            }
        }
        for (s, v) in scale.iter_mut().zip(var.iter_mut()) {
            *v /= count;
            *s = 1.0 / (*v + eps).sqrt();
        }
        for (c, (row, out)) in rows(x).zip(y.chunks_exact_mut(positions)).enumerate() {
            let w = weight.map_or(1.0, |w| w[c].to_f64());
            let b = bias.map_or(0.0, |b| b[c].to_f64());
            for i in 0..len {
                out[first + i] = E::from_f64((row[first + i].to_f64() - mean[i]) * scale[i] * w + b);
            }
        }
    }

    /// The input's gradient in a block of positions, and what the block adds to the parameters'.
    fn block_grad<E: Elem>(
        positions: usize,
        first: usize,
        x: &[E],
        weight: Option<&[E]>,
        dy: &[E],
        moments: (&[f64], &[f64]),
        dx: &mut [E],
        sums: &mut [(f64, f64)],
    ) {
        let (mean, scale) = moments;
        let len = mean.len();
        let count = (x.len() / positions) as f64;
        let (mut plain, mut weighted) = ([0.0; BLOCK], [0.0; BLOCK]);
        let rows = |x| <[E]>::chunks_exact(x, positions);
        for (c, (x, dy)) in rows(x).zip(rows(dy)).enumerate() {
            let w = weight.map_or(1.0, |w| w[c].to_f64());
            let (mut dw, mut db) = (0.0, 0.0);
            for i in 0..len {
                let g = dy[first + i].to_f64();
                let h = g * (x[first + i].to_f64() - mean[i]) * scale[i];
                plain[i] += w * g;
                weighted[i] += w * h;
                dw += h;
                db += g;
            }
            sums[c].0 += dw;
            sums[c].1 += db;
        }
        for (c, ((x, dy), dx)) in rows(x).zip(rows(dy)).zip(dx.chunks_exact_mut(positions)).enumerate() {
            let w = weight.map_or(1.0, |w| w[c].to_f64());
            for i in 0..len {
                let h = (x[first + i].to_f64() - mean[i]) * scale[i];
                let centred = w * dy[first + i].to_f64() - (plain[i] + h * weighted[i]) / count;
                dx[first + i] = E::from_f64(scale[i] * centred);
            }
        }
    }
}

/// The backward pass of [`layer_norm`], given its moments.
pub fn layer_norm_grad<E: Elem>(
    shape: &BatchShape,
    moments: &Moments,
    x: &[E],
    weight: Option<&[E]>,
    dy: &[E],
    grads: Grads<E>,
) {
    assert!(x.len() == dy.len() && x.len() == grads.x.len(), "maps are equally long");
    let (channels, size) = (shape.channels, shape.channels * shape.positions);
    let mut sums = vec![(0.0, 0.0); shape.batch * channels];
    {
        let (dx, sums) = (Parts::new(grads.x), Parts::new(&mut sums));
        tasks(shape.batch, 4 * x.len(), |n| {
            // SAFETY: each task has a sample of its own.
            let (dx, sums) = unsafe { (dx.range(n * size, size), sums.range(n * channels, channels)) };
            let (x, dy) = (&x[n * size..][..size], &dy[n * size..][..size]);
            for first in (0..shape.positions).step_by(BLOCK) {
                let block = n * shape.positions + first..n * shape.positions + (first + BLOCK).min(shape.positions);
                let moments = (&moments.mean[block.clone()], &moments.scale[block]);
                block_grad(shape.positions, first, x, weight, dy, moments, dx, sums);
            }
        });
    }
    for c in 0..channels {
        let of = sums[c..].iter().step_by(channels);
        grads.weight[c] = E::from_f64(of.clone().map(|s| s.0).sum());
        grads.bias[c] = E::from_f64(of.map(|s| s.1).sum());
    }
}
