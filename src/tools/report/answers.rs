//! What a network answers about the test part: counted, and some samples kept to be shown.

use super::pictures::Picture;
use crate::elaborate::recipe::{Normalize, Recipe};
use crate::lower::{Error, Result};
use crate::train::data::{Batch, Loader, TargetKind, Targets};
use crate::train::evaluate::Forward;
use crate::train::loss;
use crate::train::observe::Part;
use candle_core::{DType, Tensor};
use std::cmp::Ordering as Order;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A report is to be there soon: after so long, what was counted so far is what counts.
const PATIENCE: Duration = Duration::from_secs(60);
/// Mistakes that are shown.
const WRONG: usize = 12;
/// Right answers that are shown, of different classes.
const RIGHT: usize = 12;
/// Masks that are shown, of each: the worst, the best, the first.
const MASKS: usize = 2;
/// Why masks are shown.
const KINDS: [&str; 3] = ["first", "worst", "best"];
/// Pairs of numbers that are kept.
const PAIRS: usize = 2000;

/// A sample with its class.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its number in the data.
    pub sample: usize,
    /// What it looks like, where it is an image.
    pub picture: Option<Picture>,
    /// Its class.
    pub truth: usize,
    /// The likeliest class.
    pub answer: usize,
    /// How likely, as the network has it.
    pub probability: f64,
}

/// A sample with a class for each pixel.
#[derive(Clone, Debug)]
pub struct Masked {
    /// Its number in the data.
    pub sample: usize,
    /// Why it is shown: `worst`, `best`, `first`.
    pub why: &'static str,
    /// What it looks like.
    pub picture: Picture,
    /// The class of each pixel.
    pub truth: Vec<i64>,
    /// The likeliest one.
    pub answer: Vec<i64>,
    /// Intersection over union, mean over the classes that are in either.
    pub iou: f64,
}

/// What a network answered.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Samples that were asked about.
    pub samples: usize,
    /// Samples that there are.
    pub of: usize,
    /// Of which part of the data they are.
    pub part: Part,
    /// How often each class (rows) was taken for each class; empty where there are no classes.
    pub confusion: Vec<Vec<u64>>,
    /// The most confident mistakes.
    pub wrong: Vec<Shown>,
    /// The first right answer of each class.
    pub right: Vec<Shown>,
    /// Masks.
    pub masks: Vec<Masked>,
    /// What should have been answered and what was, where numbers are learnt.
    pub pairs: Vec<(f64, f64)>,
}

/// Asks the network about every sample of a loader, or as many as there is time for. `None` where `stop` was raised.
///
/// # Errors
/// Where data cannot be read, or do not fit the network.
pub fn ask(network: &mut dyn Forward, recipe: &Recipe, loader: &Loader, stop: &AtomicBool) -> Result<Option<Answers>> {
    let (dtype, device, began) = (network.dtype(), network.device(), Instant::now());
    let mut answers = Answers { of: loader.data().len(), ..Answers::default() };
    let classes = match loader.data().target() {
        TargetKind::Class { count, .. } => *count,
        TargetKind::Mask { classes } => *classes,
        TargetKind::Tensor(_) => 0,
    };
    let name = recipe.loss.first().and_then(|term| term.output.as_deref());
    for batch in loader.epoch(0) {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if began.elapsed() > PATIENCE && answers.samples > 0 {
            break;
        }
        let batch = batch.map_err(|error| Error::from(error.fault()))?;
        let inputs = Tensor::from_slice(&batch.inputs, batch.dims.as_slice(), &device)?.to_dtype(dtype)?;
        let outputs = network.forward(&inputs)?;
        let output = loss::select(&outputs, name)?;
        let (dims, values) = (output.dims().to_vec(), output.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?);
        let asked = Asked { batch: &batch, dims: &dims, values: &values, normalize: recipe.normalize.as_ref() };
        match &batch.targets {
            Targets::Classes(truth) => answers.classes(&asked, truth, classes),
            Targets::Masks(truth, size) => answers.masks(&asked, truth, *size, classes),
            Targets::Tensor(truth, _) => answers.numbers(&values, truth),
        }
        answers.samples += batch.len();
    }
    answers.sort_masks();
    Ok(Some(answers))
}

/// A batch with what was answered.
struct Asked<'a> {
    batch: &'a Batch,
    dims: &'a [usize],
    values: &'a [f32],
    normalize: Option<&'a Normalize>,
}

impl Answers {
    fn count(&mut self, truth: i64, answer: usize, classes: usize) {
        let classes = classes.max(answer + 1).max(self.confusion.len());
        self.confusion.resize_with(classes, Vec::new);
        self.confusion.iter_mut().for_each(|row| row.resize(classes, 0));
        let row = usize::try_from(truth).ok().and_then(|truth| self.confusion.get_mut(truth));
        if let Some(cell) = row.and_then(|row| row.get_mut(answer)) {
            *cell += 1;
        }
    }

    fn classes(&mut self, asked: &Asked, truth: &[i64], classes: usize) {
        let width = asked.values.len() / truth.len().max(1);
        for (i, (row, &truth)) in asked.values.chunks_exact(width.max(1)).zip(truth).enumerate() {
            let Some((answer, probability)) = likeliest(row) else { continue };
            self.count(truth, answer, classes);
            let Ok(truth) = usize::try_from(truth) else { continue };
            let list = if truth == answer { &mut self.right } else { &mut self.wrong };
            let wanted = match truth == answer {
                true => list.len() < RIGHT && list.iter().all(|shown| shown.truth != truth),
                false => list.len() < WRONG || list.last().is_some_and(|last| last.probability < probability),
            };
            if wanted {
                let picture = Picture::of(asked.batch, i, asked.normalize, None);
                list.push(Shown { sample: asked.batch.samples[i], picture, truth, answer, probability });
            }
        }
        // A stable order: equally confident mistakes stay in the data's order.
        self.wrong.sort_by(|a, b| b.probability.partial_cmp(&a.probability).unwrap_or(Order::Equal));
        self.wrong.truncate(WRONG);
        self.right.sort_by_key(|shown| shown.truth);
    }

    fn masks(&mut self, asked: &Asked, truth: &[i64], [count, height, width]: [usize; 3], classes: usize) {
        let area = height * width;
        if asked.dims.len() != 4 || asked.dims[2..] != [height, width] || asked.dims[0] != count || area == 0 {
            return;
        }
        let channels = asked.dims[1];
        for (i, truth) in truth.chunks_exact(area).enumerate() {
            let values = &asked.values[i * channels * area..(i + 1) * channels * area];
            let answer: Vec<i64> = (0..area).map(|at| class_at(values, channels, area, at)).collect();
            for (&truth, &answer) in truth.iter().zip(&answer).filter(|&(&truth, _)| truth != 255) {
                self.count(truth, answer as usize, classes);
            }
            self.keep(asked, i, [height, width], truth, answer);
        }
    }

    /// Keeps a mask that is among the first, the worst or the best so far.
    fn keep(&mut self, asked: &Asked, i: usize, size: [usize; 2], truth: &[i64], answer: Vec<i64>) {
        let (iou, sample) = (mean_iou(truth, &answer), asked.batch.samples[i]);
        for why in KINDS {
            let of_kind: Vec<f64> = self.masks.iter().filter(|mask| mask.why == why).map(|mask| mask.iou).collect();
            // The one that gives way: of the worst the least bad, of the best the least good; of the first none.
            let weakest = match why {
                "worst" => of_kind.iter().copied().reduce(f64::max).filter(|&weakest| iou < weakest),
                "best" => of_kind.iter().copied().reduce(f64::min).filter(|&weakest| iou > weakest),
                _ => None,
            };
            if of_kind.len() >= MASKS {
                let Some(weakest) = weakest else { continue };
                let at = self.masks.iter().position(|mask| mask.why == why && mask.iou == weakest);
                at.map(|at| self.masks.remove(at));
            }
            if let Some(picture) = Picture::of(asked.batch, i, asked.normalize, Some(size)) {
                let (truth, answer) = (truth.to_vec(), answer.clone());
                self.masks.push(Masked { sample, why, picture, truth, answer, iou });
            }
        }
    }

    /// The masks in the order in which they are shown, each once.
    fn sort_masks(&mut self) {
        let place = |why: &str| KINDS.iter().position(|kind| *kind == why);
        self.masks.sort_by_key(|mask| (place(mask.why), mask.sample));
        let mut seen = BTreeSet::new();
        self.masks.retain(|mask| seen.insert(mask.sample));
    }

    fn numbers(&mut self, values: &[f32], truth: &[f32]) {
        let room = PAIRS.saturating_sub(self.pairs.len());
        self.pairs.extend(truth.iter().zip(values).take(room).map(|(&truth, &value)| (truth as f64, value as f64)));
    }
}

/// The likeliest class and its probability, by softmax; of a single number, whether it is above 0.
fn likeliest(row: &[f32]) -> Option<(usize, f64)> {
    if let [single] = row {
        let probability = 1.0 / (1.0 + (-*single as f64).exp());
        return Some(if *single > 0.0 { (1, probability) } else { (0, 1.0 - probability) });
    }
    let (answer, &largest) = row.iter().enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a })?;
    let sum: f64 = row.iter().map(|&value| (value as f64 - largest as f64).exp()).sum();
    Some((answer, 1.0 / sum))
}

fn class_at(values: &[f32], channels: usize, area: usize, at: usize) -> i64 {
    if channels == 1 {
        return i64::from(values[at] > 0.0);
    }
    let value = |channel: usize| values[channel * area + at];
    (1..channels).fold(0, |best, channel| if value(channel) > value(best) { channel } else { best }) as i64
}

fn mean_iou(truth: &[i64], answer: &[i64]) -> f64 {
    let pairs = || truth.iter().zip(answer).filter(|&(&truth, _)| truth >= 0 && truth != 255);
    let mut classes: Vec<i64> = pairs().flat_map(|(&truth, &answer)| [truth, answer]).collect();
    classes.sort_unstable();
    classes.dedup();
    let iou = |class: i64| {
        let both = pairs().filter(|&(&t, &a)| t == class && a == class).count();
        let either = pairs().filter(|&(&t, &a)| t == class || a == class).count();
        both as f64 / either.max(1) as f64
    };
    classes.iter().map(|&class| iou(class)).sum::<f64>() / classes.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_likely_and_overlaps_are_shares() {
        assert_eq!(likeliest(&[0.0, 0.0]), Some((0, 0.5)));
        assert_eq!(likeliest(&[-30.0]).map(|(class, p)| (class, p > 0.999)), Some((0, true)));
        assert_eq!(mean_iou(&[0, 0, 1, 1], &[0, 0, 1, 0]), (2.0 / 3.0 + 0.5) / 2.0);
        assert_eq!(mean_iou(&[255, 1], &[0, 1]), 1.0);
        assert_eq!(class_at(&[0.0, 1.0, 2.0, 0.5], 2, 2, 0), 1);
    }

    #[test]
    fn the_worst_and_the_best_masks_are_kept() {
        let mut answers = Answers::default();
        let batch = Batch {
            epoch: 0,
            index: 0,
            last: true,
            samples: (0..9).collect(),
            inputs: vec![0.0; 9 * 4],
            dims: vec![9, 1, 2, 2],
            targets: Targets::Masks(vec![1; 36], [9, 2, 2]),
            mix: None,
        };
        // Sample i has i.min(4) pixels wrong; the first two are shown whatever they are.
        let wrong = [0, 0, 2, 1, 0, 4, 3, 2, 0];
        let values: Vec<f32> =
            wrong.iter().flat_map(|&n| (0..4).map(move |p| if p < n { -1.0 } else { 1.0 })).collect();
        let asked = Asked { batch: &batch, dims: &[9, 1, 2, 2], values: &values, normalize: None };
        answers.masks(&asked, &[1; 36], [9, 2, 2], 2);
        let of = |why| -> Vec<usize> { answers.masks.iter().filter(|m| m.why == why).map(|m| m.sample).collect() };
        assert_eq!((of("first"), of("best")), (vec![0, 1], vec![0, 1]));
        assert_eq!(of("worst"), [5, 6]);
        assert_eq!(answers.confusion.iter().flatten().sum::<u64>(), 36);
    }
}
