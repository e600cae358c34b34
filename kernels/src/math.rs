//! Functions that the standard library lacks, or that a compiler cannot vectorise there.

/// eˣ in single precision, within 2 units in the last place; branch-free, so that loops over it
/// vectorise.
///
/// `x = n·ln 2 + r` with `|r| ≤ ln 2 / 2`, a polynomial of degree 6 for eʳ (Cephes' `expf`), and the
/// exponent put together from bits, in two factors so that results may be subnormal.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let clamped = if x > 89.0 { 89.0 } else { x };
    let clamped = if clamped < -104.0 { -104.0 } else { clamped };
    // Adding 1.5·2²³ rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = clamped - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let mut p = 1.987_569_2e-4;
    p = p * r + 1.398_2e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = n >> 1;
    let power = |e: i32| f32::from_bits((e.wrapping_add(127) as u32) << 23);
    y * power(half) * power(n.wrapping_sub(half))
}

/// eˣ − 1 in single precision: a series near 0, [`exp`] elsewhere.
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let mut p = 1.0 / 5040.0;
    p = p * x + 1.0 / 720.0;
    p = p * x + 1.0 / 120.0;
    p = p * x + 1.0 / 24.0;
    p = p * x + 1.0 / 6.0;
    p = p * x + 0.5;
    let near = x + x * x * p;
    let far = exp(x) - 1.0;
    if x.abs() < 0.4 { near } else { far }
}

/// Hyperbolic tangent in single precision: Cephes' polynomial below 0.625, by [`exp`] above.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let z = x * x;
    let mut p = -5.704_988_7e-3;
    p = p * z + 2.063_909e-2;
    p = p * z - 5.373_971_6e-2;
    p = p * z + 1.333_144_2e-1;
    p = p * z - 3.333_328e-1;
    let near = p * z * x + x;
    let magnitude = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    let far = magnitude.copysign(x);
    let y = if x.abs() < 0.625 { near } else { far };
    if x.is_nan() { x } else { y }
}

/// The error function in single precision.
///
/// [`erf`] in double precision, rounded: simple rational approximations lose digits near 0.
#[inline(always)]
pub fn erf_f32(x: f32) -> f32 {
    erf(x as f64) as f32
}

/// The error function in double precision, by the rational approximations of W. J. Cody (1969).
pub fn erf(x: f64) -> f64 {
    let y = x.abs();
    if y <= 0.46875 {
        return x * ratio(if y > 1e-20 { y * y } else { 0.0 }, &SMALL);
    }
    if y > 6.0 || x.is_nan() {
        return if x.is_nan() { x } else { 1.0_f64.copysign(x) };
    }
    let scaled = if y <= 4.0 {
        ratio(y, &MIDDLE)
    } else {
        let z = 1.0 / (y * y);
        (FRAC_1_SQRT_PI - z * ratio(z, &LARGE)) / y
    };
    // e^(−y²) with the square split, so that its rounding error does not grow.
    let head = (y * 16.0).trunc() / 16.0;
    let complement = (-head * head).exp() * (-(y - head) * (y + head)).exp() * scaled;
    (1.0 - complement).copysign(x)
}

const FRAC_1_SQRT_PI: f64 = 0.564_189_583_547_756_3;

/// Numerator and denominator, highest power first.
type Ratio<const P: usize, const Q: usize> = ([f64; P], [f64; Q]);

fn ratio<const P: usize, const Q: usize>(x: f64, (p, q): &Ratio<P, Q>) -> f64 {
    let horner = |c: &[f64]| c.iter().fold(0.0, |sum, &c| sum * x + c);
    horner(p) / horner(q)
}

const SMALL: Ratio<5, 5> = (
    [
        1.857_777_061_846_031_5e-1,
        3.161_123_743_870_565_6,
        113.864_154_151_050_16,
        377.485_237_685_302,
        3_209.377_589_138_469_5,
    ],
    [1.0, 23.601_290_952_344_122, 244.024_637_934_444_17, 1_282.616_526_077_372_3, 2_844.236_833_439_171],
);
const MIDDLE: Ratio<9, 9> = (
    [
        2.153_115_354_744_038_5e-8,
        0.564_188_496_988_670_1,
        8.883_149_794_388_376,
        66.119_190_637_141_63,
        298.635_138_197_400_1,
        881.952_221_241_769,
        1_712.047_612_634_070_6,
        2_051.078_377_826_071_5,
        1_230.339_354_797_997_2,
    ],
    [
        1.0,
        15.744_926_110_709_835,
        117.693_950_891_312_5,
        537.181_101_862_009_9,
        1_621.389_574_566_690_2,
        3_290.799_235_733_459_6,
        4_362.619_090_143_247,
        3_439.367_674_143_721_6,
        1_230.339_354_803_749_4,
    ],
);
const LARGE: Ratio<6, 6> = (
    [
        1.631_538_713_730_209_8e-2,
        0.305_326_634_961_232_34,
        0.360_344_899_949_804_4,
        0.125_781_726_111_229_25,
        1.608_378_514_874_228e-2,
        6.587_491_615_298_378e-4,
    ],
    [
        1.0,
        2.568_520_192_289_822,
        1.872_952_849_923_467_3,
        0.527_905_102_951_428_5,
        6.051_834_131_244_132e-2,
        2.335_204_976_268_691_8e-3,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Over a grid and the given special points, the largest relative error.
    fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, from: f32, to: f32) -> f64 {
        let steps = 20_000;
        (0..=steps)
            .map(|i| from + (to - from) * i as f32 / steps as f32)
            .map(|x| (f(x) as f64 - exact(x as f64)).abs() / exact(x as f64).abs().max(1e-37))
            .fold(0.0, f64::max)
    }

    #[test]
    fn single_precision_functions_are_close() {
        assert!(worst(exp, f64::exp, -80.0, 88.0) < 2.5e-7);
        assert!(worst(exp_m1, f64::exp_m1, -20.0, 20.0) < 5e-7);
        assert!(worst(tanh, f64::tanh, -10.0, 10.0) < 3e-7);
        assert!(worst(erf_f32, erf, -5.0, 5.0) < 1e-7);
    }

    #[test]
    fn special_values_are_kept() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && erf(f64::NAN).is_nan());
        assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
        assert!(exp(-100.0) > 0.0, "subnormal results exist");
    }

    /// Values of the error function from tables.
    #[test]
    fn erf_agrees_with_tables() {
        let table = [
            (0.1, 0.112_462_916_018_284_9),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (3.5, 0.999_999_256_901_627_7),
            (4.5, 0.999_999_999_803_383_9),
        ];
        for (x, y) in table {
            assert!((erf(x) - y).abs() < 2e-15 && (erf(-x) + y).abs() < 2e-15, "erf({x}) = {}", erf(x));
        }
    }
}
