//! Single precision by the kernels of [blocked maps](crate::blocked): maps are converted on the way in and out, a few
//! samples at a time so that they stay in the cache, and weights are packed anew in each call.

use super::ConvShape;
use crate::blocked::convert::Convert;
use crate::blocked::winograd::Winograd;
use crate::blocked::{Conv, Cpu, Epilogue, Layout, Operands, blocks};
use crate::elem::Elem;
use crate::parallel::threads;
use crate::vector::LANES;
use crate::{Dst, Isa, Src, ThreadPool};
use std::sync::OnceLock;

/// Floats of blocked maps at a time; 2 MiB took as long as 8.
const HELD: usize = 1 << 20;
/// Channels, in and out, from which blocks are full enough.
const CHANNELS: usize = 8;
/// Pairs of channels whose weights are packed in no time.
const FEW_PAIRS: usize = 1 << 16;
/// Positions of a batch that make up for packing any number of weights.
const POSITIONS: usize = 1 << 10;

/// Whether it is faster so: where there are fewer products to sum (3×3 windows at stride 1), and enough positions for the
/// weights that are packed.
///
/// On two threads of a Zen 5, forward, conversions and packing counted: 64 channels at 8×56² take 3.4 ms after 9.8, 256 at
/// 8×14² 3.9 after 9.0, 128 to 32 at 4×28² 0.53 after 0.71, 64 at 2×256² 30 after 79; but 512 at 8×7² 18 after 13, most
/// of it packing, and 3 to 64 at 2×256² 5.2 after 2.5. Elsewhere there is little to gain, or conversions cost more: 1×1
/// windows take half as long again, 2×2 at stride 2 as well, groups twice as long, 3×3 at stride 2 four fifths.
pub(super) fn pays(shape: &ConvShape) -> bool {
    let positions = shape.batch * shape.positions();
    positions > 0
        && Winograd::supports(shape)
        && shape.channels.min(shape.width) >= CHANNELS
        && (shape.channels * shape.width <= FEW_PAIRS || positions >= POSITIONS)
}

/// Computes [`super::forward`] where that is faster so; says whether it has.
pub(super) fn forward<E: Elem>(shape: &ConvShape, x: &[E], w: &[E], bias: Option<&[E]>, y: &mut [E]) -> bool {
    match (E::floats(x), E::floats(w), E::floats_mut(y)) {
        (Some(x), Some(w), Some(y)) if pays(shape) => run(shape, x, w, bias.and_then(E::floats), y),
        _ => return false,
    }
    true
}

/// The threads of all calls, as many as loops used when the first came. While one call has them, others compute on the
/// threads that they came on.
fn thread_pool() -> &'static ThreadPool {
    static ONE: OnceLock<ThreadPool> = OnceLock::new();
    static ALL: OnceLock<ThreadPool> = OnceLock::new();
    match threads() {
        1 => ONE.get_or_init(|| ThreadPool::new(1)),
        threads => ALL.get_or_init(|| ThreadPool::new(threads)),
    }
}

/// Samples that are computed at once: a divisor of the batch, so that one packing serves all.
fn samples(shape: &ConvShape) -> usize {
    let blocked = |channels, positions| Layout::Blocked.len(channels, positions);
    let one = blocked(shape.channels, shape.input_positions()) + blocked(shape.width, shape.positions());
    let most = (HELD / one.max(1)).clamp(1, shape.batch);
    (1..=most).rev().find(|&n| shape.batch.is_multiple_of(n)).unwrap_or(1)
}

/// Packs, and converts, computes and converts back some samples after others.
fn run(shape: &ConvShape, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let cpu = Cpu::new(thread_pool(), Isa::best());
    let batch = samples(shape);
    let conv = Conv::new(ConvShape { batch, ..*shape }.into(), cpu.thread_pool.threads(), cpu.isa);
    let packing = conv.packing();
    let (channels, width, input, output) = (shape.channels, shape.width, shape.input_positions(), shape.positions());
    let into = Convert { channels, positions: input, from: Layout::Plain, to: Layout::Blocked };
    let back = Convert { channels: width, positions: output, from: Layout::Blocked, to: Layout::Plain };
    let lens = [
        packing.len(),
        batch * Layout::Blocked.len(channels, input),
        batch * Layout::Blocked.len(width, output),
        blocks(width) * LANES,
        conv.scratch(),
    ];
    let with_gaps = lens.iter().map(|len| len.next_multiple_of(LANES)).sum::<usize>() + LANES;
    f32::with_scratch(with_gaps, |memory| {
        let [packed, inner_x, inner_y, terms, scratch] = split(memory, lens);
        packing.pack(w, packed);
        terms.fill(0.0);
        if let Some(bias) = bias {
            terms[..width].copy_from_slice(bias);
        }
        let epilogue = Epilogue { bias: bias.is_some().then_some(&*terms), ..Epilogue::default() };
        for (x, y) in x.chunks_exact(batch * channels * input).zip(y.chunks_exact_mut(batch * width * output)) {
            into.run(&cpu, Src::new(x, batch), Dst::new(inner_x, batch));
            let (x, to) = (Src::new(inner_x, batch), Dst::new(inner_y, batch));
            conv.run(&cpu, &Operands { x, packed, prologue: None, epilogue: &epilogue, y: to }, scratch);
            back.run(&cpu, Src::new(inner_y, batch), Dst::new(y, batch));
        }
    });
}

/// Memory in parts that start at lines of the cache, which are as long as vectors.
///
/// # Panics
/// Where there is less than whole lines for all of them, and one.
fn split<const N: usize>(memory: &mut [f32], lens: [usize; N]) -> [&mut [f32]; N] {
    let start = memory.as_ptr().align_offset(LANES * size_of::<f32>()).min(LANES);
    let mut rest = &mut memory[start..];
    lens.map(|len| {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(len.next_multiple_of(LANES));
        rest = after;
        &mut part[..len]
    })
}
