//! One task of a direct convolution: its inputs, copied where they must be, then its outputs.

use super::geometry::Phase;
use super::outputs::Outputs;
use super::region::Region;
use super::{Direct, TILE};
use crate::blocked::conv::Operands;
use crate::blocked::epilogue::activate;
use crate::blocked::{Cpu, Prologue};
use crate::isa::Kernel;
use crate::vector::{LANES, Vector};
use crate::view::Src;

/// What one call of the thread pool does.
pub(super) struct Task<'a> {
    pub conv: &'a Direct,
    pub cpu: &'a Cpu<'a>,
    pub task: usize,
    pub of: &'a Operands<'a>,
}

/// Where a task's inputs lie: the address of row and column `origin`, which the task sees first.
#[derive(Clone, Copy)]
pub(super) struct Input {
    pub start: *const f32,
    pub region: Region,
    pub origin: [isize; 2],
}

impl Task<'_> {
    pub fn run(self, scratch: &mut [f32]) {
        let (conv, of) = (self.conv, self.of);
        let (sample, bundle, places, groups) = conv.chunks.task(self.task);
        let (copy, spare) = scratch.split_at_mut(conv.share() - TILE);
        let own = Region::whole(conv.input, conv.bundles.lanes);
        let channels = bundle * conv.bundles.units();
        let input = if conv.copies {
            let plane = conv.shape.input_positions() * own.lanes;
            let x = &of.x.sample(sample)[channels * plane..][..conv.bundles.units() * plane];
            let [rows, columns] = conv.input;
            let map = match conv.vectors {
                true => Map { start: x.as_ptr(), unit: own.lanes, row: 0, column: apart(&of.x), rows, columns },
                false => Map { start: x.as_ptr(), unit: own.unit, row: own.row, column: own.lanes, rows, columns },
            };
            let copying = Copying { conv, map, channels, places, prologue: of.prologue, copy };
            self.cpu.isa.run(copying)
        } else {
            let start = of.x.sample(sample)[channels * own.unit..].as_ptr();
            Input { start, region: own, origin: [0; 2] }
        };
        let job = Outputs { conv, cpu: self.cpu, of, sample, bundle, input };
        let mut from = groups[0];
        while from < groups[1] {
            let to = (from + conv.chunks.stay).min(groups[1]);
            job.rows(places, [from, to], spare);
            from = to;
        }
    }
}

/// Floats from a sample to the next.
pub(super) fn apart(x: &Src) -> usize {
    if x.samples() > 1 {
        (x.sample(1).as_ptr() as usize - x.sample(0).as_ptr() as usize) / size_of::<f32>()
    } else {
        LANES
    }
}

/// A bundle's input where it lies; floats from one to the next of units, rows and columns.
#[derive(Clone, Copy)]
struct Map {
    start: *const f32,
    unit: usize,
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
}

/// Copies what outputs at these places see, with zeros outside of the map.
struct Copying<'a> {
    conv: &'a Direct,
    map: Map,
    /// The first block (or plain channel).
    channels: usize,
    places: [[usize; 2]; 2],
    prologue: Option<Prologue<'a>>,
    copy: &'a mut [f32],
}

impl Kernel for Copying<'_> {
    type Output = Input;

    #[inline(always)]
    fn run<V: Vector>(self) -> Input {
        let (region, lanes) = (self.conv.region, self.conv.region.lanes);
        let [rows, columns] = [0, 1].map(|a| self.span(a));
        for unit in 0..self.conv.bundles.units() {
            for (i, row) in (rows.0..rows.1).enumerate() {
                let to = &mut self.copy[unit * region.unit + i * region.row..][..region.row];
                if row < 0 || row >= self.map.rows as isize {
                    to.fill(0.0);
                    continue;
                }
                let from = self.map.start.wrapping_add(unit * self.map.unit + row as usize * self.map.row);
                for remainder in 0..region.stride {
                    let to = &mut to[remainder * region.remainder..][..region.remainder];
                    let count = ((columns.1 - columns.0) as usize).saturating_sub(remainder).div_ceil(region.stride);
                    let first = columns.0 + remainder as isize;
                    let outside = |column: isize| (column - first).max(0) as usize;
                    let left = outside(0).div_ceil(region.stride).min(count);
                    let right = outside(self.map.columns as isize).div_ceil(region.stride).clamp(left, count);
                    to[..left * lanes].fill(0.0);
                    to[right * lanes..].fill(0.0);
                    let at = first + (left * region.stride) as isize;
                    let from = from.wrapping_offset(at * self.map.column as isize);
                    let step = region.stride * self.map.column;
                    // SAFETY: the row exists, and so do its columns from `left` to `right`.
                    unsafe {
                        self::fill::<V>(
                            from,
                            step,
                            &mut to[left * lanes..right * lanes],
                            lanes,
                            self.channels + unit,
                            self.prologue,
                        )
                    };
                }
            }
        }
        Input { start: self.copy.as_ptr(), region, origin: [rows.0, columns.0] }
    }
}

impl Copying<'_> {
    /// Inputs on an axis that the task sees.
    #[inline(always)]
    fn span(&self, a: usize) -> (isize, isize) {
        let seen = |p: &Phase| p.span(a, self.places[a][0], self.places[a][1]);
        let phases = &self.conv.phases;
        let low = phases.iter().map(|p| seen(p).0).min().unwrap_or(0);
        (low, phases.iter().map(|p| seen(p).1).max().unwrap_or(0).max(low))
    }
}

/// Copies columns that lie `step` floats from one another, of sixteen lanes or one each.
///
/// # Safety
/// They can be read, and the prologue has the block.
#[inline(always)]
unsafe fn fill<V: Vector>(
    from: *const f32,
    step: usize,
    to: &mut [f32],
    lanes: usize,
    block: usize,
    prologue: Option<Prologue>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if lanes == LANES {
            match prologue {
                None => each(from, step, to, |x: V| x),
                Some(p) => {
                    let map = p.at::<V>(block);
                    each(from, step, to, |x: V| map.apply(x));
                }
            }
            return;
        }
        for (i, to) in to.iter_mut().enumerate() {
            *to = *from.add(i * step);
            if let Some(p) = prologue {
                let x = V::splat(p.scale[block].mul_add(*to, p.shift[block]));
                let mut lanes = [0.0; LANES];
                p.act.map_or(x, |f| activate(&f, x)).store(lanes.as_mut_ptr());
                *to = lanes[0];
            }
        }
    }
}

/// # Safety
/// Every vector can be read.
#[inline(always)]
unsafe fn each<V: Vector>(from: *const f32, step: usize, to: &mut [f32], f: impl Fn(V) -> V) {
    for (i, to) in to.chunks_exact_mut(LANES).enumerate() {
        // SAFETY: the caller's promise; the chunk has sixteen floats.
        unsafe { f(V::load(from.add(i * step))).store(to.as_mut_ptr()) };
    }
}
