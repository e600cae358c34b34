//! Who lives in whose memory: slices of a `concat`, and results computed over an operand.

use super::schedule::{Schedule, Share, ValueId};
use crate::analysis::liveness::Interval;

/// Where a value lives: in which buffer, and how many bytes into each sample of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The buffer, by its position.
    pub buffer: usize,
    /// Bytes from the start of a sample.
    pub offset: u64,
}

/// Memory that one or several values share.
#[derive(Clone, Debug, PartialEq)]
pub struct Sharing {
    /// The value that it is named after: the only one that needs all of it, or the first of those that do.
    pub owner: ValueId,
    /// Bytes for one sample.
    pub bytes: u64,
    /// Bytes besides, however many samples there are.
    pub fixed: u64,
    /// From the first step of any of its values to the last.
    pub live: Interval,
}

/// The memory of a schedule: buffers and where in them each value lives.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Buffers, in the order their first value is made.
    pub buffers: Vec<Sharing>,
    /// For each value its place.
    pub places: Vec<Place>,
    /// The shares that were taken.
    pub taken: Vec<Share>,
}

/// Takes every share that is legal: slices, those of later wholes first, then steps in place as they run.
pub fn share(schedule: &Schedule) -> Memory {
    let mut forest = Forest::new(schedule);
    let mut taken = Vec::new();
    for &share in schedule.shares.iter().rev() {
        if let Share::Slice { part, whole, offset, .. } = share
            && forest.slice(part, whole, offset)
        {
            taken.push(share);
        }
    }
    for &share in &schedule.shares {
        if let Share::InPlace { from, to, step } = share
            && forest.in_place(from, to, step)
        {
            taken.push(share);
        }
    }
    forest.memory(taken)
}

/// Values inside values. The root of each tree is a buffer.
struct Forest<'a> {
    schedule: &'a Schedule,
    parents: Vec<Option<(ValueId, u64)>>,
    /// For each root the values that live in it with their offsets, as far as they can still stand in the way.
    members: Vec<Vec<(ValueId, u64)>>,
}

impl<'a> Forest<'a> {
    fn new(schedule: &'a Schedule) -> Self {
        let count = schedule.values.len();
        Self { schedule, parents: vec![None; count], members: (0..count).map(|v| vec![(v, 0)]).collect() }
    }

    /// The root of a value's tree and its offset there; the path is shortened on the way.
    fn find(&mut self, value: ValueId) -> (ValueId, u64) {
        let (mut root, mut offset) = (value, 0);
        while let Some((parent, by)) = self.parents[root] {
            (root, offset) = (parent, offset + by);
        }
        let (mut at, mut left) = (value, offset);
        while let Some((parent, by)) = self.parents[at] {
            self.parents[at] = Some((root, left));
            (at, left) = (parent, left - by);
        }
        (root, offset)
    }

    fn bytes(&self, value: ValueId) -> u64 {
        self.schedule.values[value].bytes
    }

    fn live(&self, value: ValueId) -> Interval {
        self.schedule.values[value].live
    }

    /// Puts the tree of `root` into `parent`.
    fn attach(&mut self, root: ValueId, parent: ValueId, offset: u64) {
        let (target, base) = self.find(parent);
        self.parents[root] = Some((parent, offset));
        let moved = std::mem::take(&mut self.members[root]);
        self.members[target].extend(moved.into_iter().map(|(value, at)| (value, at + base + offset)));
    }

    /// A value can be a slice of one whole only; the second copies.
    fn slice(&mut self, part: ValueId, whole: ValueId, offset: u64) -> bool {
        let fits = offset + self.bytes(part) <= self.bytes(whole);
        let free = self.parents[part].is_none() && self.find(whole).0 != part;
        if fits && free {
            self.attach(part, whole, offset);
        }
        fits && free
    }

    /// `to` takes over the memory of `from` where nothing else needs it any more, and it is just as large.
    fn in_place(&mut self, from: ValueId, to: ValueId, step: usize) -> bool {
        let ((root, _), (other, _)) = (self.find(from), self.find(to));
        let same_size = self.bytes(from) == self.bytes(to) && self.bytes(root) == self.bytes(from);
        if root == other || !same_size || !self.over(root, from, step) {
            return false;
        }
        if other == to {
            self.attach(to, root, 0);
            return true;
        }
        // `to` is a slice of something larger: the operand moves in there, if the place is still empty.
        if self.live(to).first != step || !self.is_empty_before(to, step) {
            return false;
        }
        self.attach(root, to, 0);
        true
    }

    /// Whether all values in a buffer are done with at `step`, apart from being read by it as a whole.
    fn over(&mut self, root: ValueId, from: ValueId, step: usize) -> bool {
        let values = &self.schedule.values;
        // Shares are tried in the order of steps, so what is over now stays out of the way.
        self.members[root].retain(|&(value, _)| values[value].live.last >= step);
        let size = values[from].bytes;
        self.members[root].iter().all(|&(value, _)| {
            let it = &values[value];
            it.live.last == step && it.live.first < step && !it.stays && it.bytes == size
        })
    }

    /// Whether nothing uses the memory of a slice before `step`.
    fn is_empty_before(&mut self, value: ValueId, step: usize) -> bool {
        let (root, start) = self.find(value);
        let end = start + self.bytes(value);
        self.members[root].iter().all(|&(other, at)| {
            let apart = at + self.bytes(other) <= start || end <= at;
            apart || self.live(other).first >= step
        })
    }

    fn memory(mut self, taken: Vec<Share>) -> Memory {
        let count = self.schedule.values.len();
        let (mut buffers, mut places) = (Vec::<Sharing>::new(), Vec::with_capacity(count));
        let mut numbers = vec![None; count];
        for value in 0..count {
            let (root, offset) = self.find(value);
            let (live, bytes, fixed) = (self.live(value), self.bytes(root), self.schedule.values[root].fixed);
            let buffer = *numbers[root].get_or_insert_with(|| {
                buffers.push(Sharing { owner: value, bytes, fixed, live });
                buffers.len() - 1
            });
            let sharing = &mut buffers[buffer];
            sharing.live = sharing.live.hull(live);
            if self.bytes(sharing.owner) < bytes && self.bytes(value) == bytes {
                sharing.owner = value;
            }
            places.push(Place { buffer, offset });
        }
        Memory { buffers, places, taken }
    }
}
