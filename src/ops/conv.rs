//! Convolutions.

use super::args::{optional, required};
use super::rules::{self, Slide};
use super::{ArgError, ArgType, Args, Field, Init, Layer, LayerSpec, Op, ParamSpec, Saved, ShapeError};
use crate::shape::Shape;
use serde::Serialize;

/// Convolution of `[N, C, L]` or `[N, C, H, W]`; sizes hold one entry per spatial axis.
///
/// Weight `[width, C / groups, kernel…]`, bias `[width]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conv {
    /// Output channels.
    pub width: usize,
    /// Window.
    pub kernel: Vec<usize>,
    /// Step.
    pub stride: Vec<usize>,
    /// Zeros on each side.
    pub pad: Vec<usize>,
    /// Distance between taps.
    pub dilation: Vec<usize>,
    /// Independent groups of channels.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// How the weight starts.
    pub init: Init,
    /// What the bias starts with; PyTorch's uniform where `None`.
    pub bias_init: Option<f64>,
}

/// Transposed convolution; sizes as in [`Conv`].
///
/// Weight `[C, width / groups, kernel…]`, bias `[width]`. Output size
/// `(in − 1)·stride − 2·pad + dilation·(kernel − 1) + out_pad + 1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConvTranspose {
    /// Output channels.
    pub width: usize,
    /// Window.
    pub kernel: Vec<usize>,
    /// Step in the output.
    pub stride: Vec<usize>,
    /// Cut from each side of the output.
    pub pad: Vec<usize>,
    /// Added to one side of the output.
    pub out_pad: Vec<usize>,
    /// Distance between taps.
    pub dilation: Vec<usize>,
    /// Independent groups of channels.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// How the weight starts.
    pub init: Init,
    /// What the bias starts with; PyTorch's uniform where `None`.
    pub bias_init: Option<f64>,
}

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[
    LayerSpec {
        name: "conv",
        args: &[
            required("width", ArgType::Count),
            required("kernel", ArgType::Sizes),
            optional("stride", ArgType::Sizes, "1"),
            optional("pad", ArgType::SizesOrSame, "same"),
            optional("dilation", ArgType::Sizes, "1"),
            optional("groups", ArgType::Count, "1"),
            optional("bias", ArgType::Bool, "true"),
            optional("init", ArgType::Init, "kaiming_normal"),
            optional("bias_init", ArgType::Number, ""),
        ],
        doc: "convolution; out = ⌊(in + 2·pad − dilation·(kernel − 1) − 1) / stride⌋ + 1; `same` pads dilation·(kernel − 1) / 2",
        make: make_conv,
    },
    LayerSpec {
        name: "conv_transpose",
        args: &[
            required("width", ArgType::Count),
            required("kernel", ArgType::Sizes),
            optional("stride", ArgType::Sizes, "1"),
            optional("pad", ArgType::SizesOrZero, "0"),
            optional("out_pad", ArgType::SizesOrZero, "0"),
            optional("dilation", ArgType::Sizes, "1"),
            optional("groups", ArgType::Count, "1"),
            optional("bias", ArgType::Bool, "true"),
            optional("init", ArgType::Init, "kaiming_normal"),
            optional("bias_init", ArgType::Number, ""),
        ],
        doc: "transposed convolution; out = (in − 1)·stride − 2·pad + dilation·(kernel − 1) + out_pad + 1",
        make: make_transpose,
    },
];

fn make_conv(args: &Args, input: &Shape) -> Result<Op, ArgError> {
    let axes = input.spatial().len();
    let width = args.count("width")?;
    let kernel = args.sizes("kernel", axes, 1)?;
    let dilation = args.sizes_or("dilation", axes, 1, &[1])?;
    let pad = match args.get("pad") {
        Some(_) if !args.is_word("pad", "same") => args.sizes("pad", axes, 0)?,
        _ => same(&kernel, &dilation)?,
    };
    let groups = args.count_or("groups", 1)?;
    let stride = args.sizes_or("stride", axes, 1, &[1])?;
    let (init, bias) = (weight_init(args, groups)?, args.bool_or("bias", true)?);
    let bias_init = bias_init(args, bias)?;
    Ok(Conv { width, kernel, stride, pad, dilation, groups, bias, init, bias_init }.into())
}

fn make_transpose(args: &Args, input: &Shape) -> Result<Op, ArgError> {
    let axes = input.spatial().len();
    let width = args.count("width")?;
    let kernel = args.sizes("kernel", axes, 1)?;
    let stride = args.sizes_or("stride", axes, 1, &[1])?;
    let pad = args.sizes_or("pad", axes, 0, &[0])?;
    let out_pad = args.sizes_or("out_pad", axes, 0, &[0])?;
    let dilation = args.sizes_or("dilation", axes, 1, &[1])?;
    let steps = stride.iter().zip(&dilation).map(|(&s, &d)| s.max(d));
    if let Some((pad, step)) = out_pad.iter().copied().zip(steps).find(|(pad, step)| pad >= step) {
        let message =
            format!("`out_pad` is {pad}, and must be less than the stride or the dilation, which are at most {step}");
        return Err(ArgError::at("out_pad", message).help(format!("out_pad={}", step - 1)));
    }
    let groups = args.count_or("groups", 1)?;
    let (init, bias) = (weight_init(args, groups)?, args.bool_or("bias", true)?);
    let bias_init = bias_init(args, bias)?;
    Ok(ConvTranspose { width, kernel, stride, pad, out_pad, dilation, groups, bias, init, bias_init }.into())
}

/// `dilation·(kernel − 1) / 2`, which keeps sizes at stride 1.
fn same(kernel: &[usize], dilation: &[usize]) -> Result<Vec<usize>, ArgError> {
    let reach = kernel.iter().zip(dilation).map(|(&k, &d)| (k - 1).checked_mul(d));
    let too_large = || ArgError::at("kernel", "`kernel` is too large");
    let reach = reach.collect::<Option<Vec<_>>>().ok_or_else(too_large)?;
    let half: Vec<usize> = reach.iter().map(|r| r / 2).collect();
    match kernel.iter().zip(&reach).find(|(_, r)| **r % 2 == 1) {
        None => Ok(half),
        Some((k, _)) => {
            let message = format!("a kernel of {k} has no middle, so `conv` cannot pad evenly and must say its `pad`");
            Err(ArgError::at("kernel", message).help(format!("pad={}", list(&half))))
        }
    }
}

fn list(sizes: &[usize]) -> String {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|s| s == first) => first.to_string(),
        _ => format!("{sizes:?}"),
    }
}

fn weight_init(args: &Args, groups: usize) -> Result<Init, ArgError> {
    match args.init("init")?.unwrap_or(Init::KaimingNormal) {
        Init::Identity if groups > 1 => Err(ArgError::at("init", "`identity` needs `groups` to be 1")),
        init => Ok(init),
    }
}

/// The bias's start, which needs a bias.
pub(super) fn bias_init(args: &Args, bias: bool) -> Result<Option<f64>, ArgError> {
    match args.number("bias_init")? {
        Some(_) if !bias => Err(ArgError::at("bias_init", "`bias_init` starts a bias, and `bias` is `false`")),
        start => Ok(start),
    }
}

/// Weight and bias, in that order; the bias starts in ±1/√fan_in of the weight where nothing else is said.
pub(super) fn weight_and_bias(
    weight: Vec<usize>,
    width: usize,
    init: Init,
    bias: bool,
    start: Option<f64>,
) -> Vec<ParamSpec> {
    let bias_start = start.map_or_else(|| Init::of_fan_in(&weight), Init::Constant);
    let mut params = vec![ParamSpec { name: "weight", dims: weight, init, trainable: true }];
    if bias {
        params.push(ParamSpec { name: "bias", dims: vec![width], init: bias_start, trainable: true });
    }
    params
}

/// Refuses groups that divide not both widths.
fn need_groups(groups: usize, channels: usize, width: usize) -> Result<(), ShapeError> {
    if !channels.is_multiple_of(groups) {
        return Err(ShapeError::Indivisible { axis: 1, size: channels, by: groups, what: "groups" });
    }
    if !width.is_multiple_of(groups) {
        let message = format!("a width of {width} cannot be divided by `groups`, which is {groups}");
        return Err(ShapeError::other(message, None));
    }
    Ok(())
}

/// `[first, second, kernel…]`.
fn weight_dims(first: usize, second: usize, kernel: &[usize]) -> Vec<usize> {
    [first, second].into_iter().chain(kernel.iter().copied()).collect()
}

/// Multiply-accumulates of a weight used at `positions`.
fn weight_macs(weight: &[usize], positions: &[usize]) -> u64 {
    weight.iter().chain(positions).fold(1u64, |n, &d| n.saturating_mul(d as u64))
}

impl Conv {
    fn weight(&self, channels: usize) -> Vec<usize> {
        weight_dims(self.width, channels / self.groups, &self.kernel)
    }
}

impl Layer for Conv {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        rules::need_map(input)?;
        let channels = input.dims()[0];
        need_groups(self.groups, channels, self.width)?;
        rules::within(&self.weight(channels))?;
        let slide = |(i, &size): (usize, &usize)| {
            let (kernel, stride, pad, dilation) = (self.kernel[i], self.stride[i], self.pad[i], self.dilation[i]);
            Slide { kernel, stride, pad, dilation, ceil: false }.positions(i + 2, size)
        };
        let spatial: Vec<usize> = input.spatial().iter().enumerate().map(slide).collect::<Result<_, _>>()?;
        rules::bounded(input.with_spatial(&spatial).with_channels(self.width))
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        weight_and_bias(self.weight(inputs[0].dims()[0]), self.width, self.init, self.bias, self.bias_init)
    }

    fn macs(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        weight_macs(&self.weight(inputs[0].dims()[0]), output.spatial())
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Window { extent: rules::extents(&self.kernel, &self.dilation), stride: self.stride.clone() }
    }

    fn in_place(&self) -> &'static [usize] {
        &[]
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { operands: vec![0], ..Saved::default() }
    }

    fn detail(&self) -> String {
        let mut text = rules::times(&self.kernel) + &rules::slash(&self.stride);
        if self.dilation.iter().any(|&d| d != 1) {
            text += &format!(" dilation {}", rules::short(&self.dilation));
        }
        if same(&self.kernel, &self.dilation).ok().as_ref() != Some(&self.pad) {
            text += &format!(" pad {}", rules::short(&self.pad));
        }
        if self.groups != 1 {
            text += &format!(" groups {}", self.groups);
        }
        text
    }
}

impl ConvTranspose {
    fn weight(&self, channels: usize) -> Vec<usize> {
        weight_dims(channels, self.width / self.groups, &self.kernel)
    }

    /// `(in − 1)·stride − 2·pad + dilation·(kernel − 1) + out_pad + 1` along one axis.
    fn positions(&self, i: usize, size: usize) -> Result<usize, ShapeError> {
        let grown = || {
            let window = rules::extent(self.kernel[i], self.dilation[i])?;
            let cut = self.pad[i].checked_mul(2)?;
            let full = (size - 1).checked_mul(self.stride[i])?.checked_add(window)?.checked_add(self.out_pad[i])?;
            Some((full, cut))
        };
        let (full, cut) = grown().ok_or(ShapeError::Overflow)?;
        full.checked_sub(cut).filter(|&n| n > 0).ok_or_else(|| {
            ShapeError::other(format!("`pad` cuts {cut} from an output of {full}, and nothing is left"), None)
        })
    }
}

impl Layer for ConvTranspose {
    fn kind(&self) -> &'static str {
        "conv_transpose"
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        rules::need_map(input)?;
        let channels = input.dims()[0];
        need_groups(self.groups, channels, self.width)?;
        rules::within(&self.weight(channels))?;
        let spatial = input.spatial().iter().enumerate().map(|(i, &size)| self.positions(i, size));
        let spatial: Vec<usize> = spatial.collect::<Result<_, _>>()?;
        rules::bounded(input.with_spatial(&spatial).with_channels(self.width))
    }

    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec> {
        weight_and_bias(self.weight(inputs[0].dims()[0]), self.width, self.init, self.bias, self.bias_init)
    }

    /// Every input position is multiplied with the whole window.
    fn macs(&self, inputs: &[&Shape], _: &Shape) -> u64 {
        weight_macs(&self.weight(inputs[0].dims()[0]), inputs[0].spatial())
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Spread { extent: rules::extents(&self.kernel, &self.dilation), factor: self.stride.clone() }
    }

    fn in_place(&self) -> &'static [usize] {
        &[]
    }

    fn saved(&self, _: &[&Shape], _: &Shape) -> Saved {
        Saved { operands: vec![0], ..Saved::default() }
    }

    fn detail(&self) -> String {
        let stride = rules::short(&self.stride);
        let mut text = rules::times(&self.kernel);
        if stride != "1" {
            text += &format!(" ×{stride}");
        }
        if self.groups != 1 {
            text += &format!(" groups {}", self.groups);
        }
        text
    }
}
