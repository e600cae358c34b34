//! The tiles of a task.

use super::Direct;
use super::geometry::Phase;
use super::packing::depth;
use super::task::{Input, apart};
use crate::activation::Activation;
use crate::blocked::conv::Operands;
use crate::blocked::epilogue::activate;
use crate::blocked::tile::{Finish, Tile, ZEROS, next};
use crate::blocked::{Cpu, Other};
use crate::isa::Kernel;
use crate::vector::{LANES, Vector};

/// What every tile of a task shares.
pub(super) struct Outputs<'a> {
    pub conv: &'a Direct,
    pub cpu: &'a Cpu<'a>,
    pub of: &'a Operands<'a>,
    pub sample: usize,
    pub bundle: usize,
    pub input: Input,
}

/// Where results lie; floats from one to the next of blocks, rows and columns.
#[derive(Clone, Copy)]
struct Places {
    block: usize,
    row: usize,
    column: usize,
}

/// A tile: its first output's row and column in its phase, positions, first block, blocks.
#[derive(Clone, Copy)]
struct At {
    row: usize,
    column: usize,
    positions: usize,
    group: usize,
    blocks: usize,
}

impl Outputs<'_> {
    /// All outputs at some rows and columns, of some groups of blocks.
    pub fn rows(&self, places: [[usize; 2]; 2], groups: [usize; 2], spare: &mut [f32]) {
        let (conv, bundles) = (self.conv, &self.conv.bundles);
        let deep: usize = conv.phases.iter().map(|phase| depth(bundles, phase)).sum();
        let of_bundle = &self.of.packed[self.bundle * deep * bundles.width() * LANES..];
        for row in places[0][0]..places[0][1] {
            let mut weights = of_bundle;
            for (phase, taps) in conv.phases.iter().zip(&conv.taps) {
                let deep = depth(bundles, phase);
                let end = places[1][1].min(phase.outputs[1]);
                let mut column = places[1][0];
                while row < phase.outputs[0] && column < end {
                    let positions = next(end - column, conv.tile.0);
                    for group in groups[0]..groups[1] {
                        let blocks = conv.tile.1.min(bundles.width() - group * conv.tile.1);
                        let at = At { row, column, positions, group, blocks };
                        let weights = &weights[group * conv.tile.1 * LANES * deep..][..blocks * LANES * deep];
                        self.tile(phase, taps, at, weights, spare);
                    }
                    column += positions;
                }
                weights = &weights[deep * bundles.width() * LANES..];
            }
        }
    }

    /// How results lie whose samples are so far apart.
    fn places(&self, apart: usize) -> Places {
        let [rows, columns] = self.conv.shape.output;
        match self.conv.vectors {
            true => Places { block: LANES, row: 0, column: apart },
            false => Places { block: rows * columns * LANES, row: columns * LANES, column: LANES },
        }
    }

    /// The first block of a tile.
    fn block(&self, at: At) -> usize {
        self.bundle * self.conv.bundles.width() + at.group * self.conv.tile.1
    }

    /// Floats to the first result of a tile.
    fn offset(&self, phase: &Phase, at: At, places: Places) -> usize {
        let row = phase.place[0] + at.row * phase.place_step[0];
        let column = phase.place[1] + at.column * phase.place_step[1];
        // A 1×1 convolution sees one row of all positions.
        self.block(at) * places.block + row * places.row + column * places.column
    }

    /// The address of a tile's first input.
    fn seen(&self, phase: &Phase, at: At) -> *const f32 {
        let Input { start, region, origin } = self.input;
        let [row, column] =
            [(0, at.row), (1, at.column)].map(|(a, i)| (phase.span(a, i, i + 1).0 - origin[a]) as usize);
        start.wrapping_add(row * region.row + region.column(column))
    }

    fn tile(&self, phase: &Phase, taps: &[usize], at: At, weights: &[f32], spare: &mut [f32]) {
        let (conv, epilogue) = (self.conv, self.of.epilogue);
        let own = self.places(apart_of(self.of));
        let y = self.of.y.pointer(self.sample).wrapping_add(self.offset(phase, at, own));
        let channel = self.block(at) * LANES;
        let step = own.column * phase.place_step[1];
        let sum = epilogue.sum.map(|sum| match sum.value {
            Other::InPlace => (y.cast_const(), step, sum.own, sum.other),
            Other::Value(s) => {
                let places = self.places(apart(&s));
                let start = s.sample(self.sample).as_ptr().wrapping_add(self.offset(phase, at, places));
                (start, places.column * phase.place_step[1], sum.own, sum.other)
            }
        });
        let is_relu = |f: Option<Activation>| f == Some(Activation::Relu);
        let quick = [epilogue.first, epilogue.last].iter().all(|f| f.is_none() || is_relu(*f));
        let mut tile = Tile {
            x: self.seen(phase, at),
            lanes: conv.bundles.lanes,
            taps,
            units: conv.bundles.units(),
            unit: self.input.region.unit,
            weights: weights.as_ptr(),
            start: epilogue.bias.map_or(ZEROS.as_ptr(), |bias| bias[channel..][..at.blocks * LANES].as_ptr()),
            end: y,
            end_step: step,
            end_block: own.block,
            finish: Finish { first: is_relu(epilogue.first), sum, last: is_relu(epilogue.last) },
            far_inputs: !conv.copies,
            far_results: true,
        };
        if !quick {
            (tile.end, tile.end_step, tile.end_block) = (spare.as_mut_ptr(), at.blocks * LANES, LANES);
            tile.finish = Finish::default();
        }
        // SAFETY: `Operands::check` has seen that all values have their lengths; taps lie inside the map or its copy, and
        // the packed weights of the group are as long as the walk over them. Tasks write apart.
        unsafe { tile.run(self.cpu.isa, at.positions, at.blocks) };
        if !quick {
            let used = conv.shape.width.saturating_sub(channel);
            let (from, places) = (spare.as_ptr(), Places { column: step, ..own });
            self.cpu.isa.run(Finishing { of: self.of, at, from, y, places, sum, used });
        }
    }
}

/// Floats from a sample of the results to the next.
fn apart_of(of: &Operands) -> usize {
    match of.y.samples() {
        1 => LANES,
        _ => (of.y.pointer(1) as usize - of.y.pointer(0) as usize) / size_of::<f32>(),
    }
}

/// Applies an epilogue with other activations than relu to a tile that was computed aside.
struct Finishing<'a> {
    of: &'a Operands<'a>,
    at: At,
    from: *const f32,
    y: *mut f32,
    places: Places,
    sum: Option<(*const f32, usize, f32, f32)>,
    /// Channels from the first block on.
    used: usize,
}

impl Kernel for Finishing<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let (at, epilogue) = (self.at, self.of.epilogue);
        for i in 0..at.positions * at.blocks {
            let (p, o) = (i / at.blocks, i % at.blocks);
            // SAFETY: as for the tile itself, whose results these are.
            unsafe {
                let mut x = V::load(self.from.add(i * LANES));
                if let Some(f) = &epilogue.first {
                    x = activate(f, x);
                }
                if let Some((s, step, a, b)) = self.sum {
                    let s = V::load(s.add(p * step + o * self.places.block));
                    x = s.mul_add(V::splat(b), x.mul(V::splat(a)));
                }
                if let Some(f) = &epilogue.last {
                    x = activate(f, x);
                }
                let to = self.y.add(p * self.places.column + o * self.places.block);
                x.store(to);
                // Some activations do not keep 0.
                for lane in self.used.saturating_sub(o * LANES)..LANES {
                    *to.add(lane) = 0.0;
                }
            }
        }
    }
}
