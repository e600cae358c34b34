//! The loop: steps, evaluations, checkpoints, and a way to stop between any two steps.

use super::checkpoint::{Best, Log, Run, State, save_weights};
use super::data::{DataError, Dataset, Loader, LoaderOptions, Position, Split, broken_warning};
use super::evaluate::{evaluate, evaluation_loader, measure};
use super::learner::{Learner, Learnt};
use super::observe::{Epoch, Event, Observer, Outcome, Part, Scores, Start, Step};
use super::pace::Pace;
use super::tally::Tally;
use super::{fit, journal};
use crate::base::{Fault, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::{Duration as Length, Recipe};
use crate::lower::weights::{Fit, load};
use crate::lower::{Error, Module, ParamStore, Result, with_stack};
use candle_core::{DType, Device};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Broken files that are named as they are met.
const BROKEN_NAMED: usize = 5;

/// What training that cannot go on says of the parameters.
const NO_NUMBER: &str = "a parameter is not a finite number any more";

/// What the command line may say about a training, beside the recipe.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// Whether samples are changed at random.
    pub augment: bool,
    /// Whether one broken file ends the run.
    pub strict: bool,
    /// What parameters are: `F32` or `F64`.
    pub dtype: DType,
    /// Where it runs.
    pub device: Device,
    /// At most this long passes between two checkpoints (and a step).
    pub save_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let save_every = Duration::from_secs(30);
        Self { shuffle: true, augment: true, strict: false, dtype: DType::F32, device: Device::Cpu, save_every }
    }
}

/// The batches that a recipe learns from.
///
/// # Errors
/// `E0910` where network, recipe and data do not fit one another; `E0807` for an empty set.
pub fn training_loader(
    network: &Network,
    recipe: &Recipe,
    data: &Arc<dyn Dataset>,
    options: &Options,
) -> Result<Loader> {
    fit::check(network, recipe, data.as_ref())?;
    let loader = LoaderOptions {
        shuffle: options.shuffle,
        augment: if options.augment { recipe.augment.clone() } else { Vec::new() },
        normalize: recipe.normalize.clone(),
        mask_size: fit::mask_size(network, recipe, data.target()),
        strict: options.strict,
        labels: fit::rules(network, recipe),
        ..LoaderOptions::training(recipe.batch, recipe.seed)
    };
    Loader::new(data.clone(), loader).map_err(|error| Error::from(error.fault()))
}

/// A training: what learns, what from, how far it got, and where that is kept.
pub struct Trainer {
    recipe: Recipe,
    learner: Learner,
    train: Loader,
    /// What the best weights are chosen on.
    test: Loader,
    /// What that is.
    part: Part,
    /// The test part, where the best weights are chosen on another.
    once: Option<Loader>,
    state: State,
    tally: Tally,
    run: Option<(Run, Log)>,
    save_every: Duration,
    last: Option<Scores>,
    /// Broken files that were named.
    broken: usize,
    /// Whether a batch had nothing to learn from.
    passed_over: bool,
}

impl Trainer {
    /// A training at its start.
    ///
    /// # Errors
    /// `E0910` where network, recipe and data do not fit one another; what data and devices report.
    pub fn new(network: &Network, recipe: &Recipe, data: &Split, options: &Options) -> Result<Self> {
        let train = training_loader(network, recipe, &data.train, options)?;
        let measured = |data: &Arc<dyn Dataset>| evaluation_loader(network, recipe, data, options.strict);
        let (test, once) = (measured(data.choosing())?, data.once().map(measured).transpose()?);
        let steps = match recipe.duration {
            Length::Steps(steps) => steps,
            Length::Epochs(epochs) => epochs.saturating_mul(train.batches_per_epoch()),
        };
        let learner = Learner::new(network, recipe, steps, options.dtype, &options.device)?;
        let tally = Tally::new(recipe);
        let state = State::new(recipe.seed, steps, &tally);
        Ok(Self {
            recipe: recipe.clone(),
            learner,
            train,
            test,
            part: Part::of(data),
            once,
            state,
            tally,
            run: None,
            save_every: options.save_every,
            last: None,
            broken: 0,
            passed_over: false,
        })
    }

    /// The parameters; weights can be loaded into them before training.
    pub fn store(&self) -> &ParamStore {
        &self.learner.store
    }

    /// The network over those parameters.
    pub fn module(&self) -> &Module {
        &self.learner.module
    }

    /// Whether all steps are done and measured already, as of a run that is gone on with and was finished.
    pub fn is_done(&self) -> bool {
        self.state.evaluated >= self.state.steps
    }

    /// Keeps what is learnt in a new run.
    ///
    /// # Errors
    /// `E0913` where the log cannot be written.
    pub fn keep_in(&mut self, run: Run) -> Result<()> {
        let log = Log::open(&run.log(), 0)?;
        self.run = Some((run, log));
        Ok(())
    }

    /// Goes on from the last checkpoint of a run, and keeps what is learnt there.
    ///
    /// # Errors
    /// `E0912` where the checkpoint belongs to another network, optimizer or seed; `E0810` where it is damaged.
    pub fn resume(&mut self, run: Run) -> Result<()> {
        let state = State::load(&run.last(), &self.learner.store, &mut self.learner.optimizer)?;
        if state.seed != self.recipe.seed {
            let message = format!("the run began with seed {}, and the recipe says {}", state.seed, self.recipe.seed);
            return Err(Fault::new(codes::RUN_UNUSABLE, message).help(format!("--seed {}", state.seed)).into());
        }
        let log = Log::open(&run.log(), state.step)?;
        self.tally = Tally { samples: state.samples, loss: state.loss, meter: state.meter.clone() };
        self.state = State { steps: self.state.steps, ..state };
        self.run = Some((run, log));
        Ok(())
    }

    /// Trains to the end, or until `stop` is raised: then the step in hand is finished and saved.
    ///
    /// # Errors
    /// `E0911` where training diverges (the last checkpoint is from before); what data, devices and disks report.
    pub fn train(&mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<Outcome> {
        with_stack(|| self.run(observer, stop))
    }

    fn run(&mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<Outcome> {
        observer.event(&Event::Started(self.start()));
        let per_epoch = self.train.batches_per_epoch();
        let at = Position { epoch: self.state.step / per_epoch, batch: self.state.step % per_epoch };
        let mut batches = self.train.stream(at);
        let mut pace = Pace::new(self.state.step);
        let mut saved = Instant::now();
        loop {
            let halted = if self.must_evaluate() { !self.measure(observer, stop, &pace)? } else { false };
            let stopped = halted || stop.load(Ordering::Relaxed);
            let finished = self.state.step >= self.state.steps && !halted;
            if stopped || finished || self.state.evaluated == self.state.step || saved.elapsed() > self.save_every {
                self.save(observer)?;
                saved = Instant::now();
            }
            if stopped || finished {
                let test = if stopped { None } else { self.measure_once(observer, stop)? };
                // Stopped before the test part was measured, training is not done: it goes on there.
                let unmeasured = self.once.is_some() && test.is_none() && stop.load(Ordering::Relaxed);
                return Ok(self.outcome(!finished || unmeasured, test, &pace, observer));
            }
            pace.begin();
            let Some(batch) = batches.next() else { return Err(Error::internal("the data ended")) };
            let batch = batch.map_err(|error| Error::from(error.fault()))?;
            let index = batch.index;
            match self.learner.step(self.state.step, batch)? {
                Some(learnt) => {
                    pace.end(learnt.samples);
                    self.count(&learnt, observer, &pace)?;
                }
                None => self.pass_over(index, observer),
            }
        }
    }

    fn start(&self) -> Start {
        Start {
            step: self.state.step,
            steps: self.state.steps,
            batches: self.train.batches_per_epoch(),
            train_samples: self.train.data().len(),
            run: self.run.as_ref().map(|(run, _)| run.folder().into()),
        }
    }

    /// Notes a step and tells of it.
    fn count(&mut self, learnt: &Learnt, observer: &mut dyn Observer, pace: &Pace) -> Result<()> {
        self.tally.add(learnt.loss, learnt.samples, &learnt.output, &learnt.target)?;
        let batches = self.train.batches_per_epoch();
        let step = self.state.step;
        self.state.step += 1;
        let scores = self.tally.scores(&self.recipe.metrics);
        let event = Step {
            step: step + 1,
            steps: self.state.steps,
            epoch: step / batches,
            batch: step % batches + 1,
            batches,
            loss: learnt.loss,
            mean_loss: scores.loss,
            metrics: scores.metrics,
            rate: learnt.rate,
            samples_per_second: pace.samples_per_second(),
            seconds_left: pace.seconds_left(step + 1, self.state.steps),
        };
        let due = (step + 1).is_multiple_of(self.interval().div_ceil(10));
        if let Some((_, log)) = self.run.as_mut().filter(|_| due) {
            log.add(&journal::step(&event))?;
        }
        observer.event(&Event::Step(event));
        self.warn_of_broken_files(observer);
        Ok(())
    }

    /// Notes a step that had nothing to learn from; the first is told of.
    fn pass_over(&mut self, batch: usize, observer: &mut dyn Observer) {
        if !std::mem::replace(&mut self.passed_over, true) {
            let epoch = self.state.step / self.train.batches_per_epoch() + 1;
            let fact = format!(
                "batch {} of epoch {epoch} has nothing to learn from: the loss leaves out all of it",
                batch + 1
            );
            let warning = Fault::new(codes::NOTHING_LEFT, fact);
            let warning = warning.note("such batches change no weight, and have no part in the mean of the loss");
            observer.event(&Event::Warning(warning));
        }
        self.state.step += 1;
    }

    /// Steps between evaluations: an epoch, or for recipes in steps a fiftieth of them where epochs are shorter.
    fn interval(&self) -> usize {
        let epoch = self.train.batches_per_epoch();
        match self.recipe.duration {
            Length::Epochs(_) => epoch,
            Length::Steps(steps) => epoch.max(steps.div_ceil(50)),
        }
    }

    fn must_evaluate(&self) -> bool {
        let step = self.state.step;
        let due = step.is_multiple_of(self.interval()) || step >= self.state.steps;
        due && step > self.state.evaluated
    }

    /// Evaluates, and keeps the weights if they are the best. `false` where it was stopped.
    fn measure(&mut self, observer: &mut dyn Observer, stop: &AtomicBool, pace: &Pace) -> Result<bool> {
        if !self.learner.is_finite()? {
            return Err(self.learner.diverged(self.state.step - 1, NO_NUMBER, None).into());
        }
        let mut progress = |done, of| observer.event(&Event::Evaluating { done, of });
        let scores = measure(&mut self.learner.module, &self.recipe, &self.test, stop, &mut progress)?;
        let Some(test) = scores else { return Ok(false) };
        if !test.loss.is_finite() {
            let what = format!("the loss is {} on what is measured", test.loss);
            return Err(self.learner.diverged(self.state.step - 1, &what, None).into());
        }
        let train = self.tally.scores(&self.recipe.metrics);
        self.tally = Tally::new(&self.recipe);
        self.state.evaluated = self.state.step;
        let candidate = Best::of(self.state.step, &test);
        let best = self.state.best.as_ref().is_none_or(|best| candidate.beats(best));
        if best {
            self.save_best(candidate, observer)?;
        }
        let batches = self.train.batches_per_epoch();
        let epoch = Epoch {
            step: self.state.step,
            steps: self.state.steps,
            epoch: self.state.step.div_ceil(batches),
            epochs: self.state.steps.div_ceil(batches),
            train,
            test: test.clone(),
            part: self.part,
            best,
            samples_per_second: pace.samples_per_second(),
            seconds_left: pace.seconds_left(self.state.step, self.state.steps),
        };
        if let Some((_, log)) = &mut self.run {
            log.add(&journal::epoch(&epoch, pace.seconds()))?;
        }
        observer.event(&Event::Epoch(epoch));
        self.last = Some(test);
        Ok(true)
    }

    fn save_best(&mut self, best: Best, observer: &mut dyn Observer) -> Result<()> {
        if let Some((run, _)) = &self.run {
            save_weights(&run.best(), &self.learner.store, &best)?;
            observer.event(&Event::Saved { path: run.best(), best: true });
        }
        self.state.best = Some(best);
        Ok(())
    }

    /// Writes the state, unless it holds something that is no number.
    fn save(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let Some((run, _)) = &self.run else { return Ok(()) };
        if !self.learner.is_finite()? {
            return Err(self.learner.diverged(self.state.step.saturating_sub(1), NO_NUMBER, None).into());
        }
        self.state.samples = self.tally.samples;
        self.state.loss = self.tally.loss;
        self.state.meter = self.tally.meter.clone();
        self.state.save(&run.last(), &self.learner.store, &self.learner.optimizer)?;
        observer.event(&Event::Saved { path: run.last(), best: false });
        Ok(())
    }

    /// Measures the best weights on the test part, where they were chosen on another. The parameters are as before.
    fn measure_once(&mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<Option<Scores>> {
        let (Some(once), Some((run, log)), Some(best)) = (&self.once, &mut self.run, &self.state.best) else {
            return Ok(None);
        };
        let kept = self.learner.store.entries().iter().map(|entry| entry.var.copy());
        let kept = kept.collect::<candle_core::Result<Vec<_>>>()?;
        load(&self.learner.store, &run.best(), Fit::Strict)?;
        let mut progress = |done, of| observer.event(&Event::Evaluating { done, of });
        let scores = evaluate(&mut self.learner.module, &self.recipe, once, stop, &mut progress);
        for (entry, tensor) in self.learner.store.entries().iter().zip(&kept) {
            entry.set(tensor)?;
        }
        let scores = scores?;
        if let Some(scores) = &scores {
            let step = self.state.step;
            log.add(&journal::finished(step, best.step, scores))?;
            observer.event(&Event::Measured { step, scores: scores.clone() });
        }
        Ok(scores)
    }

    /// Names the first broken files as they are met; the others are counted at the end.
    fn warn_of_broken_files(&mut self, observer: &mut dyn Observer) {
        if self.broken == BROKEN_NAMED {
            return;
        }
        for error in self.train.broken_from(self.broken, BROKEN_NAMED) {
            let fact = format!("passed over: {error}");
            observer.event(&Event::Warning(Fault::new(codes::DATA_BROKEN_FILES, fact)));
            self.broken += 1;
        }
    }

    fn outcome(&self, stopped: bool, test: Option<Scores>, pace: &Pace, observer: &mut dyn Observer) -> Outcome {
        let loaders = [&self.train, &self.test].into_iter().chain(&self.once);
        // Where nothing is held out, the same files are read to learn from and to measure on.
        let mut told = BTreeSet::new();
        let broken = loaders.flat_map(Loader::broken).filter(|error| told.insert(error.to_string()));
        let broken: Vec<DataError> = broken.collect();
        if let Some(warning) = broken_warning(&broken) {
            observer.event(&Event::Warning(warning));
        }
        Outcome {
            stopped,
            step: self.state.step,
            steps: self.state.steps,
            last: self.last.clone(),
            best: self.state.best.as_ref().map(|best| (best.step, best.scores(&self.recipe.metrics))),
            part: self.part,
            test,
            broken,
            seconds: pace.seconds(),
        }
    }
}
