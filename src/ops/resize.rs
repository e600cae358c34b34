//! Spatial sizes made larger or smaller.

use super::args::{optional, same_length, whole};
use super::arguments::{self, Argument, Choice, Kind, Sizes, SizesOrZero, Words, declared, no_arguments, op};
use super::nature::{Channels, Family, Nature, Scaling, Values};
use super::rules::{self, no_macs, no_params, nothing_saved};
use super::{ArgError, ArgSpec, ArgType, Args, Field, Layer, LayerSpec, Op, ParamSpec, Saved, ShapeError, Value};
use crate::shape::Shape;
use serde::Serialize;

/// How positions between samples get their value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The sample at `⌊i·in/out⌋`.
    Nearest,
    /// Linear in each axis, half-pixel centres (`align_corners=False`).
    Bilinear,
}

/// The size that an upsampling gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpsampleSize {
    /// The input's sizes times these.
    Factor(Vec<usize>),
    /// These sizes.
    Size(Vec<usize>),
    /// The spatial sizes of operand 1.
    Like,
}

/// Interpolation of the spatial axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Upsample {
    /// To which size.
    pub size: UpsampleSize,
    /// How.
    pub mode: Interpolation,
}

/// What padding is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PadMode {
    /// Zeros.
    Zero,
    /// The map mirrored at its edge, the edge not repeated; less than the size.
    Reflect,
    /// The edge repeated.
    Replicate,
}

op! {
    /// Padding of each spatial axis by `(before, after)`.
    Pad = "pad", "padding on each side: one number, one per spatial axis, or a pair `[before, after]` per spatial axis";
    /// One pair per spatial axis.
    amount: Vec<(usize, usize)> [Amounts],
    /// Filled with what.
    mode: PadMode [Choice<PadMode> = "\"zero\""],
}

op! {
    /// Centre crop to `size`; the offset is `⌊(in − size) / 2⌋`.
    Crop = "crop", "centre crop; starts at ⌊(in − size) / 2⌋";
    /// One entry per spatial axis.
    size: Vec<usize> [Sizes] => Times,
}

/// Centre crop of operand 0 to the spatial sizes of operand 1 (`fit crop`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CropLike {}

/// Centred zero padding of operand 0 to the spatial sizes of operand 1 (`fit pad`);
/// `⌊difference / 2⌋` before, the rest after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PadLike {}

/// Strided subsampling and zero channels (He et al. 2015, option A): `x[:, :, ::s, ::s]`, then
/// `(width − C) / 2` zero channels before, the rest after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ZeroPad {
    /// Channels to reach.
    pub width: usize,
    /// Step, one entry per spatial axis.
    pub stride: Vec<usize>,
}

impl Words for Interpolation {
    const ALL: &'static [Self] = &[Self::Nearest, Self::Bilinear];
    const WORDS: &'static [&'static str] = &["nearest", "bilinear"];
}

impl Words for PadMode {
    const ALL: &'static [Self] = &[Self::Zero, Self::Reflect, Self::Replicate];
    const WORDS: &'static [&'static str] = &["zero", "reflect", "replicate"];
}

/// One number, one per spatial axis, or a pair per spatial axis.
enum Amounts {}

impl Kind for Amounts {
    type Stored = Vec<(usize, usize)>;
    const TYPE: ArgType = ArgType::Pads;

    fn read(name: &'static str, value: &Value, axes: usize) -> Result<Self::Stored, ArgError> {
        match value {
            Value::List(items) if items.iter().any(|v| matches!(v, Value::List(_))) => {
                same_length(name, items.len(), axes)?;
                items.iter().map(pair).collect()
            }
            _ => Ok(SizesOrZero::read(name, value, axes)?.into_iter().map(|n| (n, n)).collect()),
        }
    }

    fn value(amounts: &Self::Stored) -> Option<Value> {
        let pair = |&(before, after): &(usize, usize)| arguments::list(&[before, after]);
        Some(Value::List(amounts.iter().map(pair).collect()))
    }
}

/// The layers of this family.
pub const SPECS: &[LayerSpec] = &[
    LayerSpec {
        name: "upsample",
        args: &[
            ArgSpec { plain: true, ..optional("factor", ArgType::Sizes, "") },
            optional("mode", <Choice<Interpolation> as Kind>::TYPE, "\"nearest\""),
            optional("size", ArgType::Sizes, ""),
            optional("like", ArgType::Operand, ""),
        ],
        doc: "interpolation to `factor` times the size, to `size`, or to the size of the value named by `like`; bilinear has half-pixel centres",
        make: make_upsample,
    },
    Pad::SPEC,
    Crop::SPEC,
];

fn make_upsample(args: &Args, input: &Shape) -> Result<Op, ArgError> {
    let axes = input.spatial().len();
    let mode = arguments::read::<Choice<Interpolation>>(args, "mode", Some("\"nearest\""), axes)?;
    let mut given = ["factor", "size", "like"].into_iter().filter(|name| args.get(name).is_some());
    let Some(form) = given.next() else {
        return Err(ArgError::call("`upsample` needs a `factor`, a `size` or a `like`").help("upsample(2)"));
    };
    if let Some(second) = given.next() {
        let message = format!("`upsample` takes one of `factor`, `size` and `like`, and has `{form}` and `{second}`");
        return Err(ArgError::at(second, message));
    }
    let size = match form {
        "factor" => UpsampleSize::Factor(Sizes::read("factor", args.need("factor")?, axes)?),
        "size" => UpsampleSize::Size(Sizes::read("size", args.need("size")?, axes)?),
        _ => UpsampleSize::Like,
    };
    Ok(Upsample { size, mode }.into())
}

fn pair(value: &Value) -> Result<(usize, usize), ArgError> {
    let read = || match value {
        Value::List(items) => match items.as_slice() {
            [before, after] => Some((whole(before, 0)?, whole(after, 0)?)),
            _ => None,
        },
        _ => None,
    };
    let message = format!("every entry of `amount` must be a pair of whole numbers, not {}", value.describe());
    read().ok_or_else(|| ArgError::at("amount", message).help("amount=[[0, 1], [0, 1]]"))
}

impl Interpolation {
    /// The extent of a transposed window that sees as many samples at this factor.
    fn reach(self, factor: usize) -> usize {
        if self == Self::Bilinear && factor > 1 { factor + 1 } else { 1 }
    }
}

/// The spatial axes of operand 0 set to those of operand 1.
fn like(inputs: &[&Shape]) -> Result<Shape, ShapeError> {
    rules::need_map(inputs[0])?;
    let (found, expected) = (inputs[1].rank(), inputs[0].rank());
    if found != expected {
        let expected = if expected == 3 { "[N, C, L]" } else { "[N, C, H, W]" };
        return Err(ShapeError::Rank { operand: 1, expected, found });
    }
    rules::bounded(inputs[0].with_spatial(inputs[1].spatial()))
}

/// Refuses a size along `axis` that is larger than what it is cropped from.
fn need_room(from: &Shape, to: &[usize]) -> Result<(), ShapeError> {
    let larger = from.spatial().iter().zip(to).enumerate().find(|(_, (from, to))| to > from);
    match larger {
        None => Ok(()),
        Some((i, (&size, &window))) => Err(ShapeError::TooSmall { axis: i + 2, size, window }),
    }
}

/// Ops of this family have no parameters and no sums, and write somewhere else than they read.
macro_rules! moves {
    ($kind:literal) => {
        moves!();
        fn kind(&self) -> &'static str {
            $kind
        }
    };
    () => {
        no_params!();
        no_macs!();
        nothing_saved!();
        fn in_place(&self) -> &'static [usize] {
            &[]
        }
    };
}

impl Layer for Upsample {
    fn nature(&self) -> Nature<'_> {
        let scaling = match self.size {
            UpsampleSize::Factor(_) => Scaling::Field,
            UpsampleSize::Size(_) => Scaling::Ratio,
            UpsampleSize::Like => Scaling::Like,
        };
        let nature = Nature::new(Family::Resize, Channels::Kept, Values::Moved, scaling);
        match &self.size {
            UpsampleSize::Size(size) => nature.stating(size),
            UpsampleSize::Factor(_) | UpsampleSize::Like => nature,
        }
    }

    moves!("upsample");

    /// Where the size is that of another value, its name is not the op's to know.
    fn arguments(&self) -> Vec<Argument> {
        let size = match &self.size {
            UpsampleSize::Factor(factor) => Argument::new("factor", ArgType::Sizes, arguments::list(factor)),
            UpsampleSize::Size(size) => Argument::new("size", ArgType::Sizes, arguments::list(size)),
            UpsampleSize::Like => Argument::new("like", ArgType::Operand, Value::Word(String::new())),
        };
        let mode = arguments::argument::<Choice<Interpolation>>("mode", &self.mode, Some("\"nearest\""));
        [size].into_iter().chain(mode).collect()
    }

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        rules::need_map(inputs[0])?;
        match &self.size {
            UpsampleSize::Like => like(inputs),
            UpsampleSize::Size(size) => rules::bounded(inputs[0].with_spatial(size)),
            UpsampleSize::Factor(factor) => {
                let grown = inputs[0].spatial().iter().zip(factor).map(|(&size, &f)| size.checked_mul(f));
                let grown: Option<Vec<usize>> = grown.collect();
                rules::bounded(inputs[0].with_spatial(&grown.ok_or(ShapeError::Overflow)?))
            }
        }
    }

    /// One sample, or two neighbours; a size that is no multiple counts with its ratio rounded up.
    fn field(&self, inputs: &[&Shape]) -> Field {
        let to = match &self.size {
            UpsampleSize::Factor(factor) => {
                let extent = factor.iter().map(|&f| self.mode.reach(f));
                return Field::Spread { extent: extent.collect(), factor: factor.clone() };
            }
            UpsampleSize::Size(size) => size.as_slice(),
            UpsampleSize::Like => inputs[1].spatial(),
        };
        let from = inputs[0].spatial();
        if from.iter().zip(to).any(|(from, to)| from > to) {
            let stride = from.iter().zip(to).map(|(from, to)| (from / to).max(1)).collect();
            let taps = if self.mode == Interpolation::Bilinear { 2 } else { 1 };
            return Field::Window { extent: vec![taps; to.len()], stride };
        }
        let factor: Vec<usize> = from.iter().zip(to).map(|(from, to)| to.div_ceil(*from)).collect();
        let extent = factor.iter().map(|&f| self.mode.reach(f));
        Field::Spread { extent: extent.collect(), factor: factor.clone() }
    }

    fn detail(&self) -> String {
        let size = match &self.size {
            UpsampleSize::Factor(factor) => format!("×{}", rules::short(factor)),
            UpsampleSize::Size(size) => format!("to {}", rules::times(size)),
            UpsampleSize::Like => "like".into(),
        };
        if self.mode == Interpolation::Bilinear { size + " bilinear" } else { size }
    }
}

impl Layer for Pad {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Resize, Channels::Kept, Values::Moved, Scaling::Field)
    }

    moves!();
    declared!(but detail);

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        rules::need_map(inputs[0])?;
        let mut spatial = Vec::new();
        for (i, (&size, &(before, after))) in inputs[0].spatial().iter().zip(&self.amount).enumerate() {
            if self.mode == PadMode::Reflect && before.max(after) >= size {
                let name = super::error::axis_name(inputs[0].rank(), i + 2);
                let message =
                    format!("a reflecting pad of {} needs a {name} above it, and this is {size}", before.max(after));
                return Err(ShapeError::other(message, None));
            }
            let padded = size.checked_add(before).and_then(|n| n.checked_add(after));
            spatial.push(padded.ok_or(ShapeError::Overflow)?);
        }
        rules::bounded(inputs[0].with_spatial(&spatial))
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }

    fn detail(&self) -> String {
        let amounts: Vec<String> = match self.amount.iter().all(|(before, after)| before == after) {
            true => self.amount.iter().map(|(n, _)| n.to_string()).collect(),
            false => self.amount.iter().map(|(before, after)| format!("{before}+{after}")).collect(),
        };
        let amount = match amounts.as_slice() {
            [first, rest @ ..] if rest.iter().all(|a| a == first) => first.clone(),
            _ => amounts.join("×"),
        };
        match self.mode {
            PadMode::Zero => amount,
            PadMode::Reflect => amount + " reflect",
            PadMode::Replicate => amount + " replicate",
        }
    }
}

impl Layer for Crop {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Resize, Channels::Kept, Values::Moved, Scaling::Field).stating(&self.size)
    }

    moves!();
    declared!();

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        rules::need_map(inputs[0])?;
        need_room(inputs[0], &self.size)?;
        Ok(inputs[0].with_spatial(&self.size))
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }
}

impl Layer for CropLike {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Resize, Channels::Kept, Values::Moved, Scaling::Field)
    }

    moves!("fit_crop");
    no_arguments!();

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let fitted = like(inputs)?;
        need_room(inputs[0], fitted.spatial())?;
        Ok(fitted)
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }

    fn detail(&self) -> String {
        String::new()
    }
}

impl Layer for PadLike {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Resize, Channels::Kept, Values::Moved, Scaling::Field)
    }

    moves!("fit_pad");
    no_arguments!();

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let fitted = like(inputs)?;
        let smaller = fitted.spatial().iter().zip(inputs[0].spatial()).enumerate().find(|(_, (to, from))| to < from);
        match smaller {
            None => Ok(fitted),
            Some((i, (&expected, &found))) => Err(ShapeError::Mismatch { operand: 0, axis: i + 2, expected, found }),
        }
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Pointwise
    }

    fn detail(&self) -> String {
        String::new()
    }
}

impl Layer for ZeroPad {
    fn nature(&self) -> Nature<'_> {
        Nature::new(Family::Resize, Channels::Moved, Values::Moved, Scaling::Field)
    }

    moves!("zero_pad");
    no_arguments!();

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        rules::need_map(inputs[0])?;
        let channels = inputs[0].dims()[0];
        if self.width < channels {
            let message = format!("`zero_pad` can only add channels: it has {channels}, and {} are wanted", self.width);
            return Err(ShapeError::other(message, None));
        }
        let spatial = inputs[0].spatial().iter().zip(&self.stride).map(|(&size, &step)| size.div_ceil(step));
        let spatial: Vec<usize> = spatial.collect();
        rules::bounded(inputs[0].with_spatial(&spatial).with_channels(self.width))
    }

    fn field(&self, _: &[&Shape]) -> Field {
        Field::Window { extent: vec![1; self.stride.len()], stride: self.stride.clone() }
    }

    fn detail(&self) -> String {
        rules::slash(&self.stride).trim_start().into()
    }
}
