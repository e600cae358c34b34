//! The points of a tile: Toom–Cook at 0, pairs ±p and ∞, so that every transform splits into even and odd halves.
//! See Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks", and, for how to choose points, Barabasz
//! et al. 2018, "Error Analysis and Improving the Accuracy of Winograd Convolution".

use crate::vector::Vector;

/// Tiles of `M = 2·H` outputs a side, from `N = 2·H + 2` inputs a side, by `H` pairs of points. The rows of a transformed
/// tile are 0, +p₀, −p₀, …, ∞. Products of points must be exact in single precision.
#[derive(Clone, Copy, Debug)]
pub struct Points<const H: usize> {
    /// p
    points: [f64; H],
    /// Coefficients of `∏ (z − p²)` from the lowest, but the highest, which is 1.
    all: [f64; H],
    /// The same without the pair itself; the last entry is unused.
    others: [[f64; H]; H],
}

/// F(2×2, 3×3)
pub const TWO: Points<1> = Points::new([1.0]);
/// F(4×4, 3×3)
pub const FOUR: Points<2> = Points::new([0.75, 1.5]);
/// F(6×6, 3×3)
pub const SIX: Points<3> = Points::new([0.5, 1.0, 2.0]);

/// `base` to the power `exponent`.
const fn power(base: f64, exponent: usize) -> f64 {
    let (mut value, mut i) = (1.0, 0);
    while i < exponent {
        value *= base;
        i += 1;
    }
    value
}

impl<const H: usize> Points<H> {
    /// The points ±p of a tile.
    const fn new(points: [f64; H]) -> Self {
        let mut others = [[0.0; H]; H];
        let mut i = 0;
        while i < H {
            others[i] = Self::product(&points, i);
            i += 1;
        }
        Self { points, all: Self::product(&points, H), others }
    }

    /// Coefficients of `∏ (z − p²)` without the pair `except`, but the highest.
    const fn product(points: &[f64; H], except: usize) -> [f64; H] {
        let mut low = [0.0; H];
        let (mut i, mut degree) = (0, 0);
        while i < H {
            if i != except {
                // Times (z − q): the highest coefficient, 1, is implied.
                let q = points[i] * points[i];
                let mut k = degree + 1;
                while k > 0 {
                    k -= 1;
                    let own = if k == degree { 1.0 } else { low[k] };
                    let below = if k > 0 { low[k - 1] } else { 0.0 };
                    low[k] = below - q * own;
                }
                degree += 1;
            }
            i += 1;
        }
        low
    }

    /// `Bᵀ·d`: row p is the polynomial `∏ (x − q)` over the other points, row ∞ that over all points.
    #[inline(always)]
    pub fn input<V: Vector, const N: usize>(&self, d: &[V; N]) -> [V; N] {
        let mut out = [V::zero(); N];
        out[0] = d[2 * H];
        out[N - 1] = d[2 * H + 1];
        for k in 0..H {
            let factor = V::splat(self.all[k] as f32);
            out[0] = d[2 * k].mul_add(factor, out[0]);
            out[N - 1] = d[2 * k + 1].mul_add(factor, out[N - 1]);
        }
        for i in 0..H {
            let (mut even, mut odd) = (d[2 * H], d[2 * H - 1]);
            for k in 0..H - 1 {
                let factor = V::splat(self.others[i][k] as f32);
                even = d[2 * k + 2].mul_add(factor, even);
                odd = d[2 * k + 1].mul_add(factor, odd);
            }
            let p = self.points[i] as f32;
            out[1 + 2 * i] = odd.mul_add(V::splat(p), even);
            out[2 + 2 * i] = odd.mul_add(V::splat(-p), even);
        }
        out
    }

    /// `Aᵀ·m`: output `j` is `Σ pʲ·m[p]`, and the last has `m[∞]`, too.
    #[inline(always)]
    pub fn output<V: Vector, const N: usize, const M: usize>(&self, m: &[V; N]) -> [V; M] {
        let mut out = [V::zero(); M];
        let mut pairs = [[V::zero(); 2]; H];
        for i in 0..H {
            pairs[i] = [m[1 + 2 * i].add(m[2 + 2 * i]), m[1 + 2 * i].sub(m[2 + 2 * i])];
        }
        for j in 0..M {
            let mut sum = V::splat(power(self.points[0], j) as f32).mul(pairs[0][j % 2]);
            for i in 1..H {
                sum = pairs[i][j % 2].mul_add(V::splat(power(self.points[i], j) as f32), sum);
            }
            out[j] = sum;
        }
        out[0] = out[0].add(m[0]);
        out[M - 1] = out[M - 1].add(m[N - 1]);
        out
    }

    /// `G·g`, each of `L` lanes by itself: the values of `g₀ + g₁·x + g₂·x²`, over `∏ (p − q)`.
    #[inline(always)]
    pub fn weight<const N: usize, const L: usize>(&self, g: [&[f64; L]; 3], out: &mut [[f64; L]; N]) {
        let zero = 1.0 / self.all[0];
        for l in 0..L {
            out[0][l] = g[0][l] * zero;
            out[N - 1][l] = g[2][l];
        }
        for i in 0..H {
            let p = self.points[i];
            let mut divisor = 2.0 * p * p;
            for j in 0..H {
                divisor *= if j == i { 1.0 } else { p * p - self.points[j] * self.points[j] };
            }
            let (constant, linear, square) = (1.0 / divisor, p / divisor, p * p / divisor);
            for l in 0..L {
                let (even, odd) = (g[0][l] * constant + g[2][l] * square, g[1][l] * linear);
                out[1 + 2 * i][l] = even + odd;
                out[2 + 2 * i][l] = even - odd;
            }
        }
    }
}
