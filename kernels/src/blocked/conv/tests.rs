//! Every algorithm and option against sums in double precision.

use super::*;
use crate::activation::Activation;
use crate::arena::Arena;
use crate::blocked::testing::{Map, cpus};
use crate::blocked::{Epilogue, Other, Prologue, Sum};
use crate::testing::Rng;
use crate::testing::{narrow, random};
use crate::view::{Dst, Src};

/// Sizes in a line: `[batch, channels, width, groups]`, input, kernel, stride, pad, dilation.
fn shape(n: [usize; 4], input: [usize; 2], kernel: [usize; 2], [stride, pad, dilation]: [usize; 3]) -> ConvShape {
    let pad = kernel.map(|k| if k == 1 { 0 } else { pad });
    let stride = input.map(|i| if i == 1 { 1 } else { stride });
    let axis = |a: usize| ConvShape::output_size(input[a], kernel[a], stride[a], pad[a], dilation).expect("it fits");
    let output = [axis(0), axis(1)];
    let [batch, channels, width, groups] = n;
    ConvShape { batch, channels, width, groups, input, output, kernel, stride, pad, dilation: [dilation; 2] }
}

/// Calls `f(output, input, tap)` for all that meet on both axes.
fn meet(s: &ConvShape, mut f: impl FnMut([usize; 2], [usize; 2], usize)) {
    for i in 0..s.output[0] * s.output[1] {
        let out = [i / s.output[1], i % s.output[1]];
        for t in 0..s.taps() {
            let tap = [t / s.kernel[1], t % s.kernel[1]];
            let at = [0, 1].map(|a| (out[a] * s.stride[a] + tap[a] * s.dilation[a]).wrapping_sub(s.pad[a]));
            if at[0] < s.input[0] && at[1] < s.input[1] {
                f(out, at, t);
            }
        }
    }
}

/// Adds up all products; `turned` from outputs to inputs.
fn reference(s: &ConvShape, x: &Map, weight: &[f64], turned: bool) -> Map {
    let [inputs, outputs] = [s.group_channels(), s.group_width()];
    let (channels, size) = if turned { (s.channels, s.input) } else { (s.width, s.output) };
    let mut y = Map::from_fn(s.batch, channels, size, |_, _, _, _| 0.0);
    meet(s, |out, at, tap| {
        for n in 0..s.batch {
            for o in 0..s.width {
                for i in 0..inputs {
                    let w = weight[(o * inputs + i) * s.taps() + tap];
                    let c = o / outputs * inputs + i;
                    let (to, p, from, q) = if turned { (c, at, o, out) } else { (o, out, c, at) };
                    y.values[((n * channels + to) * size[0] + p[0]) * size[1] + p[1]] += w * x.at(n, from, q[0], q[1]);
                }
            }
        }
    });
    y
}

fn packed(packing: &Packing, weight: &[f64]) -> Vec<f32> {
    let mut packed = vec![0.0; packing.len()];
    packing.pack(&narrow(weight), &mut packed);
    packed
}

/// How far a result may be off, by the method that computes it.
fn tolerance(shape: &ConvShape) -> f64 {
    match cost::fastest(shape) {
        Method::Direct => 1e-5,
        Method::Winograd(tile) => bound(tile),
    }
}

/// How far the results of Winograd tiles may be off.
fn bound(tile: usize) -> f64 {
    [3e-6, 2e-5, 5e-5][tile / 2 - 1]
}

fn operands<'a>(
    x: Src<'a>,
    packed: &'a [f32],
    prologue: Option<Prologue<'a>>,
    epilogue: &'a Epilogue<'a>,
    y: Dst<'a>,
) -> Operands<'a> {
    Operands { x, packed, prologue, epilogue, y }
}

fn shapes() -> Vec<ConvShape> {
    vec![
        shape([1, 16, 32, 1], [5, 7], [1, 1], [1, 0, 1]),
        shape([2, 20, 40, 1], [9, 9], [1, 1], [2, 0, 1]),
        shape([3, 37, 50, 1], [1, 1], [1, 1], [1, 0, 1]),
        shape([1, 70, 33, 1], [1, 1], [1, 1], [1, 0, 1]),
        shape([2, 17, 31, 1], [11, 30], [3, 3], [1, 1, 1]),
        shape([1, 32, 64, 1], [14, 15], [3, 3], [2, 1, 1]),
        shape([2, 3, 20, 1], [19, 33], [7, 7], [2, 3, 1]),
        shape([1, 5, 16, 1], [12, 12], [3, 3], [1, 2, 2]),
        shape([1, 33, 18, 1], [13, 9], [3, 2], [3, 2, 2]),
        shape([1, 20, 20, 1], [1, 40], [1, 5], [1, 2, 1]),
        shape([2, 37, 37, 37], [10, 12], [3, 3], [1, 1, 1]),
        shape([1, 32, 32, 32], [11, 11], [5, 5], [2, 2, 1]),
        shape([1, 12, 24, 12], [6, 7], [3, 3], [1, 1, 1]),
        shape([2, 64, 64, 2], [7, 7], [3, 3], [1, 1, 1]),
        shape([1, 32, 48, 8], [8, 7], [3, 3], [1, 1, 1]),
        shape([1, 18, 30, 6], [8, 7], [3, 3], [1, 1, 1]),
        shape([1, 64, 256, 1], [40, 41], [1, 1], [1, 0, 1]),
    ]
}

/// Convolves without anything before or after, and compares.
fn compare(cpu: &Cpu, conv: &Conv, x: Src, weight: &[f64], want: &Map, tolerance: f64) {
    let packed = packed(&conv.packing(), weight);
    let (mut y, region) = want.lay(Layout::Blocked);
    y.floats_mut().fill(1e9);
    let mut scratch = vec![f32::NAN; conv.scratch()];
    let epilogue = Epilogue::default();
    conv.run(cpu, &operands(x, &packed, None, &epilogue, y.write(&region)), &mut scratch);
    want.compare(&y, &region, tolerance);
}

#[test]
fn convolves() {
    for (seed, s) in shapes().into_iter().enumerate() {
        let x = Map::random(s.batch, s.channels, s.input, seed as u64);
        let weight = narrow(&random(s.width * s.depth(), 7)).iter().map(|&w| f64::from(w)).collect::<Vec<_>>();
        let want = reference(&s, &x, &weight, false);
        for layout in [Layout::Blocked, Layout::Plain] {
            let (source, from) = x.lay(layout);
            cpus(|cpu| {
                let conv =
                    Conv::new(MapShape { shape: s, layout, prologue: false }, cpu.thread_pool.threads(), cpu.isa);
                compare(cpu, &conv, source.read(&from), &weight, &want, tolerance(&s));
            });
        }
    }
}

#[test]
fn convolves_transposed() {
    for (seed, s) in shapes().into_iter().enumerate() {
        // The gradient of a convolution by its input goes from its width to its channels.
        let x = Map::random(s.batch, s.width, s.output, seed as u64);
        let weight = narrow(&random(s.width * s.depth(), 7)).iter().map(|&w| f64::from(w)).collect::<Vec<_>>();
        let want = reference(&s, &x, &weight, true);
        let turned = ConvShape { channels: s.width, width: s.channels, input: s.output, output: s.input, ..s };
        let (source, from) = x.lay(Layout::Blocked);
        cpus(|cpu| {
            let conv = Conv::transposed(turned, cpu.thread_pool.threads(), cpu.isa);
            compare(cpu, &conv, source.read(&from), &weight, &want, 1e-5);
        });
    }
}

fn plain(f: Option<Activation>, x: f64) -> f64 {
    match f {
        None => x,
        Some(Activation::Relu) => x.max(0.0),
        Some(Activation::Sigmoid) => 1.0 / (1.0 + (-x).exp()),
        Some(Activation::LeakyRelu { slope }) => x.max(0.0) + slope * x.min(0.0),
        Some(f) => unreachable!("{f:?} is not tested here"),
    }
}

/// A whole number of blocks of these, zeros at the end.
fn whole(mut values: Vec<f32>) -> Vec<f32> {
    values.resize(values.len().next_multiple_of(16), 0.0);
    values
}

#[test]
fn fuses_what_comes_before_and_after() {
    let leaky = Activation::LeakyRelu { slope: 0.1 };
    let options = [
        (Some(Activation::Relu), None, false),
        (None, Some(Activation::Relu), true),
        (Some(Activation::Sigmoid), None, false),
        (Some(leaky), Some(Activation::Sigmoid), true),
    ];
    for s in shapes() {
        let x = Map::random(s.batch, s.channels, s.input, 1);
        let weight = random(s.width * s.depth(), 7);
        let (scale, shift) = (random(s.channels, 2), random(s.channels, 3));
        let before =
            Map::from_fn(s.batch, s.channels, s.input, |n, c, i, j| (scale[c] * x.at(n, c, i, j) + shift[c]).max(0.0));
        let sums = reference(&s, &before, &weight, false);
        let bias = random(s.width, 4);
        let other = Map::random(s.batch, s.width, s.output, 5);
        let (scale, shift) = (whole(narrow(&scale)), whole(narrow(&shift)));
        let prologue = Prologue { scale: &scale, shift: &shift, act: Some(Activation::Relu) };
        let narrow_bias = whole(narrow(&bias));
        let (source, from) = x.lay(Layout::Blocked);
        for (first, last, add) in options {
            let want = Map::from_fn(s.batch, s.width, s.output, |n, c, i, j| {
                let y = plain(first, sums.at(n, c, i, j) + bias[c]);
                plain(last, if add { 0.5 * y - 2.0 * other.at(n, c, i, j) } else { y })
            });
            for in_place in [false, true] {
                cpus(|cpu| {
                    let map = MapShape { shape: s, layout: Layout::Blocked, prologue: true };
                    let conv = Conv::new(map, cpu.thread_pool.threads(), cpu.isa);
                    let packed = packed(&conv.packing(), &weight);
                    let (summand, at) = other.lay(Layout::Blocked);
                    let (mut y, region) = other.lay(Layout::Blocked);
                    let value = if in_place { Other::InPlace } else { Other::Value(summand.read(&at)) };
                    let sum = add.then_some(Sum { value, own: 0.5, other: -2.0 });
                    let epilogue = Epilogue { bias: Some(&narrow_bias), first, sum, last };
                    let mut scratch = vec![f32::NAN; conv.scratch()];
                    let to = y.write(&region);
                    let of = operands(source.read(&from), &packed, Some(prologue), &epilogue, to);
                    conv.run(cpu, &of, &mut scratch);
                    want.compare(&y, &region, tolerance(&s));
                });
            }
        }
    }
}

#[test]
fn threads_and_batch_change_no_bit() {
    for s in shapes() {
        let x = Map::random(s.batch, s.channels, s.input, 1);
        let weight = random(s.width * s.depth(), 7);
        let result = |batch: usize, threads: usize| -> Vec<f32> {
            let s = ConvShape { batch, ..s };
            let thread_pool = crate::ThreadPool::new(threads);
            let cpu = Cpu::new(&thread_pool, Isa::best());
            let conv = Conv::new(s.into(), threads, cpu.isa);
            let packed = packed(&conv.packing(), &weight);
            let mut alone = x.clone();
            alone.batch = batch;
            let (source, from) = alone.lay(Layout::Blocked);
            let mut y = Arena::new(batch * Layout::Blocked.len(s.width, s.positions()));
            let mut scratch = vec![f32::NAN; conv.scratch()];
            let to = Dst::new(y.floats_mut(), batch);
            conv.run(&cpu, &operands(source.read(&from), &packed, None, &Epilogue::default(), to), &mut scratch);
            y.floats().to_vec()
        };
        let want = result(s.batch, 1);
        for threads in [2, 5, 16] {
            assert!(result(s.batch, threads) == want, "{threads} threads");
        }
        // Another batch may be worth another method.
        if cost::fastest(&ConvShape { batch: 1, ..s }) == cost::fastest(&s) {
            let one = result(1, 2);
            assert!(one == want[..one.len()], "alone");
        }
    }
}

#[test]
fn winograd_agrees_with_its_formula() {
    let mut rng = Rng::new(23);
    for case in 0..24 {
        let tile = [2, 4, 6][case % 3];
        let (channels, width) = ([5, 16, 40][rng.below(3)], [7, 32, 64, 80][rng.below(4)]);
        let (input, pad) = ([4 + rng.below(14), 3 + rng.below(15)], [rng.below(3), rng.below(3)]);
        let output = [0, 1].map(|a| input[a] + 2 * pad[a] - 2);
        let batch = if case < 4 { 12 } else { 1 + rng.below(2) };
        let (kernel, one) = ([3, 3], [1, 1]);
        let s = ConvShape { batch, channels, width, groups: 1, input, output, kernel, stride: one, pad, dilation: one };
        let weight = random(width * channels * 9, case as u64);
        let x = Map::random(batch, channels, input, case as u64);
        let (scale, shift, bias) = (random(channels, 2), random(channels, 3), random(width, 4));
        let seen = Map::from_fn(batch, channels, input, |n, c, i, j| (x.at(n, c, i, j) * scale[c] + shift[c]).max(0.0));
        let sums = reference(&s, &seen, &weight, false);
        let want = Map::from_fn(batch, width, output, |n, o, i, j| (sums.at(n, o, i, j) + bias[o]).max(0.0));
        let [scale, shift, bias] = [scale, shift, bias].map(|v| whole(narrow(&v)));
        let (source, from) = x.lay(Layout::Blocked);
        cpus(|cpu| {
            let conv = Winograd::new(s, tile, cpu.thread_pool.threads(), cpu.isa);
            let packed = packed(&Packing::Winograd(conv.packing()), &weight);
            let (mut y, region) = want.lay(Layout::Blocked);
            let prologue = Some(Prologue { scale: &scale, shift: &shift, act: Some(Activation::Relu) });
            let epilogue = Epilogue { bias: Some(&bias), last: Some(Activation::Relu), ..Epilogue::default() };
            let mut scratch = vec![f32::NAN; conv.scratch()];
            let of = operands(source.read(&from), &packed, prologue, &epilogue, y.write(&region));
            conv.run(cpu, &of, &mut scratch);
            want.compare(&y, &region, bound(tile));
        });
    }
}
