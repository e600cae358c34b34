//! How parameters start.

use super::args::{real, text};
use super::{ArgError, ArgType, Value};
use crate::base::nearest::nearest;
use crate::base::rng::Rng;
use serde::Serialize;

/// An initialisation. Fans are computed from the parameter's own sizes
/// (`fan_in = dims[1]·window`, `fan_out = dims[0]·window`), as PyTorch does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Normal with std = √(2 / fan_out) (He et al. 2015; the ResNet paper's).
    KaimingNormal,
    /// Uniform in ±√(6 / fan_in).
    KaimingUniform,
    /// Normal with std = √(2 / (fan_in + fan_out)) (Glorot and Bengio 2010).
    XavierNormal,
    /// Uniform in ±√(6 / (fan_in + fan_out)).
    XavierUniform,
    /// Normal with this standard deviation.
    Normal(f64),
    /// Uniform in ± this bound: what PyTorch's `Linear` and biases start with, bound = 1 / √fan_in.
    Uniform(f64),
    /// Every element this number.
    Constant(f64),
    /// The identity: ones where output and input channel agree at the window's centre.
    Identity,
}

/// The words of the language, with what each makes.
pub const FORMS: &[&str] = &[
    "kaiming_normal",
    "kaiming_uniform",
    "xavier_normal",
    "xavier_uniform",
    "normal(std)",
    "zeros",
    "ones",
    "identity",
];

/// The fans of a parameter: `(fan_in, fan_out)`, as PyTorch's `_calculate_fan_in_and_fan_out`; a
/// parameter with fewer than two sizes counts as `[n, 1]`.
pub fn fans(dims: &[usize]) -> (f64, f64) {
    let window: f64 = dims.iter().skip(2).map(|&d| d as f64).product();
    let size = |axis: usize| dims.get(axis).map_or(1.0, |&d| d as f64);
    (size(1) * window, size(0) * window)
}

impl Init {
    /// The elements of a parameter of these sizes, in row-major order.
    pub fn fill(&self, dims: &[usize], rng: &mut Rng) -> Vec<f64> {
        let n = dims.iter().product();
        let (fan_in, fan_out) = fans(dims);
        match *self {
            Self::KaimingNormal => normal(n, (2.0 / fan_out).sqrt(), rng),
            Self::KaimingUniform => uniform(n, (6.0 / fan_in).sqrt(), rng),
            Self::XavierNormal => normal(n, (2.0 / (fan_in + fan_out)).sqrt(), rng),
            Self::XavierUniform => uniform(n, (6.0 / (fan_in + fan_out)).sqrt(), rng),
            Self::Normal(std) => normal(n, std, rng),
            Self::Uniform(bound) => uniform(n, bound, rng),
            Self::Constant(value) => vec![value; n],
            Self::Identity => identity(dims),
        }
    }

    /// Uniform in ±1/√fan_in of a weight of these sizes: what PyTorch's linear layers and all its biases
    /// start with.
    pub fn of_fan_in(weight: &[usize]) -> Self {
        Self::Uniform(1.0 / fans(weight).0.sqrt())
    }
}

fn normal(n: usize, std: f64, rng: &mut Rng) -> Vec<f64> {
    (0..n).map(|_| std * rng.normal()).collect()
}

fn uniform(n: usize, bound: f64, rng: &mut Rng) -> Vec<f64> {
    (0..n).map(|_| bound * (2.0 * rng.uniform() - 1.0)).collect()
}

/// Ones where the first two indices agree, at the middle of the window: `eye_`, `dirac_`.
fn identity(dims: &[usize]) -> Vec<f64> {
    let mut values = vec![0.0; dims.iter().product()];
    let [rows, columns, window @ ..] = dims else { return values };
    let area: usize = window.iter().product();
    let middle = window.iter().fold(0, |at, &k| at * k + k / 2);
    for i in 0..*rows.min(columns) {
        values[(i * columns + i) * area + middle] = 1.0;
    }
    values
}

impl Init {
    /// The words that make it. Layers take no constants but 0 and 1 and no bounds: those are PyTorch's own starts of biases and
    /// linear layers.
    pub fn value(&self) -> Value {
        let word = |word: &str| Value::Word(word.into());
        let normal = |std: f64| Value::Call("normal".into(), vec![(None, Value::Float(std))]);
        match *self {
            Self::KaimingNormal => word("kaiming_normal"),
            Self::KaimingUniform => word("kaiming_uniform"),
            Self::XavierNormal => word("xavier_normal"),
            Self::XavierUniform => word("xavier_uniform"),
            Self::Normal(std) => normal(std),
            Self::Uniform(bound) => normal(bound / 3f64.sqrt()),
            Self::Constant(1.0) => word("ones"),
            Self::Constant(_) => word("zeros"),
            Self::Identity => word("identity"),
        }
    }

    /// The initialisation that a value says.
    ///
    /// # Errors
    /// Where it says none, with the nearest one as help.
    pub(super) fn read(name: &str, value: &Value) -> Result<Self, ArgError> {
        read(name, value)
    }
}

fn read(name: &str, value: &Value) -> Result<Init, ArgError> {
    let refused = || {
        let message = format!("`{name}` must be {}, not {}", ArgType::Init.words(), value.describe());
        ArgError::at(name, message)
    };
    if let Value::Call(word, given) = value
        && word == "normal"
    {
        let std = match given.as_slice() {
            [(None, v)] => real(v),
            [(Some(key), v)] if key == "std" => real(v),
            _ => None,
        };
        let std = std.filter(|&s| s >= 0.0);
        return std.map(Init::Normal).ok_or_else(|| {
            ArgError::at(name, "`normal` takes one number, the standard deviation").help(format!("{name}=normal(0.02)"))
        });
    }
    let word = text(value).ok_or_else(refused)?;
    Ok(match word {
        "kaiming_normal" => Init::KaimingNormal,
        "kaiming_uniform" => Init::KaimingUniform,
        "xavier_normal" => Init::XavierNormal,
        "xavier_uniform" => Init::XavierUniform,
        "zeros" => Init::Constant(0.0),
        "ones" => Init::Constant(1.0),
        "identity" => Init::Identity,
        "normal" => return Err(refused().help(format!("{name}=normal(0.02)"))),
        _ => {
            return Err(match nearest(word, FORMS.iter().copied()) {
                Some(meant) => refused().help(format!("{name}={meant}")),
                None => refused(),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn std(values: &[f64]) -> f64 {
        (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
    }

    #[test]
    fn spreads_are_those_of_the_papers() {
        let dims = [64, 32, 3, 3];
        let uniform = |bound: f64| bound / 3f64.sqrt();
        let cases = [
            (Init::KaimingNormal, (2.0f64 / (64.0 * 9.0)).sqrt()),
            (Init::KaimingUniform, uniform((6.0f64 / (32.0 * 9.0)).sqrt())),
            (Init::XavierNormal, (2.0f64 / (96.0 * 9.0)).sqrt()),
            (Init::XavierUniform, uniform((6.0f64 / (96.0 * 9.0)).sqrt())),
            (Init::Normal(0.02), 0.02),
            (Init::of_fan_in(&dims), uniform(1.0 / (32.0f64 * 9.0).sqrt())),
        ];
        for (init, expected) in cases {
            let found = std(&init.fill(&dims, &mut Rng::new(1)));
            assert!((found / expected - 1.0).abs() < 0.03, "{init:?}: {found} for {expected}");
        }
    }

    #[test]
    fn identity_passes_values_through() {
        assert_eq!(Init::Identity.fill(&[2, 2], &mut Rng::new(1)), [1.0, 0.0, 0.0, 1.0]);
        let conv = Init::Identity.fill(&[1, 2, 3, 3], &mut Rng::new(1));
        assert_eq!(conv.iter().position(|&v| v == 1.0), Some(4));
        assert_eq!(conv.iter().sum::<f64>(), 1.0);
    }

    #[test]
    fn a_typo_is_named() {
        let error = Init::read("init", &Value::Word("kaiming_norm".into())).unwrap_err();
        assert_eq!(error.help.as_deref(), Some("init=kaiming_normal"));
    }
}
