//! Does a deeper network train worse? Training error of plain and skip twins at several depths: the picture of 20 against
//! 56 layers (He et al. 2015, figures 1 and 6).
//!
//! Every twin is trained by the file's recipe, at every depth and seed, in a run of its own. The training error is that of
//! the samples while they are learnt from, as in the paper.

use super::context::{Outcome, StudyContext};
use super::report::{Report, Table, mean, six};
use super::runs::{Curve, train};
use super::subject::{Case, Subject, Twin};
use crate::tools::chart::{Axis, Body, Figure, Hue, Ink, Panel, Series, Stroke};
use crate::train::data::Split;
use crate::train::observe::Part;
use candle_core::Device;
use serde_json::json;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The parameter that is varied.
    pub vary: String,
    /// Its values.
    pub values: Vec<String>,
    /// The seeds that each is trained with.
    pub seeds: Vec<u64>,
}

/// One network with how it was trained from each seed.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network, at the first seed.
    pub case: Case,
    /// One curve for each seed.
    pub curves: Vec<Curve>,
}

/// Trains all, and draws them.
///
/// # Errors
/// Where it is stopped, or a network cannot be trained.
pub fn run(
    subject: &Subject,
    question: &Question,
    data: &Split,
    device: &Device,
    context: &mut StudyContext,
) -> Outcome<Report> {
    let cases = subject.twins(Some((&question.vary, &question.values)))?;
    context.expect(cases.len() * question.seeds.len());
    let mut all: Vec<Trained> = cases.into_iter().map(|case| Trained { case, curves: Vec::new() }).collect();
    // Seed by seed, so that what is stopped half-way can be looked at.
    for &seed in &question.seeds {
        for trained in &mut all {
            let varied = trained.case.varied.as_ref().map(|(name, value)| (name.as_str(), value.as_str()));
            let case = subject.case(trained.case.twin, varied, Some(seed))?;
            let key = format!("{}-seed-{seed}", case.key());
            let folder = context.folder.path().join("runs").join(&key);
            let name = format!("{} ({} layers), seed {seed}", case.words(), case.depth());
            let curve =
                context.part(&key, &name, |tick, stop| train(subject, &case, data, (&folder, device), tick, stop))?;
            trained.curves.push(curve);
        }
    }
    Ok(report(subject, question, &all, Part::of(data)))
}

fn report(subject: &Subject, question: &Question, all: &[Trained], part: Part) -> Report {
    let seeds = question.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let first = question.seeds.first().copied().unwrap_or(0);
    let several =
        if question.seeds.len() > 1 { format!("{}, seeds {seeds}", subject.line(first)) } else { subject.line(first) };
    let subtitle = several.replace(&format!(" · seed {first}, seeds"), " · seeds");
    let note = match question.seeds.len() {
        0 | 1 => String::new(),
        _ => "Thick lines are means over the seeds, thin ones the seeds. ".to_string(),
    } + "Errors are of the training samples while they are learnt from: what is seen is how well a network is optimised, not how well it generalises.";
    let errors = all.iter().flat_map(|t| &t.curves).all(|curve| !curve.train_error.is_empty());
    let top = all
        .iter()
        .flat_map(|t| &t.curves)
        .flat_map(|c| measure(c, errors))
        .filter(|v| v.is_finite())
        .fold(0.0, f64::max);
    let figure = Figure {
        title: "Does a deeper network train worse?".into(),
        subtitle,
        panels: [Twin::Plain, Twin::Skip].map(|twin| panel(all, twin, errors, top)).into(),
        columns: 2,
        size: (430.0, 380.0),
        note,
    };
    let (text, findings) = findings(question, all, errors, part);
    Report { table: table(all, &question.seeds, part), figure, findings, text }
}

/// What is drawn of a curve: errors in per cent, or losses where the recipe counts no errors.
fn measure(curve: &Curve, errors: bool) -> Vec<f64> {
    if errors { curve.train_error.iter().map(|e| 100.0 * e).collect() } else { curve.train_loss.clone() }
}

fn panel(all: &[Trained], twin: Twin, errors: bool, top: f64) -> Panel {
    let deepest = all.iter().map(|t| t.case.depth()).max().unwrap_or(0);
    let hue = if twin == Twin::Plain { Hue::Orange } else { Hue::Blue };
    let mut series = Vec::new();
    for trained in all.iter().filter(|t| t.case.twin == twin) {
        let depth = trained.case.depth();
        let ink = if depth == deepest { Ink::from(hue) } else { Ink { hue: shallower(hue), strength: 1.0 } };
        let curves: Vec<Vec<f64>> = trained.curves.iter().map(|curve| measure(curve, errors)).collect();
        let points = |list: &[f64]| list.iter().enumerate().map(|(i, &v)| ((i + 1) as f64, v)).collect::<Vec<_>>();
        if curves.len() > 1 {
            let faint = Ink { strength: 0.55, ..ink };
            series.extend(curves.iter().map(|c| Series {
                name: String::new(),
                ink: faint,
                stroke: Stroke::Thin,
                points: points(c),
            }));
        }
        let length = curves.iter().map(Vec::len).max().unwrap_or(0);
        let means: Vec<f64> = (0..length).map(|i| mean(curves.iter().filter_map(|c| c.get(i).copied()))).collect();
        series.push(Series { name: format!("{depth} layers"), ink, stroke: Stroke::Solid, points: points(&means) });
    }
    let label = if errors { "training error, %" } else { "training loss" };
    Panel {
        title: twin.words().into(),
        x: Axis::new("epoch"),
        y: Axis::new(label).range(0.0, 1.04 * top),
        body: Body::Lines(series),
    }
}

/// A hue that goes with another, for the less deep.
fn shallower(hue: Hue) -> Hue {
    if hue == Hue::Orange { Hue::Grey } else { Hue::Teal }
}

fn table(all: &[Trained], seeds: &[u64], part: Part) -> Table {
    let [loss, error] = measured(part);
    let columns = ["twin", "value", "depth", "seed", "epoch", "train_loss", "train_error", loss, error];
    let mut table = Table::new(&columns);
    for (trained, (seed, curve)) in all.iter().flat_map(|t| seeds.iter().zip(&t.curves).map(move |c| (t, c))) {
        for (i, epoch) in curve.epochs.iter().enumerate() {
            let cell = |list: &[f64]| list.get(i).map_or_else(String::new, |&v| six(v));
            table.add(vec![
                trained.case.twin.key().into(),
                trained.case.value().into(),
                trained.case.depth().to_string(),
                seed.to_string(),
                epoch.to_string(),
                cell(&curve.train_loss),
                cell(&curve.train_error),
                cell(&curve.measured_loss),
                cell(&curve.measured_error),
            ]);
        }
    }
    table
}

/// What is measured after every epoch is called by what it is measured on: `test_loss`, `val_error`.
fn measured(part: Part) -> [&'static str; 2] {
    match part {
        Part::Val => ["val_loss", "val_error"],
        Part::Test => ["test_loss", "test_error"],
        Part::Train => ["on_train_loss", "on_train_error"],
    }
}

/// What a network came to: the mean over the seeds of what was measured in the last epoch.
fn end(trained: &Trained, errors: bool) -> f64 {
    mean(trained.curves.iter().map(|curve| measure(curve, errors).last().copied().unwrap_or(f64::NAN)))
}

/// The same, with all that was measured, for programs.
fn found(trained: &Trained, part: Part) -> serde_json::Value {
    let [loss, error] = measured(part);
    let last = |pick: fn(&Curve) -> &Vec<f64>| {
        mean(trained.curves.iter().map(|c| pick(c).last().copied().unwrap_or(f64::NAN)))
    };
    json!({
        "twin": trained.case.twin, "value": trained.case.value(), "depth": trained.case.depth(),
        "train_loss": last(|c| &c.train_loss), "train_error": last(|c| &c.train_error),
        (loss): last(|c| &c.measured_loss), (error): last(|c| &c.measured_error),
        "diverged": trained.curves.iter().filter(|c| c.diverged).count(),
    })
}

fn findings(question: &Question, all: &[Trained], errors: bool, part: Part) -> (String, serde_json::Value) {
    let unit = if errors { " %" } else { "" };
    let what = if errors { "training error" } else { "training loss" };
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for twin in [Twin::Plain, Twin::Skip] {
        let mut ends: Vec<(usize, f64)> =
            all.iter().filter(|t| t.case.twin == twin).map(|t| (t.case.depth(), end(t, errors))).collect();
        ends.sort_by_key(|(depth, _)| *depth);
        for trained in all.iter().filter(|t| t.case.twin == twin) {
            list.push(found(trained, part));
        }
        let (Some((low, at_low)), Some((high, at_high))) = (ends.first(), ends.last()) else { continue };
        // Half a per cent of the samples, or a twentieth of the loss, is no difference to speak of.
        let margin = if errors { 0.5 } else { 0.05 * at_low.abs() };
        let verdict = if low == high {
            String::new()
        } else if at_high - at_low > margin || at_high.is_nan() {
            ": the deeper one trains worse".into()
        } else {
            ": the deeper one trains no worse".into()
        };
        let words = if twin == Twin::Plain { "without skips" } else { "with skips" };
        lines.push(format!(
            "{words}, the last epoch's {what} is {at_low:.2}{unit} at {low} layers and {at_high:.2}{unit} at {high}{verdict}."
        ));
    }
    let seeds = question.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let (word, mean) = if question.seeds.len() > 1 { ("Seeds", ", means over them") } else { ("Seed", "") };
    lines.push(format!("{word} {seeds}{mean}."));
    let text = lines.iter().map(|line| capital(line)).collect::<Vec<_>>().join("\n");
    (text, json!({ "seeds": question.seeds, "vary": question.vary, "networks": list }))
}

fn capital(line: &str) -> String {
    let mut chars = line.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
