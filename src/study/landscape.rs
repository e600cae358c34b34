//! The loss around trained weights, along random directions (Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets").
//!
//! A direction is drawn from a normal distribution and made as long, filter by filter, as the weights are (a filter is what one
//! output channel reads; of a transposed convolution, what one input channel gives). Biases and the parameters of norms do not
//! move. Norms work with the running statistics of the checkpoint, as in evaluation, which are not fitted again at each point.

use super::context::{Halt, Outcome, StudyContext, Tick};
use super::curvature::convex_share;
use super::report::{Report, Table, six, times};
use super::runs::{Given, Measurable, weights};
use super::subject::{Case, Subject, Twin};
use crate::base::Rng;
use crate::lower::{ParamStore, Result};
use crate::tools::chart::{Axis, Body, Figure, Hue, Panel, Series, Stroke, Surface};
use crate::train::Probe;
use crate::train::data::Split;
use candle_core::{Device, Tensor};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The networks with the weights that were named for them; without, they are trained first.
    pub cases: Vec<(Case, Option<Given>)>,
    /// Points along each direction.
    pub grid: usize,
    /// Whether only the first direction is walked.
    pub line: bool,
    /// How far, in lengths of the weights.
    pub reach: f64,
    /// Training samples that the loss is measured on.
    pub samples: usize,
    /// The seed of the directions.
    pub seed: u64,
}

/// The loss of one network at every point, row by row of the second direction.
struct Walked<'a> {
    case: &'a Case,
    rows: Vec<Vec<f64>>,
}

/// One direction: a change of each parameter that moves.
pub type Direction = Vec<(String, Tensor)>;

/// A random direction, as long as the weights in each filter.
///
/// # Errors
/// Where the device fails.
pub fn direction(store: &ParamStore, seed: u64, name: &str) -> Result<Direction> {
    let moves = store.entries().iter().filter(|entry| entry.spec.trainable && entry.spec.dims.len() > 1);
    let one = |entry: &crate::lower::store::Entry| {
        let dims = entry.spec.dims.as_slice();
        let mut rng = Rng::derive(seed, &format!("{name} {}", entry.path));
        let drawn: Vec<f64> = (0..entry.var.elem_count()).map(|_| rng.normal()).collect();
        let weights = entry.var.as_detached_tensor();
        let drawn =
            Tensor::from_vec(drawn, dims, &Device::Cpu)?.to_dtype(weights.dtype())?.to_device(weights.device())?;
        let length = |t: &Tensor| t.flatten_from(1)?.sqr()?.sum_keepdim(1)?.sqrt();
        let factor = (length(&weights)? / (length(&drawn)? + 1e-10)?)?;
        let scaled = drawn.flatten_from(1)?.broadcast_mul(&factor)?.reshape(dims)?;
        Ok((entry.path.clone(), scaled))
    };
    moves.map(one).collect()
}

/// Walks around each of the weights, and draws what was met.
///
/// # Errors
/// Where it is stopped, or weights do not fit.
pub fn run(
    subject: &Subject,
    question: &Question,
    data: &Split,
    device: &Device,
    context: &mut StudyContext,
) -> Outcome<Report> {
    let question = &Question { samples: question.samples.min(data.train.len()), ..question.clone() };
    let trained = question.cases.iter().filter(|(_, given)| given.is_none()).count();
    context.expect(trained + question.rows() * question.cases.len());
    let mut all = Vec::new();
    for (case, given) in &question.cases {
        let weights = weights(subject, case, data, given.as_ref(), device, context)?;
        let mut ground = Ground::new(case, &weights.file, question, data, device)?;
        let mut walked = Walked { case, rows: Vec::new() };
        for row in 0..question.rows() {
            let name = format!("{}, row {}", case.words(), row + 1);
            let values: Vec<Option<f64>> =
                context.part(&format!("{}-row-{row}", case.key()), &name, |tick, stop| ground.row(row, tick, stop))?;
            walked.rows.push(values.into_iter().map(|loss| loss.unwrap_or(f64::INFINITY)).collect());
        }
        all.push(walked);
    }
    Ok(report(subject, question, &all))
}

impl Question {
    /// Rows of the grid: one where only the first direction is walked.
    fn rows(&self) -> usize {
        if self.line { 1 } else { self.grid }
    }
}

/// A network with the directions in which its weights are moved.
struct Ground<'a> {
    question: &'a Question,
    measured: Measurable,
    probe: Probe,
    base: BTreeMap<String, Tensor>,
    directions: [Direction; 2],
}

impl<'a> Ground<'a> {
    fn new(case: &Case, file: &Given, question: &'a Question, data: &Split, device: &Device) -> Result<Self> {
        let measured = Measurable::new(case, file, device)?;
        let probe = measured.probe(&data.train, question.samples)?;
        let base = measured.store.snapshot()?;
        let drawn = |name| direction(&measured.store, question.seed, name);
        let directions = [drawn("first")?, drawn("second")?];
        Ok(Self { question, measured, probe, base, directions })
    }

    /// The losses along one row; `None` where one is no number.
    fn row(&mut self, row: usize, tick: &mut Tick, stop: &AtomicBool) -> Outcome<Vec<Option<f64>>> {
        let grid = self.question.grid;
        let up = if self.question.line { 0.0 } else { place(self.question, row) };
        let mut losses = Vec::new();
        for column in 0..grid {
            if stop.load(Ordering::Relaxed) {
                return Err(Halt::Stopped);
            }
            let loss = self.loss(place(self.question, column), up)?;
            losses.push(loss.is_finite().then_some(loss));
            tick((column + 1) as f64 / grid as f64, &format!("loss {loss:.4}"));
        }
        Ok(losses)
    }

    /// The loss at a point.
    fn loss(&mut self, across: f64, up: f64) -> Result<f64> {
        let [first, second] = &self.directions;
        for ((path, first), (_, second)) in first.iter().zip(second) {
            let moved = ((&self.base[path] + (first * across)?)? + (second * up)?)?;
            self.measured.set(path, &moved)?;
        }
        Ok(self.probe.measure(&mut self.measured.module)?.loss)
    }
}

/// How far the `i`th point lies along a direction.
fn place(question: &Question, i: usize) -> f64 {
    let last = question.grid.saturating_sub(1).max(1) as f64;
    // Exactly 0 in the middle, and the same on both sides.
    question.reach * (2.0 * i as f64 - last) / last
}

fn report(subject: &Subject, question: &Question, all: &[Walked]) -> Report {
    let at: Vec<f64> = (0..question.grid).map(|i| place(question, i)).collect();
    let levels = levels(all);
    let mut panels: Vec<Panel> = Vec::new();
    if !question.line {
        panels.extend(all.iter().map(|walked| surface(walked, &at, &levels)));
    }
    panels.push(profile(question, all, &at));
    let columns = panels.len().min(3);
    let figure = Figure {
        title: "The loss around the weights".into(),
        subtitle: format!("{} · {} training samples", subject.line(question.seed), question.samples),
        columns,
        size: if columns == 1 { (760.0, 420.0) } else { (430.0, 380.0) },
        panels,
        note: note(question),
    };
    let (text, findings) = findings(question, all, &at);
    Report { table: table(all, &at, question.line), figure, findings, text }
}

fn note(question: &Question) -> String {
    let colours = match question.line {
        true => "",
        false => " Colours change where the loss grows by the same factor; the brightest stands for all above.",
    };
    format!(
        "Along random directions that are as long as the weights in each filter (Li et al. 2018); 0 is the checkpoint.{colours} Norms keep the \
         checkpoint's statistics."
    )
}

/// Where colours change: by equal factors, from the lowest loss to that which three quarters of the points of the flattest network stay
/// below, so that its basin fills the picture; what is higher has the last colour.
fn levels(all: &[Walked]) -> Vec<f64> {
    const COUNT: usize = 14;
    let quarter = |walked: &Walked| {
        let mut losses: Vec<f64> = walked.rows.iter().flatten().copied().collect();
        losses.sort_by(f64::total_cmp);
        losses.get(losses.len() * 3 / 4).copied().unwrap_or(f64::INFINITY)
    };
    let high = all.iter().map(quarter).fold(f64::INFINITY, f64::min);
    let losses = all.iter().flat_map(|w| w.rows.iter().flatten().copied()).filter(|v| *v > 0.0);
    let low = losses.fold(f64::INFINITY, f64::min).max(high * 1e-5);
    if high.is_infinite() || low >= high {
        return Vec::new();
    }
    let step = (high / low).ln() / COUNT as f64;
    (1..=COUNT).map(|i| low * (step * i as f64).exp()).collect()
}

fn surface(walked: &Walked, at: &[f64], levels: &[f64]) -> Panel {
    let title = format!("{}, {} layers", walked.case.twin.words(), walked.case.depth());
    let body = Body::Surface(Surface {
        xs: at.to_vec(),
        ys: at.to_vec(),
        values: walked.rows.clone(),
        levels: levels.to_vec(),
        label: "training loss".into(),
        mark: Some((0.0, 0.0)),
    });
    Panel { title, x: Axis::new("first direction"), y: Axis::new("second direction"), body }
}

/// The row through the checkpoint, or the one nearest to it.
fn through<'w>(walked: &'w Walked) -> &'w [f64] {
    walked.rows.get(walked.rows.len() / 2).map_or(&[], Vec::as_slice)
}

fn profile(question: &Question, all: &[Walked], at: &[f64]) -> Panel {
    let series = all.iter().map(|walked| Series {
        name: walked.case.twin.words().into(),
        ink: if walked.case.twin == Twin::Plain { Hue::Orange } else { Hue::Blue }.into(),
        stroke: Stroke::Solid,
        points: at.iter().copied().zip(through(walked).iter().copied()).collect(),
    });
    let title = if question.line { String::new() } else { "along the first direction".into() };
    Panel { title, x: Axis::new("first direction"), y: Axis::log("training loss"), body: Body::Lines(series.collect()) }
}

fn table(all: &[Walked], at: &[f64], line: bool) -> Table {
    let mut table = Table::new(&["twin", "first", "second", "loss"]);
    for walked in all {
        for (row, losses) in walked.rows.iter().enumerate() {
            let up = if line { 0.0 } else { at.get(row).copied().unwrap_or(0.0) };
            for (x, loss) in at.iter().zip(losses) {
                table.add(vec![walked.case.twin.key().into(), six(*x), six(up), six(*loss)]);
            }
        }
    }
    table
}

fn findings(question: &Question, all: &[Walked], at: &[f64]) -> (String, serde_json::Value) {
    let ends = (at.first().copied().unwrap_or(0.0), at.last().copied().unwrap_or(0.0));
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for walked in all {
        let (line, found) = shape(question, walked, ends);
        lines.push(line);
        list.push(found);
    }
    let seed = question.seed;
    lines.push(format!("Directions from seed {seed}, from {} to {} lengths of the filters.", ends.0, ends.1));
    let found = json!({ "seed": seed, "grid": question.grid, "samples": question.samples, "networks": list });
    (lines.join("\n"), found)
}

/// What one network's surface is like: how high, how wide, how convex.
fn shape(question: &Question, walked: &Walked, (left, right): (f64, f64)) -> (String, serde_json::Value) {
    let along = through(walked);
    let at = |i: Option<&f64>| i.copied().unwrap_or(f64::NAN);
    let centre = at(along.get(question.grid / 2));
    let ends = (at(along.first()), at(along.last()));
    let count = walked.rows.iter().map(Vec::len).sum::<usize>().max(1);
    let near = walked.rows.iter().flatten().filter(|loss| **loss <= centre + 1.0).count() as f64 / count as f64;
    let convex = convex_share(&walked.rows);
    let bends =
        if question.line { "the curve does not bend downwards" } else { "the surface bends downwards in no direction" };
    let bent =
        convex.map_or(String::new(), |share| format!(", and {bends} at {:.0} % of the inner points", 100.0 * share));
    let line = format!(
        "{}: the loss is {} at the checkpoint, {} and {} at {left} and {right} along the first direction; at {:.0} % of the points it is no more \
         than 1 above the checkpoint's{bent}.",
        walked.case.words(),
        times(centre),
        times(ends.0),
        times(ends.1),
        100.0 * near,
    );
    let ends = [ends.0, ends.1].map(|loss| loss.is_finite().then_some(loss));
    let found =
        json!({ "twin": walked.case.twin, "centre": centre, "ends": ends, "share_near": near, "share_convex": convex });
    (line, found)
}
