//! Did you mean …?

/// Names longer than this were not mistyped by a person, and take long to compare.
const LONGEST: usize = 64;

/// The candidate nearest to what was written, where one is near enough to be meant.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_lowercase().replace(['_', '-', '.'], "");
    if written.len() > LONGEST {
        return None;
    }
    let target = plain(written);
    candidates
        .into_iter()
        .filter(|c| c.len() <= LONGEST)
        .filter_map(|c| {
            let distance = strsim::damerau_levenshtein(&target, &plain(c));
            let allowed = (target.chars().count().max(c.chars().count()) / 3).max(1);
            (distance <= allowed && c != written).then_some((distance, c))
        })
        .min()
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_typo_and_leaves_strangers_alone() {
        assert_eq!(nearest("batchnorm", ["batch_norm", "conv"]), Some("batch_norm"));
        assert_eq!(nearest("rleu", ["relu", "elu"]), Some("relu"));
        assert_eq!(nearest("zebra", ["relu", "elu"]), None);
    }
}
