//! Against the definitions in double precision, on both layouts, in place and not.

use super::super::blocks;
use super::super::testing::{Map, cpus};
use super::*;
use crate::blocked::stretch::{Meet, Stretch};
use crate::testing::Rng;

const LAYOUTS: [Layout; 2] = [Layout::Plain, Layout::Blocked];

fn functions() -> [Option<Activation>; 6] {
    let leaky = Activation::LeakyRelu { slope: 0.1 };
    [
        None,
        Some(Activation::Relu),
        Some(leaky),
        Some(Activation::Sigmoid),
        Some(Activation::HardSigmoid),
        Some(Activation::Gelu),
    ]
}

fn activated(act: Option<Activation>, mut map: Map) -> Map {
    if let Some(f) = act {
        let plain = map.values.clone();
        crate::activation::forward(&f, &plain, &mut map.values);
    }
    map
}

/// One normal number a channel, and the same in blocks.
fn parameter(channels: usize, seed: u64) -> (Vec<f64>, Vec<f32>) {
    let values = Map::random(1, channels, [1, 1], seed).values;
    let mut padded: Vec<f32> = values.iter().map(|&v| v as f32).collect();
    padded.resize(blocks(channels) * LANES, 0.0);
    (values, padded)
}

/// Runs on each way to compute: from `operands`, or over operand `over`.
fn agree(want: &Map, operands: &[Map], over: usize, layout: Layout, run: impl Fn(&Cpu, &[Other], Dst)) {
    let laid: Vec<_> = operands.iter().map(|x| x.lay(layout)).collect();
    let (expected, place) = want.lay(layout);
    cpus(|cpu| {
        for in_place in [false, true] {
            let (mut got, _) = if in_place { operands[over].lay(layout) } else { want.lay(layout) };
            // What lies in memory is not looked at unless the kernel works in place.
            if !in_place {
                got.floats_mut().fill(1e9);
            }
            let others: Vec<Other> = laid
                .iter()
                .enumerate()
                .map(
                    |(i, (arena, at))| {
                        if in_place && i == over { Other::InPlace } else { Other::Value(arena.read(at)) }
                    },
                )
                .collect();
            run(cpu, &others, got.write(&place));
            let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 2e-6 * (1.0 + b.abs());
            assert!(got.floats().iter().zip(expected.floats()).all(close), "{layout:?} {in_place} {:?}", cpu.isa);
        }
    });
}

#[test]
fn factors_and_terms_per_channel() {
    let mut rng = Rng::new(1);
    for case in 0..24 {
        let size = if case % 4 == 0 { [1, 1] } else { [1 + rng.below(6), 1 + rng.below(9)] };
        let (batch, channels) = (1 + rng.below(3), 1 + rng.below(40));
        let x = Map::random(batch, channels, size, case);
        let (scale, shift, slope) = (parameter(channels, 90), parameter(channels, 91), parameter(channels, 92));
        let given = |bit: u64| case & bit > 0;
        let act = functions()[case as usize % 6];
        let want = Map::from_fn(batch, channels, size, |n, c, i, j| {
            let y =
                x.at(n, c, i, j) * if given(1) { scale.0[c] } else { 1.0 } + if given(2) { shift.0[c] } else { 0.0 };
            if given(4) && y < 0.0 { y * slope.0[c] } else { y }
        });
        let want = activated(act, want);
        for layout in LAYOUTS {
            let affine = Affine {
                extent: Extent { layout, channels, positions: size[0] * size[1] },
                scale: given(1).then_some(&scale.1),
                shift: given(2).then_some(&shift.1),
                slope: given(4).then_some(&slope.1),
                act,
            };
            agree(&want, std::slice::from_ref(&x), 0, layout, |cpu, x, y| affine.run(cpu, x[0], y));
        }
    }
}

#[test]
fn sums() {
    let mut rng = Rng::new(2);
    for case in 0..24 {
        let (batch, channels, size) = (1 + rng.below(3), 1 + rng.below(40), [1 + rng.below(6), 1 + rng.below(9)]);
        let operands: Vec<Map> = (0..2 + case % 3).map(|k| Map::random(batch, channels, size, 10 * case + k)).collect();
        let factors = &[1.0, 0.5, -2.0, 1.0][..operands.len()];
        let term = |k: usize, n, c, i, j| f64::from(factors[k]) * operands[k].at(n, c, i, j);
        let sum = |n, c, i, j| (0..factors.len()).map(|k| term(k, n, c, i, j)).sum::<f64>();
        let act = functions()[case as usize % 6];
        let want = activated(act, Map::from_fn(batch, channels, size, sum));
        for layout in LAYOUTS {
            let add = Add { extent: Extent { layout, channels, positions: size[0] * size[1] }, factors, act };
            agree(&want, &operands, case as usize % 2, layout, |cpu, x, y| add.run(cpu, x, y));
        }
    }
}

#[test]
fn products_and_gates_stretch_sizes_of_one() {
    let mut rng = Rng::new(3);
    for case in 0..40 {
        let (batch, size) = (1 + rng.below(3), [1 + rng.below(40), 1 + rng.below(6), 1 + rng.below(9)]);
        let gate = case % 3 == 0;
        let count = if gate { 3 } else { 2 + case as usize % 2 };
        let mut sizes = vec![size; count];
        // Operand 0 has the result's size, the last is stretched along some axes.
        (0..3).for_each(|a| sizes[count - 1][a] = if rng.below(2) == 0 { 1 } else { size[a] });
        let operands: Vec<Map> = sizes
            .iter()
            .enumerate()
            .map(|(k, s)| Map::random(batch, s[0], [s[1], s[2]], 10 * case + k as u64))
            .collect();
        let at = |k: usize, n: usize, c: usize, i: usize, j: usize| {
            operands[k].at(n, c.min(sizes[k][0] - 1), i.min(sizes[k][1] - 1), j.min(sizes[k][2] - 1))
        };
        let act = functions()[case as usize % 6];
        let want = Map::from_fn(batch, size[0], [size[1], size[2]], |n, c, i, j| {
            let open = 1.0 / (1.0 + (-at(count - 1, n, c, i, j)).exp());
            if gate {
                open * at(1, n, c, i, j) + (1.0 - open) * at(0, n, c, i, j)
            } else {
                (0..count).map(|k| at(k, n, c, i, j)).product()
            }
        });
        let want = activated(act, want);
        for layout in LAYOUTS {
            let meet = if gate { Meet::Gate } else { Meet::Product };
            let stretch = Stretch { meet, layout, size, operands: &sizes, act };
            agree(&want, &operands, 0, layout, |cpu, x, y| stretch.run(cpu, x, y));
        }
    }
}
