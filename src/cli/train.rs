//! `archc train`: teach a network by its recipe, from a fresh start or from where a run stopped.

use super::args::ModelArgs;
use super::compute;
use super::data::{OpenOptions, open_data};
use super::load::Loaded;
use super::progress::{Progress, clock, metrics, scores_json};
use super::report::Making;
use super::run::noted;
use super::shell::{Exit, Shell};
use super::{interrupt, load, taught, weights};
use archc::base::{Fault, codes};
use archc::elaborate::Recipe;
use archc::elaborate::recipe::Duration;
use archc::exchange::arch;
use archc::lower::{self, device as devices};
use archc::tools::summary;
use archc::tools::text::{Style, bytes, grouped};
use archc::train::checkpoint::{Run, RunInfo};
use archc::train::data::Split;
use archc::train::observe::{Event, Observer, Outcome, Part, Scores};
use archc::train::tensorboard::Board;
use archc::train::{Options, Trainer, fit};
use candle_core::Device;
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
    /// How they are read.
    #[command(flatten)]
    pub reading: weights::Reading,
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
    let resumed = args.resume.as_deref().map(|folder| resumed(folder, shell)).transpose()?;
    let lesson = TrainingRun::new(args, resumed.as_ref().map(|(_, info)| info), shell)?;
    let mut trainer = lesson.trainer().map_err(|error| lesson.loaded.fail(error, shell))?;
    if let Some(file) = &args.weights {
        weights::load(trainer.store(), file, &args.reading, &lesson.loaded, shell)?;
    }
    let run = lesson.keep(&mut trainer, resumed.map(|(run, _)| run));
    let run = run.map_err(|error| lesson.loaded.fail(error, shell))?;
    let done = trainer.is_done();
    let warnings = fit::warnings(&lesson.loaded.network, &lesson.recipe, lesson.data.train.as_ref());
    shell.report(&warnings.into_iter().collect(), &lesson.loaded.compiled.sources);
    if !shell.json() {
        shell.note(&lesson.headline());
    }
    let board = args.tensorboard.as_deref().map(|folder| lesson.board(folder, &run, &trainer));
    let board = board.transpose().map_err(|error| lesson.loaded.fail(error, shell))?;
    let mut watchers = Watchers { progress: Progress::new(shell), board };
    let outcome = trainer.train(&mut watchers, interrupt::stop_flag());
    drop(watchers);
    let outcome = outcome.map_err(|error| {
        let exit = lesson.loaded.fail(error, shell);
        shell.note(&format!("the last checkpoint is in {}", run.folder().display()));
        exit
    })?;
    finish(args, &run, &outcome, shell);
    Ok(lesson.conclude(&run, done, &outcome, shell))
}

/// What learns from what, on which device.
struct TrainingRun<'a> {
    args: &'a TrainArgs,
    plan: Plan,
    loaded: Loaded,
    recipe: Recipe,
    /// What the data are, as `--data` says it.
    spec: String,
    data: Split,
    device: Device,
    threads: usize,
}

impl<'a> TrainingRun<'a> {
    fn new(args: &'a TrainArgs, resumed: Option<&RunInfo>, shell: &Shell) -> Result<Self, Exit> {
        let plan = Plan::new(args, resumed);
        let loaded = load::network(&args.file, &plan.model, plan.plain, shell)?;
        let recipe = recipe(loaded.network.recipe.clone(), args, &loaded.network.name, shell)?;
        if let Some(info) = resumed {
            taught::goes_on(&recipe, info, shell)?;
            taught::same_batches(&recipe, info, shell)?;
        }
        let threads = compute::threads(args.threads, shell)?;
        let device = compute::device(&args.device, shell)?;
        let spec = data_spec(args, plan.data.as_deref(), &recipe, shell)?;
        let data = open_data(&spec, &loaded.network, terms(args, resumed), shell)?;
        if let (Some(info), Some(run)) = (resumed, &args.resume) {
            taught::same_data(&spec, &data, info, (&args.file, run), shell)?;
        }
        Ok(Self { args, plan, loaded, recipe, spec, data, device, threads })
    }

    fn trainer(&self) -> lower::Result<Trainer> {
        let options = Options {
            shuffle: self.plan.shuffle,
            augment: self.plan.augment,
            strict: self.args.strict,
            device: self.device.clone(),
            ..Options::default()
        };
        Trainer::new(&self.loaded.network, &self.recipe, &self.data, &options)
    }

    /// The run's folder, which the trainer keeps what it learns in: a new one, or the one that goes on.
    fn keep(&self, trainer: &mut Trainer, resumed: Option<Run>) -> lower::Result<Run> {
        if let Some(run) = resumed {
            trainer.resume(run.clone())?;
            return Ok(run);
        }
        let sources = self.loaded.compiled.sources.files().iter();
        let sources: Vec<_> = sources.map(|f| (f.name.clone(), f.text.to_string())).collect();
        let run = match &self.args.out {
            Some(folder) => Run::create(folder)?,
            None => Run::create_numbered(Path::new("runs"), &stem(&self.args.file))?,
        };
        run.describe(&self.info(), &sources)?;
        trainer.keep_in(run.clone())?;
        Ok(run)
    }

    /// What was asked for, as the run notes it.
    fn info(&self) -> RunInfo {
        let settings = self.plan.model.settings.iter().filter_map(|s| s.split_once('='));
        let mut settings: BTreeMap<_, _> =
            settings.map(|(name, value)| (name.trim().to_string(), value.trim().to_string())).collect();
        match self.recipe.duration {
            Duration::Steps(n) if self.args.steps.is_some() => _ = settings.insert("steps".into(), n.to_string()),
            Duration::Epochs(n) if self.args.epochs.is_some() => _ = settings.insert("epochs".into(), n.to_string()),
            _ => {}
        }
        RunInfo {
            file: self.args.file.display().to_string(),
            data: self.spec.clone(),
            settings,
            sizes: self.plan.model.sizes.clone(),
            plain: self.plan.plain,
            shuffle: self.plan.shuffle,
            augment: self.plan.augment,
            ..RunInfo::of(&self.loaded.network, &self.recipe, &self.data)
        }
    }

    /// `digits.arch · Digits · 0.19 M parameters · cpu, 2 threads · batch 64 · plan 5.1 MiB (peak)`
    fn headline(&self) -> String {
        let (network, batch) = (&self.loaded.network, self.recipe.batch);
        let parameters = archc::analysis::cost::cost(&network.graph).nodes.parameters;
        let plan = archc::plan::best(&network.graph, archc::plan::Mode::Train, batch as u64);
        let memory = plan.map(|plan| format!(" · plan {} (peak)", bytes(plan.peak))).unwrap_or_default();
        let file = self.args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        format!(
            "{file} · {} · {} parameters · {}, {} threads · batch {batch}{memory} · {}",
            network.name,
            grouped(parameters),
            devices::name(&self.device),
            self.threads,
            self.parts(),
        )
    }

    /// `80 samples to learn from, 21 to choose on (`val/`), 9 to measure on at the end (`test/`)`
    fn parts(&self) -> String {
        let data = &self.data;
        let [train, choosing, test] =
            [&data.train, data.choosing(), data.evaluation()].map(|part| grouped(part.len() as u64));
        let (chosen, measured) = (data.choosing_name(), data.evaluation_name());
        match (&data.val, &data.test) {
            (None, None) => format!("{train} samples to learn from, and nothing else to measure on"),
            (Some(_), Some(_)) => format!(
                "{train} samples to learn from, {choosing} to choose the best weights on ({chosen}), {test} to measure on at the \
                 end ({measured})"
            ),
            _ => format!("{train} samples to learn from, {choosing} to measure and choose on ({chosen})"),
        }
    }

    /// Event files under the run's name, so that runs stand beside each other in one folder.
    fn board(&self, folder: &Path, run: &Run, trainer: &Trainer) -> lower::Result<Board> {
        let network = &self.loaded.network;
        let fenced = |text: &str| format!("```\n{}\n```", text.trim_end());
        let texts = [
            ("recipe", fenced(&arch::recipe_text(&network.name, &self.recipe))),
            ("network", fenced(&summary::render(network, Style::default(), false))),
        ];
        let folder = folder.join(run.folder().file_name().unwrap_or(run.folder().as_os_str()));
        let watched = (trainer.store(), Part::of(&self.data));
        Board::open(&folder, network, watched, texts.map(|(tag, text)| (tag.to_string(), text)).to_vec())
    }

    /// Makes the page; of a run that was `done` before, it says already what there is to say.
    fn conclude(&self, run: &Run, done: bool, outcome: &Outcome, shell: &Shell) -> Exit {
        if outcome.stopped {
            return Exit::Interrupted;
        }
        if done {
            shell.note(&self.finished(outcome));
        }
        if !(done && run.report().is_file()) {
            self.report(run, shell);
        }
        Exit::Clean
    }

    /// That a run has nothing left to do, and how it would go on.
    fn finished(&self, outcome: &Outcome) -> String {
        let &Outcome { step, steps, .. } = outcome;
        let (option, above) = match self.recipe.duration {
            Duration::Steps(_) => ("--steps", step),
            Duration::Epochs(epochs) => ("--epochs", epochs.saturating_mul(step) / steps.max(1)),
        };
        let why = if step > steps {
            format!("the run was at step {step} already, past the {steps} of this recipe,")
        } else {
            format!("the run was finished, after step {step},")
        };
        format!("{why} and nothing more was learnt: to go on, raise `{option}` above {above}")
    }

    /// The page about the training, unless none is wanted.
    fn report(&self, run: &Run, shell: &Shell) {
        if let (false, Ok(info)) = (self.args.no_report, run.info()) {
            let (loaded, recipe, data, threads) = (&self.loaded, &self.recipe, &self.data, self.threads);
            let device = Some(devices::name(&self.device));
            Making { run, info: &info, loaded, recipe, data, threads, device }.after_training(shell);
        }
    }
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
            self.progress.event(&Event::Warning(trouble.as_warning()));
        }
    }
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
    open().map_err(|fault: Box<Fault>| compute::say(*fault, shell))
}

/// The recipe, with its length as the command line has it.
fn recipe(recipe: Option<Recipe>, args: &TrainArgs, model: &str, shell: &Shell) -> Result<Recipe, Exit> {
    let Some(mut recipe) = recipe else {
        let message = format!("`{model}` has no training recipe");
        let help = format!(
            "add to the file:  train {model} {{\n    loss      = cross_entropy()\n    optimizer = sgd(lr=0.1, momentum=0.9)\n    \
             batch     = 64\n    epochs    = 10\n}}"
        );
        return Err(compute::say(Fault::new(codes::NO_RECIPE, message).help(help), shell));
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

/// On what terms data are learnt from: as the run began that goes on, with the classes of the run whose weights are used.
fn terms(args: &TrainArgs, resumed: Option<&RunInfo>) -> OpenOptions {
    let started = args.weights.as_deref().and_then(Run::of_weights);
    match resumed {
        Some(info) => OpenOptions::resuming(info, args.strict),
        None => OpenOptions::learning_from(started.as_ref().map(|(_, info)| info), args.strict),
    }
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "run".into(), |s| s.to_string_lossy().into_owned())
}

/// `best after step 24: val acc 98.00 %   val loss 0.0732`
fn best_line(step: usize, scores: &Scores, part: Part) -> String {
    let learnt = match part {
        Part::Val | Part::Test => "",
        Part::Train => "   (on what was learnt from: nothing is held out)",
    };
    let part = part.name();
    let measured = metrics(&scores.metrics, &format!("{part} "));
    format!("best after step {step}: {measured}{part} loss {:.4}{learnt}", scores.loss)
}

fn finish(args: &TrainArgs, run: &Run, outcome: &Outcome, shell: &Shell) {
    let folder = run.folder().display().to_string();
    if shell.json() {
        shell.print_json(&serde_json::json!({
            "event": if outcome.stopped { "stopped" } else { "finished" },
            "run": folder, "step": outcome.step, "steps": outcome.steps, "seconds": outcome.seconds,
            "last": outcome.last.as_ref().map(scores_json),
            "best_step": outcome.best.as_ref().map(|b| b.0), "best": outcome.best.as_ref().map(|b| scores_json(&b.1)),
            "best_on": outcome.part.name(), "test": outcome.test.as_ref().map(scores_json), "broken_files": outcome.broken.len(),
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
        shell.print(&best_line(*step, scores, outcome.part));
    }
    if let Some(scores) = &outcome.test {
        let measured = metrics(&scores.metrics, "test ");
        let (loss, samples) = (scores.loss, grouped(scores.samples as u64));
        shell.print(&format!("measured once with these weights: {measured}test loss {loss:.4}   ({samples} samples)"));
    }
    shell.note(&format!(
        "trained in {}; the best weights are in {}. Use them:  archc eval {file} --weights {folder}",
        clock(outcome.seconds),
        run.weights().display(),
    ));
}
