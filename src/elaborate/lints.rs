//! Warnings that need only the network.

use super::network::Network;
use super::recipe::Loss;
use super::report::Reporter;
use crate::base::{Code, Diagnostic, Diagnostics, SourceMap, Span, codes};
use crate::graph::{Graph, Node, NodeId};
use crate::ops::{Family, Op};

/// The word that a recipe begins with.
const TRAIN: &str = "train";

/// What probably does not say what was meant. Warnings at the same place are folded.
pub(super) fn check(network: &Network, sources: &SourceMap) -> Diagnostics {
    let graph = &network.graph;
    let mut report = Reporter::default();
    let read: Vec<bool> = graph.order().map(|id| has_reader(graph, id)).collect();
    for id in graph.order() {
        let node = graph.node(id);
        let found = [
            dead_end(graph, id, &read),
            needless_bias(graph, id, sources),
            two_activations(graph, id),
            dropout_first(graph, id),
        ];
        for warning in found.into_iter().flatten() {
            report.push(warning, node.scope);
        }
    }
    for skip in graph.skips.iter().filter(|skip| skip.source == skip.result) {
        let warning =
            Diagnostic::new(codes::SKIPS_NOTHING, "this skip goes around nothing: both ends are the same value")
                .label(skip.span, "its body has no steps");
        report.push(warning, graph.node(skip.merge).scope);
    }
    if let Some(warning) = activated_logits(network) {
        report.push(warning, Default::default());
    }
    report.finish(&graph.scopes)
}

fn has_reader(graph: &Graph, id: NodeId) -> bool {
    !graph.users(id).is_empty() || graph.outputs.iter().any(|output| output.node == id)
}

fn warning(code: Code, message: String, node: &Node, label: &str) -> Diagnostic {
    Diagnostic::new(code, message).label(node.span, label)
}

fn dead_end(graph: &Graph, id: NodeId, read: &[bool]) -> Option<Diagnostic> {
    if read[id.index()] {
        return None;
    }
    let node = graph.node(id);
    let (message, help) = match node.op.family() == Family::Input {
        true => (format!("the input `{}` is never read", node.path), "leave it out, or start a path with `from`"),
        false => (
            format!("the value of `{}` goes nowhere", node.op.layer().kind()),
            "name it an output with `output NAME`, merge it, or leave it out",
        ),
    };
    Some(warning(codes::DEAD_END, message, node, "nothing reads this").help(help))
}

/// A batch norm takes away the mean, and with it any bias.
fn needless_bias(graph: &Graph, id: NodeId, sources: &SourceMap) -> Option<Diagnostic> {
    let node = graph.node(id);
    let bias = node.op.mixes_channels() && graph.params(id).iter().any(|param| param.name == "bias");
    let [user] = graph.users(id)[..] else { return None };
    if !bias || !matches!(graph.node(user).op, Op::BatchNorm(_)) {
        return None;
    }
    let kind = node.op.layer().kind();
    let message = format!("the bias of `{kind}` has no effect: the batch norm takes it away again");
    let found = warning(codes::BIAS_BEFORE_NORM, message, node, "has a bias");
    let found = found
        .label(graph.node(user).span, "subtracts the mean")
        .help(format!("write `bias=false`, or `set {kind}(bias=false)` for all"));
    let end = node.span.end;
    let (at, text) = match sources.text(node.span).strip_suffix(')').map(str::trim_end) {
        Some(inside) if inside.ends_with(['(', ',']) => (end - 1, "bias=false"),
        Some(_) => (end - 1, ", bias=false"),
        None => (end, "(bias=false)"),
    };
    Some(found.fix("write `bias=false`", Span { start: at, end: at, ..node.span }, text))
}

fn two_activations(graph: &Graph, id: NodeId) -> Option<Diagnostic> {
    let active = |id: NodeId| graph.node(id).op.family() == Family::Activation;
    if !active(id) {
        return None;
    }
    let before = graph.operands(id).into_iter().next().filter(|&before| active(before))?;
    let message = "two activations in a row".to_string();
    let found = warning(codes::TWO_ACTIVATIONS, message, graph.node(id), "the second");
    let first = graph.node(before).span;
    Some(if first == graph.node(id).span { found } else { found.label(first, "the first") })
}

/// Dropout shifts the variance between training and evaluation, which a norm after it keeps (Li et al. 2018).
fn dropout_first(graph: &Graph, id: NodeId) -> Option<Diagnostic> {
    let node = graph.node(id);
    let before = graph.operands(id).into_iter().next()?;
    if !matches!(node.op, Op::BatchNorm(_)) || !matches!(graph.node(before).op, Op::Dropout(_)) {
        return None;
    }
    let message = "a batch norm right after dropout learns statistics that evaluation does not have".to_string();
    let found = warning(codes::DROPOUT_BEFORE_NORM, message, node, "the norm");
    Some(found.label(graph.node(before).span, "the dropout").help("put the dropout after the norm and its activation"))
}

/// Losses of logits apply their own softmax or sigmoid.
fn activated_logits(network: &Network) -> Option<Diagnostic> {
    let graph = &network.graph;
    let recipe = network.recipe.as_ref()?;
    recipe.loss.iter().find_map(|term| {
        let name = match term.loss {
            Loss::CrossEntropy { .. } => "cross_entropy",
            Loss::BceWithLogits => "bce_with_logits",
            Loss::Dice { .. } => "dice",
            Loss::Mse | Loss::L1 => return None,
        };
        let output = match &term.output {
            Some(output) => graph.output(output)?,
            None => graph.outputs.first()?.node,
        };
        let node = graph.node(output);
        if node.op.family() != Family::Activation {
            return None;
        }
        let kind = node.op.layer().kind();
        let message = format!("`{name}` wants logits, and the model ends in `{kind}`");
        let found = warning(codes::LOGITS, message, node, "the loss applies its own softmax or sigmoid");
        Some(
            found
                .label(Span { end: recipe.span.start + TRAIN.len() as u32, ..recipe.span }, "the recipe")
                .help(format!("leave `{kind}` out")),
        )
    })
}
