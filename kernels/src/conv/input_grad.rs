//! The input's gradient: at stride 1 a convolution with the weight turned, else products scattered.

use super::ConvShape;
use super::columns::Plan;
use super::{blocks, forward};
use crate::elem::Elem;
use crate::gemm::{Mat, Threads, gemm};
use crate::parallel::{Parts, tasks, threads};

/// Elements of columns that one product may give.
const SCRATCH: usize = 192 << 10;

/// See [`super::input_grad`].
pub(super) fn input_grad<E: Elem>(shape: &ConvShape, dy: &[E], w: &[E], dx: &mut [E]) {
    match turned(shape) {
        Some(turned) => {
            let w = turn(shape, w);
            if !blocks::forward(&turned, dy, &w, None, dx) {
                forward::forward(&turned, dy, &w, None, dx);
            }
        }
        None => scattered(shape, dy, w, dx),
    }
}

/// The convolution that gives the input's gradient, where there is one.
fn turned(shape: &ConvShape) -> Option<ConvShape> {
    let pad = |axis: usize| (shape.dilation[axis] * (shape.kernel[axis] - 1)).checked_sub(shape.pad[axis]);
    (shape.stride == [1, 1]).then_some(())?;
    Some(ConvShape {
        channels: shape.width,
        width: shape.channels,
        input: shape.output,
        output: shape.input,
        pad: [pad(0)?, pad(1)?],
        ..*shape
    })
}

/// The weight with taps reversed and, in each group, channels in and out exchanged.
fn turn<E: Elem>(shape: &ConvShape, w: &[E]) -> Vec<E> {
    let (channels, width, taps) = (shape.group_channels(), shape.group_width(), shape.taps());
    let mut out = vec![E::ZERO; w.len()];
    for (g, out) in out.chunks_exact_mut(channels * width * taps).enumerate() {
        for (c, out) in out.chunks_exact_mut(width * taps).enumerate() {
            for (o, out) in out.chunks_exact_mut(taps).enumerate() {
                let source = &w[((g * width + o) * channels + c) * taps..][..taps];
                out.iter_mut().zip(source.iter().rev()).for_each(|(out, &v)| *out = v);
            }
        }
    }
    out
}

/// Products `wᵀ·dy` added where their windows lie. A task owns some channels of one sample.
fn scattered<E: Elem>(shape: &ConvShape, dy: &[E], w: &[E], dx: &mut [E]) {
    if dy.is_empty() || shape.depth() == 0 {
        return dx.fill(E::ZERO);
    }
    let (depth, width, positions) = (shape.depth(), shape.group_width(), shape.positions());
    let (channels, taps, plane) = (shape.group_channels(), shape.taps(), shape.input_positions());
    let tasks_wanted = (2 * threads()).div_ceil(shape.batch * shape.groups).min(channels);
    let block = channels.div_ceil(tasks_wanted.max(1)).min((256 / taps).max(1));
    let blocks = channels.div_ceil(block);
    let tile = (SCRATCH / (block * taps)).max(48).min(positions);
    let plans: Vec<Plan> =
        (0..positions).step_by(tile).map(|p| Plan::for_scatter(shape, p..(p + tile).min(positions))).collect();
    let dx = Parts::new(dx);
    tasks(shape.batch * shape.groups * blocks, shape.work(), |i| {
        let (sample, group, c) = (i / blocks / shape.groups, i / blocks % shape.groups, i % blocks * block);
        let count = block.min(channels - c);
        let rows = c * taps..(c + count) * taps;
        let start = (sample * shape.channels + group * channels + c) * plane;
        // SAFETY: each task has channels of its own.
        let dx = unsafe { dx.range(start, count * plane) };
        dx.fill(E::ZERO);
        let weight = &w[group * width * depth..][..width * depth];
        let weight = Mat::new(&weight[rows.start..], width, rows.len(), depth).transposed();
        E::with_scratch(rows.len() * tile, |columns| {
            for (i, plan) in plans.iter().enumerate() {
                let start = (sample * shape.width + group * width) * positions + i * tile;
                let grad = Mat::new(&dy[start..], width, plan.len, positions);
                let columns = &mut columns[..rows.len() * plan.len];
                gemm(columns, plan.len, false, weight, grad, Threads::One);
                plan.scatter(columns, 0..rows.len(), dx);
            }
        });
    });
}
