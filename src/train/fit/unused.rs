//! Outputs that no target asks for: not wrong, but seldom meant.

use super::range;
use super::term::{Term, channels, terms};
use crate::base::{Diagnostic, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::{Loss, Recipe};
use crate::train::data::{Dataset, TargetKind};

/// Classes that a message lists.
const LISTED: usize = 8;

/// Warns of channels that are never learnt, of classes without a sample to learn from, and of inputs on another scale than pictures.
pub fn warnings(network: &Network, recipe: &Recipe, data: &dyn Dataset) -> Vec<Diagnostic> {
    let terms = terms(network, recipe).unwrap_or_default();
    let by_class = |term: &&Term| matches!(term.loss, Loss::CrossEntropy { .. } | Loss::Dice { .. });
    let unlearnt = |term| void_is_white(term, data, "learnt");
    let found = terms
        .iter()
        .filter(by_class)
        .find_map(|term| unlearnt(term).or_else(|| more_channels(term, data)).or_else(|| empty(term, data)));
    let found = found.map(|diagnostic| diagnostic.label(recipe.span, "this recipe"));
    found.into_iter().chain(range::warning(recipe, data)).collect()
}

/// Warns of data of which the losses leave out all but one class, where a network is measured on them.
pub fn measured(network: &Network, recipe: &Recipe, data: &dyn Dataset) -> Option<Diagnostic> {
    let terms = terms(network, recipe).unwrap_or_default();
    let found = terms.iter().find_map(|term| void_is_white(term, data, "measured"));
    found.map(|diagnostic| diagnostic.label(recipe.span, "this recipe"))
}

fn more_channels(term: &Term, data: &dyn Dataset) -> Option<Diagnostic> {
    let (has, wanted) = match data.target() {
        TargetKind::Class { count, .. } => (term.channels(), *count),
        TargetKind::Mask { classes } => (term.channels(), *classes),
        TargetKind::Tensor(_) => return None,
    };
    let spare = has.checked_sub(wanted).filter(|&spare| spare > 0 && has > 2)?;
    let message =
        format!("{}, and the data have {wanted} classes: no target asks for {spare} {}", term.is(), channels(spare));
    Some(Diagnostic::new(codes::UNUSED_OUTPUTS, message).help(term.with_channels(wanted)))
}

/// Classes below the highest that no sample has.
fn empty(term: &Term, data: &dyn Dataset) -> Option<Diagnostic> {
    let census = data.census()?;
    let wanted = match data.target() {
        TargetKind::Class { count, .. } => *count as i64,
        TargetKind::Mask { classes } => *classes as i64,
        TargetKind::Tensor(_) => return None,
    };
    let missing: Vec<i64> = (0..wanted.min(term.classes()?))
        .filter(|&class| census.count(class) == 0 && Some(class) != term.ignore())
        .collect();
    let names = match data.target() {
        TargetKind::Class { names, .. } => names.as_slice(),
        _ => &[],
    };
    let named = |class: &i64| match names.get(*class as usize) {
        Some(name) => format!("`{name}`"),
        None => class.to_string(),
    };
    let list: Vec<String> = missing.iter().take(LISTED).map(named).collect();
    let more = if missing.len() > LISTED { format!(" and {} more", missing.len() - LISTED) } else { String::new() };
    let classes = if missing.len() == 1 { "class" } else { "classes" };
    let message = format!("no sample to learn from has {classes} {}{more}", list.join(", "));
    let warning = (!missing.is_empty()).then(|| Diagnostic::new(codes::UNUSED_OUTPUTS, message))?;
    Some(match missing[0] {
        0 => warning.help("where labels count from 1, subtract 1: classes count from 0"),
        _ => warning,
    })
}

/// Black and white masks of which the white is left out.
fn void_is_white(term: &Term, data: &dyn Dataset, done: &str) -> Option<Diagnostic> {
    let census = data.census()?;
    let white = census.count(0) > 0 && census.count(255) > 0 && census.iter().count() == 2;
    (term.ignore() == Some(255) && white).then(|| {
        let message =
            format!("targets are 0 and 255, and `ignore_index=255` leaves out the 255: class 0 alone is {done}");
        let help = match done {
            "learnt" => "without `ignore_index`, masks of 0 and 255 are read as the classes 0 and 1",
            _ => "write class numbers. In Python, where white is class 1:  m = (m > 127).astype('uint8')",
        };
        Diagnostic::new(codes::UNUSED_OUTPUTS, message).help(help)
    })
}
