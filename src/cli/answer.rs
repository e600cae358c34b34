//! What a network answered, in words: classes with probabilities, or what a tensor looks like.

use super::shell::Shell;
use crate::elaborate::Network;
use crate::elaborate::recipe::Loss;
use crate::ops::Op;
use crate::ops::activation::Activation;
use crate::train::data::tensor_io::TensorData;
use serde_json::{Value, json};

/// Likeliest classes shown of each sample.
const TOP: usize = 5;

/// Prints every output; `written` leaves out the hint at `--output`.
pub fn show(network: &Network, outputs: &[(String, TensorData)], names: &[String], written: bool, shell: &Shell) {
    if shell.json() {
        let all = outputs.iter().map(|(name, t)| (name.clone(), describe(network, name, t, names)));
        shell.print_json(&json!({ "model": network.name, "outputs": all.collect::<serde_json::Map<_, _>>() }));
        return;
    }
    for (name, tensor) in outputs {
        match classes(network, name, tensor) {
            Some(samples) => samples.iter().enumerate().for_each(|(i, probabilities)| {
                shell.print(&ranking(name, i, samples.len(), probabilities, names));
            }),
            None => shell.print(&statistics(name, tensor)),
        }
    }
    if !written && outputs.iter().any(|(_, t)| t.shape.len() > 2) {
        shell.note("--output y.safetensors keeps the numbers; --output mask.png, the likeliest class of each pixel");
    }
}

fn describe(network: &Network, name: &str, tensor: &TensorData, names: &[String]) -> Value {
    let top = classes(network, name, tensor).map(|samples| {
        let sample = |probabilities: &Vec<f64>| {
            let top = top(probabilities).into_iter();
            let entry =
                |class: usize| json!({ "class": class, "name": names.get(class), "probability": probabilities[class] });
            top.map(entry).collect::<Vec<_>>()
        };
        samples.iter().map(sample).collect::<Vec<_>>()
    });
    match top {
        Some(top) => json!({ "shape": tensor.shape, "top": top }),
        None => json!({ "shape": tensor.shape }),
    }
}

/// Probabilities of each sample, where the output is scores of classes: a vector of a network that classifies.
fn classes(network: &Network, name: &str, tensor: &TensorData) -> Option<Vec<Vec<f64>>> {
    let [_, count] = tensor.shape[..] else { return None };
    let op = &network.graph.node(network.graph.output(name)?).op;
    let normalised = matches!(op, Op::Softmax(_));
    let bounded = matches!(op, Op::Activation(Activation::Sigmoid | Activation::Tanh));
    let losses = network.recipe.iter().flat_map(|r| &r.loss).map(|term| &term.loss);
    let other = losses.clone().next().is_some() && !losses.clone().any(|l| matches!(l, Loss::CrossEntropy { .. }));
    if count < 2 || bounded || other {
        return None;
    }
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

fn top(probabilities: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]).then(a.cmp(&b)));
    order.truncate(TOP);
    order
}

fn ranking(name: &str, sample: usize, samples: usize, probabilities: &[f64], names: &[String]) -> String {
    let mut text = if samples == 1 { format!("{name}:") } else { format!("{name}, sample {sample}:") };
    for class in top(probabilities) {
        let called = names.get(class).cloned().unwrap_or_else(|| format!("class {class}"));
        text += &format!("\n  {:6.2} %  {called}", 100.0 * probabilities[class]);
    }
    text
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
