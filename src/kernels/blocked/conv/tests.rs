use super::*;
use crate::base::Rng;
use crate::kernels::arena::Arena;
use crate::kernels::blocked::testing::{Map, cpus};
use crate::kernels::blocked::{Other, Sum, blocks};
use crate::kernels::vector::LANES;
use crate::ops::activation::Activation;

/// A random convolution: sizes, and its plain weight `[O, I/groups, taps]`.
fn random(rng: &mut Rng) -> (ConvShape, Vec<f64>) {
    let groups = [1, 1, 1, 2, 3][rng.below(5)];
    let (into, out) = ([1, 3, 5, 16, 32][rng.below(5)], [1, 4, 16, 20, 64][rng.below(5)]);
    let depthwise = rng.below(6) == 0;
    let (groups, into, out) = if depthwise { (1 + rng.below(40), 1, 1) } else { (groups, into, out) };
    let pick = |rng: &mut Rng, most: usize| [1 + rng.below(most), 1 + rng.below(most)];
    let (kernel, stride, dilation) = (pick(rng, 3), pick(rng, 2), pick(rng, 2));
    let (input, pad) = ([6 + rng.below(8), 5 + rng.below(8)], [rng.below(3), rng.below(3)]);
    let output = [0, 1].map(|a| ConvShape::output_size(input[a], kernel[a], stride[a], pad[a], dilation[a]).unwrap());
    let batch = 1 + rng.below(3);
    let shape = ConvShape {
        batch,
        channels: groups * into,
        width: groups * out,
        groups,
        input,
        output,
        kernel,
        stride,
        pad,
        dilation,
    };
    let weight = (0..shape.width * shape.depth()).map(|_| f64::from(rng.normal() as f32)).collect();
    (shape, weight)
}

fn reference(shape: &ConvShape, x: &Map, weight: &[f64]) -> Map {
    let (into, rows) = (shape.group_channels(), shape.group_width());
    Map::from_fn(shape.batch, shape.width, shape.output, |n, o, i, j| {
        let mut sum = 0.0;
        for c in 0..into {
            for t in 0..shape.taps() {
                let row = (i * shape.stride[0] + t / shape.kernel[1] * shape.dilation[0]).wrapping_sub(shape.pad[0]);
                let col = (j * shape.stride[1] + t % shape.kernel[1] * shape.dilation[1]).wrapping_sub(shape.pad[1]);
                if row < shape.input[0] && col < shape.input[1] {
                    sum += x.at(n, o / rows * into + c, row, col) * weight[(o * into + c) * shape.taps() + t];
                }
            }
        }
        sum
    })
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

fn padded(values: &[f64]) -> Vec<f32> {
    let mut values = narrow(values);
    values.resize(blocks(values.len()) * LANES, 0.0);
    values
}

/// What an epilogue does to one number.
fn finished(epilogue: &Epilogue, value: f64, bias: f64, other: f64) -> f64 {
    let act = |f: &Option<Activation>, x: f64| {
        let mut y = [x];
        f.iter().for_each(|f| crate::kernels::activation::forward(f, &[x], &mut y));
        y[0]
    };
    let first = act(&epilogue.first, value + bias);
    let sum = epilogue.sum.as_ref().map_or(first, |s| first * f64::from(s.own) + other * f64::from(s.other));
    act(&epilogue.last, sum)
}

#[test]
fn convolutions_agree_with_their_formula() {
    let mut rng = Rng::new(21);
    for case in 0..60 {
        let (shape, weight) = random(&mut rng);
        let few = shape.groups == 1 && shape.channels <= 5 && case % 2 == 0;
        let layout = if few { Layout::Plain } else { Layout::Blocked };
        let x = Map::random(shape.batch, shape.channels, shape.input, case);
        let bias = Map::random(1, shape.width, [1, 1], case + 70).values;
        let other = Map::random(shape.batch, shape.width, shape.output, case + 71);
        let (scale, shift) =
            (Map::random(1, shape.channels, [1, 1], 1).values, Map::random(1, shape.channels, [1, 1], 2).values);
        let before = !few && case % 3 == 0;
        let seen = match before {
            true => Map::from_fn(x.batch, x.channels, x.size, |n, c, i, j| {
                (x.at(n, c, i, j) * scale[c] + shift[c]).max(0.0)
            }),
            false => x.clone(),
        };
        let mut epilogue = Epilogue {
            first: [None, Some(Activation::Relu), Some(Activation::Sigmoid)][case as usize % 3],
            ..Epilogue::default()
        };
        if case % 2 == 1 {
            epilogue.sum = Some(Sum { value: Other::InPlace, own: 0.5, other: 2.0 });
            epilogue.last = [None, Some(Activation::HardSwish)][case as usize / 2 % 2];
        }
        let plain = reference(&shape, &seen, &weight);
        let want = Map::from_fn(shape.batch, shape.width, shape.output, |n, o, i, j| {
            finished(&epilogue, plain.at(n, o, i, j), bias[o], other.at(n, o, i, j))
        });
        cpus(|cpu| {
            let conv = Conv::new(shape, layout, cpu.team.threads(), cpu.isa);
            let mut packed = Arena::new(conv.packing().len());
            conv.packing().pack(&narrow(&weight), packed.floats_mut());
            let (bias, scale, shift) = (padded(&bias), padded(&scale), padded(&shift));
            let prologue = before.then_some(Prologue { scale: &scale, shift: &shift, act: Some(Activation::Relu) });
            let (source, from) = x.lay(layout);
            let (summand, lies) = other.lay(Layout::Blocked);
            let mut scratch = vec![f32::NAN; conv.scratch()];
            for in_place in [true, false] {
                let (mut arena, region) = other.lay(Layout::Blocked);
                let mut epilogue = Epilogue { bias: Some(&bias), ..epilogue };
                if let (Some(sum), false) = (&mut epilogue.sum, in_place) {
                    sum.value = Other::Value(summand.read(&lies));
                    arena.floats_mut().fill(1e9);
                }
                conv.run(
                    cpu,
                    source.read(&from),
                    packed.floats(),
                    prologue,
                    &epilogue,
                    arena.write(&region),
                    &mut scratch,
                );
                want.compare(&arena, &region, 3e-6);
            }
        });
    }
}

#[test]
fn transposed_convolutions_agree_with_their_formula() {
    let mut rng = Rng::new(22);
    for case in 0..40 {
        let (mut shape, weight) = random(&mut rng);
        let out_pad = [0, 1].map(|a| rng.below(shape.stride[a].max(shape.dilation[a])));
        shape.output = [0, 1].map(|a| {
            let full =
                (shape.input[a] - 1) * shape.stride[a] + shape.dilation[a] * (shape.kernel[a] - 1) + out_pad[a] + 1;
            full - 2 * shape.pad[a]
        });
        let x = Map::random(shape.batch, shape.channels, shape.input, case);
        let (into, rows) = (shape.group_channels(), shape.group_width());
        let want = Map::from_fn(shape.batch, shape.width, shape.output, |n, o, i, j| {
            let mut sum = 0.0;
            for c in 0..into {
                let channel = o / rows * into + c;
                for t in 0..shape.taps() {
                    let from = |a: usize, at: usize, k: usize| {
                        let reach = (at + shape.pad[a]).checked_sub(k * shape.dilation[a])?;
                        (reach % shape.stride[a] == 0 && reach / shape.stride[a] < shape.input[a])
                            .then_some(reach / shape.stride[a])
                    };
                    if let (Some(i), Some(j)) = (from(0, i, t / shape.kernel[1]), from(1, j, t % shape.kernel[1])) {
                        sum += x.at(n, channel, i, j) * weight[(channel * rows + o % rows) * shape.taps() + t];
                    }
                }
            }
            sum
        });
        cpus(|cpu| {
            let conv = ConvTranspose::new(shape, cpu.team.threads(), cpu.isa);
            let mut packed = Arena::new(conv.packing().len());
            conv.packing().pack(&narrow(&weight), packed.floats_mut());
            let mut scratch = vec![f32::NAN; conv.scratch()];
            let run = |x: Src, y: Dst| conv.run(cpu, x, packed.floats(), &Epilogue::default(), y, &mut scratch);
            want.check(&x, run, 3e-6);
        });
    }
}

#[test]
fn winograd_agrees_with_its_formula() {
    let mut rng = Rng::new(23);
    for case in 0..24 {
        let (tile, bound) = [(2, 3e-6), (4, 2e-5), (6, 6e-5)][case % 3];
        let (channels, width) = ([5, 16, 40][rng.below(3)], [7, 32, 64, 80][rng.below(4)]);
        let (input, pad) = ([4 + rng.below(14), 3 + rng.below(15)], [rng.below(3), rng.below(3)]);
        let output = [0, 1].map(|a| input[a] + 2 * pad[a] - 2);
        let batch = if case < 4 { 12 } else { 1 + rng.below(2) };
        let one = [1, 1];
        let shape = ConvShape {
            batch,
            channels,
            width,
            groups: 1,
            input,
            output,
            kernel: [3, 3],
            stride: one,
            pad,
            dilation: one,
        };
        let weight: Vec<f64> = (0..width * channels * 9).map(|_| f64::from(rng.normal() as f32)).collect();
        let x = Map::random(batch, channels, input, case as u64);
        let bias = Map::random(1, width, one, case as u64 + 70).values;
        let (scale, shift) = (Map::random(1, channels, one, 1).values, Map::random(1, channels, one, 2).values);
        let seen = Map::from_fn(batch, channels, input, |n, c, i, j| (x.at(n, c, i, j) * scale[c] + shift[c]).max(0.0));
        let plain = reference(&shape, &seen, &weight);
        let want = Map::from_fn(batch, width, output, |n, o, i, j| (plain.at(n, o, i, j) + bias[o]).max(0.0));
        let (bias, scale, shift) = (padded(&bias), padded(&scale), padded(&shift));
        cpus(|cpu| {
            let conv = Winograd::new(shape, tile, cpu.team.threads(), cpu.isa);
            let mut packed = Arena::new(conv.packing().len());
            conv.packing().pack(&narrow(&weight), packed.floats_mut());
            let prologue = Some(Prologue { scale: &scale, shift: &shift, act: Some(Activation::Relu) });
            let epilogue = Epilogue { bias: Some(&bias), last: Some(Activation::Relu), ..Epilogue::default() };
            let mut scratch = vec![f32::NAN; conv.scratch()];
            let run = |x: Src, y: Dst| conv.run(cpu, x, packed.floats(), prologue, &epilogue, &y, &mut scratch);
            want.check(&x, run, bound);
        });
    }
}
