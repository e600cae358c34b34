//! How parameters start: values drawn from our own generator.

use crate::base::Rng;
use crate::kernels::Elem;
use crate::ops::{Init, ParamSpec};

/// Elements that a weight sums over (`fan_in`) and is summed into (`fan_out`), PyTorch's
/// `_calculate_fan_in_and_fan_out`; 1 where there are no two axes.
pub fn fans(dims: &[usize]) -> (f64, f64) {
    match dims {
        [out, into, window @ ..] => {
            let window: usize = window.iter().product();
            ((into * window) as f64, (out * window) as f64)
        }
        _ => (1.0, 1.0),
    }
}

/// The initial values of a parameter in row-major order, a function of the seed, its path and its sizes alone. Single
/// precision is rounded as it is drawn, so that a large parameter is in memory once.
pub fn values<E: Elem>(spec: &ParamSpec, path: &str, seed: u64) -> Vec<E> {
    let dims = spec.dims.as_slice();
    if dims.is_empty() {
        // A counter.
        return vec![E::ZERO];
    }
    let (fan_in, fan_out) = fans(dims);
    let mut rng = Rng::derive(seed, path);
    match spec.init {
        Init::KaimingNormal => drawn(dims, normal(&mut rng, (2.0 / fan_out).sqrt())),
        Init::XavierNormal => drawn(dims, normal(&mut rng, (2.0 / (fan_in + fan_out)).sqrt())),
        Init::Normal(std) => drawn(dims, normal(&mut rng, std)),
        Init::KaimingUniform => drawn(dims, uniform(&mut rng, (6.0 / fan_in).sqrt())),
        Init::XavierUniform => drawn(dims, uniform(&mut rng, (6.0 / (fan_in + fan_out)).sqrt())),
        Init::Uniform(bound) => drawn(dims, uniform(&mut rng, bound)),
        Init::Constant(value) => drawn(dims, || value),
        Init::Identity => drawn(dims, identity(dims)),
    }
}

fn drawn<E: Elem>(dims: &[usize], mut draw: impl FnMut() -> f64) -> Vec<E> {
    (0..dims.iter().product()).map(|_| E::from_f64(draw())).collect()
}

fn normal(rng: &mut Rng, std: f64) -> impl FnMut() -> f64 {
    move || std * rng.normal()
}

fn uniform(rng: &mut Rng, bound: f64) -> impl FnMut() -> f64 {
    move || bound * (2.0 * rng.uniform() - 1.0)
}

/// Ones where output channel `o` meets input channel `o mod dims[1]` at the window's centre, which is the
/// identity for every number of groups.
fn identity(dims: &[usize]) -> impl FnMut() -> f64 {
    let (into, window) = (dims.get(1).copied().unwrap_or(1), dims.get(2..).unwrap_or(&[]));
    let size: usize = window.iter().product();
    let centre = window.iter().fold(0, |at, &k| at * k + k / 2);
    let mut next = 0..;
    move || {
        let at: usize = next.next().unwrap_or_default();
        let (o, i) = (at / size / into, at / size % into);
        f64::from(u8::from(i == o % into && at % size == centre))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(dims: &[usize], init: Init) -> ParamSpec {
        ParamSpec { name: "weight", dims: dims.into(), init, trainable: true }
    }

    fn draw(dims: &[usize], init: Init, path: &str) -> Vec<f64> {
        values(&spec(dims, init), path, 7)
    }

    #[test]
    fn spreads_are_those_of_their_formulas() {
        let dims = [64, 32, 3, 3];
        let std = |list: &[f64]| (list.iter().map(|v| v * v).sum::<f64>() / list.len() as f64).sqrt();
        let cases = [
            (Init::KaimingNormal, (2.0f64 / 576.0).sqrt()),
            (Init::KaimingUniform, (2.0f64 / 288.0).sqrt()),
            (Init::XavierNormal, (2.0f64 / 864.0).sqrt()),
            (Init::XavierUniform, (2.0f64 / 864.0).sqrt()),
            (Init::Normal(0.3), 0.3),
            (Init::Uniform(0.3), 0.3 / 3f64.sqrt()),
        ];
        for (init, want) in cases {
            let got = std(&draw(&dims, init, "conv.weight"));
            assert!((got / want - 1.0).abs() < 0.02, "{init:?}: {got} for {want}");
        }
    }

    #[test]
    fn a_path_has_its_own_stream() {
        let init = Init::Normal(1.0);
        assert_eq!(draw(&[4, 4], init, "a.weight"), draw(&[4, 4], init, "a.weight"));
        assert_ne!(draw(&[4, 4], init, "a.weight"), draw(&[4, 4], init, "b.weight"));
    }

    #[test]
    fn the_identity_of_a_convolution_sits_at_its_centre() {
        let mut want = vec![0.0; 2 * 2 * 9];
        (want[4], want[27 + 4]) = (1.0, 1.0);
        assert_eq!(draw(&[2, 2, 3, 3], Init::Identity, "a"), want);
        assert_eq!(draw(&[3, 1, 1], Init::Identity, "a"), [1.0; 3]);
    }
}
