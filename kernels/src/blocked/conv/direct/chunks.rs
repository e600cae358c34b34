//! How the outputs of a convolution are cut into tasks.

use super::geometry::{Bundles, Phase};
use super::packing::depth;
use super::region::Region;
use crate::vector::LANES;

/// Floats of input that a task copies, at most: they are to stay in the second-level cache beside weights.
const INPUT: usize = 80 << 10;
/// Floats of weights that are used for all positions of a task before the next ones.
const WEIGHTS: usize = 112 << 10;
/// The most parts of positions and of groups that are tried for each thread.
const MOST: usize = 6;

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

/// What the time of a cut depends on.
struct Load<'a> {
    bundles: &'a Bundles,
    phases: &'a [Phase],
    /// Products that an output sums in all phases.
    deep: usize,
    /// Positions and blocks of a tile.
    tile: (usize, usize),
    threads: usize,
    /// Whether inputs are copied.
    copies: bool,
}

/// The first number from `low` to `high` that holds, where all after it do; `high` where none does.
fn first_that(low: usize, high: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    high
}

impl Chunks {
    pub fn new(
        samples: usize,
        bundles: &Bundles,
        phases: &[Phase],
        tile: (usize, usize),
        threads: usize,
        copies: bool,
    ) -> Self {
        let most = |a: usize| phases.iter().map(|p| p.outputs[a]).max().unwrap_or(0);
        let groups = bundles.width().div_ceil(tile.1);
        let deep = phases.iter().map(|p| depth(bundles, p)).sum::<usize>();
        let load = Load { bundles, phases, deep, tile, threads, copies };
        let whole = Self {
            size: [most(0), most(1)],
            parts: [1; 2],
            groups,
            group_parts: 1,
            stay: (WEIGHTS / (deep * tile.1 * LANES).max(1)).clamp(1, groups.max(1)),
            samples,
            bundles: bundles.count,
        };
        // Rows are cut first, then columns; ever smaller parts see ever less, so the first that fits is found by halving.
        let rows = whole.size[0].max(1);
        let last = rows + whole.size[1].div_ceil(tile.0).max(1) - 1;
        let cut = |i: usize| Self { parts: [i.min(rows), i.saturating_sub(rows) + 1], ..whole };
        let first = first_that(1, last, |i| cut(i).fits(&load));
        let cuts = (first..=last).take(MOST * threads).map(cut);
        let cuts =
            cuts.flat_map(|cut| (1..=groups.clamp(1, MOST * threads)).map(move |g| Self { group_parts: g, ..cut }));
        cuts.min_by(|a, b| a.time(&load).total_cmp(&b.time(&load))).unwrap_or(whole)
    }

    /// Tasks.
    pub fn count(&self) -> usize {
        self.samples * self.bundles * self.parts[0] * self.parts[1] * self.group_parts
    }

    /// Rows and columns of a part, at most.
    pub fn part(&self) -> [usize; 2] {
        [0, 1].map(|a| self.size[a].div_ceil(self.parts[a]))
    }

    fn region(&self, load: &Load) -> Region {
        Region::new(load.bundles, load.phases, self.part())
    }

    /// Whether what a task copies stays in the cache.
    fn fits(&self, load: &Load) -> bool {
        !load.copies || self.region(load).len <= INPUT
    }

    /// How long the slowest thread takes: multiply-adds of vectors, and what copies, weights and starts cost beside them.
    fn time(&self, load: &Load) -> f64 {
        let [rows, columns] = self.part();
        let groups = self.groups.div_ceil(self.group_parts);
        let blocks = (groups * load.tile.1).min(load.bundles.width());
        // Tiles of fewer than four positions leave the multipliers idle.
        let positions = rows * columns.max(4 * columns.div_ceil(load.tile.0));
        let products = positions as f64 * (blocks * load.deep) as f64;
        // Plain inputs are copied one by one.
        let input = if load.bundles.lanes == 1 {
            3.0
        } else if load.copies {
            0.3
        } else {
            0.1
        };
        let inputs = self.region(load).len as f64 * input;
        let weights = (blocks * LANES * load.deep) as f64 * 0.15;
        let task = products + inputs + weights + 2000.0;
        // Threads seldom finish together: the last waits for part of a task.
        (self.count().div_ceil(load.threads) as f64 + 0.15) * task
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
