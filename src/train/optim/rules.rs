//! The update formulas over slices: one fused pass over a parameter, its gradient and its memory.

use super::Update;
use crate::elaborate::recipe::Optimizer as Settings;
use crate::train::real::Real;

/// Updates `p` from its gradient `g`. `slots` are in the order of [`super::slots`].
pub fn update<T: Real>(update: &Update, p: &mut [T], g: &[T], slots: &mut [&mut [T]]) {
    match *update.settings {
        Settings::Sgd { momentum, dampening, weight_decay, nesterov, .. } => {
            sgd(p, g, slots, &Sgd { momentum, dampening, weight_decay, nesterov }, update)
        }
        Settings::Adam { betas, eps, weight_decay, .. } => {
            adam(p, g, slots, &Adam { betas, eps, coupled: weight_decay, decoupled: 0.0 }, update)
        }
        Settings::AdamW { betas, eps, weight_decay, .. } => {
            adam(p, g, slots, &Adam { betas, eps, coupled: 0.0, decoupled: weight_decay }, update)
        }
        Settings::RmsProp { alpha, eps, weight_decay, momentum, centered, .. } => {
            rmsprop(p, g, slots, &RmsProp { alpha, eps, weight_decay, momentum, centered }, update.rate)
        }
    }
}

struct Sgd {
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    nesterov: bool,
}

/// `g += λp; b = μb + (1−τ)g (b = g at first); p −= lr·(b, or g + μb with Nesterov)`.
fn sgd<T: Real>(p: &mut [T], g: &[T], slots: &mut [&mut [T]], rule: &Sgd, update: &Update) {
    let real = T::from_f64;
    let (rate, decay, momentum) = (real(update.rate), real(rule.weight_decay), real(rule.momentum));
    let Some(buffer) = slots.first_mut() else {
        p.iter_mut().zip(g).for_each(|(p, &g)| *p = *p - rate * (g + decay * *p));
        return;
    };
    // The buffer starts as the first gradient itself, whatever the dampening.
    let first = update.count == 1;
    let (keep, take) = if first { (real(0.0), real(1.0)) } else { (momentum, real(1.0 - rule.dampening)) };
    for ((p, &g), b) in p.iter_mut().zip(g).zip(buffer.iter_mut()) {
        let g = g + decay * *p;
        *b = keep * *b + take * g;
        let direction = if rule.nesterov { g + momentum * *b } else { *b };
        *p = *p - rate * direction;
    }
}

struct Adam {
    betas: [f64; 2],
    eps: f64,
    /// Weight decay added to the gradient (Adam).
    coupled: f64,
    /// Weight decay of the weight itself (AdamW).
    decoupled: f64,
}

/// `m = β₁m + (1−β₁)g; v = β₂v + (1−β₂)g²; p −= lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)`, v's running maximum with AMSGrad.
fn adam<T: Real>(p: &mut [T], g: &[T], slots: &mut [&mut [T]], rule: &Adam, update: &Update) {
    let real = T::from_f64;
    let [beta1, beta2] = rule.betas;
    let correction1 = 1.0 - beta1.powf(update.count as f64);
    let root2 = real((1.0 - beta2.powf(update.count as f64)).sqrt());
    let (size, eps) = (real(update.rate / correction1), real(rule.eps));
    let (coupled, shrink) = (real(rule.coupled), real(1.0 - update.rate * rule.decoupled));
    let (take1, beta2, take2) = (real(1.0 - beta1), real(beta2), real(1.0 - beta2));
    let (moments, largest) = slots.split_at_mut(2);
    let [m, v] = moments else { return };
    let moments = |p: &mut T, g: T, m: &mut T, v: &mut T| {
        *p = *p * shrink;
        let g = g + coupled * *p;
        *m += take1 * (g - *m);
        *v = beta2 * *v + take2 * g * g;
    };
    let all = p.iter_mut().zip(g).zip(m.iter_mut().zip(v.iter_mut()));
    match largest.first_mut() {
        None => all.for_each(|((p, &g), (m, v))| {
            moments(p, g, m, v);
            *p = *p - size * (*m / (v.sqrt() / root2 + eps));
        }),
        Some(largest) => all.zip(largest.iter_mut()).for_each(|(((p, &g), (m, v)), top)| {
            moments(p, g, m, v);
            *top = top.max(*v);
            *p = *p - size * (*m / (top.sqrt() / root2 + eps));
        }),
    }
}

struct RmsProp {
    alpha: f64,
    eps: f64,
    weight_decay: f64,
    momentum: f64,
    centered: bool,
}

/// `s = αs + (1−α)g²; d = g / (√s + ε)`, s less the squared mean gradient if centred; `b = μb + d; p −= lr·b`.
fn rmsprop<T: Real>(p: &mut [T], g: &[T], slots: &mut [&mut [T]], rule: &RmsProp, rate: f64) {
    let real = T::from_f64;
    let (rate, decay, momentum) = (real(rate), real(rule.weight_decay), real(rule.momentum));
    let (alpha, take, eps) = (real(rule.alpha), real(1.0 - rule.alpha), real(rule.eps));
    let Some((square, rest)) = slots.split_first_mut() else { return };
    let (means, buffers) = rest.split_at_mut(usize::from(rule.centered));
    let mut mean = means.first_mut();
    let mut buffer = buffers.first_mut();
    for (i, ((p, &g), s)) in p.iter_mut().zip(g).zip(square.iter_mut()).enumerate() {
        let g = g + decay * *p;
        *s = alpha * *s + take * g * g;
        let spread = match &mut mean {
            Some(mean) => {
                let m = &mut mean[i];
                *m += take * (g - *m);
                *s - *m * *m
            }
            None => *s,
        };
        let scaled = g / (spread.sqrt() + eps);
        let direction = match &mut buffer {
            Some(buffer) => {
                buffer[i] = momentum * buffer[i] + scaled;
                buffer[i]
            }
            None => scaled,
        };
        *p = *p - rate * direction;
    }
}
