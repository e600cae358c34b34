//! How the levels of masks are read as classes: one rule for pictures and arrays.

use super::census::{Census, Seen};
use super::dataset::TargetKind;
use super::misfit::Misfit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// White in 8 and in 16 bits.
const WHITE: [i32; 2] = [255, 65535];

/// Marks pixels without a class in many data sets.
const VOID: i64 = 255;

/// Below this share, levels between black and white are edges.
pub const EDGES: f64 = 0.1;

/// That masks are black and white but for some pixels, of which the first is told of.
pub fn edges(place: &str, count: u64) -> Misfit {
    let pixels = if count == 1 { "1 pixel is".to_string() } else { format!("{count} pixels are") };
    Misfit::new(format!("{place}, where masks are black and white: {pixels} neither 0 nor 255"))
        .note("levels between come from smoothed edges, or from masks that were once saved as JPEG")
        .note("where 255 marks pixels without a class, `ignore_index=255` leaves them out")
        .help("make them black and white. In Python:  m = (m > 127).astype('uint8') * 255")
}

/// A level that is neither black nor white, in parts of a data set of which another is black and white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The part.
    pub part: usize,
    /// The level.
    pub level: i64,
    /// Where it is seen first.
    pub seen: Seen,
    /// How many pixels have such levels.
    pub count: u64,
}

/// How the levels of masks are read. It is decided when training starts and kept in the run, so that a data set that
/// holds a part of the levels, or one level alone, is read as the one that was learnt from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// The level that is class 1 where masks are black and white (255, or 65535 in 16 bits), 0 being class 0. `None`
    /// where levels are class numbers as they stand.
    pub white: Option<i32>,
    /// The colours that palettes give to the indices in use: what tells one palette from another.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub palette: BTreeMap<i32, [u8; 3]>,
}

impl Levels {
    /// The rule for masks that hold these levels: black and white where they hold 255 and nothing else but 0 (or 65535 in
    /// 16 bits), unless the losses leave out just that level.
    pub fn of(seen: impl IntoIterator<Item = i64>, ignore: Option<i64>) -> Self {
        let mut found = None;
        for level in seen.into_iter().filter(|&level| level != 0) {
            match (found, WHITE.into_iter().find(|&white| i64::from(white) == level)) {
                (None, Some(white)) if ignore != Some(level) => found = Some(white),
                (Some(white), Some(same)) if white == same => {}
                _ => return Self::default(),
            }
        }
        Self { white: found, palette: BTreeMap::new() }
    }

    /// The first level between black and white, where one of the parts of a data set is black and white, and few pixels of
    /// the others are neither.
    pub fn stray(parts: &[&Census], ignore: Option<i64>) -> Option<Stray> {
        let between = |&(level, _): &(i64, &Seen)| level != 0 && level != 255;
        let pure = |part: &&Census| part.count(0) > 0 && part.count(255) > 0 && part.iter().count() == 2;
        let total: u64 = parts.iter().map(|part| part.total()).sum();
        let count: u64 = parts.iter().flat_map(|part| part.iter()).filter(between).map(|(_, seen)| seen.count).sum();
        if ignore == Some(255) || !parts.iter().any(pure) || count as f64 >= EDGES * total as f64 {
            return None;
        }
        parts.iter().enumerate().find_map(|(part, census)| {
            let (level, seen) = census.iter().find(between)?;
            Some(Stray { part, level, seen: *seen, count })
        })
    }

    /// The class that a level stands for; `None` where masks are black and white, and this is neither.
    pub fn class(&self, level: i32) -> Option<i32> {
        match self.white {
            Some(white) if level == white => Some(1),
            Some(_) if level != 0 => None,
            _ => Some(level),
        }
    }

    /// The kind of masks that hold these classes: 255 and negative ones mark pixels without one, and what the losses leave out is
    /// none.
    pub fn kind(found: impl Iterator<Item = i64>, ignore: Option<i64>) -> TargetKind {
        let class = |&class: &i64| class >= 0 && class != VOID && Some(class) != ignore;
        TargetKind::Mask { classes: Self::classes(found.filter(class).max()) }
    }

    /// How many classes masks have whose highest class is this.
    fn classes(highest: Option<i64>) -> usize {
        usize::try_from(highest.unwrap_or(0)).unwrap_or(0).max(1).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels seen, what the losses leave out, and what is white.
    const RULE: &[(&[i64], Option<i64>, Option<i32>)] = &[
        (&[0, 255], None, Some(255)),
        (&[255], None, Some(255)),
        (&[0, 65535], None, Some(65535)),
        (&[0], None, None),
        (&[], None, None),
        (&[0, 1], None, None),
        (&[1, 255], None, None),
        (&[0, 1, 255], None, None),
        (&[0, 127, 255], None, None),
        (&[0, 255, 65535], None, None),
        (&[-1, 0, 255], None, None),
        (&[0, 255], Some(255), None),
        (&[0, 255], Some(-100), Some(255)),
    ];

    #[test]
    fn black_and_white_is_two_classes_and_all_else_is_numbers() {
        for &(seen, ignore, white) in RULE {
            let levels = Levels::of(seen.iter().copied(), ignore);
            assert_eq!(levels.white, white, "{seen:?} without {ignore:?}");
        }
    }

    #[test]
    fn a_kept_rule_reads_any_part_of_the_levels() {
        let white = Levels { white: Some(255), ..Levels::default() };
        assert_eq!([0, 255, 1, 127, -1].map(|level| white.class(level)), [Some(0), Some(1), None, None, None]);
        let numbers = Levels::default();
        assert_eq!([0, 255, 7, -1].map(|level| numbers.class(level)), [Some(0), Some(255), Some(7), Some(-1)]);
        assert_eq!([None, Some(0), Some(1), Some(5)].map(Levels::classes), [2, 2, 2, 6]);
        let kind = Levels::kind([0, 3, 9, 255, -100].into_iter(), Some(9));
        assert_eq!(kind, TargetKind::Mask { classes: 4 });
    }

    #[test]
    fn levels_between_black_and_white_parts_are_found() {
        let census = |levels: &[i64]| {
            let mut census = Census::default();
            census.add(0, levels.iter().copied());
            census
        };
        let pure = census(&[0i64, 255].repeat(10));
        let smooth = census(&[0, 255, 0, 255, 127]);
        let stray = Levels::stray(&[&pure, &smooth], None).unwrap();
        assert_eq!((stray.part, stray.level, stray.seen.position, stray.count), (1, 127, 4, 1));
        assert_eq!(Levels::stray(&[&pure, &smooth], Some(255)), None);
        assert_eq!(Levels::stray(&[&smooth, &smooth], None), None);
        assert_eq!(Levels::stray(&[&pure, &census(&[0, 1, 1, 1, 255])], None), None);
    }

    #[test]
    fn it_is_kept_as_json() {
        let levels = Levels { white: Some(255), palette: BTreeMap::from([(1, [128, 0, 0])]) };
        let text = serde_json::to_string(&levels).unwrap();
        assert_eq!(serde_json::from_str::<Levels>(&text).unwrap(), levels);
        assert_eq!(serde_json::from_str::<Levels>(r#"{"white":null}"#).unwrap(), Levels::default());
    }
}
