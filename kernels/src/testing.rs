//! What kernel tests share: random data, and gradients checked by differences.

use super::Elem;

/// Random numbers for tests: xoshiro256++ (Blackman and Vigna 2019), seeded through SplitMix64, as the compiler has them.
pub(crate) struct Rng([u64; 4]);

impl Rng {
    pub(crate) fn new(mut seed: u64) -> Self {
        Self(std::array::from_fn(|_| {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }))
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in 0..n.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.next_u64() as u128 * n as u128) >> 64) as usize
    }

    /// Standard normal (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Standard normal values.
pub(crate) fn random(len: usize, seed: u64) -> Vec<f64> {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| rng.normal()).collect()
}

/// The same values in single precision.
pub(crate) fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&v| v as f32).collect()
}

/// Panics unless values agree within `tolerance`, relative to the largest expected one.
#[track_caller]
pub(crate) fn close<E: Elem>(got: &[E], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "lengths");
    let scale = want.iter().fold(1e-3_f64, |m, v| m.max(v.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let difference = (g.to_f64() - w).abs();
        assert!(difference <= tolerance * scale, "at {i}: {g:?}, want {w} (scale {scale})");
    }
}

/// Panics unless `backward` gives the gradient of `Σ weights·forward(x)` by `x`, which central
/// differences give too. `forward` is a plain reference in double precision.
#[track_caller]
pub(crate) fn gradient_agrees(x: &[f64], forward: impl Fn(&[f64]) -> Vec<f64>, backward: impl Fn(&[f64]) -> Vec<f64>) {
    let weights = random(forward(x).len(), 99);
    let value = |x: &[f64]| -> f64 { forward(x).iter().zip(&weights).map(|(a, b)| a * b).sum() };
    let got = backward(&weights);
    assert_eq!(got.len(), x.len(), "lengths");
    let step = 1e-5;
    let mut moved = x.to_vec();
    // All elements of small arguments, a spread of large ones.
    for i in (0..x.len()).step_by((x.len() / 60).max(1)) {
        moved[i] = x[i] + step;
        let above = value(&moved);
        moved[i] = x[i] - step;
        let want = (above - value(&moved)) / (2.0 * step);
        moved[i] = x[i];
        assert!((got[i] - want).abs() <= 1e-6 * (1.0 + want.abs()), "gradient at {i}: {}, want {want}", got[i]);
    }
}
