//! `y = x·Wᵀ + b` for `x` `[N, F]`, `W` `[O, F]`, forward and backward.

use super::elem::Elem;
use super::gemm::{Mat, Threads, gemm};

/// Sizes of an affine map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearShape {
    /// Rows of the input.
    pub batch: usize,
    /// Features in.
    pub features: usize,
    /// Features out.
    pub width: usize,
}

/// `y = x·Wᵀ + b`
pub fn forward<E: Elem>(shape: &LinearShape, x: &[E], w: &[E], bias: Option<&[E]>, y: &mut [E]) {
    let LinearShape { batch, features, width } = *shape;
    if let Some(bias) = bias {
        y.chunks_exact_mut(width).for_each(|row| row.copy_from_slice(bias));
    }
    let weight = Mat::new(w, width, features, features).transposed();
    gemm(y, width, bias.is_some(), Mat::new(x, batch, features, features), weight, Threads::All);
}

/// `dx = dy·W`
pub fn input_grad<E: Elem>(shape: &LinearShape, dy: &[E], w: &[E], dx: &mut [E]) {
    let LinearShape { batch, features, width } = *shape;
    let grad = Mat::new(dy, batch, width, width);
    gemm(dx, features, false, grad, Mat::new(w, width, features, features), Threads::All);
}

/// `dW = dyᵀ·x`
pub fn weight_grad<E: Elem>(shape: &LinearShape, x: &[E], dy: &[E], dw: &mut [E]) {
    let LinearShape { batch, features, width } = *shape;
    let grad = Mat::new(dy, batch, width, width).transposed();
    gemm(dw, features, false, grad, Mat::new(x, batch, features, features), Threads::All);
}

/// `db = Σ dy` over rows.
pub fn bias_grad<E: Elem>(width: usize, dy: &[E], db: &mut [E]) {
    let mut sums = vec![0.0; width];
    for row in dy.chunks_exact(width.max(1)) {
        sums.iter_mut().zip(row).for_each(|(s, v)| *s += v.to_f64());
    }
    db.iter_mut().zip(sums).for_each(|(d, s)| *d = E::from_f64(s));
}
