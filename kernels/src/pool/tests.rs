//! Against the definitions, one window at a time.

use super::*;
use crate::testing::Rng;
use crate::testing::{close, gradient_agrees, narrow, random};

/// For each output the input positions of its window that lie inside, in row-major order.
fn windows(s: &PoolShape) -> Vec<Vec<usize>> {
    let mut all = vec![];
    for (m, oy, ox) in (0..s.maps).flat_map(|m| (0..s.positions()).map(move |p| (m, p / s.output[1], p % s.output[1])))
    {
        let mut inside = vec![];
        for (ky, kx) in (0..s.kernel[0]).flat_map(|ky| (0..s.kernel[1]).map(move |kx| (ky, kx))) {
            let at = |o: usize, k: usize, a: usize| {
                (o * s.stride[a] + k * s.dilation[a]).checked_sub(s.pad[a]).filter(|&i| i < s.input[a])
            };
            if let (Some(y), Some(x)) = (at(oy, ky, 0), at(ox, kx, 1)) {
                inside.push(m * s.plane() + y * s.input[1] + x);
            }
        }
        all.push(inside);
    }
    all
}

fn random_shape(rng: &mut Rng, dilated: bool) -> (PoolShape, bool) {
    loop {
        let mut draw = |low: usize, high: usize| low + rng.below(high - low + 1);
        let kernel = [draw(1, 4), draw(1, 4)];
        let (stride, pad) = ([draw(1, 3), draw(1, 3)], kernel.map(|k| draw(0, k / 2)));
        let dilation = if dilated { [draw(1, 2), draw(1, 2)] } else { [1, 1] };
        let (input, ceil) = ([draw(1, 11), draw(1, 40)], draw(0, 1) == 1);
        let size = |a: usize| PoolShape::output_size(input[a], kernel[a], stride[a], pad[a], dilation[a], ceil);
        if let (Some(h), Some(w)) = (size(0), size(1)) {
            return (PoolShape { maps: draw(1, 4), input, output: [h, w], kernel, stride, pad, dilation }, ceil);
        }
    }
}

#[test]
fn maxima() {
    let mut rng = Rng::new(3);
    for _ in 0..60 {
        let (s, _) = random_shape(&mut rng, true);
        // Few distinct values, so that there are ties.
        let x: Vec<f64> = random(s.maps * s.plane(), rng.next_u64()).iter().map(|v| v.round()).collect();
        let first = |w: &Vec<usize>| w.iter().copied().reduce(|a, b| if x[b] > x[a] { b } else { a });
        let Some(want) = windows(&s).iter().map(first).collect::<Option<Vec<usize>>>() else { continue };
        let (mut y, mut index) = (vec![0.0f32; want.len()], vec![0; want.len()]);
        max(&s, &narrow(&x), &mut y, &mut index);
        let out = s.positions();
        let found: Vec<usize> = index.iter().enumerate().map(|(i, &at)| i / out * s.plane() + at as usize).collect();
        assert_eq!(found, want, "{s:?}");
        close(&y, &want.iter().map(|&i| x[i]).collect::<Vec<_>>(), 0.0);
        let dy = random(want.len(), 8);
        let (mut dx, mut sums) = (vec![9.0; x.len()], vec![0.0; x.len()]);
        max_grad(&s, &index, &dy, &mut dx);
        want.iter().zip(&dy).for_each(|(&i, g)| sums[i] += g);
        close(&dx, &sums, 1e-15);
    }
}

#[test]
fn maxima_of_nan_and_infinity() {
    let s = PoolShape {
        maps: 1,
        input: [2, 4],
        output: [1, 2],
        kernel: [2, 2],
        stride: [2, 2],
        pad: [0, 0],
        dilation: [1, 1],
    };
    let low = f64::NEG_INFINITY;
    let (mut y, mut index) = ([0.0; 2], [9; 2]);
    max(&s, &[1.0, f64::NAN, low, low, 5.0, 0.0, low, low], &mut y, &mut index);
    assert!(y[0].is_nan() && y[1] == low);
    assert_eq!(index, [1, 2]);
    let (mut y, mut index) = ([0.0; 1], [9; 1]);
    global_max(3, &[1.0, 4.0, 4.0], &mut y, &mut index);
    assert_eq!((y, index), ([4.0], [1]));
    let mut dx = [9.0; 3];
    global_max_grad(3, &index, &[2.0], &mut dx);
    assert_eq!(dx, [0.0, 2.0, 0.0]);
}

/// PyTorch's divisor: positions between the paddings' outer ends, or those inside.
fn mean_reference(s: &PoolShape, count_pad: bool, x: &[f64]) -> Vec<f64> {
    let divisor = |i: usize, a: usize| {
        let start = (i * s.stride[a]) as isize - s.pad[a] as isize;
        ((start + s.kernel[a] as isize).min((s.input[a] + s.pad[a]) as isize) - start) as f64
    };
    let mean = |(i, w): (usize, &Vec<usize>)| {
        let (oy, ox) = (i % s.positions() / s.output[1], i % s.output[1]);
        let count = if count_pad { divisor(oy, 0) * divisor(ox, 1) } else { w.len() as f64 };
        w.iter().map(|&i| x[i]).sum::<f64>() / count
    };
    windows(s).iter().enumerate().map(mean).collect()
}

#[test]
fn means() {
    let mut rng = Rng::new(4);
    for i in 0..40 {
        let ((s, _), count_pad) = (random_shape(&mut rng, false), i % 2 == 0);
        if windows(&s).iter().any(Vec::is_empty) {
            continue;
        }
        let x = random(s.maps * s.plane(), rng.next_u64());
        let want = mean_reference(&s, count_pad, &x);
        let (mut y, mut y32) = (vec![9.0; want.len()], vec![9.0f32; want.len()]);
        avg(&s, count_pad, &x, &mut y);
        avg(&s, count_pad, &narrow(&x), &mut y32);
        close(&y, &want, 1e-14);
        close(&y32, &want, 1e-6);
        gradient_agrees(
            &x,
            |x| mean_reference(&s, count_pad, x),
            |dy| {
                let mut dx = vec![9.0; x.len()];
                avg_grad(&s, count_pad, dy, &mut dx);
                dx
            },
        );
    }
}

#[test]
fn adaptive_and_global_means() {
    for (input, output) in [([7, 5], [3, 2]), ([4, 4], [4, 4]), ([3, 6], [1, 1]), ([1, 9], [1, 4]), ([2, 3], [3, 5])] {
        let x = random(3 * input[0] * input[1], 6);
        let (plane, out) = (input[0] * input[1], output[0] * output[1]);
        let range = |i: usize, a: usize| i * input[a] / output[a]..((i + 1) * input[a]).div_ceil(output[a]);
        let reference = |x: &[f64]| -> Vec<f64> {
            let mean = |i: usize| {
                let (map, oy, ox) = (&x[i / out * plane..][..plane], i % out / output[1], i % output[1]);
                let cells: Vec<f64> =
                    range(oy, 0).flat_map(|y| range(ox, 1).map(move |x| map[y * input[1] + x])).collect();
                cells.iter().sum::<f64>() / cells.len() as f64
            };
            (0..3 * out).map(mean).collect()
        };
        let mut y = vec![9.0; 3 * out];
        adaptive_avg(input, output, &x, &mut y);
        close(&y, &reference(&x), 1e-14);
        let grad = |dy: &[f64]| {
            let mut dx = vec![9.0; x.len()];
            adaptive_avg_grad(input, output, dy, &mut dx);
            dx
        };
        gradient_agrees(&x, reference, grad);
        if output == [1, 1] {
            let mut same = vec![9.0; 3];
            global_mean(plane, &x, &mut same);
            close(&same, &y, 1e-15);
            gradient_agrees(&x, reference, |dy| {
                let mut dx = vec![9.0; x.len()];
                global_mean_grad(plane, dy, &mut dx);
                dx
            });
        }
    }
}

#[test]
fn output_sizes_are_pytorchs() {
    let size = |i, k, s, p, ceil| PoolShape::output_size(i, k, s, p, 1, ceil);
    assert_eq!(size(112, 3, 2, 1, false), Some(56));
    assert_eq!(size(7, 2, 2, 0, true), Some(4));
    assert_eq!(size(5, 2, 3, 1, true), Some(2), "a window in the right padding is dropped");
    assert_eq!(size(2, 3, 1, 0, false), None);
    assert_eq!((size(2, 3, 3, 0, true), size(2, 3, 3, 0, false)), (Some(1), None), "a window may reach over the end");
}
