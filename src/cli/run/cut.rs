//! A frame cut into tiles along one axis: where they begin, how far they overlap, and what each counts for.

use archc::analysis::canvas::Along;

/// Positions over which two tiles are blended, at least.
const BLENDED: usize = 16;

/// Tiles along one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// Input positions of a tile.
    pub size: usize,
    /// Where the tiles begin, in order; the last one ends where the frame does.
    pub starts: Vec<usize>,
    /// From one tile to the next, but for the last.
    stride: usize,
    /// Positions at an inner edge that count for nothing, because they would have seen what lies beyond it.
    dead: usize,
    /// Whether every position that counts has seen all that it sees in the whole frame.
    pub exact: bool,
}

/// What a cut has to heed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// How far a position sees to either side; `None` where it sees everything.
    pub reach: Option<usize>,
    /// Tiles begin at multiples of this, so that windows with steps fall on the same positions.
    pub step: usize,
}

impl Cut {
    /// One tile that is the whole frame.
    pub fn whole(size: usize) -> Self {
        Self { size, starts: vec![0], stride: size, dead: 0, exact: true }
    }

    /// Tiles of a size that cover a frame, which grows to the next multiple of the step where they could not end with it.
    /// They overlap by twice the reach and a stretch to be blended; by a quarter where that is too much of a tile.
    pub fn new(frame: usize, size: usize, sight: Sight) -> Self {
        if size >= frame {
            return Self::whole(size);
        }
        let step = sight.step.clamp(1, size);
        let down = |n: usize| n / step * step;
        let enough = sight.reach.map(|reach| 2 * reach + BLENDED.max(step)).filter(|&overlap| overlap + step <= size);
        let (stride, dead, aligned) = match (enough, sight.reach) {
            (Some(overlap), Some(reach)) => (down(size - overlap), reach, sight.step <= size),
            _ => (down(size - size / 4).max(step), size / 16, false),
        };
        let rest = (frame - size).div_ceil(step) * step;
        let starts = (0..rest.div_ceil(stride)).map(|i| i * stride).chain([rest]).collect();
        Self { size, starts, stride, dead, exact: aligned }
    }

    /// Positions of the frame.
    pub fn frame(&self) -> usize {
        self.starts.last().map_or(0, |start| start + self.size)
    }

    /// How far two neighbours overlap, but for the last.
    pub fn overlap(&self) -> usize {
        self.size.saturating_sub(self.stride)
    }

    /// What each output position of the tile `index` counts for: nothing at inner edges, rising to 1 over the rest of the
    /// overlap. `along` says how the output follows.
    pub fn weights(&self, index: usize, along: Along) -> Vec<f32> {
        let length = along.of(self.size).unwrap_or(0);
        let shared = length.saturating_sub(along.covering(self.stride));
        let dead = along.covering(self.dead).saturating_sub(along.margin()).min(shared.saturating_sub(1) / 2);
        let rise = (shared - 2 * dead).max(1) as f32;
        let edge = |distance: usize, inner: bool| match inner {
            true => ((distance as f32 + 0.5 - dead as f32) / rise).clamp(0.0, 1.0),
            false => 1.0,
        };
        let (first, last) = (index == 0, index + 1 == self.starts.len());
        (0..length).map(|x| edge(x, !first) * edge(length - 1 - x, !last)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: Along = Along { num: 1, den: 1, offset: 0 };

    /// What all tiles together count for, at every position.
    fn sums(cut: &Cut, along: Along) -> Vec<f32> {
        let mut sums = vec![0.0; along.of(cut.frame()).unwrap()];
        for (i, &start) in cut.starts.iter().enumerate() {
            for (x, weight) in cut.weights(i, along).into_iter().enumerate() {
                sums[along.covering(start) + x] += weight;
            }
        }
        sums
    }

    #[test]
    fn tiles_cover_a_frame_and_begin_in_step() {
        let cut = Cut::new(800, 256, Sight { reach: Some(40), step: 16 });
        assert!(cut.exact && cut.starts.iter().all(|start| start % 16 == 0), "{cut:?}");
        assert_eq!((cut.frame(), cut.overlap()), (800, 96));
        assert_eq!(Cut::new(200, 256, Sight { reach: None, step: 16 }), Cut::whole(256));
        // 801 − 256 is no multiple of 16: the frame grows.
        assert_eq!(Cut::new(801, 256, Sight { reach: Some(40), step: 16 }).frame(), 816);
    }

    #[test]
    fn every_position_counts() {
        let double = Along { num: 2, ..SAME };
        let valid = Along { offset: -20, ..SAME };
        for sight in [Some(40), Some(300), None].map(|reach| Sight { reach, step: 8 }) {
            for along in [SAME, double, valid] {
                let sums = sums(&Cut::new(1000, 128, sight), along);
                assert!(sums.iter().all(|&sum| sum > 0.0), "{sight:?} {along:?}");
            }
        }
        assert!(!Cut::new(1000, 128, Sight { reach: Some(300), step: 8 }).exact);
    }

    #[test]
    fn what_lies_near_an_inner_edge_counts_for_nothing() {
        let cut = Cut::new(1000, 256, Sight { reach: Some(40), step: 8 });
        let weights = cut.weights(1, SAME);
        assert!(weights[..40].iter().chain(&weights[216..]).all(|&w| w == 0.0));
        assert!(cut.weights(0, SAME)[0] == 1.0 && weights[128] == 1.0);
    }
}
