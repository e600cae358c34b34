//! The figures of two networks, side by side.

use crate::analysis::{cost, field};
use crate::elaborate::Network;
use crate::plan::{Mode, best};
use crate::tools::summary::summarize;
use serde::Serialize;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things.
    Count,
    /// Multiply-accumulates.
    Macs,
    /// Bytes.
    Bytes,
    /// Words, not a number.
    Words,
}

/// One figure of both networks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Total {
    /// What it is.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// The first network's; none where it cannot be counted.
    pub before: Option<Figure>,
    /// The second network's.
    pub after: Option<Figure>,
}

/// A number, or words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    /// A number.
    Number(u64),
    /// Words.
    Words(String),
}

impl Total {
    /// Whether the two differ.
    pub fn differs(&self) -> bool {
        self.before != self.after
    }
}

/// The figures of a network, one sample at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    figures: Vec<(String, Unit, Option<Figure>)>,
}

impl Sizes {
    /// Counts, and plans memory for one run and for one training step.
    pub fn of(network: &Network) -> Self {
        let graph = &network.graph;
        let cost = cost::cost(graph);
        let peak = |mode| best(graph, mode, 1).ok().map(|plan| Figure::Number(plan.peak));
        let number = |n| Some(Figure::Number(n));
        let words = |words: String| Some(Figure::Words(words));
        let fields = field::receptive_fields(graph);
        let summary = summarize(network);
        let mut figures = vec![
            ("layers".into(), Unit::Count, number((graph.len() - graph.inputs.len()) as u64)),
            ("parameters".into(), Unit::Count, number(cost.nodes.parameters)),
            ("MACs".into(), Unit::Macs, number(cost.nodes.macs)),
            ("weights".into(), Unit::Bytes, number(cost.weight_bytes)),
            ("peak (run)".into(), Unit::Bytes, peak(Mode::Run)),
            ("peak (training)".into(), Unit::Bytes, peak(Mode::Train)),
            ("skips".into(), Unit::Words, words(summary.skips_in_words())),
        ];
        for input in &summary.inputs {
            figures.push((format!("input {}", input.name), Unit::Words, words(input.shape.times())));
        }
        for output in &graph.outputs {
            // The name of the only output does not matter here.
            let name = if graph.outputs.len() == 1 { String::new() } else { format!(" {}", output.name) };
            let shape = graph.shape(output.node).times();
            figures.push((format!("output{name}"), Unit::Words, words(shape)));
            let field = Some(fields[&output.node].to_string()).filter(|field| !field.is_empty());
            figures.push((format!("field{name}"), Unit::Words, field.map(Figure::Words)));
        }
        let names: Vec<&str> = graph.outputs.iter().map(|output| output.name.as_str()).collect();
        figures.push(("name of the output".into(), Unit::Words, words(names.join(", "))));
        Self { figures }
    }
}

/// Every figure that one of the two has.
pub fn totals(a: &Sizes, b: &Sizes) -> Vec<Total> {
    let find = |sizes: &Sizes, name: &str| {
        sizes.figures.iter().find(|(n, ..)| n == name).and_then(|(.., figure)| figure.clone())
    };
    let only_b = b.figures.iter().filter(|(name, ..)| !a.figures.iter().any(|(other, ..)| other == name));
    let all = a.figures.iter().chain(only_b);
    let total = |(name, unit, _): &(String, Unit, Option<Figure>)| Total {
        name: name.clone(),
        unit: *unit,
        before: find(a, name),
        after: find(b, name),
    };
    all.map(total).filter(|total| total.before.is_some() || total.after.is_some()).collect()
}
