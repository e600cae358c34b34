//! Against the definition, by seven plain loops.

use super::*;
use crate::testing::Rng;
use crate::testing::{close, narrow, random};

/// Calls `f(x index, w index, y index)` for each product that a convolution sums.
fn each_product(s: &ConvShape, mut f: impl FnMut(usize, usize, usize)) {
    let (gc, gw) = (s.group_channels(), s.group_width());
    for (n, o) in (0..s.batch).flat_map(|n| (0..s.width).map(move |o| (n, o))) {
        for (oy, ox) in (0..s.output[0]).flat_map(|y| (0..s.output[1]).map(move |x| (y, x))) {
            for (c, ky, kx) in (0..gc).flat_map(|c| (0..s.taps()).map(move |t| (c, t / s.kernel[1], t % s.kernel[1]))) {
                let at = |o: usize, k: usize, a: usize| {
                    (o * s.stride[a] + k * s.dilation[a]).checked_sub(s.pad[a]).filter(|&i| i < s.input[a])
                };
                let (Some(iy), Some(ix)) = (at(oy, ky, 0), at(ox, kx, 1)) else { continue };
                let x = ((n * s.channels + o / gw * gc + c) * s.input[0] + iy) * s.input[1] + ix;
                let w = ((o * gc + c) * s.kernel[0] + ky) * s.kernel[1] + kx;
                f(x, w, ((n * s.width + o) * s.output[0] + oy) * s.output[1] + ox);
            }
        }
    }
}

fn shape(
    batch: usize,
    channels: usize,
    width: usize,
    groups: usize,
    input: [usize; 2],
    window: [[usize; 2]; 4],
) -> ConvShape {
    let [kernel, stride, pad, dilation] = window;
    let size = |a: usize| ConvShape::output_size(input[a], kernel[a], stride[a], pad[a], dilation[a]).unwrap();
    let output = [size(0), size(1)];
    ConvShape { batch, channels, width, groups, input, output, kernel, stride, pad, dilation }
}

/// All passes of one shape, in both types, against the definition.
fn check(s: &ConvShape) {
    let (xs, ys, ws) =
        (s.batch * s.channels * s.input_positions(), s.batch * s.width * s.positions(), s.width * s.depth());
    let (x, w, b, dy) = (random(xs, 1), random(ws, 2), random(s.width, 3), random(ys, 4));
    let mut y: Vec<f64> = (0..ys).map(|i| b[i / s.positions() % s.width]).collect();
    let (mut dx, mut dw, mut db) = (vec![0.0; xs], vec![0.0; ws], vec![0.0; s.width]);
    each_product(s, |i, j, k| y[k] += x[i] * w[j]);
    each_product(s, |i, j, k| dx[i] += dy[k] * w[j]);
    each_product(s, |i, j, k| dw[j] += dy[k] * x[i]);
    (0..ys).for_each(|i| db[i / s.positions() % s.width] += dy[i]);
    let want = [&y, &dx, &dw, &db];
    passes(s, &x, &w, &b, &dy, want, 1e-12);
    passes(s, &narrow(&x), &narrow(&w), &narrow(&b), &narrow(&dy), want, 2e-5);
}

fn passes<E: Elem>(s: &ConvShape, x: &[E], w: &[E], b: &[E], dy: &[E], want: [&Vec<f64>; 4], tolerance: f64) {
    let dirty = |len: usize| vec![E::from_f64(9.0); len];
    let (mut y, mut dx, mut dw, mut db) = (dirty(dy.len()), dirty(x.len()), dirty(w.len()), dirty(b.len()));
    forward(s, x, w, Some(b), &mut y);
    close(&y, want[0], tolerance);
    input_grad(s, dy, w, &mut dx);
    close(&dx, want[1], tolerance);
    weight_grad(s, x, dy, &mut dw);
    close(&dw, want[2], tolerance);
    bias_grad(s.width, s.positions(), dy, &mut db);
    close(&db, want[3], tolerance);
    forward(s, x, w, None, &mut y);
    add_bias(s.positions(), b, &mut y);
    close(&y, want[0], tolerance);
}

#[test]
fn shapes_of_networks() {
    check(&shape(2, 3, 8, 1, [19, 23], [[7, 7], [2, 2], [3, 3], [1, 1]]));
    check(&shape(1, 16, 24, 1, [40, 40], [[3, 3], [1, 1], [1, 1], [1, 1]]));
    check(&shape(9, 8, 6, 1, [5, 5], [[3, 3], [1, 1], [1, 1], [1, 1]]));
    check(&shape(3, 8, 16, 1, [9, 9], [[1, 1], [2, 2], [0, 0], [1, 1]]));
    check(&shape(5, 12, 7, 1, [6, 6], [[1, 1], [1, 1], [0, 0], [1, 1]]));
    check(&shape(2, 6, 4, 1, [8, 8], [[2, 2], [2, 2], [0, 0], [1, 1]]));
    check(&shape(2, 4, 6, 1, [1, 50], [[1, 5], [1, 3], [0, 2], [1, 2]]));
}

#[test]
fn groups_and_depthwise() {
    check(&shape(2, 6, 9, 3, [7, 8], [[3, 2], [1, 2], [1, 0], [1, 1]]));
    check(&shape(3, 8, 8, 8, [13, 37], [[3, 3], [1, 1], [1, 1], [1, 1]]));
    check(&shape(2, 4, 8, 4, [9, 9], [[5, 3], [2, 2], [2, 1], [1, 2]]));
    check(&shape(1, 4, 4, 4, [1, 70], [[1, 9], [1, 1], [0, 4], [1, 1]]));
}

#[test]
fn large_enough_for_several_tiles() {
    check(&shape(1, 40, 5, 1, [70, 70], [[3, 3], [1, 1], [1, 1], [1, 1]]));
    check(&shape(2, 5, 40, 1, [61, 67], [[3, 3], [2, 2], [1, 1], [1, 1]]));
    check(&shape(3, 160, 20, 1, [6, 7], [[3, 3], [1, 1], [1, 1], [1, 1]]));
}

#[test]
fn random_shapes() {
    let mut rng = Rng::new(11);
    let mut tried = 0;
    while tried < 60 {
        let mut draw = |low: usize, high: usize| low + rng.below(high - low + 1);
        let groups = draw(1, 3);
        let window =
            [[draw(1, 4), draw(1, 4)], [draw(1, 3), draw(1, 3)], [draw(0, 4), draw(0, 4)], [draw(1, 3), draw(1, 3)]];
        let input = [draw(1, 12), draw(1, 12)];
        if (0..2)
            .any(|a| ConvShape::output_size(input[a], window[0][a], window[1][a], window[2][a], window[3][a]).is_none())
        {
            continue;
        }
        check(&shape(draw(1, 3), groups * draw(1, 3), groups * draw(1, 4), groups, input, window));
        tried += 1;
    }
}

/// Single precision by blocked maps and by columns, both ways, with odd sizes, steps, groups and gaps: those
/// that the former computes, and those that it leaves alone.
#[test]
fn blocks_agree_with_columns() {
    let mut rng = Rng::new(23);
    let mut met = [0; 2];
    for case in 0..80 {
        let mut draw = |low: usize, high: usize| low + rng.below(high - low + 1);
        let plain = case % 4 > 0;
        let [kernel, other] = if plain { [3, 3] } else { [draw(1, 4), draw(1, 4)] };
        let [stride, dilation, groups] = if plain { [1; 3] } else { [draw(1, 3), draw(1, 2), draw(1, 3)] };
        let window = [[kernel, other], [stride; 2], [draw(0, 2), draw(0, 2)], [dilation; 2]];
        let (batch, input) = (draw(1, 7), [draw(7, 33), draw(7, 33)]);
        let s = shape(batch, groups * draw(1, 40), groups * draw(1, 40), groups, input, window);
        met[usize::from(blocks::pays(&s))] += 1;
        agree(&s, case);
    }
    assert!(met.iter().all(|&count| count > 20), "both are met: {met:?}");
    agree(&shape(1, 17, 20, 1, [12, 13], [[3, 3], [1, 1], [1, 1], [1, 1]]), 82);
    // Several runs of samples, and as many weights as need positions.
    agree(&shape(6, 20, 33, 1, [97, 75], [[3, 3], [1, 1], [1, 1], [1, 1]]), 80);
    agree(&shape(2, 272, 256, 1, [23, 25], [[3, 3], [1, 1], [1, 1], [1, 1]]), 81);
}

fn agree(s: &ConvShape, seed: u64) {
    let values = |len: usize, salt: u64| narrow(&random(len, 4 * seed + salt));
    let (x, dy) = (values(s.batch * s.channels * s.input_positions(), 0), values(s.batch * s.width * s.positions(), 1));
    let (w, b) = (values(s.width * s.depth(), 2), values(s.width, 3));
    let wide = |x: &[f32]| x.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    let (mut want, mut y) = (vec![0.0f32; dy.len()], vec![9.0f32; dy.len()]);
    forward::forward(s, &x, &w, Some(&b), &mut want);
    forward(s, &x, &w, Some(&b), &mut y);
    close(&y, &wide(&want), 1e-5);
    let (mut want, mut dx) = (vec![0.0f64; x.len()], vec![9.0f32; x.len()]);
    input_grad(s, &wide(&dy), &wide(&w), &mut want);
    input_grad(s, &dy, &w, &mut dx);
    close(&dx, &want, 1e-5);
}

/// Calls from several threads at once, of which one has the thread pool, give what each gives alone.
#[test]
fn calls_at_once() {
    let s = shape(4, 24, 40, 1, [29, 31], [[3, 3], [1, 1], [1, 1], [1, 1]]);
    let x = narrow(&random(s.batch * s.channels * s.input_positions(), 1));
    let w = narrow(&random(s.width * s.depth(), 2));
    let run = || {
        let mut y = vec![0.0; s.batch * s.width * s.positions()];
        forward(&s, &x, &w, None, &mut y);
        y
    };
    let want = run();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..5).all(|_| run() == want))).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}
