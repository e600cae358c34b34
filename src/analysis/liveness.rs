//! From when to when something is needed, and how much is needed at once.

use serde::Serialize;

/// The steps, both counted, during which something must keep its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Interval {
    /// The step that makes it.
    pub first: usize,
    /// The last step that reads it; `first` where nothing does.
    pub last: usize,
}

impl Interval {
    /// Needed at one step only, so far.
    pub fn at(step: usize) -> Self {
        Self { first: step, last: step }
    }

    /// Also needed at `step`.
    pub fn extend(&mut self, step: usize) {
        self.first = self.first.min(step);
        self.last = self.last.max(step);
    }

    /// The shortest interval that holds both.
    pub fn hull(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// Whether both are needed at some step.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// How many steps it lasts; at least 1.
    pub fn steps(self) -> usize {
        self.last - self.first + 1
    }
}

/// The bytes that are live at each of `steps` steps.
///
/// Their maximum bounds the peak of any placement from below: what is live at once cannot overlap.
pub fn live_bytes(items: impl IntoIterator<Item = (Interval, u64)>, steps: usize) -> Vec<u64> {
    let mut appear = vec![0u64; steps + 1];
    let mut vanish = vec![0u64; steps + 1];
    for (live, bytes) in items {
        appear[live.first] += bytes;
        vanish[live.last + 1] += bytes;
    }
    let mut now = 0;
    let step = |i: usize| {
        now = now + appear[i] - vanish[i];
        now
    };
    (0..steps).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_that_touch_at_a_step_overlap() {
        let (a, b) = (Interval { first: 0, last: 3 }, Interval { first: 3, last: 4 });
        assert!(a.overlaps(b) && b.overlaps(a));
        assert!(!a.overlaps(Interval { first: 4, last: 9 }));
        assert_eq!(a.hull(b), Interval { first: 0, last: 4 });
        assert_eq!((a.steps(), Interval::at(7).steps()), (4, 1));
    }

    #[test]
    fn bytes_are_live_from_the_first_step_to_the_last() {
        let items = [(Interval { first: 0, last: 1 }, 10), (Interval { first: 1, last: 3 }, 5), (Interval::at(3), 1)];
        assert_eq!(live_bytes(items, 4), [10, 15, 5, 6]);
    }
}
