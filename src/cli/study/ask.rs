//! From what was typed to what a study is asked.

use super::args::{Degradation, Features, Gradients, Kind, Landscape, Lesion, Trained, Vary};
use crate::cli::compute;
use crate::cli::shell::{Exit, Shell};
use crate::cli::weights::{Reading, read};
use archc::base::nearest::nearest;
use archc::base::{Diagnostic, codes};
use archc::elaborate::Recipe;
use archc::study::{Case, Given, Outcome, Report, StudyContext, Subject, Twin, fingerprint};
use archc::study::{degradation, features, gradients, landscape, lesion};
use archc::train::checkpoint::Run;
use archc::train::data::Split;
use candle_core::Device;
use serde_json::{Value, json};
use std::path::Path;

/// A study that is ready to be made.
pub enum Question {
    /// Norms of gradients.
    Gradients(gradients::Question),
    /// Training errors at several depths.
    Degradation(degradation::Question),
    /// Losses around weights.
    Landscape(landscape::Question),
    /// Blocks removed.
    Lesion(lesion::Question),
    /// What weights read.
    Features(Box<features::Question>),
}

impl Question {
    /// What was typed, checked.
    ///
    /// # Errors
    /// The exit status, after saying what makes no sense.
    pub fn new(kind: &Kind, subject: &Subject, recipe: &Recipe, shell: &Shell) -> Result<Self, Exit> {
        match kind {
            Kind::Gradients(args) => asked_gradients(args, subject, shell).map(Self::Gradients),
            Kind::Degradation(args) => asked_degradation(args, subject, recipe, shell).map(Self::Degradation),
            Kind::Landscape(args) => asked_landscape(args, subject, recipe, shell).map(Self::Landscape),
            Kind::Lesion(args) => asked_lesion(args, subject, recipe, shell).map(Self::Lesion),
            Kind::Features(args) => asked_features(args, subject, shell).map(Box::new).map(Self::Features),
        }
    }

    /// What makes the answer this one and no other.
    ///
    /// # Errors
    /// Where a file that matters cannot be read.
    pub fn asked(&self) -> Result<Value, Diagnostic> {
        Ok(match self {
            Self::Gradients(q) => {
                let cases: Vec<String> = q.cases.iter().map(|case| case.key()).collect();
                json!({ "cases": cases, "steps": q.steps, "samples": q.samples })
            }
            Self::Degradation(q) => json!({ "vary": q.vary, "values": q.values, "seeds": q.seeds }),
            Self::Landscape(q) => json!({
                "weights": weights(&q.cases)?, "grid": q.grid, "line": q.line, "reach": q.reach, "samples": q.samples, "seed": q.seed,
            }),
            Self::Lesion(q) => json!({
                "weights": weights(&q.cases)?, "samples": q.samples, "repeats": q.repeats, "seed": q.seed,
            }),
            Self::Features(q) => json!({ "weights": weights(&[(q.case.clone(), q.weights.clone())])? }),
        })
    }

    /// Makes the study.
    ///
    /// # Errors
    /// Where it is stopped or fails.
    pub fn answer(
        &self,
        subject: &Subject,
        data: &Split,
        device: &Device,
        context: &mut StudyContext,
    ) -> Outcome<Report> {
        match self {
            Self::Gradients(q) => gradients::run(subject, q, data, device, context),
            Self::Degradation(q) => degradation::run(subject, q, data, device, context),
            Self::Landscape(q) => landscape::run(subject, q, data, device, context),
            Self::Lesion(q) => lesion::run(subject, q, data, device, context),
            Self::Features(q) => features::run(subject, q, data, device, context),
        }
    }
}

fn asked_gradients(args: &Gradients, subject: &Subject, shell: &Shell) -> Result<gradients::Question, Exit> {
    if args.samples == 0 {
        return Err(shell.usage("0 samples have no gradient", "--samples 256"));
    }
    let varied = match &args.vary.vary {
        Some(name) => Some((known(name, subject, shell)?, args.vary.values.as_slice())),
        None => None,
    };
    let cases = subject.twins(varied).map_err(|error| compute::fail(error, &subject.compiled.sources, shell))?;
    let mut steps = args.steps.clone();
    steps.sort_unstable();
    steps.dedup();
    Ok(gradients::Question { cases, steps, samples: args.samples })
}

fn asked_degradation(
    args: &Degradation,
    subject: &Subject,
    recipe: &Recipe,
    shell: &Shell,
) -> Result<degradation::Question, Exit> {
    let (vary, values) = depths(&args.vary, subject, shell)?;
    if args.seeds == 0 {
        return Err(shell.usage("0 seeds train nothing", "--seeds 1, or more"));
    }
    let seeds = (0..args.seeds).map(|i| recipe.seed.wrapping_add(i)).collect();
    // The first error of a value is told before anything is made.
    subject.twins(Some((&vary, &values))).map_err(|error| compute::fail(error, &subject.compiled.sources, shell))?;
    Ok(degradation::Question { vary, values, seeds })
}

fn asked_landscape(
    args: &Landscape,
    subject: &Subject,
    recipe: &Recipe,
    shell: &Shell,
) -> Result<landscape::Question, Exit> {
    if args.grid < 3 || args.grid.is_multiple_of(2) {
        return Err(
            shell.usage(&format!("a grid of {} has no middle", args.grid), "an odd number from 3 on: --grid 25")
        );
    }
    if !(args.reach.is_finite() && args.reach > 0.0) || args.samples == 0 {
        return Err(shell.usage("there is nothing to walk over", "--reach 1 --samples 256, or more"));
    }
    let cases = cases(&args.trained, subject, shell)?;
    let line = args.dims == 1;
    let (grid, reach, samples, seed) = (args.grid, args.reach, args.samples, recipe.seed);
    Ok(landscape::Question { cases, grid, line, reach, samples, seed })
}

fn asked_lesion(args: &Lesion, subject: &Subject, recipe: &Recipe, shell: &Shell) -> Result<lesion::Question, Exit> {
    if args.samples == 0 {
        return Err(shell.usage("0 samples measure nothing", "--samples 1000"));
    }
    let fit = subject.network().and_then(lesion::check);
    fit.map_err(|error| compute::fail(error, &subject.compiled.sources, shell))?;
    let cases = cases(&args.trained, subject, shell)?;
    Ok(lesion::Question { cases, samples: args.samples, repeats: args.repeats, seed: recipe.seed })
}

fn asked_features(args: &Features, subject: &Subject, shell: &Shell) -> Result<features::Question, Exit> {
    let case = subject.case(Twin::Skip, None, None);
    let tell = |error| compute::fail(error, &subject.compiled.sources, shell);
    let case = case.map_err(tell)?;
    features::check(&case.network).map_err(tell)?;
    let weights = given(args.weights.as_deref(), args.key.as_deref(), (subject, &case), shell)?;
    Ok(features::Question { case, weights })
}

/// The network and, where its weights are named or nobody's are, its plain twin.
fn cases(trained: &Trained, subject: &Subject, shell: &Shell) -> Result<Vec<(Case, Option<Given>)>, Exit> {
    let plain = trained.weights.as_deref().and_then(|path| Run::open(path).and_then(|run| run.info()).ok());
    if let (true, Some(path)) = (plain.is_some_and(|info| info.plain), &trained.weights) {
        let help =
            format!("--weights RUN --plain-weights {}, with a run that was trained without --plain", path.display());
        return Err(shell.usage(&format!("the weights in {} are the plain twin's", path.display()), &help));
    }
    let say = |error| compute::fail(error, &subject.compiled.sources, shell);
    let key = trained.key.as_deref();
    let case = subject.case(Twin::Skip, None, None).map_err(say)?;
    let weights = given(trained.weights.as_deref(), key, (subject, &case), shell)?;
    let mut cases = vec![(case, weights)];
    let bridged = subject.network().is_ok_and(|network| !network.graph.skips.is_empty());
    if bridged && (trained.plain_weights.is_some() || trained.weights.is_none()) {
        let case = subject.case(Twin::Plain, None, None).map_err(say)?;
        let weights = given(trained.plain_weights.as_deref(), key, (subject, &case), shell)?;
        cases.push((case, weights));
    }
    Ok(cases)
}

/// Weights that were named, after saying how they are read. A file that is not there is met later, in the words of studies.
fn given(
    path: Option<&Path>,
    key: Option<&str>,
    (subject, case): (&Subject, &Case),
    shell: &Shell,
) -> Result<Option<Given>, Exit> {
    let Some(path) = path else { return Ok(None) };
    let reading = Reading { partial: false, key: key.map(str::to_string) };
    if path.exists() {
        read(&case.network, &subject.compiled.sources, path, (&reading, 0), shell)?;
    }
    Ok(Some(Given { path: path.into(), key: reading.key }))
}

/// The files of weights, with what is in them.
fn weights(cases: &[(Case, Option<Given>)]) -> Result<Value, Diagnostic> {
    let one = |(case, given): &(Case, Option<Given>)| {
        let path = given.as_ref().map(|given| given.path.as_path());
        let print = path.map(printed).transpose()?;
        let mut asked = json!({ "twin": case.twin, "file": path, "print": print });
        if let Some(key) = given.as_ref().and_then(|given| given.key.as_ref()) {
            asked["key"] = json!(key);
        }
        Ok(asked)
    };
    cases.iter().map(one).collect()
}

fn printed(path: &Path) -> Result<String, Diagnostic> {
    let file = match path.is_dir() {
        true => Run::open(path).map_err(|fault| Diagnostic::from(*fault))?.weights(),
        false => path.to_path_buf(),
    };
    let bytes = std::fs::read(&file).map_err(|error| {
        Diagnostic::new(codes::WEIGHTS_UNREADABLE, format!("`{}` cannot be read: {error}", file.display()))
            .help("make weights by  archc train FILE,  or leave `--weights` out: then the study trains first")
    })?;
    Ok(format!("{:016x}", fingerprint(bytes.into_iter())))
}

/// The parameter that makes the model deeper, and its values: what was typed, or `n` at 3 and 9, where there is such a one.
fn depths(vary: &Vary, subject: &Subject, shell: &Shell) -> Result<(String, Vec<String>), Exit> {
    if let Some(name) = &vary.vary {
        known(name, subject, shell)?;
        return Ok((name.clone(), vary.values.clone()));
    }
    let has_n = subject.network().is_ok_and(|network| network.settings.contains_key("n"));
    if has_n {
        return Ok(("n".into(), vec!["3".into(), "9".into()]));
    }
    let help = match parameters(subject).as_slice() {
        [] => "give the model a parameter that says how deep it is:  model Net(n=3) { repeat n { … } }".to_string(),
        names => format!("name one of its parameters ({}):  --vary {} --values 1,2,4", names.join(", "), names[0]),
    };
    Err(shell.usage("it is not clear what makes the network deeper", &help))
}

fn parameters(subject: &Subject) -> Vec<String> {
    subject.network().map(|network| network.settings.keys().cloned().collect()).unwrap_or_default()
}

/// A parameter of the model.
fn known<'n>(name: &'n str, subject: &Subject, shell: &Shell) -> Result<&'n str, Exit> {
    let names = parameters(subject);
    if names.iter().any(|known| known == name) || name.contains('.') {
        return Ok(name);
    }
    let help = match nearest(name, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `--vary {meant}`?"),
        None if names.is_empty() => "the model has no parameters".into(),
        None => format!("its parameters are {}", names.join(", ")),
    };
    Err(shell.usage(&format!("the model has no parameter `{name}`"), &help))
}
