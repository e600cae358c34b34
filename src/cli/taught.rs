//! What a run did, and file, data and command line may say otherwise by now: how pixels are normalised, batches, data.

use super::compute;
use super::shell::{Exit, Shell};
use archc::base::command::{quoted, quoted_path};
use archc::base::{Fault, codes};
use archc::elaborate::Recipe;
use archc::elaborate::recipe::Normalize;
use archc::train::checkpoint::RunInfo;
use archc::train::data::{InputRange, Split, shown};
use std::path::Path;

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

/// Refuses to go on with a run on other batches than it began with: where it stands in the data is counted in them.
///
/// # Errors
/// The exit status, after `E0912`.
pub fn same_batches(recipe: &Recipe, info: &RunInfo, shell: &Shell) -> Result<(), Exit> {
    let Some(batch) = info.batch().filter(|&batch| batch != recipe.batch) else { return Ok(()) };
    let message = format!("the run began with batches of {batch}, and these are of {}", recipe.batch);
    Err(compute::say(Fault::new(codes::RUN_UNUSABLE, message).help(format!("--set batch={batch}")), shell))
}

/// Says that data lie elsewhere than where a run began that goes on, and refuses those that are others. `place` is the file and the
/// run's folder.
///
/// # Errors
/// The exit status, after `E0912`.
pub fn same_data(spec: &str, data: &Split, info: &RunInfo, place: (&Path, &Path), shell: &Shell) -> Result<(), Exit> {
    let now = data.train.len();
    if let Some(samples) = info.samples.filter(|&samples| samples != now) {
        let from = |name: &str, count: usize| format!("`{name}`, {count} samples to learn from");
        let began = from(&info.data, samples);
        let message = format!("the run began with other data: {began}, and these are {}", from(spec, now));
        let (file, run) = (quoted_path(place.0), quoted_path(place.1));
        let help =
            format!("begin another run with its weights:  archc train {file} --data {} --weights {run}", quoted(spec));
        return Err(compute::say(Fault::new(codes::RUN_UNUSABLE, message).help(help), shell));
    }
    if spec != info.data {
        shell.note(&format!("the run began with `{}`, and goes on with `{spec}`", info.data));
    }
    Ok(())
}

/// Warns of pictures that are measured with weights which learnt from numbers on another scale.
pub fn other_range(spec: &str, data: &Split, info: Option<&RunInfo>, shell: &Shell) {
    let Some(ends) = info.and_then(|info| info.range).filter(|&ends| InputRange::is_other(ends)) else { return };
    if data.evaluation().range().is_some() {
        return;
    }
    let [low, high] = ends.map(shown);
    let message = format!("the run learnt from numbers from {low} to {high}, and those of `{spec}` are 0 to 1");
    let help = format!("learn again from numbers from 0 to 1. In Python:  x = x / {high}");
    compute::say(Fault::new(codes::INPUT_RANGE, message).help(help), shell);
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
