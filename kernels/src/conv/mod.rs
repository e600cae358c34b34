//! Convolution of `[N, C, H, W]` with weight `[O, C / groups, KH, KW]`, forward and backward, and
//! its transpose.
//!
//! Everything but the depthwise case is a matrix product: windows are laid out as columns, a tile
//! at a time, in scratch memory that stays in the cache. In single precision, forward passes and gradients of
//! inputs go the way of the engine where that is faster.

mod blocks;
mod columns;
mod depthwise;
mod forward;
mod input_grad;
mod shape;
mod weight_grad;

pub use shape::ConvShape;

use super::elem::Elem;

/// `y = x ∗ w + b`: `[N, O, OH, OW]`.
///
/// # Panics
/// Where slices are not as long as `shape` says.
pub fn forward<E: Elem>(shape: &ConvShape, x: &[E], w: &[E], bias: Option<&[E]>, y: &mut [E]) {
    shape.check(x.len(), w.len(), y.len());
    if shape.is_depthwise() {
        depthwise::forward(shape, x, w, bias, y);
    } else if !blocks::forward(shape, x, w, bias, y) {
        forward::forward(shape, x, w, bias, y);
    }
}

/// The gradient of the input, from that of the output. This is the transposed convolution's forward.
///
/// # Panics
/// Where slices are not as long as `shape` says.
pub fn input_grad<E: Elem>(shape: &ConvShape, dy: &[E], w: &[E], dx: &mut [E]) {
    shape.check(dx.len(), w.len(), dy.len());
    if shape.is_depthwise() {
        depthwise::input_grad(shape, dy, w, dx);
    } else {
        input_grad::input_grad(shape, dy, w, dx);
    }
}

/// The gradient of the weight, summed over the batch.
///
/// # Panics
/// Where slices are not as long as `shape` says.
pub fn weight_grad<E: Elem>(shape: &ConvShape, x: &[E], dy: &[E], dw: &mut [E]) {
    shape.check(x.len(), dw.len(), dy.len());
    if shape.is_depthwise() {
        depthwise::weight_grad(shape, x, dy, dw);
    } else {
        weight_grad::weight_grad(shape, x, dy, dw);
    }
}

/// The gradient of a bias `[C]`: `dy` `[N, C, positions]` summed over all but channels, in double precision.
pub fn bias_grad<E: Elem>(channels: usize, positions: usize, dy: &[E], db: &mut [E]) {
    super::parallel::tasks_with(db, dy.len(), |c, db| {
        let planes = dy.chunks_exact(positions.max(1)).skip(c).step_by(channels.max(1));
        *db = E::from_f64(planes.map(|plane| super::norm::sum(plane)).sum());
    });
}

/// Adds a bias `[C]` to `y` `[N, C, positions]`.
pub fn add_bias<E: Elem>(positions: usize, bias: &[E], y: &mut [E]) {
    super::parallel::pieces(y, positions.max(1), |i, map| {
        let b = bias[i % bias.len()];
        map.iter_mut().for_each(|v| *v += b);
    });
}

#[cfg(test)]
mod tests;
