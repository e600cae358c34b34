//! What is lost as blocks are removed from a trained network (Veit et al. 2016, "Residual Networks Behave Like Ensembles of
//! Relatively Shallow Networks").
//!
//! Of a block that a skip bridges, the body is dropped and the skip stays. Nothing is trained again. Of the plain twin, the same
//! layers are dropped where their ends have the same shape.

use super::context::{Outcome, StudyContext};
use super::report::{Report, Table, mean, six};
use super::runs::{Given, Measurable, weights};
use super::subject::{Case, Subject, Twin};
use super::surgery::{Block, Cut, blocks, plain_cut, without};
use crate::base::{Diagnostic, Rng, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::Metric;
use crate::tools::chart::{Axis, BarSeries, Bars, Body, Figure, Hue, Ink, Panel, Series, Stroke};
use crate::train::Probe;
use crate::train::data::Split;
use crate::train::observe::Part;
use candle_core::Device;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The networks with the weights that were named for them; the one with skips first.
    pub cases: Vec<(Case, Option<Given>)>,
    /// Test samples to measure on.
    pub samples: usize,
    /// How many choices of blocks are tried of each number.
    pub repeats: usize,
    /// The seed of the choices.
    pub seed: u64,
}

/// What removing costs, as accuracies (or as losses, where the recipe counts none).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lesions {
    /// With nothing removed.
    pub whole: f64,
    /// With each block removed; `None` where it cannot be.
    pub single: Vec<Option<f64>>,
    /// With 1, 2, … blocks removed that were chosen at random: one value for each choice.
    pub several: Vec<Vec<f64>>,
}

/// Whether there is a block to remove.
///
/// # Errors
/// `E0930` where there is none.
pub fn check(network: &Network) -> Result<(), Diagnostic> {
    if blocks(&network.graph).is_empty() { Err(no_blocks(&network.name)) } else { Ok(()) }
}

/// Removes blocks, and draws what is left.
///
/// # Errors
/// As [`check`]; where it is stopped, or weights do not fit.
pub fn run(
    subject: &Subject,
    question: &Question,
    data: &Split,
    device: &Device,
    context: &mut StudyContext,
) -> Outcome<Report> {
    let question = &Question { samples: question.samples.min(data.evaluation().len()), ..question.clone() };
    let network = subject.network()?;
    check(network)?;
    let list = blocks(&network.graph);
    let trained = question.cases.iter().filter(|(_, given)| given.is_none()).count();
    context.expect(trained + question.cases.len());
    let mut all = Vec::new();
    for (case, given) in &question.cases {
        let weights = weights(subject, case, data, given.as_ref(), device, context)?;
        let measured = Measurable::new(case, &weights.file, device)?;
        let probe = measured.probe(data.evaluation(), question.samples)?;
        let cuts: Vec<Option<Cut>> = match case.twin {
            Twin::Skip => list.iter().map(|block| Some(block.cut)).collect(),
            Twin::Plain => list.iter().map(|block| plain_cut(&case.network.graph, block)).collect(),
        };
        let name = format!("removing blocks, {}", case.words());
        let found = context.part(&format!("lesions-{}", case.key()), &name, |tick, stop| {
            let left = |cuts: &[Cut]| score(case, &measured, &probe, cuts);
            lesions(&cuts, question, &left, tick, stop)
        })?;
        all.push((case, found));
    }
    Ok(report(subject, question, &list, &all, Part::at_the_end(data)))
}

fn no_blocks(name: &str) -> Diagnostic {
    Diagnostic::new(
        codes::STUDY_UNFIT,
        format!("`{name}` has no block that could be removed: no skip of it adds or gates"),
    )
    .help("`lesion` removes what  skip add { … }  or  skip gate … { … }  encloses, and leaves the skip")
}

fn lesions(
    cuts: &[Option<Cut>],
    question: &Question,
    left: &dyn Fn(&[Cut]) -> Outcome<f64>,
    tick: &mut super::context::Tick,
    stop: &std::sync::atomic::AtomicBool,
) -> Outcome<Lesions> {
    let possible: Vec<Cut> = cuts.iter().flatten().copied().collect();
    let work = (cuts.len() + possible.len() * question.repeats).max(1) as f64;
    let mut done = 0;
    let mut next = |cuts: &[Cut]| {
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(super::context::Halt::Stopped);
        }
        done += 1;
        tick(f64::from(done) / work, "");
        left(cuts)
    };
    let whole = next(&[])?;
    let single = cuts.iter().map(|cut| cut.map(|cut| next(&[cut])).transpose()).collect::<Outcome<_>>()?;
    let mut several = Vec::new();
    for count in 1..=possible.len() {
        let one = |repeat: usize| {
            let mut chosen = possible.clone();
            Rng::derive(question.seed, &format!("lesion {count} {repeat}")).shuffle(&mut chosen);
            chosen.truncate(count);
            next(&chosen)
        };
        several.push((0..question.repeats).map(one).collect::<Outcome<Vec<f64>>>()?);
    }
    Ok(Lesions { whole, single, several })
}

/// The accuracy of a network with cuts made, or its loss where the recipe measures none.
fn score(case: &Case, measured: &Measurable, probe: &Probe, cuts: &[Cut]) -> Outcome<f64> {
    let mut module = without(&case.network, cuts).lower(measured.store.var_builder())?;
    let scores = probe.measure(&mut module)?;
    let accuracy = scores.metrics.iter().find(|(metric, _)| *metric == Metric::Accuracy);
    Ok(accuracy.map_or(scores.loss, |(_, value)| 100.0 * value))
}

fn hue(case: &Case) -> Ink {
    if case.twin == Twin::Plain { Hue::Orange } else { Hue::Blue }.into()
}

fn report(subject: &Subject, question: &Question, list: &[Block], all: &[(&Case, Lesions)], part: Part) -> Report {
    let counted = all.iter().all(|(case, _)| case.recipe.metrics.contains(&Metric::Accuracy));
    let part = part.words();
    let label = if counted { format!("{part} accuracy, %") } else { format!("{part} loss") };
    let depth = all.first().map_or(0, |(case, _)| case.depth());
    let range = |axis: Axis| if counted { axis.range(0.0, 100.0) } else { axis };
    let several = Panel {
        title: format!("blocks removed at random, {} choices of each number", question.repeats),
        x: Axis::new("blocks removed"),
        y: range(Axis::new(&label)),
        body: Body::Lines(all.iter().flat_map(|(case, found)| curves(case, found)).collect()),
    };
    let panels = vec![single(list, all, range(Axis::new(&label))), several];
    let figure = Figure {
        title: "What is lost as blocks are removed".into(),
        subtitle: format!("{} · {depth} layers, {} {part} samples", subject.line(question.seed), question.samples),
        panels,
        columns: 1,
        size: (860.0, 330.0),
        note: "Blocks are removed from the trained network, and nothing is trained again. With skips, a block is one of many paths; without, it is the only one. \
               Where sizes change, the plain twin's layers cannot be removed."
            .into(),
    };
    let (text, findings) = findings(question, list, all, counted);
    Report { table: table(list, all), figure, findings, text }
}

/// A bar for each block and twin.
fn single(list: &[Block], all: &[(&Case, Lesions)], y: Axis) -> Panel {
    let bars = all.iter().map(|(case, found)| BarSeries {
        name: case.twin.words().into(),
        ink: hue(case),
        values: found.single.clone(),
    });
    let level = |(case, found): &(&Case, Lesions)| {
        (format!("nothing removed, {}", case.twin.words()), found.whole, Ink { strength: 0.6, ..hue(case) })
    };
    let names: Vec<String> = list
        .iter()
        .map(|block| if block.identity { block.name.clone() } else { format!("{} *", block.name) })
        .collect();
    Panel {
        title: "one block removed".into(),
        x: Axis::new("block, from the input; * where sizes change"),
        y,
        body: Body::Bars(Bars { groups: names, series: bars.collect(), levels: all.iter().map(level).collect() }),
    }
}

fn curves(case: &Case, found: &Lesions) -> Vec<Series> {
    let each = |pick: fn(&[f64]) -> f64| {
        let start = [(0.0, found.whole)].into_iter();
        start
            .chain(found.several.iter().zip(1..).map(|(list, count)| (f64::from(count), pick(list))))
            .collect::<Vec<_>>()
    };
    let ink = hue(case);
    let thin = |pick| Series {
        name: String::new(),
        ink: Ink { strength: 0.5, ..ink },
        stroke: Stroke::Thin,
        points: each(pick),
    };
    vec![
        thin(|list| list.iter().copied().fold(f64::INFINITY, f64::min)),
        thin(|list| list.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        Series {
            name: format!("{}: mean, lowest and highest", case.twin.words()),
            ink,
            stroke: Stroke::Dotted,
            points: each(|list| mean(list.iter().copied())),
        },
    ]
}

fn table(list: &[Block], all: &[(&Case, Lesions)]) -> Table {
    let mut table = Table::new(&["twin", "removed", "block", "choice", "score"]);
    for (case, found) in all {
        let twin = case.twin.key().to_string();
        table.add(vec![twin.clone(), "0".into(), String::new(), String::new(), six(found.whole)]);
        for (block, score) in list.iter().zip(&found.single) {
            if let Some(score) = score {
                table.add(vec![twin.clone(), "1".into(), block.name.clone(), String::new(), six(*score)]);
            }
        }
        for (scores, count) in found.several.iter().zip(1..) {
            for (score, choice) in scores.iter().zip(1..) {
                table.add(vec![twin.clone(), count.to_string(), String::new(), choice.to_string(), six(*score)]);
            }
        }
    }
    table
}

fn findings(
    question: &Question,
    list: &[Block],
    all: &[(&Case, Lesions)],
    counted: bool,
) -> (String, serde_json::Value) {
    let unit = if counted { " %" } else { "" };
    let what = if counted { "accuracy" } else { "loss" };
    let (mut lines, mut found_all) = (Vec::new(), Vec::new());
    for (case, found) in all {
        let singles: Vec<f64> = found.single.iter().flatten().copied().collect();
        let average = mean(singles.iter().copied());
        let worse = |a: &f64, b: &f64| if counted { a.total_cmp(b) } else { b.total_cmp(a) };
        let worst = singles.iter().copied().min_by(worse);
        let at = worst.and_then(|worst| found.single.iter().position(|s| *s == Some(worst)));
        let name = at.and_then(|at| list.get(at)).map_or("", |block| block.name.as_str());
        lines.push(format!(
            "{}: {what} {:.1}{unit} whole, {average:.1}{unit} on average with one block removed, {:.1}{unit} without `{name}`, the worst to lose.",
            case.words(),
            found.whole,
            worst.unwrap_or(f64::NAN)
        ));
        found_all.push(json!({ "twin": case.twin, "whole": found.whole, "mean_single": average, "worst_single": worst, "worst_block": name }));
    }
    lines.push(format!("Choices of blocks from seed {}.", question.seed));
    (lines.join("\n"), json!({ "seed": question.seed, "measure": what, "networks": found_all }))
}
