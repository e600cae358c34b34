//! Layers as calls: their word and every argument with its value as text.

use super::net::Node;
use super::tree::Arg;
use crate::ops::activation::Activation;
use crate::ops::resize::{Interpolation, PadMode, UpsampleSize};
use crate::ops::{Op, layer};

/// The word of a node's op and its arguments, in the order of its signature.
pub fn of(node: &Node) -> (String, Vec<Arg>) {
    let op = &node.op;
    let word = match op {
        Op::ZeroPad(_) => "zero_pad",
        op => op.layer().kind(),
    };
    let stated = node.stated.as_ref().map(|sizes| format!("[{}]", sizes.join(", ")));
    let arg = |(name, value): (&str, String)| {
        let value = stated.clone().filter(|_| matches!(name, "size" | "dims")).unwrap_or(value);
        Arg { name: name.into(), value, first: None }
    };
    (word.into(), values(op).into_iter().map(arg).collect())
}

/// What an argument is where it is left out; `None` where it must be said.
pub fn default(word: &str, name: &str) -> Option<&'static str> {
    layer(word)?.arg(name)?.default.filter(|d| !d.is_empty())
}

fn values(op: &Op) -> Vec<(&'static str, String)> {
    match op {
        Op::Conv(c) => {
            let same: Option<Vec<usize>> = c
                .kernel
                .iter()
                .zip(&c.dilation)
                .map(|(&k, &d)| ((k - 1) * d).is_multiple_of(2).then_some((k - 1) * d / 2))
                .collect();
            let pad = if same.as_ref() == Some(&c.pad) { "same".into() } else { list(&c.pad) };
            let sizes = [
                ("kernel", list(&c.kernel)),
                ("stride", list(&c.stride)),
                ("pad", pad),
                ("dilation", list(&c.dilation)),
            ];
            let rest = [("groups", c.groups.to_string()), ("bias", c.bias.to_string())];
            [("width", c.width.to_string())].into_iter().chain(sizes).chain(rest).collect()
        }
        Op::ConvTranspose(c) => vec![
            ("width", c.width.to_string()),
            ("kernel", list(&c.kernel)),
            ("stride", list(&c.stride)),
            ("pad", list(&c.pad)),
            ("out_pad", list(&c.out_pad)),
            ("dilation", list(&c.dilation)),
            ("groups", c.groups.to_string()),
            ("bias", c.bias.to_string()),
        ],
        Op::Linear(l) => vec![("width", l.width.to_string()), ("bias", l.bias.to_string())],
        Op::MaxPool(p) => vec![
            ("kernel", list(&p.kernel)),
            ("stride", stride(&p.stride, &p.kernel)),
            ("pad", list(&p.pad)),
            ("dilation", list(&p.dilation)),
            ("ceil", p.ceil.to_string()),
        ],
        Op::AvgPool(p) => vec![
            ("kernel", list(&p.kernel)),
            ("stride", stride(&p.stride, &p.kernel)),
            ("pad", list(&p.pad)),
            ("ceil", p.ceil.to_string()),
            ("count_pad", p.count_pad.to_string()),
        ],
        op => [pointwise(op), sizes(op)].concat(),
    }
}

fn pointwise(op: &Op) -> Vec<(&'static str, String)> {
    match op {
        Op::Scale(s) => vec![("per", if s.per_channel { "\"channel\"" } else { "\"tensor\"" }.into())],
        Op::BatchNorm(n) => vec![("eps", float(n.eps)), ("momentum", float(n.momentum))],
        Op::GroupNorm(n) => {
            vec![("groups", n.groups.to_string()), ("eps", float(n.eps)), ("affine", n.affine.to_string())]
        }
        Op::LayerNorm(n) => vec![("eps", float(n.eps)), ("affine", n.affine.to_string())],
        Op::InstanceNorm(n) => vec![("eps", float(n.eps)), ("affine", n.affine.to_string())],
        Op::Activation(Activation::LeakyRelu { slope }) => vec![("slope", float(*slope))],
        Op::Activation(Activation::Elu { alpha }) => vec![("alpha", float(*alpha))],
        Op::Prelu(p) => vec![("shared", p.shared.to_string())],
        _ => Vec::new(),
    }
}

fn sizes(op: &Op) -> Vec<(&'static str, String)> {
    match op {
        Op::GlobalPool(_) => vec![("kernel", "global".into())],
        Op::AdaptiveAvgPool(p) => vec![("size", list(&p.size))],
        Op::Upsample(u) => {
            let size = match &u.size {
                UpsampleSize::Factor(factor) => ("factor", list(factor)),
                UpsampleSize::Size(size) => ("size", full(size)),
                UpsampleSize::Like => ("like", String::new()),
            };
            let mode = if u.mode == Interpolation::Nearest { "\"nearest\"" } else { "\"bilinear\"" };
            vec![size, ("mode", mode.into())]
        }
        Op::Pad(p) => {
            let even = p.amount.iter().all(|(a, b)| a == b);
            let pairs = || p.amount.iter().map(|(a, b)| format!("[{a}, {b}]")).collect::<Vec<_>>().join(", ");
            let amount = if even {
                list(&p.amount.iter().map(|(a, _)| *a).collect::<Vec<_>>())
            } else {
                format!("[{}]", pairs())
            };
            let mode = match p.mode {
                PadMode::Zero => "\"zero\"",
                PadMode::Reflect => "\"reflect\"",
                PadMode::Replicate => "\"replicate\"",
            };
            vec![("amount", amount), ("mode", mode.into())]
        }
        Op::Crop(c) => vec![("size", full(&c.size))],
        Op::Reshape(r) => vec![("dims", full(&r.dims))],
        _ => Vec::new(),
    }
}

/// One number where all are the same.
fn list(sizes: &[usize]) -> String {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|s| s == first) => first.to_string(),
        _ => full(sizes),
    }
}

fn full(sizes: &[usize]) -> String {
    format!("{sizes:?}")
}

fn stride(stride: &[usize], kernel: &[usize]) -> String {
    if stride == kernel { "kernel".into() } else { list(stride) }
}

/// As the language writes numbers that are not whole.
fn float(x: f64) -> String {
    if x != 0.0 && x.abs() < 1e-3 {
        format!("{x:e}")
    } else if x.fract() == 0.0 {
        format!("{x:.1}")
    } else {
        x.to_string()
    }
}
