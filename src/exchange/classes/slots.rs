//! An op as a kind, which decides the code, and numbers, which may differ between uses of one class.

use crate::ops::{ArgType, Argument, Family, Op, Value};
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
    fn int(mut self, name: &'static str, value: i64) -> Self {
        self.slots.push((name, Number::Int(value)));
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

    /// Sizes along the axes: one number where all are the same.
    fn sizes(mut self, name: &'static str, sizes: &[i64]) -> Self {
        if sizes.iter().all(|size| Some(size) == sizes.first()) {
            return self.int(name, sizes.first().copied().unwrap_or(1));
        }
        self.key += &format!(" {name} by axis");
        axis_names(name).into_iter().zip(sizes).fold(self, |parts, (name, &size)| parts.int(name, size))
    }

    /// Padding may differ before and after.
    fn amounts(mut self, pairs: &[Value]) -> Self {
        const NAMES: [&str; 4] = ["before0", "after0", "before1", "after1"];
        let all: Vec<i64> = pairs.iter().flat_map(ints).collect();
        if all.iter().all(|n| Some(n) == all.first()) {
            return self.int("pad", all.first().copied().unwrap_or(0));
        }
        self.key += " by side";
        NAMES.into_iter().zip(all).fold(self, |parts, (name, n)| parts.int(name, n))
    }

    /// Sizes that no axes name: how many there are is code.
    fn dims(self, dims: &[i64]) -> Self {
        const NAMES: [&str; 6] = ["dim0", "dim1", "dim2", "dim3", "dim4", "dim5"];
        NAMES.into_iter().zip(dims).fold(self.flag("dims", dims.len()), |parts, (name, &dim)| parts.int(name, dim))
    }

    /// An argument: numbers are slots, all else is code.
    fn argument(self, argument: &Argument) -> Self {
        let name = argument.name;
        match (&argument.ty, &argument.value) {
            (ArgType::Pads, Value::List(pairs)) => self.amounts(pairs),
            (ArgType::Dims, dims) => self.dims(&ints(dims)),
            (ArgType::Operand, _) => self.flag("to", name),
            // Which of two sizes it is, is code, too.
            (_, sizes @ Value::List(_)) => self.flag("by", name).sizes(name, &ints(sizes)),
            (_, Value::Int(n)) => self.int(name, *n),
            // Where a layer has several starts, they are written as code.
            (_, Value::Float(x)) if !name.ends_with("_init") => self.float(name, *x),
            (_, value) => self.flag(name, value),
        }
    }
}

/// The numbers of a list, or the one that there is.
fn ints(value: &Value) -> Vec<i64> {
    match value {
        Value::Int(n) => vec![*n],
        Value::List(items) => items.iter().flat_map(ints).collect(),
        Value::Float(_) | Value::Bool(_) | Value::Str(_) | Value::Word(_) | Value::Call(..) | Value::Record(_) => {
            vec![]
        }
    }
}

/// The parts of an op over operands of these shapes.
pub(super) fn parts(op: &Op, inputs: &[&Shape]) -> Parts {
    let rank = inputs.first().map_or(0, |shape| shape.rank());
    let channels = inputs.first().and_then(|shape| shape.channels()).unwrap_or(1);
    let new = Parts { key: format!("{} {rank} of {}", op.layer().kind(), inputs.len()), slots: Vec::new() };
    if let Op::ZeroPad(op) = op {
        // The code counts the channels that are added.
        let added = op.width.saturating_sub(channels);
        let stride: Vec<i64> = op.stride.iter().map(|&n| n as i64).collect();
        let new = new.int("before", (added / 2) as i64).int("after", (added - added / 2) as i64);
        return new.sizes("stride", &stride);
    }
    let new = read_channels(op, inputs, channels).into_iter().fold(new, |parts, (name, n)| parts.int(name, n as i64));
    op.layer().arguments().iter().fold(new, Parts::argument)
}

/// The channels that a layer's code names, beside its arguments: those that it reads, and how many factors it has.
fn read_channels(op: &Op, inputs: &[&Shape], channels: usize) -> Option<(&'static str, usize)> {
    if op.mixes_channels() {
        return Some(("in", channels));
    }
    if op.family() == Family::Norm {
        return Some(("width", channels));
    }
    let parameter = op.layer().params(inputs).into_iter().next()?;
    Some(("width", parameter.dims.first().copied().unwrap_or(1)))
}
