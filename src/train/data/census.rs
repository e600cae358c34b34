//! Which whole numbers targets hold, how often, and where first.

use std::collections::BTreeMap;

/// Where a number was seen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// The sample.
    pub sample: usize,
    /// The position in the sample's target, row by row.
    pub position: usize,
    /// How often it occurs in all.
    pub count: u64,
}

/// The whole numbers in the targets of a data set: labels, or the classes of pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    values: BTreeMap<i64, Seen>,
}

impl Census {
    /// Counts one sample's numbers; samples come in order.
    pub fn add(&mut self, sample: usize, values: impl IntoIterator<Item = i64>) {
        // Neighbours are often equal: runs are counted, and the map is asked once for each.
        let mut run: Option<(i64, Seen)> = None;
        for (position, value) in values.into_iter().enumerate() {
            match &mut run {
                Some((same, seen)) if *same == value => seen.count += 1,
                _ => {
                    self.note(run.replace((value, Seen { sample, position, count: 1 })));
                }
            }
        }
        self.note(run);
    }

    fn note(&mut self, run: Option<(i64, Seen)>) {
        if let Some((value, seen)) = run {
            self.values.entry(value).and_modify(|known| known.count += seen.count).or_insert(seen);
        }
    }

    /// Adds what was counted of one other sample, which is this one here.
    pub fn take(&mut self, sample: usize, other: Census) {
        other.values.into_iter().for_each(|(value, seen)| self.note(Some((value, Seen { sample, ..seen }))));
    }

    /// The same of what numbers stand for; those that stand for nothing are left out.
    pub fn map(&self, class: impl Fn(i64) -> Option<i64>) -> Self {
        let mut mapped = Self::default();
        self.iter().for_each(|(value, seen)| mapped.note(class(value).map(|class| (class, *seen))));
        mapped
    }

    /// The numbers in rising order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Seen)> {
        self.values.iter().map(|(&value, seen)| (value, seen))
    }

    /// How often a number occurs.
    pub fn count(&self, value: i64) -> u64 {
        self.values.get(&value).map_or(0, |seen| seen.count)
    }

    /// How many numbers there are in all.
    pub fn total(&self) -> u64 {
        self.values.values().map(|seen| seen.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_of_each_number_is_kept() {
        let mut census = Census::default();
        census.add(0, [0, 0, 7, 0]);
        census.add(1, [7, 3, 3, -1]);
        let found: Vec<_> = census.iter().map(|(v, s)| (v, s.sample, s.position, s.count)).collect();
        assert_eq!(found, [(-1, 1, 3, 1), (0, 0, 0, 3), (3, 1, 1, 2), (7, 0, 2, 2)]);
        assert_eq!((census.total(), census.count(7), census.count(9)), (8, 2, 0));

        let mut joined = Census::default();
        joined.take(4, census);
        assert_eq!(joined.iter().next(), Some((-1, &Seen { sample: 4, position: 3, count: 1 })));
        let mapped = joined.map(|v| (v != 3).then_some(v.min(1)));
        assert_eq!(mapped.iter().map(|(v, s)| (v, s.count)).collect::<Vec<_>>(), [(-1, 1), (0, 3), (1, 2)]);
    }
}
