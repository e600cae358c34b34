//! `archc run`: a network on pictures and tensors.

mod args;
mod ask;
mod compute;
mod context;
mod cut;
mod framing;
mod jobs;
pub(in crate::cli) mod kind;
mod progress;
mod scene;
mod table;
mod target;

pub use args::RunArgs;

use super::args::ModelArgs;
use super::compute::threads;
use super::shell::{Exit, Shell};
use super::{answer, interrupt, load};
use archc::base::nearest::meant;
use archc::base::{Diagnostic, memory};
use archc::elaborate::Network;
use archc::elaborate::recipe::Normalize;
use archc::train::checkpoint::{Run, RunInfo};
use archc::train::data::tensor_io::TensorData;
use compute::{Computer, Source};
use context::{JobContext, Orders};
use kind::Drawn;
use progress::Progress;
use scene::SceneOptions;
use std::sync::atomic::Ordering;
use target::Target;

/// Inputs or outputs, by name.
type Values = Vec<(String, TensorData)>;

/// Bytes that are taken for free where the system does not say.
const MEMORY: u64 = 4 << 30;

/// Reads inputs, computes, and prints or writes the outputs.
pub fn run(args: &RunArgs, shell: &Shell) -> Result<Exit, Exit> {
    args.check(shell)?;
    let info = args.weights.as_deref().and_then(Run::of_weights).map(|(_, info)| info);
    let (model, plain) = noted(&args.model, info.as_ref());
    let loaded = load::network(&args.file, &model, plain, shell)?;
    let network = &loaded.network;
    let names: Vec<&str> = network.inputs.iter().map(|decl| decl.name.as_str()).collect();
    let jobs = jobs::jobs(&args.files(), &names, args.output.as_deref(), shell)?;
    let target = Target::new(args.output.as_deref(), &jobs, args.names_a_folder(), shell)?;
    if target.table().is_some() {
        has_classes(network, args.drawn, shell)?;
    }
    let threads = threads(args.compute.threads, shell)?;
    let (asked, free) = (args.memory(shell)?, memory::available().unwrap_or(MEMORY));
    let terms = SceneOptions {
        fit: args.fit,
        sized: !args.model.sizes.is_empty(),
        memory: asked.unwrap_or(free / 2),
        most: asked.unwrap_or(free),
        free,
        threads,
        only: names.len() == 1,
    };
    let source = Source { path: args.weights.as_deref(), reading: &args.reading, seed: args.seed };
    let computer = Computer::new(&loaded, &args.compute, source, threads, shell)?;
    if args.weights.is_none() {
        shell.note(&format!("no --weights: the parameters are random, from seed {}", args.seed));
    }
    let classes = info.as_ref().map(|info| info.classes.clone()).unwrap_or_default();
    let words = answer::Words { network, names: &classes, top: args.top, several: jobs.len() > 1 };
    let normalize = normalize(network, info.as_ref());
    let trained = info.as_ref().is_some_and(|info| info.recipe.is_object());
    let orders = Orders { loaded: &loaded, terms, normalize, trained, words, target, drawn: args.drawn };
    let mut context = JobContext::new(orders, computer, Progress::new(jobs.len(), shell));
    let exit = all(&mut context, &jobs, shell);
    context.finish(shell)?;
    Ok(exit)
}

/// One job after the other; one that fails is said, and the others go on.
fn all(context: &mut JobContext, jobs: &[jobs::Job], shell: &Shell) -> Exit {
    let stop = (jobs.len() > 1).then(interrupt::stop_flag);
    let mut failed = 0;
    for (i, job) in jobs.iter().enumerate() {
        let stopped = stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
        match if stopped { Ok(false) } else { context.answer(i, job) } {
            Ok(true) => {}
            Ok(false) => {
                let kept = if i > 0 { ", and their answers are kept" } else { "" };
                shell.note(&format!("stopped: {i} of {} are done{kept}", jobs.len()));
                return Exit::Interrupted;
            }
            Err(error) => {
                let near = job.files.iter().find_map(|file| meant(file));
                context.say(near.into_iter().fold(error, Diagnostic::help));
                failed += 1;
            }
        }
    }
    if failed > 0 && jobs.len() > 1 {
        shell.note(&format!("{failed} of {} failed, and the others are answered", jobs.len()));
    }
    if failed > 0 { Exit::Errors } else { Exit::Clean }
}

/// The model and its settings: the command line's, on top of what the run noted whose weights are used.
pub fn noted(args: &ModelArgs, info: Option<&RunInfo>) -> (ModelArgs, bool) {
    let mut model = args.clone();
    let Some(info) = info else { return (model, false) };
    model.model.get_or_insert_with(|| info.model.clone());
    let noted = info.settings.iter().map(|(name, value)| format!("{name}={value}"));
    model.settings = noted.chain(model.settings).collect();
    if model.sizes.is_empty() {
        model.sizes = info.sizes.clone();
    }
    (model, info.plain)
}

/// How pixels were normalised in training: as the run has it whose weights are used, or else as the recipe says.
fn normalize(network: &Network, info: Option<&RunInfo>) -> Option<Normalize> {
    let own = network.recipe.as_ref().and_then(|recipe| recipe.normalize.as_ref());
    match info {
        Some(info) => info.normalize(own),
        None => own.cloned(),
    }
}

/// Refuses a table for a network that gives no classes, neither of a picture nor of its pixels.
fn has_classes(network: &Network, drawn: Option<Drawn>, shell: &Shell) -> Result<(), Exit> {
    let outputs = &network.graph.outputs;
    let classes = outputs.iter().any(|output| answer::is_classes(network, &output.name));
    if classes || (0..outputs.len()).any(|output| kind::tells_shares(network, output, drawn)) {
        return Ok(());
    }
    let message = format!("`{}` scores no classes, of which a table could be made", network.name);
    let could = (0..outputs.len()).any(|output| kind::tells_shares(network, output, Some(Drawn::Mask)));
    let help = match could {
        true => "--as mask makes classes of its pixels; --output answers/ keeps its outputs",
        false => "--output answers/ keeps its outputs, or --output y.safetensors",
    };
    Err(shell.usage(&message, help))
}
