//! Mean and maximum over whole maps.

use crate::elem::Elem;
use crate::norm::sum;
use crate::parallel::{pieces, tasks_with};

/// The mean of each map of `positions` elements.
pub fn global_mean<E: Elem>(positions: usize, x: &[E], y: &mut [E]) {
    tasks_with(y, x.len(), |i, y| *y = E::from_f64(sum(&x[i * positions..][..positions]) / positions as f64));
}

/// The backward pass of [`global_mean`].
pub fn global_mean_grad<E: Elem>(positions: usize, dy: &[E], dx: &mut [E]) {
    let factor = E::from_f64(1.0 / positions as f64);
    pieces(dx, positions.max(1), |i, dx| dx.fill(dy[i] * factor));
}

/// The maximum of each map and where it was found: the first, or the last NaN.
pub fn global_max<E: Elem>(positions: usize, x: &[E], y: &mut [E], index: &mut [u32]) {
    assert_eq!(y.len(), index.len(), "one index a map");
    let mut found: Vec<(E, u32)> = vec![(E::NEG_INFINITY, 0); y.len()];
    tasks_with(&mut found, x.len(), |i, best| {
        for (at, &v) in x[i * positions..][..positions].iter().enumerate() {
            if v > best.0 || v.is_nan() {
                *best = (v, at as u32);
            }
        }
    });
    for ((y, index), best) in y.iter_mut().zip(index).zip(found) {
        (*y, *index) = best;
    }
}

/// The backward pass of [`global_max`].
pub fn global_max_grad<E: Elem>(positions: usize, index: &[u32], dy: &[E], dx: &mut [E]) {
    pieces(dx, positions.max(1), |i, dx| {
        dx.fill(E::ZERO);
        dx[index[i] as usize] = dy[i];
    });
}
