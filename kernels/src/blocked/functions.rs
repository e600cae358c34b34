//! Activations with an exponential in them, sixteen lanes at once, out of sums, products and quotients. All are within
//! a few units in the last place.

use crate::activation::Activation;
use crate::vector::Vector;

/// Beyond this eˣ and e⁻ˣ leave the normal numbers.
const MOST: f32 = 87.0;

/// Beyond this the normal distribution's tail leaves them.
const TAIL: f32 = 13.0;

/// `x` between two limits. Operands stand so that what is not a number stays.
#[inline(always)]
fn clamp<V: Vector>(x: V, low: f32, high: f32) -> V {
    V::splat(high).min(V::splat(low).max(x))
}

/// The polynomial with these coefficients, the highest power first.
#[inline(always)]
fn polynomial<V: Vector, const N: usize>(x: V, coefficients: [f32; N]) -> V {
    let mut sum = V::splat(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, V::splat(coefficient));
    }
    sum
}

/// `2ⁿ` and `eʳ − 1` where `x = n·ln 2 + r` and `|r| ≤ ln 2 / 2`; x at most [`MOST`] from 0.
#[inline(always)]
fn split<V: Vector>(x: V) -> (V, V) {
    // Adding 1.5·2²³ rounds to a whole number.
    let round = V::splat(12_582_912.0);
    let n = x.mul_add(V::splat(std::f32::consts::LOG2_E), round).sub(round);
    // ln 2 in two parts, of which the first has few bits: n times it is exact.
    let r = n.mul_add(V::splat(-0.693_359_4), x);
    let r = n.mul_add(V::splat(2.121_944_4e-4), r);
    // Taylor's series: what is left out is below 2⁻²⁵ of the whole.
    let series = polynomial(r, [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5]);
    (n.power_of_two(), r.mul(r).mul_add(series, r))
}

/// eˣ of numbers that are not above 0; 0 where that is no normal number.
#[inline(always)]
pub fn decay<V: Vector>(x: V) -> V {
    // At −88 the power of two is 2⁻¹²⁷, which is made 0.
    let (power, rest) = split(clamp(x, -88.0, 0.0));
    power.mul_add(rest, power)
}

/// An activation that needs an exponential. There is one for all of them, so that the epilogues that this is inlined
/// into stay small.
#[inline(always)]
pub fn curve<V: Vector>(f: &Activation, x: V) -> V {
    let one = V::splat(1.0);
    let size = V::zero().sub(x).max(x);
    let (power, rest) = split(match f {
        Activation::Tanh => clamp(x.add(x), -20.0, 20.0),
        Activation::Elu { .. } => clamp(x, -MOST, 0.0),
        Activation::Gelu => {
            let a = V::splat(TAIL).min(size);
            a.mul(a).mul(V::splat(-0.5))
        }
        _ => clamp(V::zero().sub(x), -MOST, MOST),
    });
    match *f {
        // m / (m + 2) with m = e²ˣ − 1; past 10 it is 1 in single precision.
        Activation::Tanh => {
            let m = power.mul_add(rest, power.sub(one));
            m.div(m.add(V::splat(2.0)))
        }
        Activation::Elu { alpha } => {
            power.mul_add(rest, power.sub(one)).mul_add(V::splat(alpha as f32), V::zero().max(x))
        }
        // max(x, 0) − |x|·Φ(−|x|)
        Activation::Gelu => {
            let a = V::splat(TAIL).min(size);
            V::zero().max(x).sub(a.mul(tail(a, power.mul_add(rest, power))))
        }
        Activation::Silu => x.div(power.mul_add(rest, power).add(one)),
        _ => one.div(power.mul_add(rest, power).add(one)),
    }
}

/// Φ(−a) of the normal distribution for a from 0 to [`TAIL`], by `bell`, which is exp(−a²/2) but for the rounding of the
/// square.
#[inline(always)]
fn tail<V: Vector>(a: V, bell: V) -> V {
    // Mills' ratio over √(2π) in powers of u = 1 / (1 + 0.35·a): relative error 3.2e-8, found by Remez's exchange.
    let u = V::splat(1.0).div(a.mul_add(V::splat(0.35), V::splat(1.0)));
    let ratio = [
        -0.029_145_919,
        0.143_971_64,
        -0.255_714_14,
        0.159_174_02,
        -0.023_109_74,
        0.105_507_96,
        0.119_832_88,
        0.139_861_87,
        0.139_621_4,
    ];
    let ratio = polynomial(u, ratio).mul(u);
    // What the square lost when it was rounded.
    let lost = a.mul_add(a, V::zero().sub(a.mul(a)));
    bell.mul(lost).mul_add(V::splat(-0.5), bell).mul(ratio)
}

#[cfg(test)]
mod tests {
    use super::super::testing::On;
    use super::*;
    use crate::Isa;
    use crate::math::erf;
    use crate::vector::LANES;

    fn exact(f: Activation, x: f64) -> f64 {
        match f {
            Activation::Silu => x / (1.0 + (-x).exp()),
            Activation::Tanh => x.tanh(),
            Activation::Elu { alpha } => {
                if x > 0.0 {
                    x
                } else {
                    alpha * x.exp_m1()
                }
            }
            Activation::Gelu => 0.5 * x * (1.0 + erf(x / 2f64.sqrt())),
            _ => 1.0 / (1.0 + (-x).exp()),
        }
    }

    const ALL: [Activation; 5] =
        [Activation::Sigmoid, Activation::Silu, Activation::Tanh, Activation::Elu { alpha: 1.5 }, Activation::Gelu];

    #[test]
    fn functions_are_close_to_their_definitions() {
        for (f, isa) in ALL.into_iter().flat_map(|f| Isa::available().map(move |isa| (f, isa))) {
            let mut worst = 0f64;
            for i in -2000..2000 {
                let x: [f32; LANES] = std::array::from_fn(|lane| (i as f32 + lane as f32 / 16.0) / 100.0);
                let mut y = x;
                isa.run(On(f, &mut y));
                for (x, y) in x.into_iter().zip(y) {
                    let want = exact(f, f64::from(x));
                    // Without a fused product the square in gelu is rounded, which is felt far below 0.
                    let least = if f == Activation::Gelu { 1e-4 } else { 1e-9 };
                    worst = worst.max((f64::from(y) - want).abs() / want.abs().max(least));
                }
            }
            assert!(worst < 6e-7, "{f:?} on {isa:?}: {worst:e}");
        }
    }

    #[test]
    fn zero_and_the_ends_are_kept() {
        for (f, isa) in ALL.into_iter().flat_map(|f| Isa::available().map(move |isa| (f, isa))) {
            let at = |x: f32| {
                let mut y = [x; LANES];
                isa.run(On(f, &mut y));
                y[3]
            };
            let high = if matches!(f, Activation::Sigmoid | Activation::Tanh) { 1.0 } else { f32::INFINITY };
            assert_eq!(at(f32::INFINITY), high, "{f:?} on {isa:?}");
            let want = exact(f, -1e4);
            assert!((f64::from(at(-1e4)) - want).abs() < 1e-30, "{f:?} on {isa:?}: {}", at(-1e4));
            let zero = if f == Activation::Sigmoid { 0.5 } else { 0.0 };
            assert_eq!(at(0.0), zero, "{f:?} on {isa:?}");
            assert!(at(f32::NAN).is_nan(), "{f:?} on {isa:?}");
        }
    }
}
