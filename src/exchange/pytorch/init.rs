//! How parameters start, where that is not how PyTorch starts them.

use super::{Class, has_state, started};
use crate::exchange::classes::{Item, What};
use crate::graph::Graph;
use crate::ops::conv::{Conv, ConvTranspose};
use crate::ops::{Family, Init, Op};
use std::collections::BTreeSet;

/// Lines of a constructor. The model starts all convolutions as the ResNet paper does, before what starts otherwise is set:
/// so a class sets its own only where some convolution differs.
pub(super) fn lines(graph: &Graph, class: &Class, model: bool, mixed: bool) -> String {
    let mut text: String =
        class.body.items.iter().map(|item| of_item(graph, item, &super::member(&item.label), mixed)).collect();
    let any = || graph.order().any(|id| conv_start(&graph.node(id).op).is_some());
    if model && !mixed && any() {
        text += "        for module in self.modules():\n";
        let kinds: Vec<String> = kinds(graph).into_iter().map(|kind| format!("nn.{kind}")).collect();
        let kinds = if kinds.len() == 1 { kinds[0].clone() } else { format!("({})", kinds.join(", ")) };
        text += &format!("            if isinstance(module, {kinds}):\n");
        text += "                nn.init.kaiming_normal_(module.weight, mode=\"fan_out\")\n";
    }
    text
}

/// Whether some convolution starts otherwise.
pub(super) fn mixed(graph: &Graph) -> bool {
    graph.order().any(|id| conv_start(&graph.node(id).op).is_some_and(|init| init != Init::KaimingNormal))
}

/// Of convolutions alone: these start otherwise in PyTorch than here.
fn conv_start(op: &Op) -> Option<Init> {
    if let Op::Conv(Conv { init, .. }) | Op::ConvTranspose(ConvTranspose { init, .. }) = op {
        Some(*init)
    } else {
        None
    }
}

fn of_item(graph: &Graph, item: &Item, name: &str, mixed: bool) -> String {
    match &item.what {
        What::Op(layer) => {
            let op = &graph.node(layer.node).op;
            if has_state(op) && started(op) { of_op(op, name, mixed) } else { String::new() }
        }
        _ => String::new(),
    }
}

fn of_op(op: &Op, name: &str, mixed: bool) -> String {
    let (weight, bias) = starts(op, mixed);
    let weight = weight.map(|init| format!("        nn.init.{}\n", started_by(init, &format!("{name}.weight"))));
    let bias = bias.map(|value| format!("        nn.init.constant_({name}.bias, {value:?})\n"));
    weight.unwrap_or_default() + &bias.unwrap_or_default()
}

/// What weight and bias start with, where PyTorch starts them otherwise.
fn starts(op: &Op, mixed: bool) -> (Option<Init>, Option<f64>) {
    if let Op::Conv(Conv { init, bias_init, .. }) | Op::ConvTranspose(ConvTranspose { init, bias_init, .. }) = op {
        return (Some(*init).filter(|_| mixed), *bias_init);
    }
    if let Op::Linear(op) = op {
        return (op.init, op.bias_init);
    }
    let Op::BatchNorm(op) = op else { return (None, None) };
    let weight = Some(Init::Constant(op.weight_init)).filter(|_| op.affine && op.weight_init != 1.0);
    (weight, Some(op.bias_init).filter(|b| op.affine && *b != 0.0))
}

fn started_by(init: Init, name: &str) -> String {
    match init {
        Init::KaimingNormal => format!("kaiming_normal_({name}, mode=\"fan_out\")"),
        Init::KaimingUniform => format!("kaiming_uniform_({name})"),
        Init::XavierNormal => format!("xavier_normal_({name})"),
        Init::XavierUniform => format!("xavier_uniform_({name})"),
        Init::Normal(std) => format!("normal_({name}, std={std:?})"),
        Init::Uniform(bound) => format!("uniform_({name}, {:?}, {bound:?})", -bound),
        Init::Constant(value) => format!("constant_({name}, {value:?})"),
        Init::Identity => format!("dirac_({name}) if {name}.dim() > 2 else nn.init.eye_({name})"),
    }
}

/// The classes of a network's convolutions.
fn kinds(graph: &Graph) -> BTreeSet<String> {
    let kind = |id| {
        let op = &graph.node(id).op;
        let axes = graph.shape(id).spatial().len();
        let word = if matches!(op, Op::ConvTranspose(_)) { "ConvTranspose" } else { "Conv" };
        (op.family() == Family::Convolution).then(|| format!("{word}{axes}d"))
    };
    graph.order().filter_map(kind).collect()
}
