//! Layers in the words of candle and of the module `ops`.

use super::plain_sum;
use crate::exchange::classes::{Expr, axis_names};
use crate::ops::Op;
use crate::ops::activation::Activation;
use crate::ops::resize::{Interpolation, PadMode, UpsampleSize};

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
    matches!(
        op,
        Op::Conv(_)
            | Op::ConvTranspose(_)
            | Op::Linear(_)
            | Op::Scale(_)
            | Op::Prelu(_)
            | Op::BatchNorm(_)
            | Op::GroupNorm(_)
            | Op::LayerNorm(_)
            | Op::InstanceNorm(_)
    )
}

/// The type of a member.
pub(super) fn kind(op: &Op) -> &'static str {
    match op {
        Op::Conv(_) => "ops::Conv",
        Op::ConvTranspose(_) => "ops::ConvTranspose",
        Op::Linear(_) => "Linear",
        Op::BatchNorm(_) => "ops::BatchNorm",
        Op::GroupNorm(_) | Op::InstanceNorm(_) => "ops::GroupNorm",
        Op::LayerNorm(_) => "ops::ChannelNorm",
        _ => "ops::Factor",
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
        let both = match self.get(name) {
            Some(expr) => [written(&expr), written(&expr)],
            None => axis_names(name).map(|name| self.n(name)),
        };
        if self.rank == 3 { format!("[{row}, {}]", both[0]) } else { format!("[{}, {}]", both[0], both[1]) }
    }

    /// `ops::Window { kernel: [3, 3], stride: [2, 2], ..ops::Window::new([3, 3]) }`, no more said than is needed.
    fn window(&self) -> String {
        let kernel = self.pair("kernel", "1");
        let mut said = Vec::new();
        for (slot, row, default) in [("stride", "1", 1), ("pad", "0", 0), ("dilation", "1", 1)] {
            let there = self.names.iter().any(|name| name.starts_with(slot));
            if there && !self.get(slot).is_some_and(|expr| expr.is(default)) {
                said.push(format!("{slot}: {}, ", self.pair(slot, row)));
            }
        }
        match said.is_empty() {
            true => format!("ops::Window::new({kernel})"),
            false => format!("ops::Window {{ {}..ops::Window::new({kernel}) }}", said.concat()),
        }
    }

    /// The expression that makes the member at a place of the `VarBuilder`.
    pub(super) fn make(&self, vb: &str) -> String {
        let axes = self.rank.saturating_sub(2);
        let ends = || format!("[{}, {}]", self.n("in"), self.n("width"));
        match self.op {
            Op::Conv(op) => {
                format!(
                    "ops::Conv::new({}, {}, {}, {}, {axes}, {vb})?",
                    ends(),
                    self.window(),
                    self.n("groups"),
                    op.bias
                )
            }
            Op::ConvTranspose(op) => {
                let window = format!("({}, {})", self.window(), self.pair("out_pad", "0"));
                format!(
                    "ops::ConvTranspose::new({}, {window}, {}, {}, {axes}, {vb})?",
                    ends(),
                    self.n("groups"),
                    op.bias
                )
            }
            Op::Linear(op) => {
                let name = if op.bias { "linear" } else { "linear_no_bias" };
                format!("candle_nn::{name}({}, {}, {vb})?", self.n("in"), self.n("width"))
            }
            Op::BatchNorm(op) => {
                let rates = format!("({}, {})", self.n("eps"), self.n("momentum"));
                format!("ops::BatchNorm::new({}, {rates}, {}, {vb})?", self.n("width"), op.affine)
            }
            Op::GroupNorm(op) => self.group_norm(&self.n("groups"), op.affine, vb),
            Op::InstanceNorm(op) => self.group_norm(&self.n("width"), op.affine, vb),
            Op::LayerNorm(op) => {
                format!("ops::ChannelNorm::new({}, {}, {}, {vb})?", self.n("width"), self.n("eps"), op.affine)
            }
            _ => format!("ops::Factor::new({}, {}, {vb})?", self.n("width"), self.n("init")),
        }
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
