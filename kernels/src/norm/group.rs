//! Group normalisation (Wu and He 2018): a set is some channels of one sample. With as many groups
//! as channels it is instance normalisation (Ulyanov et al. 2016).

use super::sums::{affine, combine, grad_sums, squares, sum};
use super::{Grads, Moments, at};
use crate::elem::Elem;
use crate::parallel::{Parts, tasks, tasks_with};

/// Sizes of `[N, C, positions]`, and the groups of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupShape {
    /// Samples.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub positions: usize,
    /// Groups; divides `channels`.
    pub groups: usize,
}

impl GroupShape {
    fn group_channels(&self) -> usize {
        self.channels / self.groups
    }

    /// Elements of a set.
    fn count(&self) -> usize {
        self.group_channels() * self.positions
    }

    fn elements(&self) -> usize {
        self.batch * self.channels * self.positions
    }

    fn check<E>(&self, slices: &[&[E]]) {
        assert!(slices.iter().all(|s| s.len() == self.elements()), "maps are as long as their shape");
        assert!(self.channels.is_multiple_of(self.groups), "groups are even");
    }
}

/// Normalises each group of each sample; returns the moments, sample by sample.
pub fn group_norm<E: Elem>(
    shape: &GroupShape,
    eps: f64,
    x: &[E],
    weight: Option<&[E]>,
    bias: Option<&[E]>,
    y: &mut [E],
) -> Moments {
    shape.check(&[x, y]);
    let count = shape.count();
    let out = Parts::new(y);
    let mut moments = vec![(0.0, 0.0, 0.0); shape.batch * shape.groups];
    tasks_with(&mut moments, 4 * shape.elements(), |i, moments| {
        let x = &x[i * count..][..count];
        let mean = sum(x) / count as f64;
        let rounded = E::from_f64(mean);
        let rest = mean - rounded.to_f64();
        let var = (squares(x, rounded) / count as f64 - rest * rest).max(0.0);
        let scale = 1.0 / (var + eps).sqrt();
        *moments = (mean, scale, var);
        // SAFETY: each task has a group of its own.
        let y = unsafe { out.range(i * count, count) };
        let first = i % shape.groups * shape.group_channels();
        for (c, (x, y)) in x.chunks_exact(shape.positions).zip(y.chunks_exact_mut(shape.positions)).enumerate() {
            let factor = scale * at(weight, first + c, 1.0);
            let shift = at(bias, first + c, 0.0) - rest * factor;
            affine(x, rounded, E::from_f64(factor), E::from_f64(shift), y);
        }
    });
    Moments {
        mean: moments.iter().map(|m| m.0).collect(),
        scale: moments.iter().map(|m| m.1).collect(),
        var: moments.iter().map(|m| m.2).collect(),
    }
}

/// The backward pass of [`group_norm`], given its moments.
pub fn group_norm_grad<E: Elem>(
    shape: &GroupShape,
    moments: &Moments,
    x: &[E],
    weight: Option<&[E]>,
    dy: &[E],
    grads: Grads<E>,
) {
    shape.check(&[x, dy, grads.x]);
    let (count, channels) = (shape.count(), shape.group_channels());
    // For each sample and channel: Σ dy, and Σ dy·(x − mean).
    let mut sums = vec![(0.0, 0.0); shape.batch * shape.channels];
    {
        let (dx, sums) = (Parts::new(grads.x), Parts::new(&mut sums));
        tasks(shape.batch * shape.groups, 4 * shape.elements(), |i| {
            // SAFETY: each task has a group of its own.
            let (dx, sums) = unsafe { (dx.range(i * count, count), sums.range(i * channels, channels)) };
            let (x, dy) = (&x[i * count..][..count], &dy[i * count..][..count]);
            let first = i % shape.groups * channels;
            one_group(shape, (moments.mean[i], moments.scale[i]), x, weight, dy, first, dx, sums);
        });
    }
    for c in 0..shape.channels {
        let of = |n: usize| (sums[n * shape.channels + c], moments.scale[n * shape.groups + c / channels]);
        grads.weight[c] = E::from_f64((0..shape.batch).map(|n| of(n).0.1 * of(n).1).sum());
        grads.bias[c] = E::from_f64((0..shape.batch).map(|n| of(n).0.0).sum());
    }
}

/// `dx = s·(w·dy − mean(w·dy) − x̂·mean(w·dy·x̂))` in one group.
#[allow(clippy::too_many_arguments)]
fn one_group<E: Elem>(
    shape: &GroupShape,
    (mean, scale): (f64, f64),
    x: &[E],
    weight: Option<&[E]>,
    dy: &[E],
    first: usize,
    dx: &mut [E],
    sums: &mut [(f64, f64)],
) {
    let rounded = E::from_f64(mean);
    let rest = mean - rounded.to_f64();
    let maps = |x| <[E]>::chunks_exact(x, shape.positions);
    let (mut plain, mut weighted) = (0.0, 0.0);
    for (c, ((x, dy), sums)) in maps(x).zip(maps(dy)).zip(sums.iter_mut()).enumerate() {
        let (a, b) = grad_sums(dy, x, rounded);
        *sums = (a, b - rest * a);
        plain += at(weight, first + c, 1.0) * sums.0;
        weighted += at(weight, first + c, 1.0) * sums.1;
    }
    let count = shape.count() as f64;
    let slope = scale * scale * scale * weighted / count;
    let level = E::from_f64(scale * plain / count - slope * rest);
    for (c, ((x, dy), dx)) in maps(x).zip(maps(dy)).zip(dx.chunks_exact_mut(shape.positions)).enumerate() {
        let factor = E::from_f64(scale * at(weight, first + c, 1.0));
        combine(dy, x, rounded, factor, level, E::from_f64(slope), dx);
    }
}
