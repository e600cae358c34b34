//! Event files that TensorBoard opens: how training goes, while it goes.
//!
//! A [`Board`] is an observer. In its folder, `train/` and `val/` (what the best weights are chosen on; `test/` where there is no such part, and
//! `on_train/` where nothing is held out) are two curves of one chart: `loss` and the recipe's metrics after every epoch. Where the test part is measured
//! once, with the best weights, `test/` is a point at the last step. `train/` has also what single batches came to (`batch/loss`, `batch/learning_rate`,
//! `batch/samples_per_second`), the distribution of every parameter, the network as a graph, and texts.

mod proto;
mod record;
mod values;

use super::observe::{Epoch, Event, Observer, Part, Scores, Start, Step};
use crate::base::unwritable::no_folder;
use crate::base::{Fault, codes};
use crate::elaborate::Network;
use crate::lower::{ParamStore, Result};
use record::EventFile;
use std::io;
use std::path::{Path, PathBuf};

/// Single batches that are noted in an epoch.
const BATCHES_NOTED: usize = 20;

/// Writes what happens into event files. What cannot be written does not end training: see [`Board::trouble`].
pub struct Board {
    folder: PathBuf,
    train: EventFile,
    chosen: EventFile,
    network: Network,
    store: ParamStore,
    texts: Vec<(String, String)>,
    trouble: Option<io::Error>,
    silent: bool,
}

impl Board {
    /// New event files in `folder/train` and in the folder of what the best weights are chosen on. `store` holds the parameters
    /// that training changes; `texts` are Markdown, by name.
    ///
    /// # Errors
    /// `E0913` where they cannot be written.
    pub fn open(
        folder: &Path,
        network: &Network,
        (store, part): (&ParamStore, Part),
        texts: Vec<(String, String)>,
    ) -> Result<Self> {
        let create = |part: &str| {
            let folder = folder.join(part);
            EventFile::create(&folder).map_err(|error| no_folder(codes::RUN_UNWRITABLE, &folder, &error))
        };
        let (train, chosen) = (create("train")?, create(part.key())?);
        let (folder, network, store) = (folder.into(), network.clone(), store.clone());
        Ok(Self { folder, train, chosen, network, store, texts, trouble: None, silent: false })
    }

    /// What kept an event from being written, once: nothing is written after it.
    pub fn trouble(&mut self) -> Option<Fault> {
        let error = self.trouble.take()?;
        self.silent = true;
        let message = format!("`{}` cannot be written: {error}", self.train.path().display());
        Some(Fault::new(codes::RUN_UNWRITABLE, message).help("training goes on without event files"))
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(start) => self.started(start),
            Event::Step(step) => self.step(step),
            Event::Epoch(epoch) => self.epoch(epoch),
            Event::Measured { step, scores } => self.measured(*step, scores),
            Event::Evaluating { .. } | Event::Saved { .. } | Event::Warning(_) => Ok(()),
        }
    }

    /// A run that goes on makes void what was written of the steps after its checkpoint.
    fn started(&mut self, start: &Start) -> io::Result<()> {
        let next = if start.step == 0 { 0 } else { start.step + 1 };
        for file in [&mut self.train, &mut self.chosen] {
            file.add(next, values::begun)?;
        }
        if start.step == 0 {
            self.train.add(0, |event| values::graph(event, &self.network.graph))?;
        }
        for (tag, text) in &self.texts {
            self.train.add(next, |event| values::text(event, tag, text))?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> io::Result<()> {
        if !step.batch.is_multiple_of(step.batches.div_ceil(BATCHES_NOTED)) {
            return Ok(());
        }
        let values =
            [("loss", step.loss), ("learning_rate", step.rate), ("samples_per_second", step.samples_per_second)];
        let values = values.map(|(name, value)| (format!("batch/{name}"), value));
        self.train.add(step.step, |event| values::scalars(event, &values))
    }

    fn epoch(&mut self, epoch: &Epoch) -> io::Result<()> {
        self.train.add(epoch.step, |event| values::scalars(event, &scalars(&epoch.train)))?;
        self.chosen.add(epoch.step, |event| values::scalars(event, &scalars(&epoch.test)))?;
        let trained = self.store.trainable().into_iter();
        // What cannot be read back from a device is left out: training itself will say so.
        let read =
            |tensor: &candle_core::Tensor| tensor.flatten_all()?.to_dtype(candle_core::DType::F32)?.to_vec1::<f32>();
        let weights: Vec<_> =
            trained.filter_map(|(path, var)| Some((format!("weights/{path}"), read(var.as_tensor()).ok()?))).collect();
        self.train.add(epoch.step, |event| values::histograms(event, &weights))
    }

    /// The test part, measured once: what an earlier session wrote of this step is void.
    fn measured(&mut self, step: usize, scores: &Scores) -> io::Result<()> {
        let mut test = EventFile::create(&self.folder.join(Part::Test.key()))?;
        test.add(step, values::begun)?;
        test.add(step, |event| values::scalars(event, &scalars(scores)))
    }
}

/// The loss and the metrics.
fn scalars(scores: &Scores) -> Vec<(String, f64)> {
    let metrics = scores.metrics.iter().map(|&(metric, value)| (metric.name().to_string(), value));
    std::iter::once(("loss".to_string(), scores.loss)).chain(metrics).collect()
}

impl Observer for Board {
    fn event(&mut self, event: &Event) {
        if self.trouble.is_none() && !self.silent {
            self.trouble = self.write(event).err();
        }
    }
}
