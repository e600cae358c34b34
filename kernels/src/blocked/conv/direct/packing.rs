//! The order of weights in memory that the kernels read from first to last.

use super::geometry::{Bundles, Phase};
use crate::vector::LANES;

/// How weights are packed: `[bundle][phase][group of blocks][unit][row][column][lane][blocks·16]`. Equal ones pack alike, so
/// that packed weights can be shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packing {
    pub(super) bundles: Bundles,
    pub(super) phases: Vec<Phase>,
    pub(super) kernel: [usize; 2],
    /// Blocks of a tile.
    pub(super) tile: usize,
    /// Whether weights come as `[I, O/groups, …]`.
    pub(super) transposed: bool,
}

impl Packing {
    /// Floats of the packed weights.
    pub fn len(&self) -> usize {
        let deep: usize = self.phases.iter().map(|phase| depth(&self.bundles, phase)).sum();
        self.bundles.count * deep * self.bundles.width() * LANES
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Packs weights `[O, I/groups, rows, columns]`, or `[I, O/groups, rows, columns]` of a transposed convolution.
    ///
    /// # Panics
    /// Where either slice has another length than the shape says.
    pub fn pack(&self, weight: &[f32], out: &mut [f32]) {
        assert_eq!(out.len(), self.len(), "there is room for the packed weights");
        let Self { bundles, kernel, transposed, .. } = *self;
        let groups = bundles.count * bundles.channels[1] / bundles.group[1].max(1);
        let len = groups * bundles.group[0] * bundles.group[1] * kernel[0] * kernel[1];
        assert_eq!(weight.len(), len, "the weight is as long as its shape");
        let mut out = out;
        for bundle in 0..bundles.count {
            let from = Weights { weight, bundles: &bundles, kernel, transposed, bundle };
            for phase in &self.phases {
                let (part, rest) = out.split_at_mut(depth(&bundles, phase) * bundles.width() * LANES);
                from.pack(phase, self.tile, part);
                out = rest;
            }
        }
    }
}

/// Products that one output of a bundle sums in a phase.
pub(super) fn depth(bundles: &Bundles, phase: &Phase) -> usize {
    bundles.units() * bundles.lanes * phase.tap_count()
}

/// The weights of a bundle, as they come.
struct Weights<'a> {
    weight: &'a [f32],
    bundles: &'a Bundles,
    kernel: [usize; 2],
    transposed: bool,
    bundle: usize,
}

impl Weights<'_> {
    fn pack(&self, phase: &Phase, tile: usize, out: &mut [f32]) {
        let lanes = self.bundles.lanes;
        let units = self.bundles.units();
        let mut at = 0;
        for first in (0..self.bundles.width()).step_by(tile) {
            let width = tile.min(self.bundles.width() - first) * LANES;
            for unit in 0..units {
                for (row, column) in taps(phase.taps) {
                    let along = |a: usize, t: usize| phase.kernel[a] as isize + t as isize * phase.kernel_step[a];
                    let tap = along(0, row) as usize * self.kernel[1] + along(1, column) as usize;
                    for lane in 0..lanes {
                        self.row(unit * lanes + lane, first * LANES, tap, &mut out[at..at + width]);
                        at += width;
                    }
                }
            }
        }
    }

    /// The weights of one input and tap, for outputs from `first` on.
    fn row(&self, input: usize, first: usize, tap: usize, out: &mut [f32]) {
        let [inputs, outputs] = self.bundles.group;
        out.fill(0.0);
        if input >= self.bundles.channels[0] {
            return;
        }
        let input = self.bundle * self.bundles.channels[0] + input;
        let group = input / inputs;
        let taps = self.kernel[0] * self.kernel[1];
        let base = self.bundle * self.bundles.channels[1];
        // The outputs of the input's group that lie among these.
        let from = (group * outputs).max(base + first);
        let to = ((group + 1) * outputs).min(base + first + out.len());
        for o in from..to.max(from) {
            let index = match self.transposed {
                false => (o * inputs + input % inputs) * taps + tap,
                true => (input * outputs + o % outputs) * taps + tap,
            };
            out[o - base - first] = self.weight[index];
        }
    }
}

fn taps([rows, columns]: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |r| (0..columns).map(move |c| (r, c)))
}
