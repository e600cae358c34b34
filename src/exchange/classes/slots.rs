//! An op as a kind, which decides the code, and numbers, which may differ between uses of one class.

use crate::ops::activation::Activation;
use crate::ops::resize::UpsampleSize;
use crate::ops::{Init, Op};
use crate::shape::Shape;

/// A number in a class's body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A size or a count.
    Int(i64),
    /// A rate or an epsilon.
    Float(f64),
    /// A module handed to the constructor, by its use.
    Module(usize),
    /// Nothing that matters: the step of a run of one.
    Any,
}

impl Number {
    /// Equal numbers have equal keys.
    pub(super) fn key(self) -> (u8, u64) {
        match self {
            Self::Int(n) => (0, n.cast_unsigned()),
            // Both zeros are one.
            Self::Float(x) => (1, (x + 0.0).to_bits()),
            Self::Module(inner) => (2, inner as u64),
            Self::Any => (3, 0),
        }
    }
}

/// An op split in two.
pub(super) struct Parts {
    /// Equal keys are the same code but for the numbers.
    pub key: String,
    /// The numbers, by name: `in`, `width`, `kernel` (or `kernel0`, `kernel1` where axes differ), …
    pub slots: Vec<(&'static str, Number)>,
}

const AXES: [(&str, [&str; 2]); 7] = [
    ("kernel", ["kernel0", "kernel1"]),
    ("stride", ["stride0", "stride1"]),
    ("pad", ["pad0", "pad1"]),
    ("dilation", ["dilation0", "dilation1"]),
    ("out_pad", ["out_pad0", "out_pad1"]),
    ("size", ["size0", "size1"]),
    ("factor", ["factor0", "factor1"]),
];

/// The names of a size along each axis: one where all are the same.
pub fn axis_names(name: &'static str) -> [&'static str; 2] {
    AXES.iter().find(|(n, _)| *n == name).map_or([name, name], |(_, names)| *names)
}

impl Parts {
    fn int(mut self, name: &'static str, value: usize) -> Self {
        self.slots.push((name, Number::Int(value as i64)));
        self
    }

    fn float(mut self, name: &'static str, value: f64) -> Self {
        self.slots.push((name, Number::Float(value)));
        self
    }

    fn flag(mut self, name: &str, value: impl std::fmt::Debug) -> Self {
        self.key += &format!(" {name}={value:?}");
        self
    }

    fn sizes(mut self, name: &'static str, sizes: &[usize]) -> Self {
        if sizes.iter().all(|size| Some(size) == sizes.first()) {
            return self.int(name, sizes.first().copied().unwrap_or(1));
        }
        self.key += &format!(" {name} by axis");
        axis_names(name).into_iter().zip(sizes).fold(self, |parts, (name, &size)| parts.int(name, size))
    }

    /// Padding may differ before and after.
    fn amounts(mut self, amounts: &[(usize, usize)]) -> Self {
        const NAMES: [&str; 4] = ["before0", "after0", "before1", "after1"];
        let all: Vec<usize> = amounts.iter().flat_map(|&(before, after)| [before, after]).collect();
        if all.iter().all(|n| *n == all[0]) {
            return self.int("pad", all[0]);
        }
        self.key += " by side";
        NAMES.into_iter().zip(all).fold(self, |parts, (name, n)| parts.int(name, n))
    }
}

/// The parts of an op over operands of these shapes.
pub(super) fn parts(op: &Op, inputs: &[&Shape]) -> Parts {
    let rank = inputs.first().map_or(0, |shape| shape.rank());
    let channels = inputs.first().and_then(|shape| shape.channels()).unwrap_or(1);
    let new = Parts { key: format!("{} {rank} of {}", op.layer().kind(), inputs.len()), slots: Vec::new() };
    match op {
        Op::Conv(op) => new
            .int("in", channels)
            .int("width", op.width)
            .sizes("kernel", &op.kernel)
            .sizes("stride", &op.stride)
            .sizes("pad", &op.pad)
            .sizes("dilation", &op.dilation)
            .int("groups", op.groups)
            .flag("bias", op.bias)
            .flag("init", (op.init, op.bias_init)),
        Op::ConvTranspose(op) => new
            .int("in", channels)
            .int("width", op.width)
            .sizes("kernel", &op.kernel)
            .sizes("stride", &op.stride)
            .sizes("pad", &op.pad)
            .sizes("out_pad", &op.out_pad)
            .sizes("dilation", &op.dilation)
            .int("groups", op.groups)
            .flag("bias", op.bias)
            .flag("init", (op.init, op.bias_init)),
        Op::Linear(op) => {
            new.int("in", channels).int("width", op.width).flag("bias", op.bias).flag("init", (op.init, op.bias_init))
        }
        Op::Scale(op) => new
            .int("width", if op.per_channel { channels } else { 1 })
            .float("init", op.init)
            .flag("each", op.per_channel),
        Op::Prelu(op) => {
            new.int("width", if op.shared { 1 } else { channels }).float("init", op.init).flag("shared", op.shared)
        }
        _ => without_weights(op, new, channels),
    }
}

fn without_weights(op: &Op, new: Parts, channels: usize) -> Parts {
    match op {
        Op::BatchNorm(op) => new
            .int("width", channels)
            .float("eps", op.eps)
            .float("momentum", op.momentum)
            .flag("affine", op.affine)
            .flag("init", (Init::Constant(op.weight_init), op.bias_init)),
        Op::GroupNorm(op) => {
            new.int("groups", op.groups).int("width", channels).float("eps", op.eps).flag("affine", op.affine)
        }
        Op::LayerNorm(op) => new.int("width", channels).float("eps", op.eps).flag("affine", op.affine),
        Op::InstanceNorm(op) => new.int("width", channels).float("eps", op.eps).flag("affine", op.affine),
        Op::Activation(Activation::LeakyRelu { slope }) => new.float("slope", *slope),
        Op::Activation(Activation::Elu { alpha }) => new.float("alpha", *alpha),
        Op::MaxPool(op) => new
            .sizes("kernel", &op.kernel)
            .sizes("stride", &op.stride)
            .sizes("pad", &op.pad)
            .sizes("dilation", &op.dilation)
            .flag("ceil", op.ceil),
        Op::AvgPool(op) => new
            .sizes("kernel", &op.kernel)
            .sizes("stride", &op.stride)
            .sizes("pad", &op.pad)
            .flag("ceil", (op.ceil, op.count_pad)),
        Op::GlobalPool(op) => new.flag("max", op.max),
        Op::AdaptiveAvgPool(op) => new.sizes("size", &op.size),
        Op::Upsample(op) => {
            let new = new.flag("mode", op.mode);
            match &op.size {
                UpsampleSize::Factor(factor) => new.sizes("factor", factor),
                UpsampleSize::Size(size) => new.sizes("size", size).flag("to", "size"),
                UpsampleSize::Like => new.flag("to", "like"),
            }
        }
        Op::Pad(op) => new.amounts(&op.amount).flag("mode", op.mode),
        Op::Crop(op) => new.sizes("size", &op.size),
        Op::ZeroPad(op) => {
            let before = (op.width - channels) / 2;
            new.int("before", before).int("after", op.width - channels - before).sizes("stride", &op.stride)
        }
        Op::Dropout(op) => new.float("p", op.p),
        Op::Reshape(op) => {
            const NAMES: [&str; 6] = ["dim0", "dim1", "dim2", "dim3", "dim4", "dim5"];
            let count = op.dims.len();
            NAMES.into_iter().zip(&op.dims).fold(new.flag("dims", count), |parts, (name, &dim)| parts.int(name, dim))
        }
        Op::Add(op) => new.float("scale", op.scale).float("drop_path", op.drop_path),
        _ => new,
    }
}
