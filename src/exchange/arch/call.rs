//! An op as the call that makes it.

use crate::ops::activation::Activation;
use crate::ops::conv::{Conv, ConvTranspose};
use crate::ops::norm::BatchNorm;
use crate::ops::pool::{AvgPool, MaxPool};
use crate::ops::resize::{Interpolation, Pad, PadMode, Upsample, UpsampleSize};
use crate::ops::{Init, Op};

/// A call being written: its word, and the arguments that are not at their defaults.
struct Call {
    word: &'static str,
    args: Vec<String>,
}

/// `conv(64, 7, stride=2)`: the call that gives this op, with what differs from the defaults. `like` names the value whose
/// size an upsampling takes, where it takes one.
///
/// `None` for ops that are no layers: inputs, merges, and what `fit` and `via zero_pad` make.
pub fn layer_call(op: &Op, like: Option<&str>) -> Option<String> {
    let call = match op {
        Op::Input(_) | Op::Add(_) | Op::Concat(_) | Op::Mul(_) | Op::Gate(_) => return None,
        Op::CropLike(_) | Op::PadLike(_) | Op::ZeroPad(_) => return None,
        Op::Conv(op) => conv(op),
        Op::ConvTranspose(op) => transpose(op),
        Op::Linear(op) => Call::new("linear")
            .plain(op.width)
            .unless(op.bias, "bias", "false")
            .init(op.init, None)
            .maybe("bias_init", op.bias_init),
        Op::Scale(op) => Call::new("scale").number("init", op.init, 1.0).unless(op.per_channel, "per", "\"tensor\""),
        Op::BatchNorm(op) => batch_norm(op),
        Op::GroupNorm(op) => {
            Call::new("group_norm").plain(op.groups).number("eps", op.eps, 1e-5).unless(op.affine, "affine", "false")
        }
        Op::LayerNorm(op) => Call::new("layer_norm").number("eps", op.eps, 1e-5).unless(op.affine, "affine", "false"),
        Op::InstanceNorm(op) => {
            Call::new("instance_norm").number("eps", op.eps, 1e-5).unless(!op.affine, "affine", "true")
        }
        Op::Activation(op) => activation(op),
        Op::Prelu(op) => Call::new("prelu").number("init", op.init, 0.25).unless(op.shared, "shared", "false"),
        Op::Softmax(_) => Call::new("softmax"),
        Op::MaxPool(op) => max_pool(op),
        Op::AvgPool(op) => avg_pool(op),
        Op::GlobalPool(op) => Call::new(if op.max { "maxpool" } else { "avgpool" }).plain("global"),
        Op::AdaptiveAvgPool(op) => Call::new("adaptive_avgpool").plain(sizes(&op.size)),
        Op::Upsample(op) => upsample(op, like)?,
        Op::Pad(op) => pad(op),
        Op::Crop(op) => Call::new("crop").plain(sizes(&op.size)),
        Op::Dropout(op) => Call::new("dropout").plain_number(op.p, 0.5),
        Op::Flatten(_) => Call::new("flatten"),
        Op::Reshape(op) => Call::new("reshape").plain(list(&op.dims)),
        Op::Identity(_) => Call::new("identity"),
    };
    Some(call.text())
}

impl Call {
    fn new(word: &'static str) -> Self {
        Self { word, args: Vec::new() }
    }

    /// An argument by position.
    fn plain(mut self, value: impl ToString) -> Self {
        self.args.push(value.to_string());
        self
    }

    /// A number by position, unless it is the default.
    fn plain_number(self, value: f64, default: f64) -> Self {
        if value == default { self } else { self.plain(number(value)) }
    }

    fn named(mut self, name: &str, value: impl ToString) -> Self {
        self.args.push(format!("{name}={}", value.to_string()));
        self
    }

    fn unless(self, is_default: bool, name: &str, value: &str) -> Self {
        if is_default { self } else { self.named(name, value) }
    }

    fn number(self, name: &str, value: f64, default: f64) -> Self {
        if value == default { self } else { self.named(name, number(value)) }
    }

    fn maybe(self, name: &str, value: Option<f64>) -> Self {
        match value {
            Some(value) => self.named(name, number(value)),
            None => self,
        }
    }

    fn sizes(self, name: &str, value: &[usize], default: &[usize]) -> Self {
        if value == default { self } else { self.named(name, sizes(value)) }
    }

    fn init(self, init: Option<Init>, default: Option<Init>) -> Self {
        match init.filter(|_| init != default) {
            Some(init) => self.named("init", start(init)),
            None => self,
        }
    }

    fn text(self) -> String {
        match self.args.as_slice() {
            [] => self.word.to_string(),
            args => format!("{}({})", self.word, args.join(", ")),
        }
    }
}

/// A number as the language reads it: whole ones without a point.
pub(super) fn number(value: f64) -> String {
    let whole = value.fract() == 0.0 && value.abs() < 1e15 && (value != 0.0 || value.is_sign_positive());
    if whole { format!("{value:.0}") } else { format!("{value:?}") }
}

/// One number where all are the same, else a list.
fn sizes(sizes: &[usize]) -> String {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|s| s == first) => first.to_string(),
        _ => list(sizes),
    }
}

fn list(sizes: &[usize]) -> String {
    format!("{sizes:?}")
}

fn start(init: Init) -> String {
    match init {
        Init::KaimingNormal => "kaiming_normal".into(),
        Init::KaimingUniform => "kaiming_uniform".into(),
        Init::XavierNormal => "xavier_normal".into(),
        Init::XavierUniform => "xavier_uniform".into(),
        Init::Normal(std) => format!("normal({})", number(std)),
        Init::Constant(1.0) => "ones".into(),
        // Layers take no other constant, and no bound: those are PyTorch's own for biases and linear layers.
        Init::Constant(_) => "zeros".into(),
        Init::Uniform(bound) => format!("normal({})", number(bound / 3f64.sqrt())),
        Init::Identity => "identity".into(),
    }
}

fn conv(op: &Conv) -> Call {
    let ones = vec![1; op.kernel.len()];
    // The padding that keeps sizes at stride 1; an even window has none and must say its own.
    let reach: Vec<usize> = op.kernel.iter().zip(&op.dilation).map(|(k, d)| (k - 1) * d).collect();
    let same: Vec<usize> = reach.iter().map(|r| r / 2).collect();
    let call = Call::new("conv").plain(op.width).plain(sizes(&op.kernel)).sizes("stride", &op.stride, &ones);
    let call = match reach.iter().all(|r| r % 2 == 0) {
        true => call.sizes("pad", &op.pad, &same),
        false => call.named("pad", sizes(&op.pad)),
    };
    call.sizes("dilation", &op.dilation, &ones)
        .unless(op.groups == 1, "groups", &op.groups.to_string())
        .unless(op.bias, "bias", "false")
        .init(Some(op.init), Some(Init::KaimingNormal))
        .maybe("bias_init", op.bias_init)
}

fn transpose(op: &ConvTranspose) -> Call {
    let (ones, zeros) = (vec![1; op.kernel.len()], vec![0; op.kernel.len()]);
    Call::new("conv_transpose")
        .plain(op.width)
        .plain(sizes(&op.kernel))
        .sizes("stride", &op.stride, &ones)
        .sizes("pad", &op.pad, &zeros)
        .sizes("out_pad", &op.out_pad, &zeros)
        .sizes("dilation", &op.dilation, &ones)
        .unless(op.groups == 1, "groups", &op.groups.to_string())
        .unless(op.bias, "bias", "false")
        .init(Some(op.init), Some(Init::KaimingNormal))
        .maybe("bias_init", op.bias_init)
}

fn batch_norm(op: &BatchNorm) -> Call {
    Call::new("batch_norm")
        .number("eps", op.eps, 1e-5)
        .number("momentum", op.momentum, 0.1)
        .unless(op.affine, "affine", "false")
        .number("weight_init", op.weight_init, 1.0)
        .number("bias_init", op.bias_init, 0.0)
}

fn activation(op: &Activation) -> Call {
    match *op {
        Activation::Relu => Call::new("relu"),
        Activation::Relu6 => Call::new("relu6"),
        Activation::LeakyRelu { slope } => Call::new("leaky_relu").plain_number(slope, 0.01),
        Activation::Elu { alpha } => Call::new("elu").plain_number(alpha, 1.0),
        Activation::Gelu => Call::new("gelu"),
        Activation::Silu => Call::new("silu"),
        Activation::Sigmoid => Call::new("sigmoid"),
        Activation::Tanh => Call::new("tanh"),
        Activation::HardSwish => Call::new("hard_swish"),
        Activation::HardSigmoid => Call::new("hard_sigmoid"),
    }
}

fn max_pool(op: &MaxPool) -> Call {
    let axes = op.kernel.len();
    Call::new("maxpool")
        .plain(sizes(&op.kernel))
        .sizes("stride", &op.stride, &op.kernel)
        .sizes("pad", &op.pad, &vec![0; axes])
        .sizes("dilation", &op.dilation, &vec![1; axes])
        .unless(!op.ceil, "ceil", "true")
}

fn avg_pool(op: &AvgPool) -> Call {
    Call::new("avgpool")
        .plain(sizes(&op.kernel))
        .sizes("stride", &op.stride, &op.kernel)
        .sizes("pad", &op.pad, &vec![0; op.kernel.len()])
        .unless(!op.ceil, "ceil", "true")
        .unless(op.count_pad, "count_pad", "false")
}

fn upsample(op: &Upsample, like: Option<&str>) -> Option<Call> {
    let call = Call::new("upsample");
    let call = match &op.size {
        UpsampleSize::Factor(factor) => call.plain(sizes(factor)),
        UpsampleSize::Size(size) => call.named("size", sizes(size)),
        UpsampleSize::Like => call.named("like", like?),
    };
    Some(call.unless(op.mode == Interpolation::Nearest, "mode", "\"bilinear\""))
}

fn pad(op: &Pad) -> Call {
    let call = Call::new("pad");
    let call = match op.amount.iter().all(|(before, after)| before == after) {
        true => call.plain(sizes(&op.amount.iter().map(|&(n, _)| n).collect::<Vec<_>>())),
        false => {
            let pairs: Vec<String> = op.amount.iter().map(|(before, after)| format!("[{before}, {after}]")).collect();
            call.plain(format!("[{}]", pairs.join(", ")))
        }
    };
    match op.mode {
        PadMode::Zero => call,
        PadMode::Reflect => call.named("mode", "\"reflect\""),
        PadMode::Replicate => call.named("mode", "\"replicate\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Args, Value, layers};
    use crate::shape::Shape;

    #[test]
    fn numbers_are_read_back() {
        for value in [0.0, 1.0, -2.0, 0.01, 1e-5, 1e-7, 0.1, 1e300, 3.0000000000000004, 123456789.0] {
            assert_eq!(number(value).parse::<f64>().unwrap(), value);
        }
        assert_eq!([number(-2.0), number(1e-5), number(0.5)], ["-2", "1e-5", "0.5"]);
    }

    #[test]
    fn layers_without_arguments_are_their_word() {
        let map = Shape::new([4, 8, 8]);
        for spec in layers().iter().filter(|spec| spec.args.iter().all(|arg| arg.default.is_some())) {
            if spec.name != "upsample" {
                let op = (spec.make)(&Args::default(), &map).unwrap();
                assert_eq!(layer_call(&op, None).as_deref(), Some(spec.name));
            }
        }
    }

    #[test]
    fn an_even_window_says_its_padding() {
        let given = [("width", 8), ("kernel", 2), ("pad", 0)].map(|(name, n)| (name.to_string(), Value::Int(n)));
        let make = layers().iter().find(|spec| spec.name == "conv").unwrap().make;
        let op = make(&Args { given: given.into() }, &Shape::new([4, 8, 8])).unwrap();
        assert_eq!(layer_call(&op, None).as_deref(), Some("conv(8, 2, pad=0)"));
    }
}
