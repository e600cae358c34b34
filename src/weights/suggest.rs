//! Which unexpected tensor is probably which missing one, under another name?

use super::names::parted;
use super::report::Stray;
use std::collections::BTreeMap;

/// Most pairs of names that are compared; beyond, the file is of another network altogether.
const MAX_PAIRS: usize = 100_000;

/// Longest name that is compared, in bytes: the time grows with the product of two lengths.
const LONGEST: usize = 256;

/// How far two names are from each other: whether their numbers differ, how many parts, how many letters.
type Distance = (bool, usize, usize);

/// Gives each unexpected tensor the missing one that it most probably is: the same number of a layer (`weight`, `bias`), of the
/// same sizes, whose name is nearest. Only where each is the nearest of the other, and no second is as near: a wrong hint
/// is worse than none.
pub(super) fn suggest(missing: &[Stray], unexpected: &mut [Stray]) {
    if missing.len().saturating_mul(unexpected.len()) > MAX_PAIRS {
        return;
    }
    let theirs: Vec<Option<usize>> = unexpected.iter().map(|stray| nearest(stray, missing)).collect();
    let ours: Vec<Option<usize>> = missing.iter().map(|wanted| nearest(wanted, unexpected)).collect();
    for (i, stray) in unexpected.iter_mut().enumerate() {
        let mutual = theirs[i].filter(|&at| ours[at] == Some(i)).map(|at| &missing[at]);
        stray.hint = match mutual {
            Some(meant) => Some(words(stray, meant)),
            None => missing
                .iter()
                .find_map(|wanted| Some((wanted, parted(&wanted.name, &stray.name)?)))
                .map(|(wanted, remedy)| format!("a part of the missing `{}`: {remedy}", wanted.name)),
        };
    }
}

/// The one of these that a tensor most probably is.
fn nearest(stray: &Stray, candidates: &[Stray]) -> Option<usize> {
    let mut by_distance: BTreeMap<(bool, Distance), Vec<usize>> = BTreeMap::new();
    for (i, candidate) in candidates.iter().enumerate() {
        if let Some(distance) = distance(&stray.name, &candidate.name) {
            by_distance.entry((stray.dims != candidate.dims, distance)).or_default().push(i);
        }
    }
    let ((other_shape, (_, _, letters)), list) = by_distance.into_iter().next()?;
    let [only] = list[..] else { return None };
    let length = stray.name.len().max(candidates[only].name.len());
    // With the same sizes, half of the letters may differ; without, only a slip of the pen.
    (letters * 2 <= length && (!other_shape || letters * 8 <= length)).then_some(only)
}

/// `None` where they are different numbers of a layer, or too long to be compared.
fn distance(a: &str, b: &str) -> Option<Distance> {
    if a.len().max(b.len()) > LONGEST {
        return None;
    }
    let parts = |name: &str| name.split('.').map(str::to_string).collect::<Vec<_>>();
    let (first, second) = (parts(a), parts(b));
    let slip = strsim::levenshtein(first.last()?, second.last()?) <= 1;
    if !slip {
        return None;
    }
    let numbers = |name: &str| {
        let groups = name.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
        groups.map(str::to_string).collect::<Vec<_>>()
    };
    let differing = match first.len() == second.len() {
        true => first.iter().zip(&second).filter(|(a, b)| a != b).count(),
        false => first.len().max(second.len()),
    };
    Some((numbers(a) != numbers(b), differing, strsim::levenshtein(a, b)))
}

fn words(stray: &Stray, meant: &Stray) -> String {
    let same = if stray.dims == meant.dims { "same shape as" } else { "near" };
    let (theirs, ours): (Vec<_>, Vec<_>) = (stray.name.split('.').collect(), meant.name.split('.').collect());
    let differing: Vec<_> = theirs.iter().zip(&ours).filter(|(a, b)| a != b).collect();
    match differing.as_slice() {
        // The last part is the parameter's own name, which no label changes.
        [(theirs_label, _)] if theirs.len() == ours.len() && theirs.last() == ours.last() => {
            format!("{same} the missing `{}`: rename, or label it `{theirs_label}`", meant.name)
        }
        _ => format!("{same} the missing `{}`: rename", meant.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strays(names: &[(&str, &[usize])]) -> Vec<Stray> {
        names.iter().map(|(name, dims)| Stray::new(name, dims)).collect()
    }

    /// What each unexpected tensor is taken for.
    fn taken(missing: &[(&str, &[usize])], unexpected: &[(&str, &[usize])]) -> Vec<Option<String>> {
        let mut list = strays(unexpected);
        suggest(&strays(missing), &mut list);
        let meant = |hint: &String| hint.split('`').nth(1).map(str::to_string);
        list.iter().map(|stray| stray.hint.as_ref().and_then(meant)).collect()
    }

    #[test]
    fn pairs_have_the_same_sizes_the_same_kind_of_number_and_the_nearest_name() {
        let missing: [(&str, &[usize]); 3] =
            [("layer2.0.downsample.0.weight", &[8, 4]), ("layer3.0.downsample.0.weight", &[8, 4]), ("fc.bias", &[8])];
        let unexpected: [(&str, &[usize]); 3] =
            [("layer3.0.shortcut.0.weight", &[8, 4]), ("layer2.0.shortcut.0.weight", &[8, 4]), ("fc.weight", &[8])];
        let want = [Some("layer3.0.downsample.0.weight".into()), Some("layer2.0.downsample.0.weight".into()), None];
        assert_eq!(taken(&missing, &unexpected), want);
    }

    #[test]
    fn where_two_are_as_near_nothing_is_said() {
        let missing: [(&str, &[usize]); 2] = [("a.weight", &[4]), ("b.weight", &[4])];
        assert_eq!(taken(&missing, &[("x.weight", &[4]), ("y.weight", &[4])]), [None, None]);
        assert_eq!(taken(&missing, &[("x.weight", &[4])]), [None]);
    }

    #[test]
    fn names_that_take_long_to_compare_are_left_alone() {
        let long = |last: &str| format!("{}.{last}", "a".repeat(LONGEST));
        let (ours, theirs) = (long("weight"), long("weights"));
        assert_eq!(taken(&[(&ours, &[4])], &[(&theirs, &[4])]), [None]);
    }

    #[test]
    fn weights_in_parts_say_how_they_become_one() {
        let mut list = strays(&[("conv.weight_g", &[2, 1]), ("conv.weight_v", &[2, 3])]);
        suggest(&strays(&[("conv.weight", &[2, 3])]), &mut list);
        assert!(
            list.iter().all(|s| s.hint.as_ref().is_some_and(|hint| hint.contains("remove_weight_norm"))),
            "{list:?}"
        );
    }
}
