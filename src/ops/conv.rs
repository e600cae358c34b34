//! Convolutions.

use super::arguments::{Argument, Count, Flag, Maybe, Number, Sizes, SizesOrSame, SizesOrZero, Start, declared, op};
use super::nature::{Channels, Family, Nature, Scaling, Values};
use super::rules::{self, Slide};
use super::{ArgError, ArgSpec, Args, Field, Init, Layer, LayerSpec, ParamSpec, Saved, ShapeError};
use crate::shape::Shape;
use serde::Serialize;

op! {
    /// Convolution of `[N, C, L]` or `[N, C, H, W]`; sizes hold one entry per spatial axis.
    ///
    /// Weight `[width, C / groups, kernel…]`, bias `[width]`.
    Conv = "conv",
        "convolution; out = ⌊(in + 2·pad − dilation·(kernel − 1) − 1) / stride⌋ + 1; `same` pads dilation·(kernel − 1) / 2",
        settled by settled, restated by restated;
    /// Output channels.
    width: usize [Count],
    /// Window.
    kernel: Vec<usize> [Sizes] => Times,
    /// Step.
    stride: Vec<usize> [Sizes = "1"] => Slash,
    /// Zeros on each side.
    pad: Vec<usize> [SizesOrSame = "same"] => Named,
    /// Distance between taps.
    dilation: Vec<usize> [Sizes = "1"] => Named,
    /// Independent groups of channels.
    groups: usize [Count = "1"] => Named,
    /// Whether a bias is added.
    bias: bool [Flag = "true"],
    /// How the weight starts.
    init: Init [Start = "kaiming_normal"],
    /// What the bias starts with; PyTorch's uniform where `None`.
    bias_init: Option<f64> [Maybe<Number> = ""],
}

op! {
    /// Transposed convolution; sizes as in [`Conv`].
    ///
    /// Weight `[C, width / groups, kernel…]`, bias `[width]`. Output size
    /// `(in − 1)·stride − 2·pad + dilation·(kernel − 1) + out_pad + 1`.
    ConvTranspose = "conv_transpose",
        "transposed convolution; out = (in − 1)·stride − 2·pad + dilation·(kernel − 1) + out_pad + 1",
        settled by settled;
    /// Output channels.
    width: usize [Count],
    /// Window.
    kernel: Vec<usize> [Sizes] => Times,
    /// Step in the output.
    stride: Vec<usize> [Sizes = "1"] => Factor,
    /// Cut from each side of the output.
    pad: Vec<usize> [SizesOrZero = "0"],
    /// Added to one side of the output.
    out_pad: Vec<usize> [SizesOrZero = "0"],
    /// Distance between taps.
    dilation: Vec<usize> [Sizes = "1"],
    /// Independent groups of channels.
    groups: usize [Count = "1"] => Named,
    /// Whether a bias is added.
    bias: bool [Flag = "true"],
    /// How the weight starts.
    init: Init [Start = "kaiming_normal"],
    /// What the bias starts with; PyTorch's uniform where `None`.
    bias_init: Option<f64> [Maybe<Number> = ""],
}

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[Conv::SPEC, ConvTranspose::SPEC];

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
            Err(ArgError::at("kernel", message).help(format!("pad={}", written(&half))))
        }
    }
}

/// `2`, or `[2, 1]`.
fn written(sizes: &[usize]) -> String {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|s| s == first) => first.to_string(),
        _ => format!("{sizes:?}"),
    }
}

/// An identity needs all channels in one group.
fn check_init(init: Init, groups: usize) -> Result<(), ArgError> {
    match init {
        Init::Identity if groups > 1 => Err(ArgError::at("init", "`identity` needs `groups` to be 1")),
        _ => Ok(()),
    }
}

/// A bias's start needs a bias.
pub(super) fn check_bias_init(start: Option<f64>, bias: bool) -> Result<(), ArgError> {
    match start {
        Some(_) if !bias => Err(ArgError::at("bias_init", "`bias_init` starts a bias, and `bias` is `false`")),
        _ => Ok(()),
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
    /// `same` becomes the padding that it is.
    fn settled(mut self, _: &Args) -> Result<Self, ArgError> {
        if self.pad.is_empty() {
            self.pad = same(&self.kernel, &self.dilation)?;
        }
        check_init(self.init, self.groups)?;
        check_bias_init(self.bias_init, self.bias)?;
        Ok(self)
    }

    fn restated(&self, mut arguments: Vec<Argument>) -> Vec<Argument> {
        let is_same = same(&self.kernel, &self.dilation).is_ok_and(|same| same == self.pad);
        arguments.iter_mut().filter(|argument| argument.name == "pad").for_each(|pad| pad.is_default = is_same);
        arguments
    }

    fn weight(&self, channels: usize) -> Vec<usize> {
        weight_dims(self.width, channels / self.groups, &self.kernel)
    }
}

impl Layer for Conv {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Convolution, Channels::Mixed, Values::Computed, Scaling::Field)
    }

    declared!();

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
}

impl ConvTranspose {
    /// What is added to a side stays below the stride or the dilation.
    fn settled(self, _: &Args) -> Result<Self, ArgError> {
        let steps = self.stride.iter().zip(&self.dilation).map(|(&s, &d)| s.max(d));
        if let Some((pad, step)) = self.out_pad.iter().copied().zip(steps).find(|(pad, step)| pad >= step) {
            let message = format!(
                "`out_pad` is {pad}, and must be less than the stride or the dilation, which are at most {step}"
            );
            return Err(ArgError::at("out_pad", message).help(format!("out_pad={}", step - 1)));
        }
        check_init(self.init, self.groups)?;
        check_bias_init(self.bias_init, self.bias)?;
        Ok(self)
    }

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
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Convolution, Channels::Mixed, Values::Computed, Scaling::Field)
    }

    declared!();

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
}
