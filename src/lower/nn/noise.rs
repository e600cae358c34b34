//! Noise in training, from seeds.

use super::merge::{add_samples, per_sample};
use super::native::{Arg, ArgGrads, Native, apply};
use super::{is_native, portable};
use crate::kernels::memory::zeros;
use crate::kernels::{Elem, noise as kernel};
use candle_core::{Result, Tensor, bail};

/// Zeroes elements with probability `p` and divides the rest by `1 − p`. `seed` alone decides which: give
/// every layer and every step its own.
///
/// # Errors
/// Where `p` is not in 0..=1.
pub fn dropout(x: &Tensor, p: f64, seed: u64) -> Result<Tensor> {
    check(p)?;
    if p == 0.0 {
        return Ok(x.clone());
    }
    if !is_native(x) {
        // The elements that the kernel would drop are dropped here too.
        let mut mask = vec![0.0; x.elem_count()];
        kernel::dropout(seed, p, &vec![1.0; x.elem_count()], &mut mask);
        return x * portable::common::constant(mask, x.dims(), x)?;
    }
    apply(Dropout { p, seed }, &[x])
}

/// Drops whole samples with probability `p` and divides the rest by `1 − p` (stochastic depth, Huang et
/// al. 2016).
///
/// # Errors
/// Where `p` is not in 0..=1.
pub fn drop_path(x: &Tensor, p: f64, seed: u64) -> Result<Tensor> {
    check(p)?;
    let factors = kernel::sample_factors(seed, p, x.dim(0)?);
    if !is_native(x) {
        return x.broadcast_mul(&per_sample(&factors, x)?);
    }
    apply(DropPath { factors }, &[x])
}

/// `s + scale·drop_path(r)` in one step.
///
/// # Errors
/// Where shapes differ, or `p` is not in 0..=1.
pub fn add_drop_path(s: &Tensor, r: &Tensor, scale: f64, p: f64, seed: u64) -> Result<Tensor> {
    check(p)?;
    let factors = kernel::sample_factors(seed, p, s.dim(0)?);
    add_samples(s, r, factors.iter().map(|f| f * scale).collect())
}

fn check(p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) { Ok(()) } else { bail!("a probability of {p}") }
}

struct Dropout {
    p: f64,
    seed: u64,
}

impl Native for Dropout {
    const NAME: &'static str = "dropout";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let x = args[0].data();
        let mut y = zeros(x.len());
        kernel::dropout(self.seed, self.p, &x, &mut y);
        Ok((y, args[0].dims().to_vec()))
    }

    fn backward<E: Elem>(&self, _args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = zeros(grad.len());
        kernel::dropout(self.seed, self.p, grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

struct DropPath {
    factors: Vec<f64>,
}

impl DropPath {
    fn scaled<E: Elem>(&self, x: &[E]) -> Vec<E> {
        let mut y = zeros(x.len());
        kernel::scale(x.len() / self.factors.len().max(1), &self.factors, x, &mut y);
        y
    }
}

impl Native for DropPath {
    const NAME: &'static str = "drop_path";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        Ok((self.scaled(&args[0].data()), args[0].dims().to_vec()))
    }

    fn backward<E: Elem>(&self, _args: &[Arg<E>], _out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        Ok(vec![Some(self.scaled(grad))])
    }
}
