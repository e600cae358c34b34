//! Against the formulas, and at the edges where subgradients are chosen.

use super::*;
use crate::testing::{close, gradient_agrees, narrow, random};

const ALL: [Activation; 10] = [
    Activation::Relu,
    Activation::Relu6,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::Elu { alpha: 1.5 },
    Activation::Gelu,
    Activation::Silu,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::HardSwish,
    Activation::HardSigmoid,
];

fn reference(f: &Activation, x: f64) -> f64 {
    match *f {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu { slope } => x.max(0.0) + slope * x.min(0.0),
        Activation::Elu { alpha } => x.max(0.0) + alpha * x.min(0.0).exp_m1(),
        Activation::Gelu => 0.5 * x * (1.0 + crate::math::erf(x / 2f64.sqrt())),
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
    }
}

#[test]
fn values_and_gradients() {
    let x: Vec<f64> = random(1003, 1).iter().map(|v| 4.0 * v).collect();
    for f in ALL {
        let want: Vec<f64> = x.iter().map(|&x| reference(&f, x)).collect();
        let (mut y, mut y32) = (vec![0.0; x.len()], vec![0.0f32; x.len()]);
        forward(&f, &x, &mut y);
        forward(&f, &narrow(&x), &mut y32);
        close(&y, &want, 1e-14);
        close(&y32, &want, 1e-6);
        gradient_agrees(
            &x,
            |x| x.iter().map(|&x| reference(&f, x)).collect(),
            |dy| {
                let mut dx = vec![0.0; x.len()];
                grad(&f, &x, &y, dy, &mut dx);
                dx
            },
        );
    }
}

/// The derivative that a function reports at `x`.
fn slope_at(f: Activation, x: f64) -> f64 {
    let (mut y, mut dx) = ([0.0], [0.0]);
    forward(&f, &[x], &mut y);
    grad(&f, &[x], &y, &[1.0], &mut dx);
    dx[0]
}

/// What `torch.autograd` gives at the points where a derivative jumps.
#[test]
fn subgradients_are_pytorchs() {
    assert_eq!(slope_at(Activation::Relu, 0.0), 0.0);
    assert_eq!((slope_at(Activation::Relu6, 0.0), slope_at(Activation::Relu6, 6.0)), (0.0, 0.0));
    assert_eq!(slope_at(Activation::LeakyRelu { slope: 0.1 }, 0.0), 0.1);
    assert_eq!(slope_at(Activation::Elu { alpha: 1.5 }, 0.0), 1.5);
    assert_eq!((slope_at(Activation::HardSigmoid, -3.0), slope_at(Activation::HardSigmoid, 3.0)), (0.0, 0.0));
    assert_eq!((slope_at(Activation::HardSwish, -3.0), slope_at(Activation::HardSwish, 3.0)), (0.0, 1.0));
}

#[test]
fn nan_propagates() {
    for f in ALL {
        let mut y = [0.0f32];
        forward(&f, &[f32::NAN], &mut y);
        assert!(y[0].is_nan(), "{f:?}");
    }
}

#[test]
fn prelu_with_a_slope_for_each_channel_or_for_all() {
    let x = random(2 * 3 * 5, 1);
    for slopes in [3, 1] {
        let w = random(slopes, 2);
        let reference = |x: &[f64], w: &[f64]| -> Vec<f64> {
            x.iter().enumerate().map(|(i, &x)| if x > 0.0 { x } else { w[i / 5 % 3 % w.len()] * x }).collect()
        };
        let mut y = vec![0.0; x.len()];
        prelu(3, 5, &x, &w, &mut y);
        close(&y, &reference(&x, &w), 0.0);
        let grads = |dy: &[f64]| {
            let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
            prelu_grad(3, 5, &x, &w, dy, &mut dx, &mut dw);
            (dx, dw)
        };
        gradient_agrees(&x, |x| reference(x, &w), |dy| grads(dy).0);
        gradient_agrees(&w, |w| reference(&x, w), |dy| grads(dy).1);
    }
}
