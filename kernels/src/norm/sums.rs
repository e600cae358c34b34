//! Sums that keep their precision: lanes of the element's type over short blocks, blocks in `f64`.

use crate::elem::Elem;
use crate::simd::simd;

const LANES: usize = 32;
/// Elements of a block: 64 additions a lane.
const BLOCK: usize = 64 * LANES;

/// The sum of `f(i)` over a block, in lanes.
#[inline(always)]
fn block<E: Elem>(len: usize, f: impl Fn(usize) -> E) -> f64 {
    let mut lanes = [E::ZERO; LANES];
    let whole = len / LANES * LANES;
    let mut i = 0;
    while i < whole {
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane += f(i + l);
        }
        i += LANES;
    }
    let mut sum = 0.0;
    for lane in lanes {
        sum += lane.to_f64();
    }
    for i in whole..len {
        sum += f(i).to_f64();
    }
    sum
}

simd! {
    /// `Σ x`
    pub fn sum<E: Elem>(x: &[E]) -> f64 {
        let mut total = 0.0;
        for x in x.chunks(BLOCK) {
            total += block(x.len(), |i| x[i]);
        }
        total
    }

    /// `Σ (x − mean)²`
    pub(super) fn squares<E: Elem>(x: &[E], mean: E) -> f64 {
        let mut total = 0.0;
        for x in x.chunks(BLOCK) {
            total += block(x.len(), |i| {
                let d = x[i] - mean;
                d * d
            });
        }
        total
    }

    /// `(Σ dy, Σ dy·(x − mean))`
    pub(super) fn grad_sums<E: Elem>(dy: &[E], x: &[E], mean: E) -> (f64, f64) {
        let (mut plain, mut weighted) = (0.0, 0.0);
        for (dy, x) in dy.chunks(BLOCK).zip(x.chunks(BLOCK)) {
            let x = &x[..dy.len()];
            plain += block(dy.len(), |i| dy[i]);
            weighted += block(dy.len(), |i| dy[i] * (x[i] - mean));
        }
        (plain, weighted)
    }

    /// `y = (x − mean)·scale + shift`
    pub(super) fn affine<E: Elem>(x: &[E], mean: E, scale: E, shift: E, y: &mut [E]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - mean) * scale + shift;
        }
    }

    /// `dx = a·dy − b − c·(x − mean)`
    pub(super) fn combine<E: Elem>(dy: &[E], x: &[E], mean: E, a: E, b: E, c: E, dx: &mut [E]) {
        for ((dx, &dy), &x) in dx.iter_mut().zip(dy).zip(x) {
            *dx = a * dy - b - c * (x - mean);
        }
    }
}
