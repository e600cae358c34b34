//! Against the definitions in double precision.

use super::*;
use crate::Elem;
use crate::testing::{close, gradient_agrees, narrow, random};

const EPS: f64 = 1e-5;

/// Normalises the elements of each set, where `set(n, c, p)` names the set of an element.
fn reference(s: &BatchShape, set: impl Fn(usize, usize, usize) -> usize, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let place = |i: usize| (i / s.positions / s.channels, i / s.positions % s.channels, i % s.positions);
    let of = |i: usize| {
        let (n, c, p) = place(i);
        (set(n, c, p), c)
    };
    let mut sets = std::collections::BTreeMap::<usize, Vec<f64>>::new();
    (0..x.len()).for_each(|i| sets.entry(of(i).0).or_default().push(x[i]));
    let moments = |v: &Vec<f64>| {
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        (mean, v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64)
    };
    let moments: std::collections::BTreeMap<usize, (f64, f64)> = sets.iter().map(|(k, v)| (*k, moments(v))).collect();
    let one = |i: usize| {
        let (set, c) = of(i);
        let (mean, var) = moments[&set];
        (x[i] - mean) / (var + EPS).sqrt() * w[c] + b[c]
    };
    (0..x.len()).map(one).collect()
}

/// Forward in both types, and the three gradients.
fn check(
    s: &BatchShape,
    set: impl Fn(usize, usize, usize) -> usize + Copy,
    forward: impl Fn(&[f64], &[f64], &[f64], &mut [f64]) -> Moments,
    forward32: impl Fn(&[f32], &[f32], &[f32], &mut [f32]) -> Moments,
    grad: impl Fn(&Moments, &[f64], &[f64], &[f64], Grads<f64>),
) {
    let x: Vec<f64> = random(s.count() * s.channels, 1).iter().map(|v| 2.0 * v + 3.0).collect();
    let (w, b) = (random(s.channels, 2), random(s.channels, 3));
    let want = reference(s, set, &x, &w, &b);
    let (mut y, mut y32) = (vec![9.0; x.len()], vec![9.0f32; x.len()]);
    let moments = forward(&x, &w, &b, &mut y);
    close(&y, &want, 1e-11);
    forward32(&narrow(&x), &narrow(&w), &narrow(&b), &mut y32);
    close(&y32, &want, 2e-5);
    let grads = |dy: &[f64]| {
        let (mut dx, mut dw, mut db) = (vec![9.0; x.len()], vec![9.0; w.len()], vec![9.0; w.len()]);
        grad(&moments, &x, &w, dy, Grads { x: &mut dx, weight: &mut dw, bias: &mut db });
        (dx, dw, db)
    };
    gradient_agrees(&x, |x| reference(s, set, x, &w, &b), |dy| grads(dy).0);
    gradient_agrees(&w, |w| reference(s, set, &x, w, &b), |dy| grads(dy).1);
    gradient_agrees(&b, |b| reference(s, set, &x, &w, b), |dy| grads(dy).2);
}

fn shapes() -> [BatchShape; 5] {
    [(2, 3, 20), (5, 4, 1), (1, 6, 7), (3, 2, 2100), (4, 6, 70)].map(|(batch, channels, positions)| BatchShape {
        batch,
        channels,
        positions,
    })
}

#[test]
fn batch() {
    for s in shapes().iter().filter(|s| s.count() > 2) {
        check(
            s,
            |_, c, _| c,
            |x, w, b, y| batch_train(s, EPS, x, Some(w), Some(b), y),
            |x, w, b, y| batch_train(s, EPS, x, Some(w), Some(b), y),
            |m, x, w, dy, grads| batch_train_grad(s, m, x, Some(w), dy, grads),
        );
    }
}

#[test]
fn batch_in_evaluation() {
    let s = BatchShape { batch: 2, channels: 3, positions: 5 };
    let (x, w, b) = (random(30, 1), random(3, 2), random(3, 3));
    let var = vec![0.5, 1.0, 2.0];
    let scale = var.iter().map(|v: &f64| 1.0 / (v + EPS).sqrt()).collect();
    let moments = Moments { mean: random(3, 4), scale, var };
    let reference = |x: &[f64], w: &[f64], b: &[f64]| -> Vec<f64> {
        let c = |i: usize| i / 5 % 3;
        (0..30).map(|i| (x[i] - moments.mean[c(i)]) * moments.scale[c(i)] * w[c(i)] + b[c(i)]).collect()
    };
    let mut y = vec![9.0; 30];
    batch_eval(&s, &moments, &x, Some(&w), Some(&b), &mut y);
    close(&y, &reference(&x, &w, &b), 1e-14);
    let grads = |dy: &[f64]| {
        let (mut dx, mut dw, mut db) = (vec![9.0; 30], vec![9.0; 3], vec![9.0; 3]);
        batch_eval_grad(&s, &moments, &x, Some(&w), dy, Grads { x: &mut dx, weight: &mut dw, bias: &mut db });
        (dx, dw, db)
    };
    gradient_agrees(&x, |x| reference(x, &w, &b), |dy| grads(dy).0);
    gradient_agrees(&w, |w| reference(&x, w, &b), |dy| grads(dy).1);
    gradient_agrees(&b, |b| reference(&x, &w, b), |dy| grads(dy).2);
}

#[test]
fn groups() {
    for s in shapes() {
        for groups in (1..=s.channels).filter(|g| s.channels % g == 0 && s.channels / g * s.positions > 2) {
            let g = GroupShape { batch: s.batch, channels: s.channels, positions: s.positions, groups };
            let size = s.channels / groups;
            check(
                &s,
                |n, c, _| n * groups + c / size,
                |x, w, b, y| group_norm(&g, EPS, x, Some(w), Some(b), y),
                |x, w, b, y| group_norm(&g, EPS, x, Some(w), Some(b), y),
                |m, x, w, dy, grads| group_norm_grad(&g, m, x, Some(w), dy, grads),
            );
        }
    }
}

#[test]
fn layer() {
    for s in shapes().iter().filter(|s| s.channels > 2) {
        check(
            s,
            |n, _, p| n * s.positions + p,
            |x, w, b, y| layer_norm(s, EPS, x, Some(w), Some(b), y),
            |x, w, b, y| layer_norm(s, EPS, x, Some(w), Some(b), y),
            |m, x, w, dy, grads| layer_norm_grad(s, m, x, Some(w), dy, grads),
        );
    }
}

/// A large mean must not eat the variance's digits.
#[test]
fn single_precision_survives_a_large_mean() {
    let s = BatchShape { batch: 4, channels: 1, positions: 5000 };
    let x: Vec<f32> = random(20_000, 1).iter().map(|v| (v + 1000.0) as f32).collect();
    let exact: Vec<f64> = x.iter().map(|&v| v.to_f64()).collect();
    let mean = exact.iter().sum::<f64>() / 20_000.0;
    let var = exact.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 20_000.0;
    let moments = batch_train(&s, EPS, &x, None, None, &mut vec![0.0f32; 20_000]);
    assert!((moments.mean[0] - mean).abs() < 1e-4 && (moments.var[0] / var - 1.0).abs() < 1e-5, "{moments:?}");
}
