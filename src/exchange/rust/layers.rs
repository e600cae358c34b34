//! Layers in the words of candle and of the module `ops`.

use super::carried::{Part, WINDOWS};
use super::plain_sum;
use crate::exchange::classes::{Expr, axis_names};
use crate::ops::activation::Activation;
use crate::ops::linear::Linear;
use crate::ops::norm::BatchNorm;
use crate::ops::resize::{Interpolation, PadMode, UpsampleSize};
use crate::ops::{Init, Op};

/// A layer's op, the rank of what it reads, and its numbers.
pub(super) struct At<'a> {
    pub op: &'a Op,
    pub rank: usize,
    pub names: &'a [&'static str],
    pub number: &'a dyn Fn(usize) -> Expr,
}

pub(super) fn written(expr: &Expr) -> String {
    expr.text("/", &|x| format!("{x:?}"))
}

/// Whether an op has parameters or is made like one that has, so that it is a member of its struct.
pub(super) fn has_state(op: &Op) -> bool {
    kind(op).is_some()
}

/// The type of a member; `None` of what is called as a function.
pub(super) fn kind(op: &Op) -> Option<&'static str> {
    match op {
        Op::Conv(_) => Some("ops::Conv"),
        Op::ConvTranspose(_) => Some("ops::ConvTranspose"),
        Op::Linear(_) => Some("Linear"),
        Op::BatchNorm(_) => Some("ops::BatchNorm"),
        Op::GroupNorm(_) | Op::InstanceNorm(_) => Some("ops::GroupNorm"),
        Op::LayerNorm(_) => Some("ops::ChannelNorm"),
        Op::Scale(_) | Op::Prelu(_) => Some("ops::Factor"),
        Op::Input(_) | Op::Activation(_) | Op::Softmax(_) | Op::MaxPool(_) | Op::AvgPool(_) | Op::GlobalPool(_) => None,
        Op::AdaptiveAvgPool(_) | Op::Upsample(_) | Op::Pad(_) | Op::Crop(_) | Op::CropLike(_) => None,
        Op::PadLike(_) | Op::ZeroPad(_) | Op::Dropout(_) | Op::Flatten(_) | Op::Reshape(_) | Op::Identity(_) => None,
        Op::Add(_) | Op::Concat(_) | Op::Mul(_) | Op::Gate(_) => None,
    }
}

/// What an op needs of the module `ops`.
pub(super) fn parts(op: &Op) -> Vec<Part> {
    match op {
        Op::Conv(_) | Op::ConvTranspose(_) => WINDOWS.to_vec(),
        Op::Linear(_) => vec![Part::Start, Part::Linear],
        Op::BatchNorm(_) | Op::GroupNorm(_) | Op::LayerNorm(_) | Op::InstanceNorm(_) => {
            vec![Part::Normalisation, Part::Norms]
        }
        Op::Activation(_) | Op::Softmax(_) => vec![Part::Activation],
        Op::Scale(_) | Op::Prelu(_) => vec![Part::Activation, Part::Factor],
        Op::MaxPool(_) | Op::AvgPool(_) => [&WINDOWS[..], &[Part::Pool, Part::WindowPools]].concat(),
        Op::GlobalPool(_) | Op::AdaptiveAvgPool(_) => vec![Part::Pool],
        Op::Upsample(_) | Op::Pad(_) | Op::Crop(_) | Op::CropLike(_) | Op::PadLike(_) | Op::ZeroPad(_) => {
            vec![Part::Resize, Part::Sizes]
        }
        Op::Gate(_) => vec![Part::Gate],
        Op::Add(_) | Op::Dropout(_) => vec![Part::Sums],
        Op::Input(_) | Op::Flatten(_) | Op::Reshape(_) | Op::Identity(_) | Op::Concat(_) | Op::Mul(_) => vec![],
    }
}

impl At<'_> {
    fn get(&self, name: &str) -> Option<Expr> {
        self.names.iter().position(|n| *n == name).map(|i| (self.number)(i))
    }

    fn n(&self, name: &str) -> String {
        self.get(name).map_or_else(|| "0".into(), |expr| written(&expr))
    }

    /// A size as `[rows, columns]`; of a line, rows are as `row` says.
    fn pair(&self, name: &'static str, row: &str) -> String {
        let both = self.axes(name);
        if self.rank == 3 { format!("[{row}, {}]", both[0]) } else { format!("[{}, {}]", both[0], both[1]) }
    }

    fn axes(&self, name: &'static str) -> [String; 2] {
        match self.get(name) {
            Some(expr) => [written(&expr), written(&expr)],
            None => axis_names(name).map(|name| self.n(name)),
        }
    }

    /// A size along both axes: `3` where they agree, else `[1, 3]`.
    fn sizes(&self, name: &'static str) -> String {
        let [first, second] = self.axes(name);
        if self.rank == 3 || first == second { first } else { format!("[{first}, {second}]") }
    }

    /// `ops::Window::new(3).stride(2).pad(1)`, no more said than is needed.
    fn window(&self) -> String {
        let make = if self.rank == 3 { "line" } else { "new" };
        let mut text = format!("ops::Window::{make}({})", self.sizes("kernel"));
        for (slot, default) in [("stride", 1), ("pad", 0), ("dilation", 1), ("out_pad", 0)] {
            let there = self.names.iter().any(|name| name.starts_with(slot));
            if there && !self.get(slot).is_some_and(|expr| expr.is(default)) {
                text += &format!(".{slot}({})", self.sizes(slot));
            }
        }
        if self.get("groups").is_some_and(|groups| !groups.is(1)) {
            text += &format!(".groups({})", self.n("groups"));
        }
        text
    }

    /// A convolution with its window, and how it starts where that is not as ResNet's do.
    fn conv(&self, kind: &str, start: Init, bias: Option<Option<f64>>, vb: &str) -> String {
        let ends = format!("[{}, {}]", self.n("in"), self.n("width"));
        let start = if start == Init::KaimingNormal { String::new() } else { format!(".start({})", of_weight(start)) };
        let bias = bias.map_or(String::new(), |bias| format!(".bias({})", of_bias(bias)));
        format!("ops::{kind}::new({ends}, {}{start}{bias}, {vb})?", self.window())
    }

    fn linear(&self, op: &Linear, vb: &str) -> String {
        let ends = format!("[{}, {}]", self.n("in"), self.n("width"));
        let start = op.init.map_or("ops::Start::Fan".into(), of_weight);
        match (op.bias, op.init, op.bias_init) {
            (true, None, None) => format!("ops::linear({ends}, {vb})?"),
            (false, None, _) => format!("ops::linear_no_bias({ends}, {vb})?"),
            (false, ..) => format!("ops::linear_from({ends}, {start}, None, {vb})?"),
            (true, _, bias) => format!("ops::linear_from({ends}, {start}, Some({}), {vb})?", of_bias(bias)),
        }
    }

    fn batch_norm(&self, op: &BatchNorm, vb: &str) -> String {
        let sizes = format!("{}, ({}, {})", self.n("width"), self.n("eps"), self.n("momentum"));
        if op.affine && (op.weight_init, op.bias_init) != (1.0, 0.0) {
            let start = format!("Some(({:?}, {:?}))", op.weight_init, op.bias_init);
            return format!("ops::BatchNorm::starting({sizes}, {start}, {vb})?");
        }
        format!("ops::BatchNorm::new({sizes}, {}, {vb})?", op.affine)
    }

    /// The expression that makes the member at a place of the `VarBuilder`; `None` of functions, which no struct has as members.
    pub(super) fn make(&self, vb: &str) -> Option<String> {
        Some(match self.op {
            Op::Conv(op) => self.conv("Conv", op.init, op.bias.then_some(op.bias_init), vb),
            Op::ConvTranspose(op) => self.conv("ConvTranspose", op.init, op.bias.then_some(op.bias_init), vb),
            Op::Linear(op) => self.linear(op, vb),
            Op::BatchNorm(op) => self.batch_norm(op, vb),
            Op::GroupNorm(op) => self.group_norm(&self.n("groups"), op.affine, vb),
            Op::InstanceNorm(op) => self.group_norm(&self.n("width"), op.affine, vb),
            Op::LayerNorm(op) => {
                format!("ops::ChannelNorm::new({}, {}, {}, {vb})?", self.n("width"), self.n("eps"), op.affine)
            }
            Op::Scale(_) | Op::Prelu(_) => {
                format!("ops::Factor::new({}, {}, {vb})?", self.n("width"), self.n("init"))
            }
            Op::Input(_) | Op::Activation(_) | Op::Softmax(_) | Op::MaxPool(_) | Op::AvgPool(_) => return None,
            Op::GlobalPool(_) | Op::AdaptiveAvgPool(_) | Op::Upsample(_) | Op::Pad(_) | Op::Crop(_) => return None,
            Op::CropLike(_) | Op::PadLike(_) | Op::ZeroPad(_) | Op::Dropout(_) | Op::Flatten(_) => return None,
            Op::Reshape(_) | Op::Identity(_) | Op::Add(_) | Op::Concat(_) | Op::Mul(_) | Op::Gate(_) => return None,
        })
    }

    fn group_norm(&self, groups: &str, affine: bool, vb: &str) -> String {
        format!("ops::GroupNorm::new({groups}, {}, {}, {affine}, {vb})?", self.n("width"), self.n("eps"))
    }

    /// The value of the layer, from borrowed operands.
    pub(super) fn apply(&self, member: &str, x: &[String]) -> String {
        let first = &x[0];
        // A method takes its receiver without the `&`.
        let own = first.trim_start_matches('&');
        match self.op {
            Op::Conv(_)
            | Op::ConvTranspose(_)
            | Op::Linear(_)
            | Op::GroupNorm(_)
            | Op::InstanceNorm(_)
            | Op::LayerNorm(_) => {
                format!("{member}.forward({first})?")
            }
            Op::BatchNorm(_) => format!("{member}.forward_t({first}, train)?"),
            Op::Scale(_) => format!("{member}.scale({first})?"),
            Op::Prelu(_) => format!("{member}.prelu({first})?"),
            Op::Activation(f) => activation(f, first, own, &|name| self.n(name)),
            Op::Softmax(_) => format!("ops::softmax({first})?"),
            Op::Dropout(_) => format!("ops::dropout({first}, {} as f32, train)?", self.n("p")),
            Op::Flatten(_) => format!("{own}.flatten_from(1)?"),
            Op::Reshape(op) => {
                let dims = (0..op.dims.len()).map(|i| self.n(&format!("dim{i}"))).collect::<Vec<_>>().join(", ");
                format!("{own}.reshape(&[{own}.dim(0)?, {dims}][..])?")
            }
            Op::MaxPool(op) => format!("ops::max_pool({first}, {}, {})?", self.window(), op.ceil),
            Op::AvgPool(op) => format!("ops::avg_pool({first}, {}, {}, {})?", self.window(), op.ceil, op.count_pad),
            Op::GlobalPool(op) => format!("ops::global_{}_pool({first})?", if op.max { "max" } else { "avg" }),
            Op::AdaptiveAvgPool(_) => format!("ops::adaptive_avg_pool({first}, {})?", self.pair("size", "1")),
            Op::Upsample(op) => {
                let size = match &op.size {
                    UpsampleSize::Factor(_) => format!("ops::times({first}, {})", self.pair("factor", "1")),
                    UpsampleSize::Size(_) => self.pair("size", "1"),
                    UpsampleSize::Like => format!("ops::size_of({})", x[1]),
                };
                format!("ops::upsample({first}, {size}, {})?", op.mode == Interpolation::Bilinear)
            }
            Op::Pad(op) => {
                let fill = match op.mode {
                    PadMode::Zero => "Zero",
                    PadMode::Reflect => "Reflect",
                    PadMode::Replicate => "Replicate",
                };
                format!("ops::pad({first}, {}, ops::Fill::{fill})?", self.amounts())
            }
            Op::Crop(_) => format!("ops::center_crop({first}, {})?", self.pair("size", "1")),
            Op::CropLike(_) => format!("ops::center_crop({first}, ops::size_of({}))?", x[1]),
            Op::PadLike(_) => format!("ops::center_pad({first}, ops::size_of({}))?", x[1]),
            Op::ZeroPad(_) => {
                let channels = format!("({}, {})", self.n("before"), self.n("after"));
                format!("ops::zero_pad({first}, {}, {channels})?", self.pair("stride", "1"))
            }
            Op::Add(_) => self.add(x),
            Op::Concat(_) => format!("Tensor::cat(&[{}], 1)?", x.join(", ")),
            Op::Mul(_) => {
                let factors: String = x[1..].iter().map(|factor| format!(".broadcast_mul({factor})?")).collect();
                own.to_string() + &factors
            }
            Op::Gate(_) => format!("ops::gate({})?", x.join(", ")),
            Op::Input(_) | Op::Identity(_) => format!("{own}.clone()"),
        }
    }

    fn add(&self, x: &[String]) -> String {
        let more: String = x[2..].iter().map(|term| format!(".add({term})?")).collect();
        let plain = plain_sum(self.op) && self.get("scale") == Some(Expr::Float(1.0));
        if plain {
            return format!("{}.add({})?{more}", x[0].trim_start_matches('&'), x[1]);
        }
        let rates = format!("{}, {}", self.n("scale"), self.n("drop_path"));
        format!("ops::add({}, {}, {rates}, train)?{more}", x[0], x[1])
    }

    fn amounts(&self) -> String {
        let side = |name: String| self.get("pad").map_or_else(|| self.n(&name), |expr| written(&expr));
        let axis = |a: usize| format!("({}, {})", side(format!("before{a}")), side(format!("after{a}")));
        if self.rank == 3 { format!("[(0, 0), {}]", axis(0)) } else { format!("[{}, {}]", axis(0), axis(1)) }
    }
}

/// How a weight starts. candle cannot draw an identity: a network that starts so has zeros there.
fn of_weight(init: Init) -> String {
    let start = match init {
        Init::KaimingNormal => "KaimingNormal".into(),
        Init::KaimingUniform => "KaimingUniform".into(),
        Init::XavierNormal => "XavierNormal".into(),
        Init::XavierUniform => "XavierUniform".into(),
        Init::Normal(std) => format!("Normal({std:?})"),
        Init::Uniform(bound) => format!("Uniform({bound:?})"),
        Init::Constant(value) => format!("Constant({value:?})"),
        Init::Identity => "Constant(0.0)".into(),
    };
    format!("ops::Start::{start}")
}

fn of_bias(start: Option<f64>) -> String {
    start.map_or("ops::Start::Fan".into(), |value| of_weight(Init::Constant(value)))
}

fn activation(f: &Activation, x: &str, own: &str, n: &dyn Fn(&str) -> String) -> String {
    match f {
        Activation::Relu => format!("ops::relu({x})?"),
        Activation::Relu6 => format!("ops::relu6({x})?"),
        Activation::LeakyRelu { .. } => format!("ops::leaky_relu({x}, {})?", n("slope")),
        Activation::Elu { .. } => format!("ops::elu({x}, {})?", n("alpha")),
        Activation::Gelu => format!("ops::gelu({x})?"),
        Activation::Silu => format!("ops::silu({x})?"),
        Activation::Sigmoid => format!("candle_nn::ops::sigmoid({x})?"),
        Activation::Tanh => format!("{own}.tanh()?"),
        Activation::HardSwish => format!("ops::hard_swish({x})?"),
        Activation::HardSigmoid => format!("ops::hard_sigmoid({x})?"),
    }
}
