//! From samples to a batch.

use super::batch::{Batch, Targets};
use super::dataset::{Dataset, Pixels, Sample, Target, TargetKind};
use super::error::{DataError, Result};
use super::loader::{LoaderOptions, Position};
use super::order;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Samples that could not be read, by index.
#[derive(Default)]
pub struct Broken(Mutex<BTreeMap<usize, DataError>>);

impl Broken {
    fn note(&self, index: usize, error: DataError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(index).or_insert(error);
    }

    /// What was noted so far.
    pub fn list(&self) -> Vec<DataError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// Makes the batch at a place from the epoch's order.
pub fn assemble(
    data: &dyn Dataset,
    options: &LoaderOptions,
    at: Position,
    order: &[u32],
    broken: &Broken,
) -> Result<Batch> {
    let start = at.batch * options.batch;
    let end = (start + options.batch).min(order.len());
    let mut building = Building::new(data, options, at, end - start);
    let mut sample = Sample::default();
    for place in start..end {
        if let Some(index) = read(data, options, order, place, broken, &mut sample)? {
            building.push(index, &mut sample)?;
        }
    }
    Ok(building.finish())
}

/// Reads the sample at a place of the order, and says which it is. A broken one is noted; in training the next
/// readable one in the order stands in for it, so that batches keep their size; in evaluation nothing does.
fn read(
    data: &dyn Dataset,
    options: &LoaderOptions,
    order: &[u32],
    place: usize,
    broken: &Broken,
    sample: &mut Sample,
) -> Result<Option<usize>> {
    let tries = if options.training { order.len() } else { 1 };
    for offset in 0..tries {
        let index = order[(place + offset) % order.len()] as usize;
        match data.get(index, sample) {
            Ok(()) => return Ok(Some(index)),
            Err(error) if options.strict => return Err(error),
            Err(error) => broken.note(index, error),
        }
    }
    if options.training {
        return Err(DataError::Empty { path: "data".into(), reason: "every sample is broken".into() });
    }
    Ok(None)
}

struct Building<'a> {
    shape: &'a [usize],
    options: &'a LoaderOptions,
    batch: Batch,
}

impl<'a> Building<'a> {
    fn new(data: &'a dyn Dataset, options: &'a LoaderOptions, at: Position, count: usize) -> Self {
        let shape = data.input_shape();
        let targets = match data.target() {
            TargetKind::Class { .. } => Targets::Classes(Vec::with_capacity(count)),
            TargetKind::Mask { .. } => Targets::Masks(Vec::new(), [0; 3]),
            TargetKind::Tensor(shape) => Targets::Tensor(Vec::new(), [&[0], shape.as_slice()].concat()),
        };
        let batch = Batch {
            epoch: at.epoch,
            index: at.batch,
            last: at.batch + 1 == order::batches(data.len(), options.batch, options.training),
            samples: Vec::with_capacity(count),
            inputs: Vec::with_capacity(count * shape.iter().product::<usize>()),
            dims: [&[0], shape].concat(),
            targets,
            mix: None,
        };
        Self { shape, options, batch }
    }

    fn push(&mut self, index: usize, sample: &mut Sample) -> Result<()> {
        let from = self.batch.inputs.len();
        match &sample.pixels {
            Pixels::Bytes(v) => self.batch.inputs.extend(v.iter().map(|&b| b as f32 / 255.0)),
            Pixels::Floats(v) => self.batch.inputs.extend_from_slice(v),
        }
        let want: usize = self.shape.iter().product();
        if self.batch.inputs.len() - from != want {
            return Err(DataError::Internal(format!("sample {index} has a size of its own")));
        }
        if let Some(normalize) = &self.options.normalize {
            let channels = sample.dims[0];
            let plane = want / channels.max(1);
            for (c, values) in self.batch.inputs[from..].chunks_mut(plane.max(1)).enumerate() {
                let mean = normalize.mean[c % normalize.mean.len().max(1)] as f32;
                let std = normalize.std[c % normalize.std.len().max(1)] as f32;
                values.iter_mut().for_each(|v| *v = (*v - mean) / std);
            }
        }
        match (&mut self.batch.targets, &sample.target) {
            (Targets::Classes(list), Target::Class(class)) => list.push(*class),
            (Targets::Masks(list, dims), Target::Mask(mask)) => {
                *dims = [0, sample.dims[1], sample.dims[2]];
                list.extend(mask.iter().map(|&m| m as i64));
            }
            (Targets::Tensor(list, _), Target::Tensor(values)) => list.extend_from_slice(values),
            _ => return Err(DataError::Internal(format!("sample {index} has another kind of target"))),
        }
        self.batch.samples.push(index);
        Ok(())
    }

    fn finish(mut self) -> Batch {
        let count = self.batch.samples.len();
        self.batch.dims[0] = count;
        match &mut self.batch.targets {
            Targets::Classes(_) => {}
            Targets::Masks(_, dims) => dims[0] = count,
            Targets::Tensor(_, dims) => dims[0] = count,
        }
        self.batch
    }
}
