//! From samples to a batch.

use super::augment::{Image, mixup, mixup_alpha, per_channel, prepare};
use super::batch::{Batch, Targets};
use super::dataset::{Dataset, Sample, Target, TargetKind};
use super::error::{DataError, Result};
use super::loader::{LoaderOptions, Position};
use super::order;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Samples that could not be read, in the order in which they were met.
#[derive(Default)]
pub struct Broken(Mutex<Met>);

/// Their numbers, and what is wrong with each.
#[derive(Default)]
struct Met {
    known: BTreeSet<usize>,
    errors: Vec<DataError>,
}

impl Broken {
    fn met(&self) -> MutexGuard<'_, Met> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, index: usize, error: DataError) {
        let mut met = self.met();
        if met.known.insert(index) {
            met.errors.push(error);
        }
    }

    /// What was noted so far.
    pub fn list(&self) -> Vec<DataError> {
        self.met().errors.clone()
    }

    /// Of what was noted so far, those from the `first`th to before the `end`th, from 0.
    pub fn between(&self, first: usize, end: usize) -> Vec<DataError> {
        let met = self.met();
        let end = end.min(met.errors.len());
        met.errors.get(first..end).map(<[_]>::to_vec).unwrap_or_default()
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
            building.push(index, &sample)?;
        }
    }
    let mut batch = building.finish();
    if let Some(alpha) = mixup_alpha(&options.augment) {
        mixup(&mut batch, alpha, &mut order::batch_rng(options.seed, at.epoch, at.batch));
    }
    Ok(batch)
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
            Ok(()) => {
                options.labels.iter().try_for_each(|rule| rule.check(data, index, &sample.target))?;
                return Ok(Some(index));
            }
            // A target that is no class is no broken file: passing over it would teach something else than was meant.
            Err(error) if options.strict || matches!(error, DataError::Target(_)) => return Err(error),
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
    mean: &'a [f64],
    image: Image,
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
        let mean = options.normalize.as_ref().map_or(&[][..], |n| &n.mean);
        Self { shape, options, mean, image: Image::default(), batch }
    }

    /// Adds a sample, changed at random by a generator of its own.
    fn push(&mut self, index: usize, sample: &Sample) -> Result<()> {
        let to = match *self.shape {
            [_, h, w] => [h, w],
            _ => [sample.dims[1], sample.dims[2]],
        };
        let mut rng = order::sample_rng(self.options.seed, self.batch.epoch, index);
        prepare(sample, to, &self.options.augment, self.mean, &mut rng, &mut self.image)?;
        self.normalize();
        if self.image.values.len() != self.shape.iter().product::<usize>() {
            return Err(DataError::Internal(format!("sample {index} has a size of its own")));
        }
        self.batch.inputs.extend_from_slice(&self.image.values);
        self.add_target(&sample.target);
        self.batch.samples.push(index);
        Ok(())
    }

    fn normalize(&mut self) {
        let Some(normalize) = &self.options.normalize else { return };
        let [channels, h, w] = self.image.dims;
        for (c, values) in self.image.values.chunks_exact_mut(h * w).enumerate().take(channels) {
            let mean = per_channel(&normalize.mean, c).unwrap_or(0.0) as f32;
            let std = per_channel(&normalize.std, c).unwrap_or(1.0) as f32;
            values.iter_mut().for_each(|v| *v = (*v - mean) / std);
        }
    }

    fn add_target(&mut self, target: &Target) {
        match (&mut self.batch.targets, target) {
            (Targets::Classes(list), Target::Class(class)) => list.push(*class),
            (Targets::Tensor(list, _), Target::Tensor(values)) => list.extend_from_slice(values),
            (Targets::Masks(list, dims), _) => {
                let [_, h, w] = self.image.dims;
                let [mh, mw] = self.options.mask_size.unwrap_or([h, w]);
                let (mh, mw) = (mh.min(h), mw.min(w));
                *dims = [0, mh, mw];
                let mask = self.image.mask.as_deref().unwrap_or(&[]);
                for row in mask.chunks_exact(w).skip((h - mh) / 2).take(mh) {
                    list.extend(row[(w - mw) / 2..][..mw].iter().map(|&m| m as i64));
                }
            }
            _ => {}
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broken_sample_is_noted_once_and_only_new_ones_are_given() {
        let broken = Broken::default();
        for index in [7, 3, 7, 9, 3] {
            broken.note(index, DataError::Internal(index.to_string()));
        }
        let told = |errors: Vec<DataError>| -> Vec<String> {
            errors
                .iter()
                .map(|error| match error {
                    DataError::Internal(text) => text.clone(),
                    other => other.to_string(),
                })
                .collect()
        };
        assert_eq!(told(broken.list()), ["7", "3", "9"]);
        assert_eq!(told(broken.between(1, 5)), ["3", "9"]);
        assert_eq!((told(broken.between(3, 5)).len(), told(broken.between(0, 2)).len()), (0, 2));
    }
}
