//! Where in the arena: offsets for buffers that must not overlap while both are live.
//!
//! Finding the smallest arena is NP-hard (dynamic storage allocation), so several orders are tried and the
//! best is kept: by size, by lifetime, by breadth (Pisarchyk and Lee 2020, "Efficient Memory
//! Management for Deep Neural Net Inference"), and by time, as an allocator at run time would. Where an order misses
//! the lower bound, what reached the peak is placed first and the rest again, a few dozen times. The search stops
//! early where the peak comes within a thousandth of the lower bound, which nothing can beat.

use crate::analysis::liveness::{Interval, live_bytes};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Offsets are multiples of this many bytes: a cache line, and the widest vector.
pub const ALIGNMENT: u64 = 64;

/// Pairs of buffers live at once, up to which placing one by one is tried; it compares every pair.
const MOST_PAIRS: usize = 2_000_000;

/// How often an order is tried again with those that reached the peak moved to its front.
const MOST_ROUNDS: usize = 60;

/// A peak this part above the lower bound, a thousandth, is close enough to stop.
const CLOSE: u64 = 1000;

/// Comparisons that all rounds of one strategy may take together.
const MOST_WORK: usize = 10_000_000;

/// Memory that is needed for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// How much.
    pub bytes: u64,
    /// When.
    pub live: Interval,
}

impl Demand {
    /// Bytes rounded up to the alignment.
    fn aligned(&self) -> u64 {
        self.bytes.div_ceil(ALIGNMENT) * ALIGNMENT
    }
}

/// The order in which buffers get their offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// When they are made, best fit, memory freed after the last read.
    Time,
    /// Largest first.
    Size,
    /// Longest lived first.
    Lifetime,
    /// All buffers of the fullest step, then of the next; large before small.
    Breadth,
}

impl Strategy {
    /// All, in the order they are tried; [`Strategy::Time`] first, because it is never slow.
    pub const ALL: [Self; 4] = [Self::Time, Self::Size, Self::Lifetime, Self::Breadth];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Size => "size",
            Self::Lifetime => "lifetime",
            Self::Breadth => "breadth",
        }
    }
}

/// An arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arena {
    /// Byte offsets, in the order of the demands.
    pub offsets: Vec<u64>,
    /// Bytes of the arena.
    pub peak: u64,
    /// What found it.
    pub strategy: Strategy,
}

/// The best arena of all strategies for demands within `steps` steps.
pub fn assign(demands: &[Demand], steps: usize) -> Arena {
    let live = live_bytes(demands.iter().map(|d| (d.live, d.aligned())), steps);
    let bound = live.iter().copied().max().unwrap_or(0);
    let mut best = by_time(demands);
    let enough = bound + bound / CLOSE;
    let Some(rivals) = (best.peak > enough).then(|| rivals(demands)).flatten() else { return best };
    let pairs = rivals.iter().map(Vec::len).sum::<usize>().max(1);
    let rounds = (MOST_WORK / pairs).clamp(1, MOST_ROUNDS);
    for (strategy, roof) in Strategy::ALL.iter().flat_map(|strategy| [(strategy, 0), (strategy, bound)]) {
        let mut order = order(demands, &live, *strategy);
        for _ in 0..rounds {
            let found = one_by_one(demands, &rivals, &order, *strategy, roof);
            let reached = found.peak;
            let tops = |&i: &usize| found.offsets[i] + demands[i].aligned() == reached;
            let (mut first, rest): (Vec<usize>, Vec<usize>) = order.iter().partition(|i| tops(i));
            first.extend(rest);
            order = first;
            if found.peak < best.peak {
                best = found;
            }
            if best.peak <= enough {
                return best;
            }
        }
    }
    best
}

/// For each demand the others that are live with it; `None` where there are too many.
fn rivals(demands: &[Demand]) -> Option<Vec<Vec<u32>>> {
    if pairs(demands) > MOST_PAIRS {
        return None;
    }
    let mut starts: Vec<usize> = (0..demands.len()).collect();
    starts.sort_by_key(|&i| demands[i].live.first);
    let mut rivals = vec![Vec::new(); demands.len()];
    let mut active = Vec::<usize>::new();
    for &i in &starts {
        active.retain(|&j| demands[j].live.overlaps(demands[i].live));
        for &j in &active {
            rivals[i].push(j as u32);
            rivals[j].push(i as u32);
        }
        active.push(i);
    }
    Some(rivals)
}

/// How many pairs of demands are live at once.
fn pairs(demands: &[Demand]) -> usize {
    let mut firsts: Vec<usize> = demands.iter().map(|d| d.live.first).collect();
    let mut lasts: Vec<usize> = demands.iter().map(|d| d.live.last).collect();
    firsts.sort_unstable();
    lasts.sort_unstable();
    let over = |(i, first): (usize, &usize)| i - lasts.partition_point(|last| last < first);
    firsts.iter().enumerate().map(over).sum()
}

/// The order of a strategy that places one by one.
fn order(demands: &[Demand], live: &[u64], strategy: Strategy) -> Vec<usize> {
    let mut order: Vec<usize> = (0..demands.len()).collect();
    let size = |i: usize| Reverse(demands[i].aligned());
    let length = |i: usize| Reverse(demands[i].live.steps());
    match strategy {
        Strategy::Time => order.sort_by_key(|&i| (demands[i].live.first, size(i))),
        Strategy::Size => order.sort_by_key(|&i| (size(i), length(i))),
        Strategy::Lifetime => order.sort_by_key(|&i| (length(i), size(i))),
        Strategy::Breadth => {
            let breadth = fullest(demands, live);
            order.sort_by_key(|&i| (Reverse(breadth[i]), size(i), length(i)));
        }
    }
    order
}

/// For each demand the bytes live at the fullest step it is live at.
fn fullest(demands: &[Demand], live: &[u64]) -> Vec<u64> {
    // A sparse table: row k holds maxima of 2^k steps.
    let mut rows = vec![live.to_vec()];
    while rows.last().is_some_and(|row| row.len() > 1 << (rows.len() - 1)) {
        let (row, half) = (&rows[rows.len() - 1], 1 << (rows.len() - 1));
        rows.push((0..row.len() - half).map(|i| row[i].max(row[i + half])).collect());
    }
    let most = |live: Interval| {
        let k = live.steps().ilog2() as usize;
        rows[k][live.first].max(rows[k][live.last + 1 - (1 << k)])
    };
    demands.iter().map(|d| most(d.live)).collect()
}

/// Puts each, in this order, into the smallest gap between those already placed that it is live with.
fn one_by_one(demands: &[Demand], rivals: &[Vec<u32>], order: &[usize], strategy: Strategy, roof: u64) -> Arena {
    let mut offsets = vec![None; demands.len()];
    let mut peak = 0;
    for &i in order {
        let placed = rivals[i].iter().filter_map(|&j| {
            let start: u64 = offsets[j as usize]?;
            Some((start, start + demands[j as usize].aligned()))
        });
        let mut taken: Vec<(u64, u64)> = placed.collect();
        taken.sort_unstable();
        let start = smallest_gap(&taken, demands[i].aligned(), roof);
        offsets[i] = Some(start);
        peak = peak.max(start + demands[i].aligned());
    }
    Arena { offsets: offsets.into_iter().map(|o| o.unwrap_or(0)).collect(), peak, strategy }
}

/// Where to put `bytes` among sorted ranges: at the low end of the smallest gap below `roof` that is large enough,
/// or at its high end where it reaches the roof; on top of all where there is none.
fn smallest_gap(taken: &[(u64, u64)], bytes: u64, roof: u64) -> u64 {
    let (mut best, mut end) = (None::<(u64, u64)>, 0);
    for &(start, stop) in taken.iter().chain(&[(roof, roof)]) {
        let gap = start.saturating_sub(end);
        if gap >= bytes && start > end && best.is_none_or(|(smallest, _)| gap < smallest) {
            let high = start == roof && end > 0;
            best = Some((gap, if high { roof - bytes } else { end }));
        }
        end = if start == roof && stop == roof { end } else { end.max(stop) };
    }
    best.map_or(end, |(_, start)| start)
}

/// Free ranges of an arena that grows at its end, joined where they touch.
#[derive(Default)]
struct FreeList {
    by_offset: BTreeMap<u64, u64>,
    by_size: BTreeSet<(u64, u64)>,
    end: u64,
}

impl FreeList {
    /// The smallest range that fits, or new memory at the end.
    fn take(&mut self, bytes: u64) -> u64 {
        if let Some(&(size, offset)) = self.by_size.range((bytes, 0)..).next() {
            self.remove(offset, size);
            self.insert(offset + bytes, size - bytes);
            return offset;
        }
        let last = self.by_offset.last_key_value().map(|(&o, &s)| (o, s));
        let start = match last.filter(|(offset, size)| offset + size == self.end) {
            Some((offset, size)) => {
                self.remove(offset, size);
                offset
            }
            None => self.end,
        };
        self.end = start + bytes;
        start
    }

    fn give_back(&mut self, mut offset: u64, mut bytes: u64) {
        if let Some((&before, &size)) = self.by_offset.range(..offset).next_back()
            && before + size == offset
        {
            self.remove(before, size);
            (offset, bytes) = (before, size + bytes);
        }
        if let Some(&size) = self.by_offset.get(&(offset + bytes)) {
            self.remove(offset + bytes, size);
            bytes += size;
        }
        self.insert(offset, bytes);
    }

    fn insert(&mut self, offset: u64, size: u64) {
        if size > 0 {
            self.by_offset.insert(offset, size);
            self.by_size.insert((size, offset));
        }
    }

    fn remove(&mut self, offset: u64, size: u64) {
        self.by_offset.remove(&offset);
        self.by_size.remove(&(size, offset));
    }
}

/// Places in order of time, as an allocator would: best fit among what is free, else at the end.
fn by_time(demands: &[Demand]) -> Arena {
    let order = order(demands, &[], Strategy::Time);
    let mut offsets = vec![0; demands.len()];
    let (mut free, mut peak) = (FreeList::default(), 0);
    let mut ends: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    for i in order {
        while let Some(&Reverse((last, j))) = ends.peek()
            && last < demands[i].live.first
        {
            ends.pop();
            free.give_back(offsets[j], demands[j].aligned());
        }
        offsets[i] = free.take(demands[i].aligned());
        peak = peak.max(offsets[i] + demands[i].aligned());
        ends.push(Reverse((demands[i].live.last, i)));
    }
    Arena { offsets, peak, strategy: Strategy::Time }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn demand(bytes: u64, first: usize, last: usize) -> Demand {
        Demand { bytes, live: Interval { first, last } }
    }

    fn assert_disjoint(demands: &[Demand], arena: &Arena) {
        for (i, a) in demands.iter().enumerate() {
            let a_end = arena.offsets[i] + a.bytes;
            assert_eq!(arena.offsets[i] % ALIGNMENT, 0);
            assert!(a_end <= arena.peak);
            for (j, b) in demands.iter().enumerate().skip(i + 1) {
                let apart = a_end <= arena.offsets[j] || arena.offsets[j] + b.bytes <= arena.offsets[i];
                assert!(apart || !a.live.overlaps(b.live), "{i} and {j} overlap under {:?}", arena.strategy);
            }
        }
    }

    #[test]
    fn a_chain_needs_its_two_largest_neighbours() {
        let demands = [demand(640, 0, 1), demand(1280, 1, 2), demand(320, 2, 3), demand(64, 3, 3)];
        let arena = assign(&demands, 4);
        assert_disjoint(&demands, &arena);
        assert_eq!(arena.peak, 1920);
    }

    #[test]
    fn every_strategy_keeps_live_buffers_apart() {
        let mut rng = Rng::new(7);
        for _ in 0..200 {
            let steps = 1 + rng.below(30);
            let random = |_| {
                let (a, b) = (rng.below(steps), rng.below(steps));
                demand(rng.below(1000) as u64, a.min(b), a.max(b))
            };
            let demands: Vec<Demand> = (0..20).map(random).collect();
            let live = live_bytes(demands.iter().map(|d| (d.live, d.aligned())), steps);
            let rivals = rivals(&demands).unwrap();
            for strategy in Strategy::ALL {
                let order = order(&demands, &live, strategy);
                for roof in [0, *live.iter().max().unwrap()] {
                    assert_disjoint(&demands, &one_by_one(&demands, &rivals, &order, strategy, roof));
                }
            }
            assert_disjoint(&demands, &by_time(&demands));
            let best = assign(&demands, steps);
            assert!(best.peak >= *live.iter().max().unwrap() && best.peak <= by_time(&demands).peak);
        }
    }

    #[test]
    fn pairs_that_live_at_once_are_counted() {
        assert_eq!(pairs(&[demand(1, 0, 2), demand(1, 2, 3), demand(1, 3, 3), demand(1, 0, 9)]), 5);
    }

    #[test]
    fn the_fullest_step_is_found() {
        let live = [3, 9, 2, 7, 7, 1];
        let found = fullest(&[demand(1, 0, 0), demand(1, 2, 5), demand(1, 0, 5), demand(1, 4, 5)], &live);
        assert_eq!(found, [3, 7, 9, 7]);
    }
}
