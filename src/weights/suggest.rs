//! Which unexpected tensor is probably which missing one, under another name?

use super::report::Stray;

/// Most pairs of names that are compared; beyond, the file is of another network altogether.
const MAX_PAIRS: usize = 100_000;

/// Gives each unexpected tensor the missing one that it most probably is: of the same sizes first, then by
/// name. No missing tensor is proposed twice.
pub(super) fn suggest(missing: &[Stray], unexpected: &mut [Stray]) {
    if missing.len().saturating_mul(unexpected.len()) > MAX_PAIRS {
        return;
    }
    let mut free: Vec<&Stray> = missing.iter().collect();
    for stray in unexpected.iter_mut() {
        let cost = |candidate: &&Stray| {
            let distance = strsim::levenshtein(&candidate.name, &stray.name);
            (candidate.dims != stray.dims, distance)
        };
        let best = (0..free.len()).min_by_key(|&i| cost(&free[i]));
        let Some((i, (other_shape, distance))) = best.map(|i| (i, cost(&free[i]))) else { continue };
        let length = stray.name.len().max(free[i].name.len());
        // With the same sizes, half of the letters may differ; without, only a slip of the pen.
        if distance * 2 <= length && (!other_shape || distance * 8 <= length) {
            let meant = free.remove(i);
            stray.hint = Some(words(stray, meant));
        }
    }
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
