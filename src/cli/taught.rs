//! What a run did and its file may say otherwise by now: how pixels are normalised.

use super::compute;
use super::shell::{Exit, Shell};
use crate::base::{Fault, codes};
use crate::elaborate::Recipe;
use crate::elaborate::recipe::Normalize;
use crate::train::checkpoint::RunInfo;

/// How far numbers may be apart, relative to their size, that were written and read.
const NEAR: f64 = 1e-12;

/// The recipe with pixels normalised as in the run whose weights are used. Where the file says something else, a note tells it.
pub fn as_learnt(recipe: Recipe, info: Option<&RunInfo>, shell: &Shell) -> Recipe {
    let Some(info) = info else { return recipe };
    let normalize = info.normalize(recipe.normalize.as_ref());
    if !alike(normalize.as_ref(), recipe.normalize.as_ref()) {
        let (run, file) = (words(normalize.as_ref()), words(recipe.normalize.as_ref()));
        shell.note(&format!("pixels are normalised as the weights were learnt: {run}; the file says: {file}"));
    }
    Recipe { normalize, ..recipe }
}

/// Refuses to go on with a run whose pixels were normalised in another way.
///
/// # Errors
/// The exit status, after `E0912`.
pub fn goes_on(recipe: &Recipe, info: &RunInfo, shell: &Shell) -> Result<(), Exit> {
    let (run, file) = (info.normalize(recipe.normalize.as_ref()), recipe.normalize.as_ref());
    if alike(run.as_ref(), file) {
        return Ok(());
    }
    let message =
        format!("the run began with other pixels: {}, and the file says: {}", words(run.as_ref()), words(file));
    let help = match &run {
        Some(run) => format!("--set 'normalize={}'", record(run)),
        None => "take the line `normalize` out of the recipe, or begin another run with `--weights`".into(),
    };
    Err(compute::say(Fault::new(codes::RUN_UNUSABLE, message).help(help), shell))
}

/// Whether pixels come out the same.
pub fn alike(a: Option<&Normalize>, b: Option<&Normalize>) -> bool {
    let near = |a: &[f64], b: &[f64]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= NEAR * a.abs().max(b.abs()))
    };
    match (a, b) {
        (Some(a), Some(b)) => near(&a.mean, &b.mean) && near(&a.std, &b.std),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// As a recipe has it: `normalize = (mean=[0.5], std=[0.25])`.
fn words(normalize: Option<&Normalize>) -> String {
    normalize.map_or_else(|| "no `normalize`".into(), |normalize| format!("`normalize = {}`", record(normalize)))
}

fn record(normalize: &Normalize) -> String {
    let list = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    format!("(mean=[{}], std=[{}])", list(&normalize.mean), list(&normalize.std))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_alike_but_for_the_last_bit() {
        let of = |mean: f64| Normalize { mean: vec![mean], std: vec![0.25] };
        assert!(alike(Some(&of(0.485)), Some(&of(0.485 + f64::EPSILON / 4.0))) && alike(None, None));
        assert!(!alike(Some(&of(0.485)), Some(&of(0.486))) && !alike(None, Some(&of(0.5))));
        assert_eq!(words(Some(&of(0.5))), "`normalize = (mean=[0.5], std=[0.25])`");
    }
}
