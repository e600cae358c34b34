//! Batches made on threads beside training.

use super::assemble::{Broken, assemble};
use super::augment::check_moves;
use super::batch::Batch;
use super::dataset::{Dataset, Target};
use super::error::{DataError, Result};
use super::misfit::Misfit;
use super::order;
use super::queue::Queue;
use crate::elaborate::recipe::{Augment, Normalize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// How batches are made.
#[derive(Clone, Debug, PartialEq)]
pub struct LoaderOptions {
    /// Samples a batch.
    pub batch: usize,
    /// The seed of order and augmentation.
    pub seed: u64,
    /// Whether a last batch of one sample is left out (see `order::batches`).
    pub training: bool,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// Random changes, in order, before normalisation.
    pub augment: Vec<Augment>,
    /// Normalisation per channel.
    pub normalize: Option<Normalize>,
    /// Height and width to which masks are cropped about their centre, where the model's output is smaller than its input.
    pub mask_size: Option<[usize; 2]>,
    /// Whether one broken sample ends the run.
    pub strict: bool,
    /// What classes must hold to as they are read.
    pub labels: Vec<LabelRule>,
    /// Threads that decode and augment.
    pub threads: usize,
}

impl LoaderOptions {
    /// For training: shuffled, on a few threads.
    pub fn training(batch: usize, seed: u64) -> Self {
        Self { training: true, shuffle: true, ..Self::evaluation(batch, seed) }
    }

    /// For evaluation: every sample once, in the data's order.
    pub fn evaluation(batch: usize, seed: u64) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        Self {
            batch: batch.max(1),
            seed,
            training: false,
            shuffle: false,
            augment: Vec::new(),
            normalize: None,
            mask_size: None,
            strict: false,
            labels: Vec::new(),
            threads: (cores / 2).clamp(1, 8),
        }
    }
}

/// The classes that a loss knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelRule {
    /// How many there are, from 0.
    pub classes: i64,
    /// What is left out.
    pub ignore: Option<i64>,
}

impl LabelRule {
    /// Checks the target of a sample.
    ///
    /// # Errors
    /// [`DataError::Target`] with the place of a number that is no class.
    pub fn check(&self, data: &dyn Dataset, sample: usize, target: &Target) -> Result<()> {
        let no_class = |class: i64| !(0..self.classes).contains(&class) && Some(class) != self.ignore;
        let stray = match target {
            Target::Class(class) => no_class(*class).then_some((0, *class)),
            Target::Mask(mask) => {
                mask.iter().position(|&class| no_class(i64::from(class))).map(|at| (at, i64::from(mask[at])))
            }
            Target::Tensor(_) => None,
        };
        let Some((position, class)) = stray else { return Ok(()) };
        let place = data.tell(sample, position, &class.to_string());
        let (count, last) = (self.classes, self.classes - 1);
        Err(Misfit::new(format!("{place}, which is none of the {count} classes, 0 to {last}")).into())
    }
}

/// A place in the stream of batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The batch in the epoch, from 0.
    pub batch: usize,
}

/// Makes batches of a data set.
#[derive(Clone)]
pub struct Loader {
    plan: Arc<Plan>,
}

/// What all threads share.
struct Plan {
    data: Arc<dyn Dataset>,
    options: LoaderOptions,
    per_epoch: usize,
    orders: Mutex<Vec<(usize, Arc<Vec<u32>>)>>,
    broken: Broken,
}

impl Loader {
    /// A loader of a data set.
    ///
    /// # Errors
    /// [`DataError::Empty`] for a data set without samples, [`DataError::Normalize`] where channels differ.
    pub fn new(data: Arc<dyn Dataset>, mut options: LoaderOptions) -> Result<Self> {
        options.batch = options.batch.max(1);
        if data.is_empty() {
            return Err(DataError::Empty { path: "data".into(), reason: "it is empty".into() });
        }
        check_normalize(data.as_ref(), &options)?;
        check_moves(&options.augment, data.target(), data.input_shape())?;
        let per_epoch = order::batches(data.len(), options.batch, options.training);
        let (orders, broken) = (Mutex::default(), Broken::default());
        Ok(Self { plan: Arc::new(Plan { data, options, per_epoch, orders, broken }) })
    }

    /// How many batches an epoch has.
    pub fn batches_per_epoch(&self) -> usize {
        self.plan.per_epoch
    }

    /// The data set.
    pub fn data(&self) -> &Arc<dyn Dataset> {
        &self.plan.data
    }

    /// The samples that could not be read so far, each with its name and reason, in the order in which they were met.
    pub fn broken(&self) -> Vec<DataError> {
        self.plan.broken.list()
    }

    /// Of these, those from the `first`th to before the `end`th, from 0: what is new to whoever knows `first` of them.
    pub fn broken_from(&self, first: usize, end: usize) -> Vec<DataError> {
        self.plan.broken.between(first, end)
    }

    /// The batches of one epoch.
    pub fn epoch(&self, epoch: usize) -> Batches {
        let start = epoch * self.plan.per_epoch;
        self.start(start, Some(start + self.plan.per_epoch))
    }

    /// Every batch from a place on, epoch after epoch, without end.
    pub fn stream(&self, from: Position) -> Batches {
        self.start(from.epoch * self.plan.per_epoch + from.batch, None)
    }

    fn start(&self, start: usize, end: Option<usize>) -> Batches {
        let threads = self.plan.options.threads.max(1);
        let queue = Arc::new(Queue::new(start, end, threads + 2));
        let spawn = |_| {
            let (plan, queue) = (self.plan.clone(), queue.clone());
            std::thread::spawn(move || work(&plan, &queue))
        };
        let workers = (0..threads).map(spawn).collect();
        Batches { queue, workers }
    }
}

fn check_normalize(data: &dyn Dataset, options: &LoaderOptions) -> Result<()> {
    let (Some(normalize), &[channels, _, ..]) = (&options.normalize, data.input_shape()) else { return Ok(()) };
    match [normalize.mean.len(), normalize.std.len()].into_iter().find(|&n| n != 1 && n != channels) {
        Some(has) => Err(DataError::Normalize { has, channels }),
        None => Ok(()),
    }
}

fn work(plan: &Plan, queue: &Queue<Result<Batch>>) {
    while let Some(ticket) = queue.claim() {
        let made = catch_unwind(AssertUnwindSafe(|| plan.make(ticket)));
        queue.put(ticket, made.unwrap_or_else(|_| Err(DataError::Internal("a loader thread panicked".into()))));
    }
}

impl Plan {
    fn make(&self, ticket: usize) -> Result<Batch> {
        let at = Position { epoch: ticket / self.per_epoch, batch: ticket % self.per_epoch };
        let order = self.order(at.epoch);
        assemble(self.data.as_ref(), &self.options, at, &order, &self.broken)
    }

    /// The order of an epoch, kept while threads still work on it.
    fn order(&self, epoch: usize) -> Arc<Vec<u32>> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, order)) = orders.iter().find(|(e, _)| *e == epoch) {
            return order.clone();
        }
        let order = Arc::new(order::epoch_order(self.data.len(), self.options.seed, epoch, self.options.shuffle));
        if orders.len() >= 2 {
            orders.remove(0);
        }
        orders.push((epoch, order.clone()));
        order
    }
}

/// Batches in order, made ahead of being asked for. Dropping it ends the threads.
pub struct Batches {
    queue: Arc<Queue<Result<Batch>>>,
    workers: Vec<JoinHandle<()>>,
}

impl Iterator for Batches {
    type Item = Result<Batch>;

    /// The next batch that has samples. After an error there are no more.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.queue.take()? {
                Ok(batch) if batch.is_empty() => continue,
                Ok(batch) => return Some(Ok(batch)),
                Err(error) => {
                    self.queue.close();
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.queue.close();
        for worker in self.workers.drain(..) {
            // A worker's panic was caught and handed on as an error.
            let _ = worker.join();
        }
    }
}
