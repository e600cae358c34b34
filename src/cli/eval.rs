//! `archc eval`: measure a trained network on a data set.

use super::args::{ComputeArgs, ModelArgs};
use super::compute;
use super::data::{Terms, open_data};
use super::load::Loaded;
use super::progress::{metrics, scores_json};
use super::run::noted;
use super::shell::{Exit, Shell};
use super::{interrupt, load, weights};
use crate::base::{Fault, codes};
use crate::engine::SessionOptions;
use crate::lower::{Error, ParamStore};
use crate::train::checkpoint::Run;
use crate::train::data::{Split, TargetKind, broken_warning};
use crate::train::evaluate::{Forward, evaluate, evaluation_loader};
use crate::train::observe::Scores;
use candle_core::{DType, Device};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `archc eval`
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The data; its test part is used where it has one. The recipe's by default.
    #[arg(long, value_name = "D")]
    pub data: Option<String>,
    /// Weights: a run's folder, .safetensors, or what PyTorch saved (.pth, .pt, .ckpt, .bin).
    #[arg(long, required = true, value_name = "RUN|FILE")]
    pub weights: PathBuf,
    /// How they are read.
    #[command(flatten)]
    pub reading: weights::Reading,
    /// Stop at the first broken data file.
    #[arg(long)]
    pub strict: bool,
    /// What computes, and where.
    #[command(flatten)]
    pub compute: ComputeArgs,
}

/// Measures, and prints the recipe's loss and metrics.
pub fn run(args: &EvalArgs, shell: &Shell) -> Result<Exit, Exit> {
    let info = Run::of_weights(&args.weights).map(|(_, info)| info);
    let (model, plain) = noted(&args.model, info.as_ref());
    let loaded = load::network(&args.file, &model, plain, shell)?;
    let network = &loaded.network;
    let Some(recipe) = network.recipe.clone() else {
        let message = format!("`{}` has no training recipe, which says what to measure", network.name);
        let help =
            format!("add to the file:  train {} {{ loss = cross_entropy()\n    metrics = [accuracy] }}", network.name);
        return Err(compute::say(Fault::new(codes::NO_RECIPE, message).help(help), shell));
    };
    let plan = compute::by_plan(args.compute.engine, &args.compute.device, shell)?;
    let threads = compute::threads(args.compute.threads, shell)?;
    let device = compute::device(&args.compute.device, shell)?;
    let Some(spec) = args.data.clone().or(info.as_ref().map(|i| i.data.clone())).or(recipe.data.clone()) else {
        return Err(shell.usage("there is no data to measure on", "name it: --data builtin:digits"));
    };
    let terms = match (&info, &args.data) {
        // What the recipe names is what the weights were learnt from, as far as anybody can tell.
        (None, None) => Terms { strict: args.strict, ..Terms::default() },
        (info, _) => Terms::measuring(info.as_ref(), &spec, args.strict),
    };
    let data = open_data(&spec, network, terms, shell)?;
    if Path::new(&spec).is_dir() && info.as_ref().is_none_or(|info| info.classes.is_empty()) {
        by_order(&data, shell);
    }
    let mut network = measured(args, &loaded, plan.then_some(threads), &device, shell)?;
    let loader = evaluation_loader(&loaded.network, &recipe, data.evaluation(), args.strict);
    let loader = loader.map_err(|error| loaded.fail(error, shell))?;
    let scores = evaluate(network.as_mut(), &recipe, &loader, interrupt::stop_flag(), &mut |_, _| {});
    if let Some(warning) = broken_warning(&loader.broken()) {
        compute::say(warning, shell);
    }
    let Some(scores) = scores.map_err(|error| loaded.fail(error, shell))? else {
        shell.note("stopped");
        return Ok(Exit::Errors);
    };
    say(&loaded.network.name, &scores, &spec, data.evaluation_name(), shell);
    Ok(Exit::Clean)
}

/// Says that classes are matched by their order alone, for want of names.
fn by_order(data: &Split, shell: &Shell) {
    let TargetKind::Class { names, .. } = data.evaluation().target() else { return };
    if let [first, .., last] = &names[..] {
        let last_number = names.len() - 1;
        shell.note(&format!(
            "the weights do not say the names of their classes: the data's are taken in order, `{first}` as 0 to `{last}` as {last_number}"
        ));
    }
}

/// Prints what was measured.
fn say(model: &str, scores: &Scores, spec: &str, part: &str, shell: &Shell) {
    if shell.json() {
        let mut object = scores_json(scores);
        object["measured_on"] = part.into();
        shell.print_json(&object);
        return;
    }
    let measured = metrics(&scores.metrics, "");
    shell
        .print(&format!("{model}  {measured}loss {:.4}   ({} samples of {spec}: {part})", scores.loss, scores.samples));
}

/// The network with its weights: the engine where there are threads for it, else the module.
fn measured(
    args: &EvalArgs,
    loaded: &Loaded,
    engine: Option<usize>,
    device: &Device,
    shell: &Shell,
) -> Result<Box<dyn Forward>, Exit> {
    let network = &loaded.network;
    if let Some(threads) = engine {
        let numbers = weights::numbers(loaded, Some(&args.weights), &args.reading, 0, shell)?;
        let options = SessionOptions { threads: Some(threads), ..SessionOptions::default() };
        let session = loaded.compiled.session(Arc::new(numbers), options);
        return Ok(Box::new(session.map_err(|error| loaded.fail(*error, shell))?));
    }
    let made = || {
        let store = ParamStore::new(network, 0, DType::F32, device)?;
        let module = loaded.compiled.lower(store.var_builder())?;
        Ok((store, module))
    };
    let (store, module) = made().map_err(|error: Error| loaded.fail(error, shell))?;
    weights::load(&store, &args.weights, &args.reading, loaded, shell)?;
    Ok(Box::new(module))
}
