//! What a network answered, in words: classes with probabilities, shares of pixels, or what a tensor looks like.

use super::run::kind::origin;
use super::shell::Shell;
use archc::elaborate::Network;
use archc::elaborate::recipe::Loss;
use archc::graph::NodeId;
use archc::ops::Op;
use archc::ops::activation::Activation;
use archc::train::data::painted::{Mask, VOID};
use archc::train::data::tensor_io::TensorData;
use serde_json::{Map, Value, json};

/// Likeliest classes shown of each sample: of one file, and of each of several in a line.
const TOP: (usize, usize) = (5, 3);

/// What is needed to say an answer.
pub struct Words<'a> {
    /// The network.
    pub network: &'a Network,
    /// Names of the classes, where they are known.
    pub names: &'a [String],
    /// How many classes are to be said, where that was asked for.
    pub top: Option<usize>,
    /// Whether there are several files, so that each answer begins with its own.
    pub several: bool,
}

/// One output.
pub struct Said<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its numbers.
    pub tensor: &'a TensorData,
    /// The class of each pixel, where it learnt some.
    pub mask: Option<Mask>,
}

/// A class that was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Its number.
    pub class: usize,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// Its probability, or its share of the pixels.
    pub share: f64,
}

impl Words<'_> {
    /// Prints all outputs of one file.
    pub fn print(&self, file: &str, outputs: &[Said], shell: &Shell) {
        for output in outputs {
            let ranked = self.ranked(output, if self.several { TOP.1 } else { TOP.0 });
            let text = match (ranked, self.several) {
                (Some(samples), true) => self.lines(file, output, &samples),
                (Some(samples), false) => block(output, &samples),
                (None, true) => format!("{file}: {}", statistics(output.name, output.tensor)),
                (None, false) => statistics(output.name, output.tensor),
            };
            shell.print(&text);
        }
    }

    /// All outputs as one object, by their names.
    pub fn json(&self, outputs: &[Said]) -> Map<String, Value> {
        let entry =
            |ranked: &Ranked, word: &str| json!({ "class": ranked.class, "name": ranked.name, word: ranked.share });
        let one = |output: &Said| {
            let mut object = json!({ "shape": output.tensor.shape });
            let word = if output.mask.is_some() { "share" } else { "probability" };
            if let Some(samples) = self.ranked(output, TOP.0) {
                let list = |ranked: &Vec<Ranked>| ranked.iter().map(|r| entry(r, word)).collect::<Vec<_>>();
                match &output.mask {
                    Some(_) => object["pixels"] = json!(samples.first().map(list)),
                    None => object["top"] = json!(samples.iter().map(list).collect::<Vec<_>>()),
                }
            }
            (output.name.to_string(), object)
        };
        outputs.iter().map(one).collect()
    }

    /// The likeliest classes of each sample, or the most frequent ones of the pixels; `None` where the output is neither.
    pub fn ranked(&self, output: &Said, top: usize) -> Option<Vec<Vec<Ranked>>> {
        let top = self.top.unwrap_or(top);
        let samples = match &output.mask {
            Some(mask) => vec![shares(mask)],
            None => {
                let rows = classes(self.network, output.name, output.tensor)?;
                rows.into_iter().map(|row| row.into_iter().enumerate().collect()).collect()
            }
        };
        let rank = |mut all: Vec<(usize, f64)>| {
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.truncate(top);
            let name = |(class, share)| Ranked { class, name: self.names.get(class).cloned(), share };
            all.into_iter().map(name).collect()
        };
        Some(samples.into_iter().map(rank).collect())
    }

    /// A line for each sample of a file.
    fn lines(&self, file: &str, output: &Said, samples: &[Vec<Ranked>]) -> String {
        let named = if self.network.graph.outputs.len() > 1 { format!("{}: ", output.name) } else { String::new() };
        let line = |(i, ranked): (usize, &Vec<Ranked>)| {
            let sample = if samples.len() > 1 { format!(", sample {i}") } else { String::new() };
            let list: Vec<_> = ranked.iter().map(|r| format!("{:.2} % {}", 100.0 * r.share, called(r))).collect();
            format!("{file}{sample}: {named}{}", list.join(", "))
        };
        samples.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Each sample with its classes, one below the other.
fn block(output: &Said, samples: &[Vec<Ranked>]) -> String {
    let head = |i: usize| match (&output.mask, samples.len()) {
        (Some(_), _) => format!("{}\n  of the pixels:", statistics(output.name, output.tensor)),
        (None, 1) => format!("{}:", output.name),
        (None, _) => format!("{}, sample {i}:", output.name),
    };
    let row = |ranked: &Ranked| format!("\n  {:6.2} %  {}", 100.0 * ranked.share, called(ranked));
    let sample = |(i, ranked): (usize, &Vec<Ranked>)| head(i) + &ranked.iter().map(row).collect::<String>();
    samples.iter().enumerate().map(sample).collect::<Vec<_>>().join("\n")
}

fn called(ranked: &Ranked) -> String {
    ranked.name.clone().unwrap_or_else(|| format!("class {}", ranked.class))
}

/// The share of each class of the pixels that have one.
fn shares(mask: &Mask) -> Vec<(usize, f64)> {
    let counts: Vec<_> = mask.counts().into_iter().filter(|&(class, _)| class != VOID).collect();
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    counts.into_iter().map(|(class, count)| (class as usize, count as f64 / all.max(1) as f64)).collect()
}

/// Whether an output is scores of classes: a vector of a network that classifies.
pub fn is_classes(network: &Network, name: &str) -> bool {
    let Some(id) = network.graph.output(name) else { return false };
    let squashes = |f: &Activation| matches!(f, Activation::Sigmoid | Activation::HardSigmoid | Activation::Tanh);
    let bounded = matches!(last(network, id), Op::Activation(f) if squashes(f));
    let losses = network.recipe.iter().flat_map(|r| &r.loss).map(|term| &term.loss);
    let other = losses.clone().next().is_some() && !losses.clone().any(|l| matches!(l, Loss::CrossEntropy { .. }));
    matches!(network.graph.shape(id).dims(), [count] if *count >= 2) && !bounded && !other
}

/// The op that computed an output's values.
fn last(network: &Network, output: NodeId) -> &Op {
    &network.graph.node(origin(&network.graph, output)).op
}

/// Probabilities of each sample, where an output is scores of classes.
fn classes(network: &Network, name: &str, tensor: &TensorData) -> Option<Vec<Vec<f64>>> {
    let [_, count] = tensor.shape[..] else { return None };
    if count < 2 || !is_classes(network, name) {
        return None;
    }
    let normalised = matches!(last(network, network.graph.output(name)?), Op::Softmax(_));
    let rows = tensor.values.chunks_exact(count).map(|row| if normalised { exact(row) } else { softmax(row) });
    Some(rows.collect())
}

fn exact(row: &[f32]) -> Vec<f64> {
    row.iter().map(|&v| v as f64).collect()
}

fn softmax(row: &[f32]) -> Vec<f64> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max) as f64;
    let powers: Vec<f64> = row.iter().map(|&v| (v as f64 - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}

fn statistics(name: &str, tensor: &TensorData) -> String {
    let values = &tensor.values;
    if let [1, _] = tensor.shape[..]
        && values.len() <= 16
    {
        let numbers: Vec<_> = values.iter().map(|v| format!("{v:.6}")).collect();
        return format!("{name}: {}", numbers.join("  "));
    }
    let (low, high) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let mean = values.iter().map(|&v| v as f64).sum::<f64>() / values.len().max(1) as f64;
    format!("{name}: {:?}, from {low:.4} to {high:.4}, mean {mean:.4}", tensor.shape)
}
