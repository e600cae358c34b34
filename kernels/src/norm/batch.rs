//! Batch normalisation (Ioffe and Szegedy 2015): a set is a channel of the whole batch.

use super::sums::{affine, combine, grad_sums, squares, sum};
use super::{Grads, Moments, at};
use crate::elem::Elem;
use crate::parallel::{Parts, tasks, tasks_with};

/// Sizes of `[N, C, positions]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchShape {
    /// Samples.
    pub batch: usize,
    /// Channels.
    pub channels: usize,
    /// Positions of a map; 1 for vectors.
    pub positions: usize,
}

impl BatchShape {
    /// Elements of a channel in the whole batch.
    pub fn count(&self) -> usize {
        self.batch * self.positions
    }

    fn elements(&self) -> usize {
        self.count() * self.channels
    }

    /// The maps of a channel.
    fn maps<'a, E>(&self, x: &'a [E], c: usize) -> impl Iterator<Item = &'a [E]> + use<'a, E> {
        x.chunks_exact(self.positions.max(1)).skip(c).step_by(self.channels)
    }

    fn check<E>(&self, slices: &[&[E]]) {
        assert!(slices.iter().all(|s| s.len() == self.elements()), "maps are as long as their shape");
    }
}

/// Training: normalises by the batch's own moments, which are returned.
pub fn batch_train<E: Elem>(
    shape: &BatchShape,
    eps: f64,
    x: &[E],
    weight: Option<&[E]>,
    bias: Option<&[E]>,
    y: &mut [E],
) -> Moments {
    shape.check(&[x, y]);
    let out = Parts::new(y);
    let mut moments = vec![(0.0, 0.0, 0.0); shape.channels];
    tasks_with(&mut moments, 4 * shape.elements(), |c, moments| {
        let count = shape.count() as f64;
        let mean = shape.maps(x, c).map(sum).sum::<f64>() / count;
        let rounded = E::from_f64(mean);
        let squared: f64 = shape.maps(x, c).map(|m| squares(m, rounded)).sum();
        // Deviations were taken from the rounded mean: König's correction.
        let shift = mean - rounded.to_f64();
        let var = (squared / count - shift * shift).max(0.0);
        let scale = 1.0 / (var + eps).sqrt();
        *moments = (mean, scale, var);
        normalise(shape, c, x, (mean, scale), at(weight, c, 1.0), at(bias, c, 0.0), &out);
    });
    Moments {
        mean: moments.iter().map(|m| m.0).collect(),
        scale: moments.iter().map(|m| m.1).collect(),
        var: moments.iter().map(|m| m.2).collect(),
    }
}

fn normalise<E: Elem>(
    shape: &BatchShape,
    c: usize,
    x: &[E],
    (mean, scale): (f64, f64),
    weight: f64,
    bias: f64,
    y: &Parts<E>,
) {
    // The mean may have more digits than the element: what is cut off goes into the shift.
    let rounded = E::from_f64(mean);
    let factor = scale * weight;
    let shift = E::from_f64(bias - (mean - rounded.to_f64()) * factor);
    for (n, map) in shape.maps(x, c).enumerate() {
        // SAFETY: each channel's maps are written by its own task.
        let y = unsafe { y.range((n * shape.channels + c) * shape.positions, shape.positions) };
        affine(map, rounded, E::from_f64(factor), shift, y);
    }
}

/// Evaluation: normalises by the given moments.
pub fn batch_eval<E: Elem>(
    shape: &BatchShape,
    moments: &Moments,
    x: &[E],
    weight: Option<&[E]>,
    bias: Option<&[E]>,
    y: &mut [E],
) {
    shape.check(&[x, y]);
    let out = Parts::new(y);
    tasks(shape.channels, shape.elements(), |c| {
        normalise(shape, c, x, (moments.mean[c], moments.scale[c]), at(weight, c, 1.0), at(bias, c, 0.0), &out);
    });
}

/// The backward pass of [`batch_train`], given its moments.
pub fn batch_train_grad<E: Elem>(
    shape: &BatchShape,
    moments: &Moments,
    x: &[E],
    weight: Option<&[E]>,
    dy: &[E],
    grads: Grads<E>,
) {
    grad(shape, moments, x, weight, dy, grads, true);
}

/// The backward pass of [`batch_eval`]: the moments are constants.
pub fn batch_eval_grad<E: Elem>(
    shape: &BatchShape,
    moments: &Moments,
    x: &[E],
    weight: Option<&[E]>,
    dy: &[E],
    grads: Grads<E>,
) {
    grad(shape, moments, x, weight, dy, grads, false);
}

/// `dx = w·s·(dy − mean(dy) − x̂·mean(dy·x̂))` in training, `w·s·dy` in evaluation;
/// `dw = Σ dy·x̂`, `db = Σ dy`.
fn grad<E: Elem>(
    shape: &BatchShape,
    moments: &Moments,
    x: &[E],
    weight: Option<&[E]>,
    dy: &[E],
    grads: Grads<E>,
    train: bool,
) {
    shape.check(&[x, dy, grads.x]);
    let (dx, dw, db) = (Parts::new(grads.x), Parts::new(grads.weight), Parts::new(grads.bias));
    tasks(shape.channels, 4 * shape.elements(), |c| {
        let (mean, scale) = (moments.mean[c], moments.scale[c]);
        let rounded = E::from_f64(mean);
        let (mut plain, mut weighted) = (0.0, 0.0);
        for (dy, x) in shape.maps(dy, c).zip(shape.maps(x, c)) {
            let sums = grad_sums(dy, x, rounded);
            plain += sums.0;
            weighted += sums.1;
        }
        weighted -= (mean - rounded.to_f64()) * plain;
        // SAFETY: each channel is written by its own task.
        unsafe {
            dw.range(c, 1)[0] = E::from_f64(weighted * scale);
            db.range(c, 1)[0] = E::from_f64(plain);
        }
        let factor = at(weight, c, 1.0) * scale;
        let count = if train { shape.count() as f64 } else { f64::INFINITY };
        let slope = factor * scale * scale * weighted / count;
        let level = factor * plain / count - slope * (mean - rounded.to_f64());
        let (a, b, k) = (E::from_f64(factor), E::from_f64(level), E::from_f64(slope));
        for (n, (dy, x)) in shape.maps(dy, c).zip(shape.maps(x, c)).enumerate() {
            // SAFETY: as above.
            let dx = unsafe { dx.range((n * shape.channels + c) * shape.positions, shape.positions) };
            combine(dy, x, rounded, a, b, k, dx);
        }
    });
}
