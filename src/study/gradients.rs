//! How much of the gradient arrives at each layer, with and without skips: the picture of the vanishing gradient
//! (Hochreiter 1991; Glorot and Bengio 2010; He et al. 2015).
//!
//! Measured is the Euclidean norm of the loss's gradient by each layer's weights, over one batch in training mode, without
//! augmentation: at the start, and after as many steps of the recipe as are asked for. Both twins see the same batch.

use super::context::{Halt, Outcome, StudyContext, Tick};
use super::report::{Report, Table, six, times};
use super::subject::{Case, Subject, Twin};
use crate::base::codes;
use crate::elaborate::recipe::Duration;
use crate::lower::{Error, Result};
use crate::tools::chart::{Axis, Body, Figure, Hue, Ink, Panel, Series, Stroke};
use crate::train::data::{Position, Split};
use crate::train::{Learner, Options, training_loader};
use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Both twins, at every value.
    pub cases: Vec<Case>,
    /// After how many steps; rising.
    pub steps: Vec<usize>,
    /// Samples of the batch that is measured on.
    pub samples: usize,
}

/// One layer with weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Its path.
    pub path: String,
    /// How many weights it has.
    pub weights: usize,
    /// The norm of the gradient by them.
    pub norm: f64,
}

/// All layers after some steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Steps of training before.
    pub step: usize,
    /// The loss of the batch; `None` where training had diverged.
    pub loss: Option<f64>,
    /// The layers, from the input on; none where training had diverged.
    pub layers: Vec<Layer>,
}

/// Measures all cases and draws them.
///
/// # Errors
/// Where it is stopped, or network, recipe and data do not fit one another.
pub fn run(
    subject: &Subject,
    question: &Question,
    data: &Split,
    device: &Device,
    context: &mut StudyContext,
) -> Outcome<Report> {
    context.expect(question.cases.len());
    let mut all = Vec::new();
    for case in &question.cases {
        let measured = context.part(&case.key(), &case.words(), |tick, stop| {
            measure(case, (&question.steps, question.samples), data, device, tick, stop)
        })?;
        all.push((case, measured));
    }
    Ok(report(subject, question, &all))
}

/// Trains a case, and measures at each of the steps on a batch of that many samples.
///
/// # Errors
/// Where it is stopped, or network, recipe and data do not fit one another.
pub fn measure(
    case: &Case,
    (at, samples): (&[usize], usize),
    data: &Split,
    device: &Device,
    tick: &mut Tick,
    stop: &AtomicBool,
) -> Outcome<Vec<Measured>> {
    let options = Options { device: device.clone(), ..Options::default() };
    let loader = training_loader(&case.network, &case.recipe, &data.train, &options)?;
    let steps = match case.recipe.duration {
        Duration::Steps(steps) => steps,
        Duration::Epochs(epochs) => epochs.saturating_mul(loader.batches_per_epoch()),
    };
    let mut learner = Learner::new(&case.network, &case.recipe, steps, DType::F32, device)?;
    let mut batches = loader.stream(Position::default());
    let (mut found, mut step, last) = (Vec::new(), 0, at.last().copied().unwrap_or(0));
    for &wanted in at {
        while step < wanted {
            if stop.load(Ordering::Relaxed) {
                return Err(Halt::Stopped);
            }
            let Some(batch) = batches.next() else { return Err(Error::internal("the data ended").into()) };
            let learnt = learner.step(step, batch.map_err(|error| Error::from(error.fault()))?);
            let Some(learnt) = unless_diverged(learnt)? else { break };
            step += 1;
            let loss = learnt.map(|learnt| format!("  loss {:.4}", learnt.loss)).unwrap_or_default();
            tick(step as f64 / last.max(1) as f64, &format!("step {step}/{last}{loss}"));
        }
        let measured = if step == wanted { probe(&learner, case, samples, data, &options)? } else { None };
        found.push(
            measured.map_or(Measured { step: wanted, loss: None, layers: Vec::new() }, |m| Measured { step, ..m }),
        );
    }
    Ok(found)
}

/// The gradient of one batch; parameters and running statistics are as before. `None` where the loss is no number.
fn probe(learner: &Learner, case: &Case, samples: usize, data: &Split, options: &Options) -> Result<Option<Measured>> {
    let mut recipe = case.recipe.clone();
    recipe.batch = samples;
    let still = Options { augment: false, ..options.clone() };
    let loader = training_loader(&case.network, &recipe, &data.train, &still)?;
    let Some(batch) = loader.epoch(0).next() else { return Err(Error::internal("there is no batch")) };
    let before = learner.store.snapshot()?;
    let passed = learner.backward(0, batch.map_err(|error| Error::from(error.fault()))?);
    let Some(passed) = unless_diverged(passed)? else { return Ok(None) };
    learner.store.restore(&before)?;
    let mut layers = Vec::new();
    for entry in learner.store.entries() {
        let Some(path) = entry.path.strip_suffix(".weight").filter(|_| entry.spec.dims.len() > 1) else { continue };
        let norm = match passed.gradients.get(entry.var.as_tensor()) {
            // In double precision: the square of a small number is a very small one.
            Some(gradient) => gradient.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt(),
            None => 0.0,
        };
        layers.push(Layer { path: path.into(), weights: entry.spec.dims.iter().product(), norm });
    }
    Ok(Some(Measured { step: 0, loss: Some(passed.loss), layers }))
}

fn unless_diverged<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Diagnostic(error)) if error.code == codes::DIVERGED => Ok(None),
        Err(error) => Err(error),
    }
}

/// The layers' places from the input on, 1 first, as the plain twin has them; projections of skips have none.
fn places(all: &[(&Case, Vec<Measured>)], value: &str) -> BTreeMap<String, usize> {
    let plain = all.iter().find(|(case, _)| case.twin == Twin::Plain && case.value() == value);
    let paths = plain.into_iter().flat_map(|(case, _)| {
        let graph = &case.network.graph;
        let heavy =
            |id: &crate::graph::NodeId| graph.params(*id).iter().any(|p| p.name == "weight" && p.dims.len() > 1);
        graph.order().filter(heavy).map(|id| graph.node(id).path.clone()).collect::<Vec<_>>()
    });
    paths.zip(1..).collect()
}

fn report(subject: &Subject, question: &Question, all: &[(&Case, Vec<Measured>)]) -> Report {
    let seed = question.cases.first().map_or(0, |case| case.recipe.seed);
    let figure = Figure {
        title: "How much of the gradient arrives at each layer".into(),
        subtitle: format!("{} · one batch of {} training samples", subject.line(seed), question.samples),
        panels: question.steps.iter().map(|&step| panel(all, step)).collect(),
        columns: question.steps.len().min(3),
        size: if question.steps.len() == 1 { (760.0, 420.0) } else { (430.0, 360.0) },
        note:
            "Each point is the Euclidean norm of the loss's gradient by one layer's weights. It is about the product of the signal that comes \
               up to the layer and the gradient that comes down to it: without skips, both may shrink with every layer that they pass."
            .into(),
    };
    let (text, findings) = findings(subject, question, all);
    Report { table: table(all), figure, findings, text }
}

fn panel(all: &[(&Case, Vec<Measured>)], step: usize) -> Panel {
    let depths: Vec<usize> = all.iter().map(|(case, _)| case.depth()).collect();
    let deepest = depths.iter().copied().max().unwrap_or(0);
    let series = all.iter().map(|(case, measured)| {
        let places = places(all, case.value());
        let layers = measured.iter().filter(|m| m.step == step).flat_map(|m| &m.layers);
        let points = layers.filter_map(|l| Some((*places.get(&l.path)? as f64, l.norm))).collect();
        let hue = if case.twin == Twin::Plain { Hue::Orange } else { Hue::Blue };
        let depth = case.depth();
        let strength = if depth == deepest { 1.0 } else { 0.25 + 0.5 * depth as f64 / deepest.max(1) as f64 };
        Series {
            name: format!("{}, {depth} layers", case.twin.words()),
            ink: Ink { hue, strength },
            stroke: Stroke::Dotted,
            points,
        }
    });
    let title = match step {
        0 => "at the start".to_string(),
        1 => "after 1 step".to_string(),
        n => format!("after {n} steps"),
    };
    Panel {
        title,
        x: Axis::new("layer, from the input"),
        y: Axis::log("norm of the gradient"),
        body: Body::Lines(series.collect()),
    }
}

fn table(all: &[(&Case, Vec<Measured>)]) -> Table {
    let mut table =
        Table::new(&["twin", "value", "depth", "step", "loss", "layer", "path", "weights", "gradient_norm"]);
    for (case, measured) in all {
        let places = places(all, case.value());
        for (m, layer) in measured.iter().flat_map(|m| m.layers.iter().map(move |layer| (m, layer))) {
            let place = places.get(&layer.path).map_or_else(String::new, usize::to_string);
            let (twin, value, depth) = (case.twin.key().into(), case.value().into(), case.depth().to_string());
            let loss = m.loss.map_or_else(String::new, six);
            let (step, weights, norm) = (m.step.to_string(), layer.weights.to_string(), six(layer.norm));
            table.add(vec![twin, value, depth, step, loss, place, layer.path.clone(), weights, norm]);
        }
    }
    table
}

/// The norm at the first layer of one twin.
fn first(all: &[(&Case, Vec<Measured>)], twin: Twin, value: &str, step: usize) -> Option<f64> {
    let (_, measured) = all.iter().find(|(case, _)| case.twin == twin && case.value() == value)?;
    let places = places(all, value);
    let at = measured.iter().find(|m| m.step == step)?;
    at.layers.iter().find(|l| places.get(&l.path) == Some(&1)).map(|l| l.norm)
}

fn findings(subject: &Subject, question: &Question, all: &[(&Case, Vec<Measured>)]) -> (String, serde_json::Value) {
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for case in question.cases.iter().filter(|case| case.twin == Twin::Plain) {
        for &step in &question.steps {
            let of = |twin| first(all, twin, case.value(), step);
            let (skip, plain, depth) = (of(Twin::Skip), of(Twin::Plain), case.depth());
            let ratio = skip.zip(plain).map(|(skip, plain)| skip / plain).filter(|r| r.is_finite());
            list.push(json!({ "depth": depth, "value": case.value(), "step": step, "skip": skip, "plain": plain, "ratio": ratio }));
            let said = |norm: Option<f64>| norm.map_or("no number any more (training diverged)".into(), times);
            let verdict = match ratio {
                Some(r) if r >= 1.0 => format!(": {} times larger with skips", times(r)),
                Some(r) => format!(": {} times larger without skips", times(1.0 / r)),
                None => String::new(),
            };
            lines.push(format!(
                "{depth} layers, step {step}: the gradient at the first layer is {} with skips and {} without{verdict}.",
                said(skip),
                said(plain)
            ));
        }
    }
    let seed = question.cases.first().map_or(0, |case| case.recipe.seed);
    lines.push(format!(
        "How much depends on the initialisation and on norms as well: they are what {} says. Seed {seed}.",
        subject.file
    ));
    (lines.join("\n"), json!({ "seed": seed, "samples": question.samples, "first_layer": list }))
}
