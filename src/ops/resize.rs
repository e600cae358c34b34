//! Spatial sizes made larger or smaller.

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

/// Padding of each spatial axis by `(before, after)`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pad {
    /// One pair per spatial axis.
    pub amount: Vec<(usize, usize)>,
    /// Filled with what.
    pub mode: PadMode,
}

/// Centre crop to `size`; the offset is `⌊(in − size) / 2⌋`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crop {
    /// One entry per spatial axis.
    pub size: Vec<usize>,
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
