//! Loss, metrics and learning rate over the steps.

use super::history::{EpochLine, History};
use super::{amount, words};
use crate::tools::chart::{Axis, Body, Figure, Hue, Ink, Panel, Series, Stroke};
use crate::tools::text::grouped;
use crate::train::observe::Part;

/// Width and height of a chart.
const SIZE: (f64, f64) = (540.0, 300.0);

/// Metrics that have a chart of their own.
const METRICS: usize = 3;

/// A chart of the loss, one of each metric, and one of the learning rate.
pub fn figures(history: &History) -> Vec<String> {
    let names: Vec<&String> = history.epochs.iter().take(1).flat_map(|line| line.test.keys()).collect();
    let metrics = names.iter().filter(|name| !["loss", "samples"].contains(&name.as_str())).take(METRICS);
    let mut figures = vec![chart("Loss", "loss", losses(history))];
    figures.extend(metrics.map(|name| chart(&words(name), &words(name), both(history, name))));
    let rates = history.steps.iter().map(|line| (line.step, line.rate)).collect();
    if !history.steps.is_empty() {
        figures.push(chart("Learning rate", "learning rate", vec![series("", Hue::Teal.into(), Stroke::Solid, rates)]));
    }
    figures
}

fn chart(title: &str, label: &str, body: Vec<Series>) -> String {
    let mut initial = title.chars();
    let title = initial.next().map(|c| c.to_uppercase().chain(initial).collect::<String>()).unwrap_or_default();
    let panel = Panel { x: Axis::new("step"), y: Axis::new(label), body: Body::Lines(body), ..Panel::default() };
    Figure { title, panels: vec![panel], size: SIZE, ..Figure::default() }.svg()
}

fn losses(history: &History) -> Vec<Series> {
    let batches = history.steps.iter().map(|line| (line.step, line.loss)).collect();
    let faint = Ink { hue: Hue::Grey, strength: 0.6 };
    let mut all = vec![series("single batches", faint, Stroke::Thin, batches)];
    all.extend(both(history, "loss"));
    all.retain(|series| !series.points.is_empty());
    all
}

/// What was learnt from, and what was measured on.
fn both(history: &History, name: &str) -> Vec<Series> {
    let points = |part: fn(&EpochLine) -> &std::collections::BTreeMap<String, f64>| {
        history.epochs.iter().filter_map(|line| Some((line.step, *part(line).get(name)?))).collect()
    };
    vec![
        series("training", Hue::Blue.into(), Stroke::Dotted, points(|line| &line.train)),
        series(measured(history.part), Hue::Orange.into(), Stroke::Dotted, points(|line| &line.test)),
    ]
}

/// What the second curve is of.
fn measured(part: Part) -> &'static str {
    match part {
        Part::Val | Part::Test => part.words(),
        Part::Train => "the same, after each epoch",
    }
}

fn series(name: &str, ink: Ink, stroke: Stroke, points: Vec<(f64, f64)>) -> Series {
    Series { name: name.into(), ink, stroke, points }
}

/// What to read from the charts, as HTML.
pub fn remark(history: &History) -> String {
    let (Some(last), Some(best)) = (history.epochs.last(), history.best()) else {
        return "Nothing was measured yet.".into();
    };
    let scores = |numbers: &std::collections::BTreeMap<String, f64>| {
        let metrics = numbers.iter().filter(|(name, _)| !["samples", "loss"].contains(&name.as_str()));
        let metrics = metrics.map(|(name, value)| format!("{} {}", words(name), amount(name, *value)));
        let loss = numbers.get("loss").map(|loss| format!("loss {loss:.4}"));
        metrics.chain(loss).collect::<Vec<_>>().join(", ")
    };
    let steps = grouped(last.step as u64);
    let best_at =
        if best.step == last.step { "the last step".into() } else { format!("step {}", grouped(best.step as u64)) };
    let part = match history.part {
        Part::Val | Part::Test => format!("the {} part", history.part.words()),
        Part::Train => "what was learnt from (nothing is held out)".into(),
    };
    let better = match history.part {
        Part::Val | Part::Test => format!("{part} can measure better than what is learnt from"),
        Part::Train => "the same samples can measure better afterwards".into(),
    };
    let once = match history.measured.is_empty() {
        true => String::new(),
        false => format!(" Measured once, on the test part, these weights have {}.", scores(&history.measured)),
    };
    format!(
        "{} epochs, {steps} steps. The best weights are those after {best_at}: on {part}, {}.{once} While training, \
         augmentation and dropout make the task harder, so that {better}.",
        last.epoch,
        scores(&best.test),
    )
}
