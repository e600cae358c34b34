//! How the outputs of a convolution are cut into tasks.

use super::geometry::{Bundles, Phase};
use super::packing::depth;
use super::region::Region;

/// Floats of input that a task looks at, at most: they are to stay in the second-level cache beside weights.
const INPUT: usize = 80 << 10;
/// Floats of weights that are used for all positions of a task before the next ones.
const WEIGHTS: usize = 112 << 10;
/// Multiply-accumulates of vectors below which a task is not worth its start.
const WORTH: usize = 16 << 10;
/// Positions that a task keeps where it can be cut along them.
const POSITIONS: usize = 56;

/// The cut: a task has some rows, columns and groups of output blocks of a sample's bundle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks {
    /// Outputs of the largest phase, `[rows, columns]`.
    pub size: [usize; 2],
    /// Parts of rows and of columns.
    pub parts: [usize; 2],
    /// Groups of output blocks in all, and parts of them.
    pub groups: usize,
    pub group_parts: usize,
    /// Groups whose weights stay in the cache together.
    pub stay: usize,
    /// Samples and bundles.
    pub samples: usize,
    pub bundles: usize,
}

impl Chunks {
    pub fn new(samples: usize, bundles: &Bundles, phases: &[Phase], tile: usize, threads: usize) -> Self {
        let most = |a: usize| phases.iter().map(|p| p.outputs[a]).max().unwrap_or(0);
        let size = [most(0), most(1)];
        let groups = bundles.width().div_ceil(tile);
        let weights: usize = phases.iter().map(|p| depth(bundles, p)).sum::<usize>() * bundles.width() * 16;
        let mut it = Self {
            size,
            parts: [1; 2],
            groups,
            group_parts: 1,
            stay: (groups * WEIGHTS / weights.max(1)).clamp(1, groups.max(1)),
            samples,
            bundles: bundles.count,
        };
        while Region::new(bundles, phases, it.part()).len > INPUT && it.cut(1) {}
        let work = weights / 16 * size[0] * size[1] / phases.len().max(1);
        let tasks = if threads > 1 { (4 * threads).min((samples * bundles.count * work).div_ceil(WORTH)) } else { 1 };
        if weights <= WEIGHTS {
            while it.places() < tasks && it.cut(POSITIONS) {}
        }
        it.group_parts = tasks.div_ceil(it.places().max(1)).clamp(1, groups.max(1));
        it
    }

    /// Tasks.
    pub fn count(&self) -> usize {
        self.places() * self.group_parts
    }

    /// Rows and columns of a part, at most.
    pub fn part(&self) -> [usize; 2] {
        [0, 1].map(|a| self.size[a].div_ceil(self.parts[a]))
    }

    fn places(&self) -> usize {
        self.samples * self.bundles * self.parts[0] * self.parts[1]
    }

    /// Makes parts smaller, rows first; false where they would fall below so many positions.
    fn cut(&mut self, positions: usize) -> bool {
        let [rows, columns] = self.part();
        let fits = rows * columns >= 2 * positions;
        if fits && rows > 1 {
            self.parts[0] = self.size[0].div_ceil(rows.div_ceil(2)).max(self.parts[0] + 1);
        } else if fits && columns >= 28 {
            self.parts[1] += self.parts[1].div_ceil(4);
        }
        fits && (rows > 1 || columns >= 28)
    }

    /// A task's sample, bundle, rows, columns and groups. Those that share weights follow one another.
    pub fn task(&self, task: usize) -> (usize, usize, [[usize; 2]; 2], [usize; 2]) {
        let share = |i: usize, parts: usize, whole: usize| [i * whole / parts, (i + 1) * whole / parts];
        let (column, rest) = (task % self.parts[1], task / self.parts[1]);
        let (row, rest) = (rest % self.parts[0], rest / self.parts[0]);
        let (sample, rest) = (rest % self.samples, rest / self.samples);
        let (bundle, group) = (rest % self.bundles, rest / self.bundles);
        let places = [share(row, self.parts[0], self.size[0]), share(column, self.parts[1], self.size[1])];
        (sample, bundle, places, share(group, self.group_parts, self.groups))
    }
}
