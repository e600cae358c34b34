//! Layers in PyTorch's words.

use super::layout::{Py, call, named, text};
use crate::exchange::classes::{Expr, axis_names};
use crate::ops::Op;
use crate::ops::activation::Activation;
use crate::ops::pool::{AvgPool, MaxPool};
use crate::ops::resize::{Interpolation, PadMode, UpsampleSize};

/// A layer's op, the rank of what it reads, and its numbers.
pub(super) struct At<'a> {
    pub op: &'a Op,
    pub rank: usize,
    pub names: &'a [&'static str],
    pub number: &'a dyn Fn(usize) -> Expr,
}

/// A number as Python writes it.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.1}") } else { format!("{value:?}") }
}

pub(super) fn written(expr: &Expr) -> String {
    expr.text("//", &number)
}

/// Classes that are written out where they are used.
pub(super) const OWN: [(&str, &str); 3] = [
    ("ChannelNorm", include_str!("own/channel_norm.py")),
    ("NamedSequence", include_str!("own/named_sequence.py")),
    ("Scale", include_str!("own/scale.py")),
];

/// Functions that are written out where they are used.
pub(super) const FUNCTIONS: [(&str, &str); 5] = [
    ("center_crop", include_str!("own/center_crop.py")),
    ("center_pad", include_str!("own/center_pad.py")),
    ("drop_path", include_str!("own/drop_path.py")),
    ("set_training", include_str!("own/set_training.py")),
    ("zero_pad", include_str!("own/zero_pad.py")),
];

/// Whether an op can stand in `nn.Sequential`.
pub(super) fn is_module(op: &Op) -> bool {
    match op {
        Op::Upsample(op) => !matches!(op.size, UpsampleSize::Like),
        Op::Pad(op) => op.mode == PadMode::Zero || op.amount.len() < 3,
        Op::Input(_) | Op::Crop(_) | Op::CropLike(_) | Op::PadLike(_) | Op::ZeroPad(_) | Op::Reshape(_) => false,
        Op::Add(_) | Op::Concat(_) | Op::Mul(_) | Op::Gate(_) => false,
        Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_) | Op::Scale(_) | Op::BatchNorm(_) | Op::GroupNorm(_) => true,
        Op::LayerNorm(_) | Op::InstanceNorm(_) | Op::Activation(_) | Op::Prelu(_) | Op::Softmax(_) => true,
        Op::MaxPool(_) | Op::AvgPool(_) | Op::GlobalPool(_) | Op::AdaptiveAvgPool(_) => true,
        Op::Dropout(_) | Op::Flatten(_) | Op::Identity(_) => true,
    }
}

/// Whether an op has parameters, so that it is a member of its class.
pub(super) fn has_state(op: &Op) -> bool {
    match op {
        Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_) | Op::Scale(_) | Op::Prelu(_) | Op::BatchNorm(_) => true,
        Op::GroupNorm(op) => op.affine,
        Op::LayerNorm(op) => op.affine,
        Op::InstanceNorm(op) => op.affine,
        Op::Input(_) | Op::Activation(_) | Op::Softmax(_) | Op::MaxPool(_) | Op::AvgPool(_) | Op::GlobalPool(_) => {
            false
        }
        Op::AdaptiveAvgPool(_) | Op::Upsample(_) | Op::Pad(_) | Op::Crop(_) | Op::CropLike(_) => false,
        Op::PadLike(_) | Op::ZeroPad(_) | Op::Dropout(_) | Op::Flatten(_) | Op::Reshape(_) | Op::Identity(_) => false,
        Op::Add(_) | Op::Concat(_) | Op::Mul(_) | Op::Gate(_) => false,
    }
}

impl At<'_> {
    fn get(&self, name: &str) -> Option<Expr> {
        self.names.iter().position(|n| *n == name).map(|i| (self.number)(i))
    }

    fn n(&self, name: &str) -> String {
        self.get(name).map_or_else(|| "0".into(), |expr| written(&expr))
    }

    /// A size: one number, or a tuple where axes differ.
    fn size(&self, name: &'static str) -> String {
        match self.get(name) {
            Some(expr) => written(&expr),
            None => format!("({})", axis_names(name).map(|name| self.n(name)).join(", ")),
        }
    }

    /// A size as a tuple.
    fn each_axis(&self, name: &'static str) -> String {
        match self.get(name) {
            Some(expr) if self.d() == 1 => format!("({},)", written(&expr)),
            Some(expr) => format!("({})", vec![written(&expr); self.d()].join(", ")),
            None => self.size(name),
        }
    }

    fn is(&self, name: &str, value: i64) -> bool {
        self.get(name).is_some_and(|expr| expr.is(value))
    }

    /// `name=value` unless the argument is at PyTorch's default.
    fn unless(&self, args: &mut Vec<Py>, slot: &'static str, name: &str, default: i64) {
        if !self.is(slot, default) {
            args.push(named(name, self.size(slot)));
        }
    }

    fn float(&self, args: &mut Vec<Py>, slot: &str, default: f64) {
        if self.get(slot) != Some(Expr::Float(default)) {
            args.push(named(slot, self.n(slot)));
        }
    }

    /// The dimensions' number as it stands in names: `Conv2d`.
    fn d(&self) -> usize {
        self.rank.saturating_sub(2)
    }

    /// The layer as a module; `None` of what a body writes as a function: it is no module, and no class has it as a member.
    pub(super) fn module(&self) -> Option<Py> {
        let d = self.d();
        let nn = |name: &str, args: Vec<Py>| call(format!("nn.{name}"), args);
        let flag = |args: &mut Vec<Py>, on: bool, name: &str, value: &str| {
            if on {
                args.push(named(name, value));
            }
        };
        Some(match self.op {
            Op::Conv(op) => nn(&format!("Conv{d}d"), self.conv(op.bias, false)),
            Op::ConvTranspose(op) => nn(&format!("ConvTranspose{d}d"), self.conv(op.bias, true)),
            Op::Linear(op) => {
                let mut args = vec![text(self.n("in")), text(self.n("width"))];
                flag(&mut args, !op.bias, "bias", "False");
                nn("Linear", args)
            }
            Op::Scale(_) => call("Scale", vec![text(self.n("width")), text(self.n("init"))]),
            Op::BatchNorm(op) => {
                let mut args = vec![text(self.n("width"))];
                self.float(&mut args, "eps", 1e-5);
                self.float(&mut args, "momentum", 0.1);
                flag(&mut args, !op.affine, "affine", "False");
                nn(&format!("BatchNorm{}d", d.max(1)), args)
            }
            Op::GroupNorm(op) => {
                let mut args = vec![text(self.n("groups")), text(self.n("width"))];
                self.float(&mut args, "eps", 1e-5);
                flag(&mut args, !op.affine, "affine", "False");
                nn("GroupNorm", args)
            }
            Op::LayerNorm(op) => {
                let mut args = vec![text(self.n("width"))];
                self.float(&mut args, "eps", 1e-5);
                flag(&mut args, !op.affine, "elementwise_affine", "False");
                if d == 0 { nn("LayerNorm", args) } else { call("ChannelNorm", args) }
            }
            Op::InstanceNorm(op) => {
                let mut args = vec![text(self.n("width"))];
                self.float(&mut args, "eps", 1e-5);
                flag(&mut args, op.affine, "affine", "True");
                nn(&format!("InstanceNorm{d}d"), args)
            }
            Op::Prelu(_) => nn("PReLU", vec![text(self.n("width")), text(self.n("init"))]),
            Op::Activation(f) => self.activation_module(f),
            Op::Softmax(_) => nn("Softmax", vec![named("dim", "1")]),
            Op::Dropout(_) => nn("Dropout", vec![text(self.n("p"))]),
            Op::Flatten(_) => nn("Flatten", vec![]),
            Op::Upsample(op) => {
                let size = if self.names.iter().any(|n| n.starts_with("factor")) { "scale_factor" } else { "size" };
                let slot = if size == "size" { "size" } else { "factor" };
                let mut args = vec![named(size, self.size(slot))];
                args.extend(self.mode(op.mode));
                nn("Upsample", args)
            }
            Op::Pad(op) => {
                let kind = ["Zero", "Reflection", "Replication"][op.mode as usize];
                nn(&format!("{kind}Pad{d}d"), vec![text(self.amounts())])
            }
            Op::MaxPool(op) => nn(&format!("MaxPool{d}d"), self.max_pool(op)),
            Op::AvgPool(op) => nn(&format!("AvgPool{d}d"), self.avg_pool(op)),
            Op::GlobalPool(op) => {
                nn(&format!("Adaptive{}Pool{d}d", if op.max { "Max" } else { "Avg" }), vec![text("1")])
            }
            Op::AdaptiveAvgPool(_) => nn(&format!("AdaptiveAvgPool{d}d"), vec![text(self.size("size"))]),
            Op::Identity(_) => nn("Identity", vec![]),
            Op::Input(_) | Op::Crop(_) | Op::CropLike(_) | Op::PadLike(_) | Op::ZeroPad(_) | Op::Reshape(_) => {
                return None;
            }
            Op::Add(_) | Op::Concat(_) | Op::Mul(_) | Op::Gate(_) => return None,
        })
    }

    fn conv(&self, bias: bool, transposed: bool) -> Vec<Py> {
        let mut args = vec![text(self.n("in")), text(self.n("width")), text(self.size("kernel"))];
        self.unless(&mut args, "stride", "stride", 1);
        self.unless(&mut args, "pad", "padding", 0);
        if transposed {
            self.unless(&mut args, "out_pad", "output_padding", 0);
        }
        self.unless(&mut args, "dilation", "dilation", 1);
        self.unless(&mut args, "groups", "groups", 1);
        if !bias {
            args.push(named("bias", "False"));
        }
        args
    }

    /// The window, what lies between its kernel and `ceil_mode`, and that.
    fn pool(&self, between: impl FnOnce(&mut Vec<Py>), ceil: bool) -> Vec<Py> {
        let mut args = vec![text(self.size("kernel"))];
        if self.size("stride") != self.size("kernel") {
            args.push(named("stride", self.size("stride")));
        }
        self.unless(&mut args, "pad", "padding", 0);
        between(&mut args);
        if ceil {
            args.push(named("ceil_mode", "True"));
        }
        args
    }

    fn max_pool(&self, op: &MaxPool) -> Vec<Py> {
        self.pool(|args| self.unless(args, "dilation", "dilation", 1), op.ceil)
    }

    fn avg_pool(&self, op: &AvgPool) -> Vec<Py> {
        let mut args = self.pool(|_| {}, op.ceil);
        if !op.count_pad {
            args.push(named("count_include_pad", "False"));
        }
        args
    }

    fn mode(&self, mode: Interpolation) -> Vec<Py> {
        let linear = if self.d() == 1 { "\"linear\"" } else { "\"bilinear\"" };
        match mode {
            Interpolation::Nearest => vec![],
            Interpolation::Bilinear => vec![named("mode", linear), named("align_corners", "False")],
        }
    }

    /// Padding as PyTorch counts it: the last axis first.
    fn amounts(&self) -> String {
        let axes = (0..self.d()).rev();
        let side = |name: String| self.get("pad").map_or_else(|| self.n(&name), |expr| written(&expr));
        let all = axes.flat_map(|axis| [side(format!("before{axis}")), side(format!("after{axis}"))]);
        format!("({})", all.collect::<Vec<_>>().join(", "))
    }

    fn activation_module(&self, f: &Activation) -> Py {
        let name = match f {
            Activation::Relu => "ReLU",
            Activation::Relu6 => "ReLU6",
            Activation::LeakyRelu { .. } => return call("nn.LeakyReLU", vec![text(self.n("slope"))]),
            Activation::Elu { .. } => return call("nn.ELU", vec![text(self.n("alpha"))]),
            Activation::Gelu => "GELU",
            Activation::Silu => "SiLU",
            Activation::Sigmoid => "Sigmoid",
            Activation::Tanh => "Tanh",
            Activation::HardSwish => "Hardswish",
            Activation::HardSigmoid => "Hardsigmoid",
        };
        call(format!("nn.{name}"), vec![])
    }

    /// The layer as a function of values; `None` where it is a member.
    pub(super) fn function(&self, x: &[Py]) -> Option<Py> {
        let d = self.d();
        let with = |head: &str, mut args: Vec<Py>| {
            args.insert(0, x[0].clone());
            Some(call(head, args))
        };
        let operands = || x.iter().map(Py::flat).collect::<Vec<_>>();
        match self.op {
            op if has_state(op) => None,
            Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_) | Op::Scale(_) | Op::Prelu(_) | Op::BatchNorm(_) => None,
            Op::Activation(f) => self.activation(f, x),
            Op::Softmax(_) => with("F.softmax", vec![named("dim", "1")]),
            Op::Dropout(_) => with("F.dropout", vec![text(self.n("p")), named("training", "self.training")]),
            Op::Flatten(_) => with("torch.flatten", vec![text("1")]),
            Op::Reshape(op) => {
                let mut dims = vec![format!("{}.shape[0]", x[0].flat())];
                dims.extend((0..op.dims.len()).map(|i| self.n(&format!("dim{i}"))));
                Some(call(format!("{}.reshape", x[0].flat()), dims.into_iter().map(text).collect()))
            }
            Op::GroupNorm(_) => {
                let mut args = vec![text(self.n("groups"))];
                self.float(&mut args, "eps", 1e-5);
                with("F.group_norm", args)
            }
            Op::LayerNorm(_) | Op::InstanceNorm(_) => Some(Py::Call(self.module()?.flat(), x.to_vec())),
            Op::MaxPool(op) => with(&format!("F.max_pool{d}d"), self.max_pool(op)),
            Op::AvgPool(op) => with(&format!("F.avg_pool{d}d"), self.avg_pool(op)),
            Op::GlobalPool(op) => {
                with(&format!("F.adaptive_{}_pool{d}d", if op.max { "max" } else { "avg" }), vec![text("1")])
            }
            Op::AdaptiveAvgPool(_) => with(&format!("F.adaptive_avg_pool{d}d"), vec![text(self.size("size"))]),
            Op::Upsample(op) => {
                let size = match &op.size {
                    UpsampleSize::Factor(_) => named("scale_factor", self.size("factor")),
                    UpsampleSize::Size(_) => named("size", self.size("size")),
                    UpsampleSize::Like => named("size", format!("{}.shape[2:]", x[1].flat())),
                };
                with("F.interpolate", [vec![size], self.mode(op.mode)].concat())
            }
            Op::Pad(op) => {
                let mode = ["constant", "reflect", "replicate"][op.mode as usize];
                let mut args = vec![text(self.amounts())];
                if op.mode != PadMode::Zero {
                    args.push(named("mode", format!("\"{mode}\"")));
                }
                with("F.pad", args)
            }
            Op::Crop(_) => with("center_crop", vec![text(self.each_axis("size"))]),
            Op::CropLike(_) => with("center_crop", vec![text(format!("{}.shape[2:]", x[1].flat()))]),
            Op::PadLike(_) => with("center_pad", vec![text(format!("{}.shape[2:]", x[1].flat()))]),
            Op::ZeroPad(_) => {
                with("zero_pad", vec![text(self.each_axis("stride")), text(self.n("before")), text(self.n("after"))])
            }
            Op::Add(_) => Some(self.add(&operands())),
            Op::Concat(_) => Some(call("torch.cat", vec![Py::List(x.to_vec()), named("dim", "1")])),
            Op::Mul(_) => Some(text(operands().join(" * "))),
            Op::Gate(_) => {
                Some(call("torch.lerp", vec![x[0].clone(), x[1].clone(), call("torch.sigmoid", vec![x[2].clone()])]))
            }
            Op::Input(_) | Op::Identity(_) => Some(x[0].clone()),
        }
    }

    fn add(&self, x: &[String]) -> Py {
        let mut second = x[1].clone();
        if self.get("drop_path") != Some(Expr::Float(0.0)) {
            second = format!("drop_path({second}, {}, self.training)", self.n("drop_path"));
        }
        if self.get("scale") != Some(Expr::Float(1.0)) {
            second = format!("{} * {second}", self.n("scale"));
        }
        let terms = [vec![x[0].clone(), second], x[2..].to_vec()].concat();
        text(terms.join(" + "))
    }

    fn activation(&self, f: &Activation, x: &[Py]) -> Option<Py> {
        let name = match f {
            Activation::Relu => "F.relu",
            Activation::Relu6 => "F.relu6",
            Activation::LeakyRelu { .. } => {
                return Some(call("F.leaky_relu", vec![x[0].clone(), text(self.n("slope"))]));
            }
            Activation::Elu { .. } => return Some(call("F.elu", vec![x[0].clone(), text(self.n("alpha"))])),
            Activation::Gelu => "F.gelu",
            Activation::Silu => "F.silu",
            Activation::Sigmoid => "torch.sigmoid",
            Activation::Tanh => "torch.tanh",
            Activation::HardSwish => "F.hardswish",
            Activation::HardSigmoid => "F.hardsigmoid",
        };
        Some(call(name, vec![x[0].clone()]))
    }
}
