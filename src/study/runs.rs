//! Networks trained for a study, each in a run folder of its own that the other commands can use, too.

use super::context::{Halt, Outcome, StudyContext, Tick};
use super::subject::{Case, Subject, Twin};
use crate::base::codes;
use crate::elaborate::{Network, Recipe};
use crate::lower::weights::{Ask, Fit, load};
use crate::lower::{Error, Module, ParamStore, Result};
use crate::tools::report::History;
use crate::train::checkpoint::{Run, RunInfo};
use crate::train::data::{Dataset, Split};
use crate::train::observe::Event;
use crate::train::{Options, Probe, Trainer, training_loader};
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How a training went: one entry for each epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Epochs, from 1.
    pub epochs: Vec<usize>,
    /// Mean losses over the training samples, while they were learnt from.
    pub train_loss: Vec<f64>,
    /// Errors on them: 1 − accuracy, where the recipe measures it.
    pub train_error: Vec<f64>,
    /// Losses on what the best weights are chosen on.
    pub measured_loss: Vec<f64>,
    /// Errors on it.
    pub measured_error: Vec<f64>,
    /// Whether it ended in a loss that is no number.
    pub diverged: bool,
}

/// Weights that were named.
#[derive(Clone, Debug)]
pub struct Given {
    /// A file, or the folder of a run.
    pub path: PathBuf,
    /// Which of its tensors: those under this key.
    pub key: Option<String>,
}

/// A file or run with a network's weights.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The file, and the key that is read of it.
    pub file: Given,
    /// As it is called in texts.
    pub name: String,
}

/// Trains a case in `FOLDER/runs/NAME`, from where it was, and reads how it went.
///
/// # Errors
/// Where it is stopped, or cannot be trained; a loss that is no number any more is no error, but noted.
pub fn train(
    subject: &Subject,
    case: &Case,
    data: &Split,
    (folder, device): (&Path, &Device),
    tick: &mut Tick,
    stop: &AtomicBool,
) -> Outcome<Curve> {
    let options = Options { device: device.clone(), ..Options::default() };
    let mut trainer = Trainer::new(&case.network, &case.recipe, data, &options)?;
    let run = keep(&mut trainer, folder, subject, case, data)?;
    let mut watch = |event: &Event| {
        if let Event::Step(step) = event {
            let epochs = step.steps.div_ceil(step.batches);
            let detail = format!("epoch {}/{epochs}  loss {:.4}", step.epoch + 1, step.mean_loss);
            tick(step.step as f64 / step.steps.max(1) as f64, &detail);
        }
    };
    let diverged = match trainer.train(&mut watch, stop) {
        Ok(outcome) if outcome.stopped => return Err(Halt::Stopped),
        Ok(_) => false,
        Err(Error::Diagnostic(error)) if error.code == codes::DIVERGED => true,
        Err(error) => return Err(error.into()),
    };
    Ok(Curve { diverged, ..curve(&run)? })
}

/// The run's folder: where it stopped, or a new one.
fn keep(trainer: &mut Trainer, folder: &Path, subject: &Subject, case: &Case, data: &Split) -> Result<Run> {
    let opened = Run::open(folder);
    if let Ok(run) = &opened
        && run.last().is_file()
    {
        trainer.resume(run.clone())?;
        return Ok(run.clone());
    }
    let run = opened.or_else(|_| Run::create(folder))?;
    let sources = subject.compiled.sources.files().iter();
    let sources: Vec<_> = sources.map(|f| (f.name.clone(), f.text.to_string())).collect();
    run.describe(&info(subject, case, data), &sources)?;
    trainer.keep_in(run.clone())?;
    Ok(run)
}

fn info(subject: &Subject, case: &Case, data: &Split) -> RunInfo {
    let options = &subject.compiled.options;
    let mut settings = case.settings.clone();
    if let Some(epochs) = subject.epochs {
        settings.insert("epochs".into(), epochs.to_string());
    }
    let named = options.sizes.iter().map(|(name, size)| format!("{name}={size}"));
    let spatial = options.spatial.iter().map(|s| s.iter().map(usize::to_string).collect::<Vec<_>>().join("x"));
    RunInfo {
        file: subject.file.clone(),
        data: subject.data.clone(),
        settings,
        sizes: spatial.chain(named).collect(),
        plain: case.twin == Twin::Plain,
        ..RunInfo::of(&case.network, &case.recipe, data)
    }
}

/// Reads the epochs from a run's log.
fn curve(run: &Run) -> Outcome<Curve> {
    let text = std::fs::read_to_string(run.log()).unwrap_or_default();
    let mut curve = Curve::default();
    for line in History::read(&text).epochs {
        let number = |numbers: &BTreeMap<String, f64>, key: &str| numbers.get(key).copied().unwrap_or(f64::NAN);
        curve.epochs.push(line.epoch as usize);
        curve.train_loss.push(number(&line.train, "loss"));
        curve.measured_loss.push(number(&line.test, "loss"));
        if line.test.contains_key("accuracy") {
            curve.train_error.push(1.0 - number(&line.train, "accuracy"));
            curve.measured_error.push(1.0 - number(&line.test, "accuracy"));
        }
    }
    Ok(curve)
}

/// The weights of a twin: those that were named, or else those that its recipe gives, trained as a part of the study.
///
/// # Errors
/// As [`train`].
pub fn weights(
    subject: &Subject,
    case: &Case,
    data: &Split,
    given: Option<&Given>,
    device: &Device,
    context: &mut StudyContext,
) -> Outcome<Weights> {
    if let Some(Given { path, key }) = given {
        let file = if path.is_dir() { Run::open(path)?.weights() } else { path.to_path_buf() };
        return Ok(Weights { file: Given { path: file, key: key.clone() }, name: path.display().to_string() });
    }
    let folder = context.folder.path().join("runs").join(case.key());
    let name = format!("training {}", case.words());
    context.part(&format!("train-{}", case.key()), &name, |tick, stop| {
        train(subject, case, data, (&folder, device), tick, stop)
    })?;
    let file = Given { path: Run::open(&folder)?.weights(), key: None };
    Ok(Weights { file, name: folder.display().to_string() })
}

/// A network with its weights, ready to be measured.
pub struct Measurable {
    /// Its parameters.
    pub store: ParamStore,
    /// The network over them.
    pub module: Module,
    network: Network,
    recipe: Recipe,
}

impl Measurable {
    /// A case with the weights of a file.
    ///
    /// # Errors
    /// Where the file cannot be read, or does not fit the network.
    pub fn new(case: &Case, file: &Given, device: &Device) -> Result<Self> {
        let store = ParamStore::new(&case.network, case.recipe.seed, DType::F32, device)?;
        let module = case.network.lower(store.var_builder())?;
        load(&store, &file.path, Ask { fit: Fit::Strict, key: file.key.clone() })?;
        Ok(Self { store, module, network: case.network.clone(), recipe: case.recipe.clone() })
    }

    /// Samples of a data set in an order drawn from the recipe's seed, not augmented.
    ///
    /// # Errors
    /// Where network, recipe and data do not fit one another.
    pub fn probe(&self, data: &Arc<dyn Dataset>, samples: usize) -> Result<Probe> {
        let mut recipe = self.recipe.clone();
        recipe.batch = samples.min(recipe.batch.max(64));
        let options = Options { augment: false, ..Options::default() };
        let loader = training_loader(&self.network, &recipe, data, &options)?;
        Probe::new(&recipe, &loader, samples, self.store.dtype(), self.store.device())
    }

    /// Sets a parameter.
    ///
    /// # Errors
    /// Where sizes differ, or there is no such parameter.
    pub fn set(&self, path: &str, value: &Tensor) -> Result<()> {
        let entry = self.store.get(path).ok_or_else(|| Error::internal(format!("there is no parameter `{path}`")))?;
        entry.set(value)
    }
}
