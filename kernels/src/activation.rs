//! Element-wise functions; values and subgradients are PyTorch's.

use super::elem::Elem;
use super::parallel::{pieces, tasks_with};
use super::simd::simd;

/// An element-wise function without parameters; formulas and gradients are PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`; gradient 0 at 0.
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x` or `slope·x`
    LeakyRelu {
        /// The factor below 0.
        slope: f64,
    },
    /// `x` or `alpha·(eˣ − 1)`
    Elu {
        /// Minus the limit at −∞.
        alpha: f64,
    },
    /// `x·Φ(x)`, exact, with erf.
    Gelu,
    /// `x·sigmoid(x)`
    Silu,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x·relu6(x + 3) / 6`
    HardSwish,
    /// `relu6(x + 3) / 6`
    HardSigmoid,
}

/// Elements that a task takes.
const PIECE: usize = 1 << 14;

/// A function and its derivative. Methods are inlined into loops of every vector width.
trait Function: Copy + Send + Sync {
    fn value<E: Elem>(self, x: E) -> E;
    /// The derivative, given the argument and the value.
    fn slope<E: Elem>(self, x: E, y: E) -> E;
}

/// A number as an element.
#[inline(always)]
fn num<E: Elem>(value: f64) -> E {
    E::from_f64(value)
}

/// 1 where `condition` holds, else 0.
#[inline(always)]
fn indicator<E: Elem>(condition: bool) -> E {
    if condition { E::ONE } else { E::ZERO }
}

/// Defines a function: its name and fields, its value at `x`, and its derivative from `x` and `y`.
macro_rules! function {
    ($name:ident { $($field:ident),* }, $self:ident, |$x:ident| $value:expr, |$sx:ident, $sy:ident| $slope:expr) => {
        #[derive(Clone, Copy)]
        struct $name { $($field: f64),* }
        impl Function for $name {
            #[inline(always)]
            fn value<E: Elem>($self, $x: E) -> E {
                $value
            }
            #[inline(always)]
            fn slope<E: Elem>($self, $sx: E, $sy: E) -> E {
                $slope
            }
        }
    };
}

function!(Relu {}, self, |x| x.at_least(E::ZERO), |_x, y| if y <= E::ZERO { E::ZERO } else { E::ONE });
function!(Relu6 {}, self, |x| x.at_least(E::ZERO).at_most(num(6.0)), |x, _y| {
    if x <= E::ZERO || x >= num(6.0) { E::ZERO } else { E::ONE }
});
function!(LeakyRelu { slope }, self, |x| if x > E::ZERO { x } else { x * num(self.slope) }, |x, _y| {
    if x > E::ZERO { E::ONE } else { num(self.slope) }
});
function!(Elu { alpha }, self, |x| if x > E::ZERO { x } else { x.exp_m1() * num(self.alpha) }, |x, y| {
    if x > E::ZERO { E::ONE } else { y + num(self.alpha) }
});
function!(
    Gelu {},
    self,
    |x| num::<E>(0.5) * x * (E::ONE + (x * num(std::f64::consts::FRAC_1_SQRT_2)).erf()),
    |x, _y| {
        let cdf = num::<E>(0.5) * (E::ONE + (x * num(std::f64::consts::FRAC_1_SQRT_2)).erf());
        // 1/√(2π)
        cdf + x * num(0.398_942_280_401_432_7) * (-(x * x) * num(0.5)).exp()
    }
);
function!(Silu {}, self, |x| x * x.sigmoid(), |x, _y| {
    let s = x.sigmoid();
    s * (E::ONE + x * (E::ONE - s))
});
function!(Sigmoid {}, self, |x| x.sigmoid(), |_x, y| y * (E::ONE - y));
function!(Tanh {}, self, |x| x.tanh(), |_x, y| E::ONE - y * y);
function!(HardSwish {}, self, |x| x * (x + num(3.0)).at_least(E::ZERO).at_most(num(6.0)) / num(6.0), |x, _y| {
    if x <= num(-3.0) {
        E::ZERO
    } else if x < num(3.0) {
        x / num(3.0) + num(0.5)
    } else {
        E::ONE
    }
});
function!(HardSigmoid {}, self, |x| (x + num(3.0)).at_least(E::ZERO).at_most(num(6.0)) / num(6.0), |x, _y| {
    indicator::<E>(x > num(-3.0) && x < num(3.0)) / num(6.0)
});

simd! {
    fn values<E: Elem, F: Function>(f: F, x: &[E], y: &mut [E]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = f.value(x);
        }
    }

    fn slopes<E: Elem, F: Function>(f: F, x: &[E], y: &[E], dy: &[E], dx: &mut [E]) {
        for (((dx, &dy), &x), &y) in dx.iter_mut().zip(dy).zip(x).zip(y) {
            *dx = dy * f.slope(x, y);
        }
    }

    /// The derivative by the argument, `dy` where `f` is 1.
    fn prelu_slopes<E: Elem>(slope: E, x: &[E], dy: &[E], dx: &mut [E]) {
        for ((dx, &dy), &x) in dx.iter_mut().zip(dy).zip(x) {
            *dx = if x > E::ZERO { dy } else { dy * slope };
        }
    }

    fn prelu_values<E: Elem>(slope: E, x: &[E], y: &mut [E]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = if x > E::ZERO { x } else { x * slope };
        }
    }
}

/// Calls `$body` with `$f` bound to the function that an activation names.
macro_rules! with_function {
    ($activation:expr, $f:ident => $body:expr) => {
        match *$activation {
            Activation::Relu => {
                let $f = Relu {};
                $body
            }
            Activation::Relu6 => {
                let $f = Relu6 {};
                $body
            }
            Activation::LeakyRelu { slope } => {
                let $f = LeakyRelu { slope };
                $body
            }
            Activation::Elu { alpha } => {
                let $f = Elu { alpha };
                $body
            }
            Activation::Gelu => {
                let $f = Gelu {};
                $body
            }
            Activation::Silu => {
                let $f = Silu {};
                $body
            }
            Activation::Sigmoid => {
                let $f = Sigmoid {};
                $body
            }
            Activation::Tanh => {
                let $f = Tanh {};
                $body
            }
            Activation::HardSwish => {
                let $f = HardSwish {};
                $body
            }
            Activation::HardSigmoid => {
                let $f = HardSigmoid {};
                $body
            }
        }
    };
}

/// `y = f(x)`, element by element.
pub fn forward<E: Elem>(activation: &Activation, x: &[E], y: &mut [E]) {
    assert_eq!(x.len(), y.len(), "argument and value are equally long");
    with_function!(activation, f => pieces(y, PIECE, |i, y| values(f, &x[i * PIECE..], y)));
}

/// `dx = dy·f′(x)`, where `y = f(x)`.
pub fn grad<E: Elem>(activation: &Activation, x: &[E], y: &[E], dy: &[E], dx: &mut [E]) {
    assert!(x.len() == dx.len() && y.len() == dx.len() && dy.len() == dx.len(), "all are equally long");
    with_function!(activation, f => pieces(dx, PIECE, |i, dx| {
        let from = i * PIECE;
        slopes(f, &x[from..], &y[from..], &dy[from..], dx);
    }));
}

/// `x` or `slope·x` of `[N, C, positions]`; `weight` holds a slope for each channel, or one for all.
pub fn prelu<E: Elem>(channels: usize, positions: usize, x: &[E], weight: &[E], y: &mut [E]) {
    assert_eq!(x.len(), y.len(), "argument and value are equally long");
    pieces(y, positions.max(1), |i, y| {
        prelu_values(weight[i % channels % weight.len()], &x[i * positions..], y);
    });
}

/// The gradients of [`prelu`]: of its argument, and of the slopes.
pub fn prelu_grad<E: Elem>(
    channels: usize,
    positions: usize,
    x: &[E],
    weight: &[E],
    dy: &[E],
    dx: &mut [E],
    dw: &mut [E],
) {
    assert!(x.len() == dx.len() && dy.len() == dx.len(), "all are equally long");
    pieces(dx, positions.max(1), |i, dx| {
        prelu_slopes(weight[i % channels % weight.len()], &x[i * positions..], &dy[i * positions..], dx);
    });
    let maps = |c: usize| (c * positions..x.len()).step_by((channels * positions).max(1));
    let mut sums = vec![0.0; channels];
    tasks_with(&mut sums, x.len(), |c, sum| {
        for at in maps(c) {
            let pairs = x[at..at + positions].iter().zip(&dy[at..at + positions]);
            *sum += pairs.map(|(&x, &dy)| if x > E::ZERO { 0.0 } else { (x * dy).to_f64() }).sum::<f64>();
        }
    });
    dw.fill(E::ZERO);
    if dw.len() == 1 {
        dw[0] = E::from_f64(sums.iter().sum());
    } else {
        dw.iter_mut().zip(sums).for_each(|(d, s)| *d = E::from_f64(s));
    }
}

#[cfg(test)]
mod tests;
