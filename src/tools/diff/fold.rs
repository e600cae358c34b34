//! Neighbours that changed in the same way are told once.

use super::{Change, Sign};
use crate::tools::tree::span_of_labels;

/// Layers added or removed in a row that are told apart; more are counted.
const TOLD: usize = 6;

/// Folds neighbours; what was only added or only removed within a block becomes a note of it.
pub fn fold(changes: Vec<Change>) -> Vec<Change> {
    let mut folded: Vec<(Change, String)> = Vec::new();
    for change in counted_runs(changes).into_iter().map(inlined) {
        match folded.last_mut() {
            Some((before, last)) if alike(before, &change) => {
                before.count += 1;
                before.parameters = before.parameters.saturating_add(change.parameters);
                before.following += change.following;
                *last = change.label;
            }
            _ => {
                let label = change.label.clone();
                folded.push((change, label));
            }
        }
    }
    let labelled = |(mut change, last): (Change, String)| {
        if change.count > 1 {
            change.label = joined(&change.label, &last);
        }
        change
    };
    folded.into_iter().map(labelled).collect()
}

/// `2–7`, and `conv2–7 → conv3–8` of labels that changed.
fn joined(first: &str, last: &str) -> String {
    match (first.split_once(" → "), last.split_once(" → ")) {
        (Some((a, b)), Some((x, y))) => format!("{} → {}", span_of_labels(a, x), span_of_labels(b, y)),
        _ => span_of_labels(first, last),
    }
}

fn alike(a: &Change, b: &Change) -> bool {
    let renames = a.label.contains(" → ") == b.label.contains(" → ");
    let within = a.within.len() == b.within.len() && a.within.iter().zip(&b.within).all(|(x, y)| same_inside(x, y));
    a.sign == b.sign && renames && a.what == b.what && a.notes == b.notes && within
}

/// Within blocks that are told once, labels count too.
fn same_inside(a: &Change, b: &Change) -> bool {
    a.label == b.label && a.count == b.count && alike(a, b)
}

/// Runs of many different layers, all added or all removed, as one change.
fn counted_runs(changes: Vec<Change>) -> Vec<Change> {
    let mut result: Vec<Change> = Vec::new();
    let mut rest = changes.as_slice();
    while let Some(first) = rest.first() {
        let alone = matches!(first.sign, Sign::Added | Sign::Removed);
        let run = rest.iter().take_while(|change| alone && change.sign == first.sign).count().max(1);
        let kinds = rest[..run].windows(2).filter(|pair| pair[0].what != pair[1].what).count() + 1;
        if kinds > TOLD {
            let parameters = rest[..run].iter().fold(0i64, |sum, change| sum.saturating_add(change.parameters));
            let label = format!("{} … {}", first.label, rest[run - 1].label);
            result.push(Change { label, what: format!("{run} layers and blocks"), parameters, ..first.clone() });
        } else {
            result.extend_from_slice(&rest[..run]);
        }
        rest = &rest[run..];
    }
    result
}

/// A block in which the only change is that blocks came or went says so itself.
fn inlined(mut change: Change) -> Change {
    let [only] = change.within.as_slice() else { return change };
    let came = match only.sign {
        Sign::Added => "added",
        Sign::Removed => "removed",
        _ => return change,
    };
    if change.notes.is_empty() || change.sign != Sign::Changed || !only.what.starts_with(char::is_uppercase) {
        return change;
    }
    let blocks = if only.count == 1 { "1 block".to_string() } else { format!("{} blocks", only.count) };
    change.notes.push(format!("{blocks} {came} ({})", only.label));
    change.within.clear();
    change
}
