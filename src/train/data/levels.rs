//! How the levels of masks are read as classes: one rule for pictures and arrays.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// White in 8 and in 16 bits.
const WHITE: [i32; 2] = [255, 65535];

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

    /// The class that a level stands for; `None` where masks are black and white, and this is neither.
    pub fn class(&self, level: i32) -> Option<i32> {
        match self.white {
            Some(white) if level == white => Some(1),
            Some(_) if level != 0 => None,
            _ => Some(level),
        }
    }

    /// How many classes masks have whose highest class is this.
    pub fn classes(highest: Option<i64>) -> usize {
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
    }

    #[test]
    fn it_is_kept_as_json() {
        let levels = Levels { white: Some(255), palette: BTreeMap::from([(1, [128, 0, 0])]) };
        let text = serde_json::to_string(&levels).unwrap();
        assert_eq!(serde_json::from_str::<Levels>(&text).unwrap(), levels);
        assert_eq!(serde_json::from_str::<Levels>(r#"{"white":null}"#).unwrap(), Levels::default());
    }
}
