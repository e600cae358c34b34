//! What convolutions and pools slide: a window, and the padding around what it slides over.

use super::item::Value;
use super::lift::Lift;
use super::reader::{Read, Reader};
use super::refused::Refused;
use crate::ops::resize::{Pad, PadMode};

/// A sliding window.
pub(super) struct Window {
    pub kernel: Vec<usize>,
    pub stride: Vec<usize>,
    pub dilation: Vec<usize>,
}

/// How much there is before and after each axis.
pub(super) type Pads = Vec<(usize, usize)>;

impl Window {
    /// What it reaches over along an axis.
    pub(super) fn extent(&self, i: usize) -> usize {
        (self.kernel[i] - 1) * self.dilation[i] + 1
    }
}

/// What `auto_pad` says.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Auto {
    /// `pads` say it.
    No,
    /// No padding.
    Valid,
    /// So much that ⌈size / stride⌉ positions fit; of an odd amount the larger half behind.
    Upper,
    /// The same, the larger half before.
    Lower,
}

/// `auto_pad` and `pads`, of which only one may say something.
pub(super) fn padding(node: &mut Reader, axes: usize) -> Read<(Auto, Pads)> {
    let auto = match node.word("auto_pad", "NOTSET")?.as_str() {
        "NOTSET" | "" => Auto::No,
        "VALID" => Auto::Valid,
        "SAME_UPPER" => Auto::Upper,
        "SAME_LOWER" => Auto::Lower,
        other => return Err(format!("has `auto_pad` = \"{other}\", which is no way to pad").into()),
    };
    let pads = node.sizes("pads", 2 * axes, 0)?;
    if auto != Auto::No && pads.iter().any(|&p| p != 0) {
        return Err(format!("has `auto_pad` and `pads` = {pads:?}, of which only one may pad").into());
    }
    Ok((auto, (0..axes).map(|i| (pads[i], pads[i + axes])).collect()))
}

impl Auto {
    /// An amount in two parts.
    pub(super) fn halves(self, amount: usize) -> (usize, usize) {
        let half = amount / 2;
        if self == Self::Lower { (amount - half, half) } else { (half, amount - half) }
    }
}

impl Lift<'_> {
    /// Padding before and after each axis, as `pads` or `auto_pad` say.
    pub(super) fn pads(&self, x: usize, window: &Window, node: &mut Reader) -> Read<Pads> {
        let (auto, pads) = padding(node, window.kernel.len())?;
        if !matches!(auto, Auto::Upper | Auto::Lower) {
            return Ok(pads);
        }
        if window.dilation.iter().any(|&d| d != 1) {
            // Whether the dilated window counts is not agreed on; ONNX Runtime refuses such convolutions.
            let why = format!("has both `auto_pad` and `dilations` = {:?}", window.dilation);
            let help = "torch.onnx.export(model, (example,), \"net.onnx\", dynamo=True) writes the padding in numbers";
            return Err(Refused::from(why).help(help));
        }
        let pair = |i: usize| {
            let (size, stride) = (self.items[x].dims[i + 2], window.stride[i]);
            auto.halves(((size.div_ceil(stride) - 1) * stride + window.extent(i)).saturating_sub(size))
        };
        Ok((0..pads.len()).map(pair).collect())
    }

    /// Padding of a window's axes with zeros: the same on both sides, after a `pad` of its own where the file's is not.
    pub(super) fn even_pads(&mut self, x: usize, window: &Window, node: &mut Reader) -> Read<(usize, Vec<usize>)> {
        let pads = self.pads(x, window, node)?;
        if pads.iter().all(|(a, b)| a == b) {
            return Ok((x, pads.into_iter().map(|(a, _)| a).collect()));
        }
        let axes = pads.len();
        Ok((self.padded(x, pads, PadMode::Zero)?, vec![0; axes]))
    }

    /// A value with padding around it.
    pub(super) fn padded(&mut self, x: usize, amount: Pads, mode: PadMode) -> Read<usize> {
        match self.layer(Pad { amount, mode }, vec![x], Vec::new())? {
            Value::Item(padded) => Ok(padded),
            _ => Err("cannot be padded".into()),
        }
    }

    /// The window of an operator on an item. `dilated` says whether its version has `dilations`.
    pub(super) fn window(&self, x: usize, kernel: Vec<usize>, dilated: bool, node: &mut Reader) -> Read<Window> {
        let axes = kernel.len();
        if self.items[x].dims.len() != axes + 2 || !matches!(axes, 1 | 2) {
            let why = format!("has a window {kernel:?}; the language's layers work on [N, C, L] and [N, C, H, W]");
            return Err(why.into());
        }
        let stride = node.sizes("strides", axes, 1)?;
        let dilation = if dilated { node.sizes("dilations", axes, 1)? } else { vec![1; axes] };
        for (name, sizes) in [("kernel_shape", &kernel), ("strides", &stride), ("dilations", &dilation)] {
            if sizes.iter().any(|&n| n == 0 || n > 1 << 20) {
                return Err(format!("has `{name}` = {sizes:?}, which cannot be").into());
            }
        }
        Ok(Window { kernel, stride, dilation })
    }
}
