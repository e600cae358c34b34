//! Convolutions, linear maps, activations and merges as operators.

use super::writer::Attr;
use super::{Export, written};
use crate::graph::NodeId;
use crate::ops::ParamSpec;
use crate::ops::activation::{Activation, Prelu, Softmax};
use crate::ops::conv::{Conv, ConvTranspose};
use crate::ops::linear::{Linear, Scale};
use crate::ops::merge::{Add, Concat, Gate, Mul};
use crate::ops::structure::{Dropout, Identity, Input};

/// Sizes as attributes have them.
pub fn ints(sizes: &[usize]) -> Attr {
    Attr::Ints(sizes.iter().map(|&s| s as i64).collect())
}

/// The same padding on both sides of each axis: all begins, then all ends.
pub fn both(pad: &[usize]) -> Attr {
    ints(&pad.iter().chain(pad).copied().collect::<Vec<_>>())
}

/// What both kinds of convolutions say of their windows.
fn windows(
    kernel: &[usize],
    stride: &[usize],
    pad: &[usize],
    dilation: &[usize],
    groups: usize,
) -> Vec<(&'static str, Attr)> {
    vec![
        ("kernel_shape", ints(kernel)),
        ("strides", ints(stride)),
        ("pads", both(pad)),
        ("dilations", ints(dilation)),
        ("group", Attr::Int(groups as i64)),
    ]
}

written! {
    Conv: |export, id, c, inputs| {
        export.weighted(id, "Conv", inputs[0], windows(&c.kernel, &c.stride, &c.pad, &c.dilation, c.groups))
    },
    ConvTranspose: |export, id, conv, inputs| export.conv_transpose(id, conv, inputs[0]),
    Linear: |export, id, _, inputs| export.weighted(id, "Gemm", inputs[0], vec![("transB", Attr::Int(1))]),
    Scale: |export, id, scale, inputs| export.scale(id, scale, inputs[0]),
    Activation: |export, _, function, inputs| export.activation(function, inputs[0]),
    Prelu: |export, id, prelu, inputs| export.prelu(id, prelu, inputs[0]),
    Softmax: |export, _, _, inputs| export.writer.last("Softmax", &[inputs[0]], vec![("axis", Attr::Int(1))]),
    Add: |export, _, add, inputs| export.sum(add, inputs),
    Concat: |export, _, _, inputs| export.writer.last("Concat", inputs, vec![("axis", Attr::Int(1))]),
    Mul: |export, _, _, inputs| export.chain("Mul", inputs),
    Gate: |export, _, _, inputs| export.gate(inputs),
    // Nothing at inference.
    Input: |_export, _, _, inputs| inputs[0].to_string(),
    Dropout: |_export, _, _, inputs| inputs[0].to_string(),
    Identity: |_export, _, _, inputs| inputs[0].to_string(),
}

impl Export<'_> {
    /// An operator over a value and those of `weight` and `bias` that the node has.
    fn weighted(&mut self, id: NodeId, op: &str, x: &str, attrs: Vec<(&str, Attr)>) -> String {
        let params: Vec<String> =
            ["weight", "bias"].into_iter().filter_map(|name| self.parameter(id, name, None)).collect();
        let operands: Vec<&str> = std::iter::once(x).chain(params.iter().map(String::as_str)).collect();
        self.writer.last(op, &operands, attrs)
    }

    fn conv_transpose(&mut self, id: NodeId, conv: &ConvTranspose, x: &str) -> String {
        let mut attrs = windows(&conv.kernel, &conv.stride, &conv.pad, &conv.dilation, conv.groups);
        attrs.push(("output_padding", ints(&conv.out_pad)));
        self.weighted(id, "ConvTranspose", x, attrs)
    }

    /// The weight's sizes where its numbers run along the channels, one a channel or one in all.
    fn channel_weight(&self, id: NodeId) -> Vec<usize> {
        let specs: Vec<ParamSpec> = self.network.graph.params(id);
        let size = specs.first().and_then(|spec| spec.dims.first().copied()).unwrap_or(1);
        self.along_channels(id, size)
    }

    fn scale(&mut self, id: NodeId, scale: &Scale, x: &str) -> String {
        let dims = if scale.per_channel { self.channel_weight(id) } else { vec![1] };
        let weight = self.parameter(id, "weight", Some(dims)).unwrap_or_default();
        self.writer.last("Mul", &[x, &weight], Vec::new())
    }

    fn prelu(&mut self, id: NodeId, prelu: &Prelu, x: &str) -> String {
        let dims = if prelu.shared { vec![1] } else { self.channel_weight(id) };
        let slope = self.parameter(id, "weight", Some(dims)).unwrap_or_default();
        self.writer.last("PRelu", &[x, &slope], Vec::new())
    }

    fn activation(&mut self, function: &Activation, x: &str) -> String {
        let writer = &mut self.writer;
        let plain = |op| (op, Vec::new());
        let (op, attrs) = match function {
            Activation::Relu => plain("Relu"),
            Activation::Sigmoid => plain("Sigmoid"),
            Activation::Tanh => plain("Tanh"),
            Activation::HardSwish => plain("HardSwish"),
            Activation::HardSigmoid => {
                ("HardSigmoid", vec![("alpha", Attr::Float(1.0 / 6.0)), ("beta", Attr::Float(0.5))])
            }
            Activation::LeakyRelu { slope } => ("LeakyRelu", vec![("alpha", Attr::Float(*slope))]),
            Activation::Elu { alpha } => ("Elu", vec![("alpha", Attr::Float(*alpha))]),
            Activation::Relu6 => {
                let (low, high) = (writer.scalar(0.0), writer.scalar(6.0));
                return writer.last("Clip", &[x, &low, &high], Vec::new());
            }
            Activation::Silu => {
                let gate = writer.node("Sigmoid", &[x], Vec::new());
                return writer.last("Mul", &[x, &gate], Vec::new());
            }
            Activation::Gelu => return self.gelu(x),
        };
        writer.last(op, &[x], attrs)
    }

    /// `x · ½(1 + erf(x / √2))`; the operator `Gelu` came with opset 20.
    fn gelu(&mut self, x: &str) -> String {
        let writer = &mut self.writer;
        let (root, one, half) = (writer.scalar(std::f64::consts::SQRT_2), writer.scalar(1.0), writer.scalar(0.5));
        let scaled = writer.node("Div", &[x, &root], Vec::new());
        let erf = writer.node("Erf", &[&scaled], Vec::new());
        let shifted = writer.node("Add", &[&erf, &one], Vec::new());
        let product = writer.node("Mul", &[x, &shifted], Vec::new());
        writer.last("Mul", &[&product, &half], Vec::new())
    }

    /// The operands one after another under an operator of two.
    fn chain(&mut self, op: &str, inputs: &[&str]) -> String {
        let mut so_far = inputs[0].to_string();
        for (i, input) in inputs.iter().enumerate().skip(1) {
            so_far = match i + 1 == inputs.len() {
                true => self.writer.last(op, &[&so_far, input], Vec::new()),
                false => self.writer.node(op, &[&so_far, input], Vec::new()),
            };
        }
        if inputs.len() == 1 { self.writer.last("Identity", &[inputs[0]], Vec::new()) } else { so_far }
    }

    fn sum(&mut self, add: &Add, inputs: &[&str]) -> String {
        let mut inputs: Vec<String> = inputs.iter().map(|s| s.to_string()).collect();
        if add.scale != 1.0 && inputs.len() > 1 {
            let scale = self.writer.scalar(add.scale);
            inputs[1] = self.writer.node("Mul", &[&inputs[1], &scale], Vec::new());
        }
        self.chain("Add", &inputs.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// `t·R + (1 − t)·S`
    fn gate(&mut self, inputs: &[&str]) -> String {
        let &[source, result, open] = inputs else { return String::new() };
        let writer = &mut self.writer;
        let one = writer.scalar(1.0);
        let t = writer.node("Sigmoid", &[open], Vec::new());
        let shut = writer.node("Sub", &[&one, &t], Vec::new());
        let taken = writer.node("Mul", &[&t, result], Vec::new());
        let carried = writer.node("Mul", &[&shut, source], Vec::new());
        writer.last("Add", &[&taken, &carried], Vec::new())
    }
}
