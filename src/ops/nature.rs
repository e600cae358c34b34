//! What kind of op an op is: facts that passes, pictures and exports ask of every op, each told by the op itself.

use super::Op;

/// What an op is good for, as textbooks sort layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A network input.
    Input,
    /// Sums of products over windows.
    Convolution,
    /// Sums of products over channels, or a learned factor of each.
    Linear,
    /// Means and variances made alike.
    Norm,
    /// A function without sums.
    Activation,
    /// Maxima and means over windows.
    Pool,
    /// Spatial sizes changed. A second operand tells a size, and its values are not read.
    Resize,
    /// What acts in training only.
    Regularization,
    /// The same numbers under other axes.
    View,
    /// Several values made one.
    Merge(Merge),
}

/// How values are made one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Their sum.
    Add,
    /// One after another.
    Concat,
    /// Their product.
    Mul,
    /// One of them as much as a gate is open, the other as much as it is shut.
    Gate,
}

/// What a channel of the result is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Of the same channel of each operand; of `concat`, of the operand that it comes from.
    Kept,
    /// Of weighted sums of channels.
    Mixed,
    /// Of others than the same.
    Moved,
}

/// What a number of the result is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Of the numbers at the same place, and of nothing else.
    Elementwise,
    /// It is a number of operand 0, lies between some of them, or is 0.
    Moved,
    /// Of several numbers.
    Computed,
}

/// What the resolution of the result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// The operand's by the strides and factors of [`super::Layer::field`].
    Field,
    /// The operand's by the exact ratio of sizes.
    Ratio,
    /// The same, and one position stays one at every size of the input.
    Global,
    /// Operand 1's.
    Like,
    /// The operand's; a vector's axes begin here.
    Begins,
    /// That of an operand as large as the result.
    Meets,
}

/// The facts of an op.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nature<'a> {
    /// What it is good for.
    pub family: Family,
    /// What its channels are made of.
    pub channels: Channels,
    /// What its numbers are made of.
    pub values: Values,
    /// What its resolution is.
    pub scaling: Scaling,
    /// The sizes that it gives whatever its operand's are, where they may be meant to follow from it.
    pub sizes: Option<&'a [usize]>,
}

impl<'a> Nature<'a> {
    /// Of an op that states no size.
    pub const fn new(family: Family, channels: Channels, values: Values, scaling: Scaling) -> Self {
        Self { family, channels, values, scaling, sizes: None }
    }

    /// The same with sizes that are stated.
    pub const fn stating(self, sizes: &'a [usize]) -> Self {
        Self { sizes: Some(sizes), ..self }
    }
}

impl Op {
    /// What the op tells of itself.
    pub fn nature(&self) -> Nature<'_> {
        self.layer().nature()
    }

    /// What it is good for.
    pub fn family(&self) -> Family {
        self.nature().family
    }

    /// Whether it makes one value of several.
    pub fn is_merge(&self) -> bool {
        matches!(self.family(), Family::Merge(_))
    }

    /// Whether it has weights that make each channel of all.
    pub fn mixes_channels(&self) -> bool {
        self.nature().channels == Channels::Mixed
    }

    /// Whether it reads the numbers of an operand, not only its size.
    pub fn reads_values(&self, operand: usize) -> bool {
        operand == 0 || self.family() != Family::Resize
    }

    /// Whether it is the crop or padding of a skip's `fit`.
    pub fn is_fit(&self) -> bool {
        matches!(self, Self::CropLike(_)) || matches!(self, Self::PadLike(_))
    }

    /// Whether two ops are the same at different sizes of the input: those that they state may differ.
    pub fn same_but_sizes(&self, other: &Self) -> bool {
        let stated = |op: &Self| op.nature().sizes.map(<[usize]>::len);
        let rest = |op: &Self| {
            op.layer().arguments().into_iter().filter(|a| !matches!(a.name, "size" | "dims")).collect::<Vec<_>>()
        };
        match (stated(self), stated(other)) {
            (Some(a), Some(b)) => a == b && self.layer().kind() == other.layer().kind() && rest(self) == rest(other),
            (None, None) if self.family() == Family::Input => other.family() == Family::Input,
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::resize::{Crop, Interpolation, Upsample, UpsampleSize};

    #[test]
    fn only_stated_sizes_may_differ() {
        let upsample = |size, mode| Op::from(Upsample { size, mode });
        let (nearest, bilinear) = (Interpolation::Nearest, Interpolation::Bilinear);
        let to = |n| UpsampleSize::Size(vec![n, n]);
        assert!(upsample(to(4), nearest).same_but_sizes(&upsample(to(6), nearest)));
        assert!(!upsample(to(4), nearest).same_but_sizes(&upsample(to(6), bilinear)));
        let by = |n| UpsampleSize::Factor(vec![n, n]);
        assert!(!upsample(by(2), nearest).same_but_sizes(&upsample(by(3), nearest)));
        let crop = |size: &[usize]| Op::from(Crop { size: size.to_vec() });
        assert!(crop(&[3, 3]).same_but_sizes(&crop(&[5, 4])) && !crop(&[3, 3]).same_but_sizes(&crop(&[3])));
    }
}
