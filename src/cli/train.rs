//! `archc train`: teach a network by its recipe, from a fresh start or from where a run stopped.

use super::args::ModelArgs;
use super::compute::{self, fail};
use super::progress::{Progress, clock, metrics, scores_json};
use super::report::Making;
use super::run::noted;
use super::shell::{Exit, Shell};
use super::{interrupt, load, weights};
use crate::base::{Diagnostic, Severity, SourceMap, codes};
use crate::elaborate::recipe::Duration;
use crate::elaborate::{Network, Recipe};
use crate::exchange::arch;
use crate::lower::{self, device as devices};
use crate::tools::summary;
use crate::tools::text::{Style, bytes, grouped};
use crate::train::checkpoint::{Run, RunInfo};
use crate::train::data::{Split, TargetKind, Want, open};
use crate::train::observe::{Event, Observer, Outcome};
use crate::train::tensorboard::Board;
use crate::train::{Options, Trainer};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `archc train`
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The data: builtin:digits, fashion-mnist, a folder, or a .safetensors or .npz file.
    #[arg(long, value_name = "D")]
    pub data: Option<String>,
    /// The run's folder; runs/NAME-K by default.
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Start from these weights.
    #[arg(long, value_name = "RUN|FILE", conflicts_with = "resume")]
    pub weights: Option<PathBuf>,
    /// Load what fits, and say what does not.
    #[arg(long, requires = "weights")]
    pub partial: bool,
    /// Passes over the data.
    #[arg(long, value_name = "N", conflicts_with = "steps")]
    pub epochs: Option<usize>,
    /// Optimizer steps.
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,
    /// Keep the data's order.
    #[arg(long)]
    pub no_shuffle: bool,
    /// Leave augmentation out.
    #[arg(long)]
    pub no_augment: bool,
    /// Seed of everything random.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Go on with a stopped run.
    #[arg(long, value_name = "RUN")]
    pub resume: Option<PathBuf>,
    /// Stop at the first broken data file.
    #[arg(long)]
    pub strict: bool,
    /// Train the plain twin, without any skip edge.
    #[arg(long)]
    pub plain: bool,
    /// Write event files for TensorBoard into this folder, under the run's name.
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,
    /// Leave out the page about the training (report.html in the run's folder).
    #[arg(long)]
    pub no_report: bool,
    /// cpu, cuda, or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// CPU threads; all by default.
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
}

/// Trains, and says where the weights are.
pub fn run(args: &TrainArgs, shell: &Shell) -> Result<Exit, Exit> {
    let resumed = match &args.resume {
        Some(folder) => Some(resumed(folder, shell)?),
        None => None,
    };
    let plan = Plan::new(args, resumed.as_ref().map(|(_, info)| info));
    let loaded = load::network(&args.file, &plan.model, plan.plain, shell)?;
    let recipe = recipe(loaded.network.recipe.clone(), args, &loaded.network.name, shell)?;
    let threads = compute::threads(args.threads, shell)?;
    let device = compute::device(&args.device, shell)?;
    let spec = data_spec(args, plan.data.as_deref(), &recipe, shell)?;
    let data = open_data(&spec, &loaded.network, args.strict, shell)?;
    let options = Options {
        shuffle: plan.shuffle,
        augment: plan.augment,
        strict: args.strict,
        device: device.clone(),
        ..Options::default()
    };
    let mut trainer = Trainer::new(&loaded.network, &recipe, &data, &options).map_err(|e| fail(e, shell))?;
    if let Some(file) = &args.weights {
        weights::load(trainer.store(), file, args.partial, shell)?;
    }
    let run = match resumed {
        Some((run, _)) => {
            trainer.resume(run.clone()).map_err(|e| fail(e, shell))?;
            run
        }
        None => {
            let info = info(args, &plan, &spec, &recipe, &loaded.network.name, &data);
            start(args, &info, &loaded.compiled.sources, &mut trainer).map_err(|e| fail(e, shell))?
        }
    };
    if !shell.json() {
        shell.note(&headline(args, &loaded.network, &recipe, &data, threads, &devices::name(&device)));
    }
    let board = args.tensorboard.as_deref().map(|folder| board(folder, &run, &loaded.network, &recipe, &trainer));
    let board = board.transpose().map_err(|error| fail(error, shell))?;
    let mut watchers = Watchers { progress: Progress::new(shell), board };
    let outcome = trainer.train(&mut watchers, interrupt::stop_flag());
    drop(watchers);
    let outcome = outcome.map_err(|error| {
        let exit = fail(error, shell);
        shell.note(&format!("the last checkpoint is in {}", run.folder().display()));
        exit
    })?;
    finish(args, &run, &outcome, shell);
    if let (false, false, Ok(info)) = (args.no_report, outcome.stopped, run.info()) {
        let device = Some(devices::name(&device));
        let (run, info, loaded, recipe, data) = (&run, &info, &loaded, &recipe, &data);
        Making { run, info, loaded, recipe, data, threads, device }.after_training(shell);
    }
    Ok(if outcome.stopped { Exit::Interrupted } else { Exit::Clean })
}

/// Those who watch a training.
struct Watchers {
    progress: Progress,
    board: Option<Board>,
}

impl Observer for Watchers {
    fn event(&mut self, event: &Event) {
        self.progress.event(event);
        let Some(board) = &mut self.board else { return };
        board.event(event);
        if let Some(trouble) = board.trouble() {
            self.progress.event(&Event::Warning(Diagnostic { severity: Severity::Warning, ..trouble }));
        }
    }
}

/// Event files under the run's name, so that runs stand beside each other in one folder.
fn board(folder: &Path, run: &Run, network: &Network, recipe: &Recipe, trainer: &Trainer) -> lower::Result<Board> {
    let fenced = |text: &str| format!("```\n{}\n```", text.trim_end());
    let texts = [
        ("recipe", fenced(&arch::recipe_text(&network.name, recipe))),
        ("network", fenced(&summary::render(network, Style::default(), false))),
    ];
    let folder = folder.join(run.folder().file_name().unwrap_or(run.folder().as_os_str()));
    Board::open(&folder, network, trainer.store(), texts.map(|(tag, text)| (tag.to_string(), text)).to_vec())
}

/// What is trained how: from the command line, and where a run goes on, from what that run noted.
struct Plan {
    model: ModelArgs,
    data: Option<String>,
    shuffle: bool,
    augment: bool,
    plain: bool,
}

impl Plan {
    fn new(args: &TrainArgs, resumed: Option<&RunInfo>) -> Self {
        let (mut model, plain) = noted(&args.model, resumed);
        if let Some(seed) = args.seed {
            model.settings.push(format!("seed={seed}"));
        }
        Self {
            model,
            data: args.data.clone().or(resumed.map(|info| info.data.clone())),
            shuffle: !args.no_shuffle && resumed.is_none_or(|info| info.shuffle),
            augment: !args.no_augment && resumed.is_none_or(|info| info.augment),
            plain: args.plain || plain,
        }
    }
}

fn resumed(folder: &Path, shell: &Shell) -> Result<(Run, RunInfo), Exit> {
    let open = || {
        let run = Run::open(folder)?;
        let info = run.info()?;
        Ok((run, info))
    };
    open().map_err(|error| fail(error, shell))
}

/// The recipe, with its length as the command line has it.
fn recipe(recipe: Option<Recipe>, args: &TrainArgs, model: &str, shell: &Shell) -> Result<Recipe, Exit> {
    let Some(mut recipe) = recipe else {
        let message = format!("`{model}` has no training recipe");
        let help = format!(
            "add to the file:  train {model} {{\n    loss      = cross_entropy()\n    optimizer = sgd(lr=0.1, momentum=0.9)\n    \
             batch     = 64\n    epochs    = 10\n}}"
        );
        return Err(compute::say(Diagnostic::new(codes::NO_RECIPE, message).help(help), shell));
    };
    match (args.steps, args.epochs) {
        (Some(0), _) | (_, Some(0)) => return Err(shell.usage("0 steps teach nothing", "--epochs 1, or more")),
        (Some(steps), _) => recipe.duration = Duration::Steps(steps),
        (_, Some(epochs)) => recipe.duration = Duration::Epochs(epochs),
        _ => {}
    }
    Ok(recipe)
}

fn data_spec(args: &TrainArgs, planned: Option<&str>, recipe: &Recipe, shell: &Shell) -> Result<String, Exit> {
    let spec = args.data.as_deref().or(planned).or(recipe.data.as_deref());
    spec.map(String::from).ok_or_else(|| {
        shell.usage("there is no data to learn from", "name it: --data builtin:digits, or  data = \"…\"  in the recipe")
    })
}

/// Opens data for the network's only input.
///
/// # Errors
/// The exit status, after saying what is wrong.
pub fn open_data(spec: &str, network: &Network, strict: bool, shell: &Shell) -> Result<Split, Exit> {
    let graph = &network.graph;
    let [input] = graph.inputs[..] else {
        let names = network.inputs.iter().map(|i| format!("`{}`", i.name)).collect::<Vec<_>>().join(", ");
        let message = format!("`{}` has {} inputs ({names}); data sets fill one", network.name, graph.inputs.len());
        return Err(compute::say(Diagnostic::new(codes::TRAIN_UNFIT, message), shell));
    };
    let want = Want { strict, ..Want::new(graph.shape(input).dims()) };
    open(spec, &want).map_err(|error| compute::say(error.diagnostic(), shell))
}

/// What was asked for, as the run notes it.
fn info(args: &TrainArgs, plan: &Plan, spec: &str, recipe: &Recipe, model: &str, data: &Split) -> RunInfo {
    let settings = plan.model.settings.iter().filter_map(|s| s.split_once('='));
    let mut settings: BTreeMap<_, _> =
        settings.map(|(name, value)| (name.trim().to_string(), value.trim().to_string())).collect();
    match recipe.duration {
        Duration::Steps(n) if args.steps.is_some() => _ = settings.insert("steps".into(), n.to_string()),
        Duration::Epochs(n) if args.epochs.is_some() => _ = settings.insert("epochs".into(), n.to_string()),
        _ => {}
    }
    let classes = match data.train.target() {
        TargetKind::Class { names, .. } => names.clone(),
        _ => Vec::new(),
    };
    RunInfo {
        version: env!("CARGO_PKG_VERSION").into(),
        file: args.file.display().to_string(),
        model: model.into(),
        data: spec.into(),
        settings,
        sizes: plan.model.sizes.clone(),
        plain: plan.plain,
        classes,
        shuffle: plan.shuffle,
        augment: plan.augment,
        recipe: serde_json::to_value(recipe).unwrap_or_default(),
    }
}

/// A new run folder, which the trainer keeps what it learns in.
fn start(args: &TrainArgs, info: &RunInfo, sources: &SourceMap, trainer: &mut Trainer) -> lower::Result<Run> {
    let sources: Vec<_> = sources.files().iter().map(|f| (f.name.clone(), f.text.to_string())).collect();
    let run = match &args.out {
        Some(folder) => Run::create(folder)?,
        None => Run::create_numbered(Path::new("runs"), &stem(&args.file))?,
    };
    run.describe(info, &sources)?;
    trainer.keep_in(run.clone())?;
    Ok(run)
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "run".into(), |s| s.to_string_lossy().into_owned())
}

/// `digits.arch · Digits · 0.19 M parameters · cpu, 2 threads · batch 64 · plan 5.1 MiB (peak)`
fn headline(
    args: &TrainArgs,
    network: &Network,
    recipe: &Recipe,
    data: &Split,
    threads: usize,
    device: &str,
) -> String {
    let parameters = crate::analysis::cost::cost(&network.graph).nodes.parameters;
    let plan = crate::plan::best(&network.graph, crate::plan::Mode::Train, recipe.batch as u64);
    let memory = plan.map(|plan| format!(" · plan {} (peak)", bytes(plan.peak))).unwrap_or_default();
    let file = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    format!(
        "{file} · {} · {} parameters · {device}, {threads} threads · batch {}{memory} · {} samples to learn from, {} to measure on",
        network.name,
        grouped(parameters),
        recipe.batch,
        grouped(data.train.len() as u64),
        grouped(data.evaluation().len() as u64),
    )
}

fn finish(args: &TrainArgs, run: &Run, outcome: &Outcome, shell: &Shell) {
    let folder = run.folder().display().to_string();
    if shell.json() {
        shell.print_json(&serde_json::json!({
            "event": if outcome.stopped { "stopped" } else { "finished" },
            "run": folder, "step": outcome.step, "steps": outcome.steps, "seconds": outcome.seconds,
            "last": outcome.last.as_ref().map(scores_json),
            "best_step": outcome.best.as_ref().map(|b| b.0), "best": outcome.best.as_ref().map(|b| scores_json(&b.1)),
        }));
        return;
    }
    let file = args.file.display();
    if outcome.stopped {
        let at = outcome.step;
        shell.note(&format!(
            "stopped after step {at}; saved {folder}. Go on with:  archc train {file} --resume {folder}"
        ));
        return;
    }
    if let Some((step, scores)) = &outcome.best {
        let measured = metrics(&scores.metrics, "test ");
        shell.print(&format!("best after step {step}: {}test loss {:.4}", measured, scores.loss));
    }
    shell.note(&format!(
        "trained in {}; the best weights are in {}. Use them:  archc eval {file} --weights {folder}",
        clock(outcome.seconds),
        run.weights().display(),
    ));
}
