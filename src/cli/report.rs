//! `archc report`: what came of a training, as a page. `archc train` ends with one.

use super::compute::{self, say};
use super::data::{OpenOptions, open_data};
use super::load::{self, Loaded};
use super::run::noted;
use super::shell::{Exit, Shell};
use super::{args::ModelArgs, interrupt};
use archc::base::command::quoted;
use archc::base::unwritable::unwritable;
use archc::base::{Diagnostic, Fault, Severity, atomic, codes};
use archc::elaborate::Recipe;
use archc::elaborate::recipe::Duration as Length;
use archc::engine::SessionOptions;
use archc::exchange::arch;
use archc::kernels::Isa;
use archc::lower;
use archc::tools::report::{Answers, History, Report, ask, fingerprint};
use archc::train::checkpoint::{Run, RunInfo};
use archc::train::data::{Dataset, Split, TargetKind};
use archc::train::evaluation_loader;
use archc::train::observe::Part;
use archc::weights::{Fit, Numbers};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `archc report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run's folder.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The page; report.html in the run's folder by default.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The data; the run's own by default.
    #[arg(long, value_name = "D")]
    pub data: Option<String>,
    /// CPU threads; all by default.
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
}

/// Makes the report of a run, from what is in its folder.
pub fn run(args: &ReportArgs, shell: &Shell) -> Result<Exit, Exit> {
    let run = Run::open(&args.run).map_err(|fault| say(*fault, shell))?;
    let info = run.info().map_err(|fault| say(*fault, shell))?;
    let (model, plain) = noted(&ModelArgs::default(), Some(&info));
    let loaded = load::network(&run.source(&info), &model, plain, shell)?;
    let Some(recipe) = loaded.network.recipe.clone() else {
        let message = format!("`{}` has no training recipe, which says what to measure", loaded.network.name);
        return Err(say(Fault::new(codes::NO_RECIPE, message), shell));
    };
    let threads = compute::threads(args.threads, shell)?;
    let spec = args.data.as_deref().unwrap_or(&info.data);
    let data = open_data(spec, &loaded.network, OpenOptions::measuring(Some(&info), spec, false), shell)?;
    let path = args.out.clone().unwrap_or_else(|| run.report());
    let made = Making { run: &run, info: &info, loaded: &loaded, recipe: &recipe, data: &data, threads, device: None };
    match made.write(&path).map_err(|error| loaded.fail(error, shell))? {
        true if shell.json() => shell.print_json(&serde_json::json!({ "report": path.display().to_string() })),
        true => shell.note(&format!("wrote {}", path.display())),
        false => return Ok(Exit::Interrupted),
    }
    Ok(Exit::Clean)
}

/// What a report is made from.
pub struct Making<'a> {
    /// The run.
    pub run: &'a Run,
    /// What was asked for.
    pub info: &'a RunInfo,
    /// The network.
    pub loaded: &'a Loaded,
    /// The recipe as it was followed.
    pub recipe: &'a Recipe,
    /// The data.
    pub data: &'a Split,
    /// Threads of the CPU.
    pub threads: usize,
    /// Where it was trained, where that is known.
    pub device: Option<String>,
}

impl Making<'_> {
    /// Makes the report of a training that is done: where it cannot be made, a warning says why.
    pub fn after_training(&self, shell: &Shell) {
        match self.write(&self.run.report()) {
            Ok(true) => shell.note(&format!("the report is in {}", self.run.report().display())),
            Ok(false) => shell.note("stopped before the report was made"),
            Err(error) => {
                let error = error.note("training is done, and its weights are kept");
                self.loaded.fail(Diagnostic { severity: Severity::Warning, ..error }, shell);
            }
        }
    }

    /// Asks the network about the test part, and writes the page. `false` where it was stopped.
    ///
    /// # Errors
    /// What kept it from being made.
    pub fn write(&self, path: &Path) -> Result<bool, Diagnostic> {
        let Some(answers) = self.answers()? else { return Ok(false) };
        // A log that cannot be read leaves the page without curves.
        let history = History::read(&std::fs::read_to_string(self.run.log()).unwrap_or_default());
        let network = &self.loaded.network;
        let report = Report {
            network,
            run: self.run.folder().file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            history,
            answers,
            classes: self.classes(),
            recipe: arch::recipe_text(&network.name, self.recipe),
            origin: self.origin(),
            commands: self.commands(),
        };
        let written = atomic::write_bytes(path, report.html().as_bytes());
        written.map_err(|error| Diagnostic::from(unwritable(codes::RUN_UNWRITABLE, path, &error)))?;
        Ok(true)
    }

    fn answers(&self) -> Result<Option<Answers>, Diagnostic> {
        let network = &self.loaded.network;
        let (numbers, _) = Numbers::load(network, &self.run.weights(), Fit::Strict, 0).map_err(|error| *error)?;
        let options = SessionOptions { threads: Some(self.threads), ..SessionOptions::default() };
        let mut session = self.loaded.compiled.session(Arc::new(numbers), options).map_err(|error| *error)?;
        let loader = evaluation_loader(network, self.recipe, self.data.evaluation(), false);
        let loader = loader.map_err(lower::Error::into_diagnostic)?;
        let asked = ask(&mut session, self.recipe, &loader, interrupt::stop_flag());
        let answers = asked.map_err(lower::Error::into_diagnostic)?;
        Ok(answers.map(|answers| Answers { part: Part::at_the_end(self.data), ..answers }))
    }

    fn classes(&self) -> Vec<String> {
        match self.data.evaluation().target() {
            TargetKind::Class { names, .. } if !names.is_empty() => names.clone(),
            _ => self.info.classes.clone(),
        }
    }

    /// What was trained where with what.
    fn origin(&self) -> Vec<(String, String)> {
        let info = self.info;
        let settings: Vec<_> = info.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let yes = |on: bool, name: &'static str| (!on).then_some(name);
        let left_out: Vec<_> =
            [yes(info.shuffle, "shuffling"), yes(info.augment, "augmentation"), yes(!info.plain, "skips")]
                .into_iter()
                .flatten()
                .collect();
        let machine =
            format!("{} {}, kernels for {}", std::env::consts::ARCH, std::env::consts::OS, Isa::best().name());
        let data = self.data;
        let print = |part: &std::sync::Arc<dyn Dataset>, name: &str| format!("{name}, {}", fingerprint(part.as_ref()));
        let chosen = data.once().map(|_| print(data.choosing(), data.choosing_name()));
        let other = data.test.is_some() || data.val.is_some();
        let test = other.then(|| print(data.evaluation(), data.evaluation_name()));
        let rows = [
            ("archc", info.version.clone()),
            ("compiled by", env!("ARCHC_RUSTC").into()),
            ("file", info.file.clone()),
            ("model", info.model.clone()),
            ("settings", settings.join(", ")),
            ("sizes", info.sizes.join(", ")),
            ("left out", left_out.join(", ")),
            ("seed", self.recipe.seed.to_string()),
            ("data", info.data.clone()),
            ("learnt from", fingerprint(self.data.train.as_ref())),
            ("best weights chosen on", chosen.unwrap_or_default()),
            ("measured on", test.unwrap_or_else(|| "what was learnt from: there is no test part".into())),
            ("device", self.device.clone().unwrap_or_default()),
            ("machine", machine),
            ("threads", self.threads.to_string()),
        ];
        rows.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.into(), value)).collect()
    }

    fn commands(&self) -> Vec<(String, String)> {
        let (file, run) = (quoted(&self.info.file), quoted(&self.run.folder().display().to_string()));
        let longer = match self.recipe.duration {
            Length::Epochs(epochs) => {
                format!("archc train {file} --resume {run} --epochs {}", epochs.saturating_mul(2))
            }
            Length::Steps(steps) => format!("archc train {file} --resume {run} --steps {}", steps.saturating_mul(2)),
        };
        let input = self.loaded.network.inputs.len() == 1;
        let rows = [
            ("Measure it again", format!("archc eval {file} --weights {run}")),
            (
                "Use it",
                if input { format!("archc run {file} --weights {run} --input picture.png") } else { String::new() },
            ),
            ("Train longer, from the last checkpoint", longer),
            ("Make this page again", format!("archc report {run}")),
        ];
        rows.into_iter().filter(|(_, typed)| !typed.is_empty()).map(|(about, typed)| (about.into(), typed)).collect()
    }
}
