//! The forward pass as products of the weight with tiles of columns.

use super::ConvShape;
use super::columns::Plan;
use crate::elem::Elem;
use crate::gemm::{Mat, Threads, gemm, gemm_into};
use crate::parallel::{Parts, tasks, threads};
use std::ops::Range;

/// Bytes of columns that a tile may take: what fits into the second-level cache beside the rest.
const TILE_BYTES: usize = 768 << 10;
/// Positions that a tile should be a multiple of: the micro-kernel's rows.
const GRAIN: usize = 48;

/// How the batch's positions are cut: into parts of each sample, or into several whole samples.
struct Tiles {
    /// Positions of a tile, counted from its first sample.
    ranges: Vec<Range<usize>>,
    /// Whole samples that a tile takes; 1 where samples are cut.
    samples: usize,
}

impl Tiles {
    fn new(shape: &ConvShape, bytes: usize) -> Self {
        let positions = shape.positions();
        let most = (TILE_BYTES / (shape.depth() * bytes)).clamp(2 * GRAIN, 4096);
        let wanted = threads().min(shape.batch * positions / GRAIN + 1);
        if positions * 2 <= most {
            // As many runs for each thread, all of about the same length.
            let runs = shape.batch.div_ceil((most / positions).max(1)).next_multiple_of(wanted);
            let samples = shape.batch.div_ceil(runs);
            return Self { ranges: std::iter::once(0..samples * positions).collect(), samples };
        }
        // Enough tiles for the threads if maps are large, as even as the grain allows.
        let shared = if positions >= 4 * GRAIN * wanted { wanted.div_ceil(shape.batch) } else { 1 };
        let parts = positions.div_ceil(most).max(shared);
        let len = positions.div_ceil(parts).next_multiple_of(GRAIN);
        let ranges = (0..positions).step_by(len).map(|p| p..(p + len).min(positions)).collect();
        Self { ranges, samples: 1 }
    }
}

/// See [`super::forward`].
pub(super) fn forward<E: Elem>(shape: &ConvShape, x: &[E], w: &[E], bias: Option<&[E]>, y: &mut [E]) {
    if y.is_empty() || shape.depth() == 0 {
        return y.fill(E::ZERO);
    }
    let tiles = Tiles::new(shape, size_of::<E>());
    let job = Job { shape, x, w, bias, y: Parts::new(y) };
    let runs = shape.batch.div_ceil(tiles.samples);
    let slices = slices(shape, runs * tiles.ranges.len());
    if shape.is_pointwise() && tiles.samples == 1 {
        tasks(runs * tiles.ranges.len() * slices.len(), shape.work(), |i| {
            let (tile, slice) = (i / slices.len(), slices[i % slices.len()]);
            let range = &tiles.ranges[tile % tiles.ranges.len()];
            job.pointwise(tile / tiles.ranges.len(), slice, range.clone());
        });
        return;
    }
    let plans: Vec<Plan> = tiles.ranges.iter().map(|r| Plan::for_gather(shape, r.clone())).collect();
    let last = shape.batch - (runs - 1) * tiles.samples;
    let last_plan = (last < tiles.samples).then(|| Plan::for_gather(shape, 0..last * shape.positions()));
    tasks(runs * plans.len() * slices.len(), shape.work(), |i| {
        let (tile, slice) = (i / slices.len(), slices[i % slices.len()]);
        let (run, part) = (tile / plans.len(), tile % plans.len());
        let plan = if run + 1 == runs { last_plan.as_ref().unwrap_or(&plans[part]) } else { &plans[part] };
        job.tile(run * tiles.samples, slice, tiles.ranges[part].start, plan);
    });
}

/// Output channels that one task computes.
#[derive(Clone, Copy)]
struct Slice {
    group: usize,
    /// The first, counted through groups.
    first: usize,
    width: usize,
}

/// The groups; cut further where there would be fewer tasks than threads.
fn slices(shape: &ConvShape, tiles: usize) -> Vec<Slice> {
    let width = shape.group_width();
    let parts = threads().div_ceil(tiles * shape.groups).min(width.div_ceil(8));
    let step = width.div_ceil(parts);
    let group = |group: usize| {
        let part = move |at: usize| Slice { group, first: group * width + at, width: step.min(width - at) };
        (0..width).step_by(step).map(part)
    };
    (0..shape.groups).flat_map(group).collect()
}

/// What all tiles share.
struct Job<'a, E> {
    shape: &'a ConvShape,
    x: &'a [E],
    w: &'a [E],
    bias: Option<&'a [E]>,
    y: Parts<'a, E>,
}

impl<E: Elem> Job<'_, E> {
    fn weight(&self, slice: Slice) -> Mat<'_, E> {
        let depth = self.shape.depth();
        Mat::new(&self.w[slice.first * depth..][..slice.width * depth], slice.width, depth, depth)
    }

    /// Positions of one sample whose columns are the input itself.
    fn pointwise(&self, sample: usize, slice: Slice, range: Range<usize>) {
        let (shape, positions) = (self.shape, self.shape.positions());
        let start = (sample * shape.channels + slice.group * shape.depth()) * positions + range.start;
        let columns = Mat::new(&self.x[start..], shape.depth(), range.len(), positions);
        self.product(sample, slice, range, columns);
    }

    /// A tile from position `first` of `sample` on.
    fn tile(&self, sample: usize, slice: Slice, first: usize, plan: &Plan) {
        let (shape, len, width) = (self.shape, plan.len, slice.width);
        let (depth, positions) = (shape.depth(), shape.positions());
        let whole = first + len <= positions;
        let x = &self.x[(sample * shape.channels + slice.group * shape.group_channels()) * shape.input_positions()..];
        E::with_scratch(depth * len + if whole { 0 } else { width * len }, |scratch| {
            let (columns, out) = scratch.split_at_mut(depth * len);
            plan.gather(x, 0..depth, columns);
            let columns = Mat::new(columns, depth, len, len);
            if whole {
                return self.product(sample, slice, first..first + len, columns);
            }
            gemm(out, len, false, self.weight(slice), columns, Threads::One);
            for n in 0..len / positions {
                self.deal_out(sample + n, slice, out, len, n * positions);
            }
        });
    }

    /// Copies one sample's maps from rows of `len`, where they start at `at`, to where they belong.
    fn deal_out(&self, sample: usize, slice: Slice, out: &[E], len: usize, at: usize) {
        let (width, positions) = (slice.width, self.shape.positions());
        let start = (sample * self.shape.width + slice.first) * positions;
        // SAFETY: a task owns its samples' maps of its slice.
        let maps = unsafe { self.y.range(start, width * positions) };
        for (o, map) in maps.chunks_exact_mut(positions).enumerate() {
            let b = self.bias.map_or(E::ZERO, |b| b[slice.first + o]);
            map.iter_mut().zip(&out[o * len + at..]).for_each(|(y, &v)| *y = v + b);
        }
    }

    /// The product for positions of one sample, written where it belongs.
    fn product(&self, sample: usize, slice: Slice, range: Range<usize>, columns: Mat<E>) {
        let (width, positions) = (slice.width, self.shape.positions());
        let start = (sample * self.shape.width + slice.first) * positions + range.start;
        let out = self.y.pointer(start, (width - 1) * positions + range.len());
        // SAFETY: `pointer` checked that rows of the range's length, `positions` apart, lie inside; a
        // task owns its positions of its slice.
        unsafe { gemm_into(out, positions, false, self.weight(slice), columns, Threads::One) };
        let Some(bias) = self.bias else { return };
        for o in 0..width {
            // SAFETY: as above.
            let row = unsafe { self.y.range(start + o * positions, range.len()) };
            let b = bias[slice.first + o];
            row.iter_mut().for_each(|v| *v += b);
        }
    }
}
