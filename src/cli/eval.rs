//! `archc eval`: measure a trained network on a data set.

use super::args::{ComputeArgs, ModelArgs};
use super::compute;
use super::data::{OpenOptions, by_order, open_data};
use super::load::Loaded;
use super::progress::{metrics, scores_json};
use super::run::noted;
use super::shell::{Exit, Shell};
use super::{interrupt, load, taught, weights};
use archc::base::{Fault, codes};
use archc::engine::SessionOptions;
use archc::lower::{Error, ParamStore};
use archc::train::checkpoint::Run;
use archc::train::data::broken_warning;
use archc::train::evaluate::{Forward, evaluate, evaluation_loader};
use archc::train::fit;
use archc::train::observe::Scores;
use candle_core::{DType, Device};
use clap::Args;
use std::path::PathBuf;
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
    let Some(recipe) = network.recipe.clone() else { return Err(no_recipe(&network.name, shell)) };
    let plan = compute::by_plan(args.compute.engine, &args.compute.device, shell)?;
    let threads = compute::threads(args.compute.threads, shell)?;
    let device = compute::device(&args.compute.device, shell)?;
    let Some(spec) = args.data.clone().or(info.as_ref().map(|i| i.data.clone())).or(recipe.data.clone()) else {
        return Err(shell.usage("there is no data to measure on", "name it: --data builtin:digits"));
    };
    let terms = match (&info, &args.data) {
        // What the recipe names is what the weights were learnt from, as far as anybody can tell.
        (None, None) => OpenOptions { strict: args.strict, ..OpenOptions::default() },
        (info, _) => OpenOptions::measuring(info.as_ref(), &spec, args.strict),
    };
    let data = open_data(&spec, network, terms, shell)?;
    let recipe = taught::as_learnt(recipe, info.as_ref(), shell);
    let mut network = measured(args, &loaded, plan.then_some(threads), &device, shell)?;
    by_order(&spec, &data, info.as_ref(), shell);
    taught::other_range(&spec, &data, info.as_ref(), shell);
    let loader = evaluation_loader(&loaded.network, &recipe, data.evaluation(), args.strict);
    let loader = loader.map_err(|error| loaded.fail(error, shell))?;
    let left_out = fit::measured(&loaded.network, &recipe, data.evaluation().as_ref());
    shell.report(&left_out.into_iter().collect(), &loaded.compiled.sources);
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

fn no_recipe(model: &str, shell: &Shell) -> Exit {
    let message = format!("`{model}` has no training recipe, which says what to measure");
    let help = format!("add to the file:  train {model} {{ loss = cross_entropy()\n    metrics = [accuracy] }}");
    compute::say(Fault::new(codes::NO_RECIPE, message).help(help), shell)
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
