//! Convolutions and affine maps.

use super::fold_places::{transposed, turned};
use super::item::{Kind, Raw, Value};
use super::lift::Lift;
use super::operators::{Made, Operator, Params, read};
use super::reader::{Read, Reader};
use super::tensor::Tensor;
use super::windows::{Auto, Window, padding};
use crate::ops::conv::{Conv, ConvTranspose};
use crate::ops::linear::Linear;
use crate::ops::resize::Crop;
use crate::ops::structure::Flatten;
use crate::ops::{Init, Op};
use std::rc::Rc;

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] = &[
    read("Conv", &[1, 11, 22], |lift, node| lift.conv(node)),
    read("ConvTranspose", &[1, 11, 22], |lift, node| lift.conv_transpose(node)),
    read("Gemm", &[7, 9, 11, 13], |lift, node| lift.gemm(node)),
    read("MatMul", &[1, 9, 13], |lift, node| lift.matmul(node)),
];

impl Lift<'_> {
    pub(super) fn conv(&mut self, node: &mut Reader) -> Made {
        let (x, weight) = (node.item(0)?, node.weight(1, "weight")?);
        let [width, _, kernel @ ..] = weight.dims.as_slice() else { return Err("has a weight of too few axes".into()) };
        let width = *width;
        let window = self.weight_window(x, kernel, node)?;
        let (x, pad) = self.even_pads(x, &window, node)?;
        let groups = node.number_of("group")?;
        let Window { kernel, stride, dilation } = window;
        let (params, bias) = with_bias(weight, node)?;
        let (init, bias_init) = (Init::KaimingNormal, None);
        self.layer(Conv { width, kernel, stride, pad, dilation, groups, bias, init, bias_init }, vec![x], params)
    }

    /// The window of a weight, which `kernel_shape` may repeat.
    fn weight_window(&self, x: usize, kernel: &[usize], node: &mut Reader) -> Read<Window> {
        match node.ints("kernel_shape")? {
            Some(said) if said.iter().map(|&k| usize::try_from(k).ok()).ne(kernel.iter().map(|&k| Some(k))) => {
                Err(format!("has `kernel_shape` = {said:?}, and a weight of {kernel:?}").into())
            }
            _ => self.window(x, kernel.to_vec(), true, node),
        }
    }

    pub(super) fn conv_transpose(&mut self, node: &mut Reader) -> Made {
        let (x, weight) = (node.item(0)?, node.weight(1, "weight")?);
        let [_, width, kernel @ ..] = weight.dims.as_slice() else { return Err("has a weight of too few axes".into()) };
        let width = *width;
        let window = self.weight_window(x, kernel, node)?;
        let cut = self.cuts(x, &window, node)?;
        cut.iter().enumerate().try_for_each(|(i, cut)| cut.fits(window.stride[i], window.dilation[i]))?;
        let groups = node.number_of("group")?;
        let width = width.checked_mul(groups).ok_or("is too wide")?;
        let (params, bias) = with_bias(weight, node)?;
        let Window { kernel, stride, dilation } = window;
        let (pad, out_pad) = (cut.iter().map(|c| c.pad).collect(), cut.iter().map(|c| c.out_pad).collect());
        let (init, bias_init) = (Init::KaimingNormal, None);
        let op = ConvTranspose { width, kernel, stride, pad, out_pad, dilation, groups, bias, init, bias_init };
        let made = self.layer(op, vec![x], params)?;
        match made {
            Value::Item(id) if cut.iter().any(|c| c.last) => {
                let sizes = self.items[id].dims.iter().skip(2).zip(&cut);
                let size = sizes.map(|(&size, c)| size.saturating_sub(usize::from(c.last)).max(1)).collect();
                self.layer(Crop { size }, vec![id], Vec::new())
            }
            made => Ok(made),
        }
    }

    /// What of a transposed convolution's result is cut off at both ends, by `pads`, `auto_pad` or `output_shape`.
    fn cuts(&self, x: usize, window: &Window, node: &mut Reader) -> Read<Vec<Cut>> {
        let axes = window.kernel.len();
        let out_pad = node.sizes("output_padding", axes, 0)?;
        let (auto, pads) = padding(node, axes)?;
        let sizes = &self.items[x].dims[2..];
        let wanted: Option<Vec<usize>> = match node.ints("output_shape")? {
            Some(said) => {
                let said: Vec<usize> = said.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
                // Some files say batch and channels as well.
                Some(if said.len() == axes + 2 { said[2..].to_vec() } else { said }).filter(|said| said.len() == axes)
            }
            None if matches!(auto, Auto::Upper | Auto::Lower) => {
                Some(sizes.iter().zip(&window.stride).map(|(&size, &stride)| size.saturating_mul(stride)).collect())
            }
            None => return (0..axes).map(|i| Cut::of(pads[i], out_pad[i])).collect(),
        };
        let wanted = wanted.ok_or("has an `output_shape` that does not fit")?;
        let each = (0..axes).map(|i| {
            let full = (sizes[i] - 1).saturating_mul(window.stride[i]) + window.extent(i) + out_pad[i];
            match full.checked_sub(wanted[i]) {
                Some(more) => {
                    Cut::of(if auto == Auto::Upper { auto.halves(more) } else { Auto::Lower.halves(more) }, out_pad[i])
                }
                None => Err(format!("gives {} positions where its window reaches {full}", wanted[i]).into()),
            }
        });
        each.collect()
    }

    /// `alpha·x·W + beta·b`, both factors taken into the weights.
    pub(super) fn gemm(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let weight = node.weight(1, "weight")?;
        let (alpha, beta) = (node.float("alpha", 1.0)?, node.float("beta", 1.0)?);
        if node.flag("transA")? {
            return Err("has `transA` = 1: the language's `linear` takes a vector of each sample".into());
        }
        let turned = node.flag("transB")?;
        let weight = scaled(weight, alpha);
        let width = weight.dims.get(usize::from(!turned)).copied().unwrap_or(0);
        let bias = match node.constant(2, "bias")? {
            None => None,
            Some(bias) => Some(scaled(spread(bias, width)?, beta)),
        };
        if self.items[x].dims.len() != 2 {
            return Err("multiplies what is no vector of each sample".into());
        }
        self.linear(x, weight, turned, bias)
    }

    /// `x·W + b`, or `x·Wᵀ + b` where the weight is `turned` as a linear layer's is.
    pub(super) fn linear(&mut self, x: usize, weight: Rc<Tensor>, turned: bool, bias: Option<Rc<Tensor>>) -> Made {
        let &[rows, columns] = weight.dims.as_slice() else { return Err("has a weight that is no matrix".into()) };
        let weight = if turned { weight } else { Rc::new(transposed(&weight, rows, columns)) };
        let width = weight.dims[0];
        let (x, weight) = self.unflattened(x, weight)?;
        let mut params = vec![("weight", weight)];
        params.extend(bias.as_ref().map(|bias| ("bias", bias.clone())));
        let op = Linear { width, bias: bias.is_some(), init: None, bias_init: None };
        self.layer(op, vec![x], params)
    }

    /// A vector whose numbers came in another order than a map's, and the weight that meets it, in the map's order.
    fn unflattened(&mut self, x: usize, weight: Rc<Tensor>) -> Read<(usize, Rc<Tensor>)> {
        let Kind::Raw(Raw::Flattened(perm)) = &self.items[x].kind else { return Ok((x, weight)) };
        let (perm, map) = (perm.clone(), self.items[x].inputs[0]);
        let dims = self.items[map].dims.clone();
        // The weight's columns as the file's map has them, and back to the order of this one.
        let theirs: Vec<usize> = perm[1..].iter().map(|&p| dims[p]).collect();
        if weight.dims[1] != theirs.iter().product::<usize>() {
            return Err("multiplies a matrix that does not fit".into());
        }
        let width = weight.dims[0];
        let spread = weight.with_dims([vec![width], theirs].concat());
        let back: Vec<usize> = (0..perm.len()).filter_map(|axis| perm.iter().position(|&p| p == axis)).collect();
        let own = turned(&spread, &back).ok_or("has a weight that is too large")?;
        let weight = Rc::new(own.with_dims(weight.dims.clone()).named(&weight.name));
        match self.layer(Flatten {}, vec![map], Vec::new())? {
            Value::Item(flat) => Ok((flat, weight)),
            _ => Err("is not computed".into()),
        }
    }

    pub(super) fn matmul(&mut self, node: &mut Reader) -> Made {
        match node.all()?.as_slice() {
            [Value::Item(x), Value::Const(w)] if w.dims.len() == 2 => match self.items[*x].dims.len() {
                2 => self.linear(*x, w.clone(), false, None),
                _ => self.at_every_position(*x, w.clone()),
            },
            [Value::Const(w), Value::Item(x)] if w.dims.len() == 2 => self.times_left(*x, w.clone()),
            [Value::Item(_), Value::Item(_)] => {
                Err("multiplies two values that are both computed; the language has no product of matrices".into())
            }
            _ => Err("multiplies a constant that is no matrix".into()),
        }
    }

    /// A linear map of the channels, where these were moved to the end: a 1×1 convolution.
    fn at_every_position(&mut self, x: usize, weight: Rc<Tensor>) -> Made {
        let (map, perm) = self.before_turn(x);
        let Some(perm) = perm.filter(|perm| perm.last() == Some(&1)) else { return self.times_right(x, weight) };
        let (from, width) = (weight.dims[0], weight.dims[1]);
        let axes = perm.len() - 2;
        let dims = [vec![width, from], vec![1; axes]].concat();
        let weight = Rc::new(transposed(&weight, from, width).with_dims(dims));
        let one = || vec![1; axes];
        let (kernel, stride, dilation, pad) = (one(), one(), one(), vec![0; axes]);
        let (init, bias_init) = (Init::KaimingNormal, None);
        let op = Conv { width, kernel, stride, pad, dilation, groups: 1, bias: false, init, bias_init };
        let made = self.layer(Op::from(op), vec![map], vec![("weight", weight)])?;
        self.turn_again(made, Some(perm))
    }
}

/// What of one axis a transposed convolution leaves out: as much at both ends, less what is added behind, and perhaps the
/// last position.
struct Cut {
    pad: usize,
    out_pad: usize,
    last: bool,
}

impl Cut {
    /// What is added behind is less than a step of the window, in `conv_transpose` as in PyTorch.
    fn fits(&self, stride: usize, dilation: usize) -> Read<()> {
        let most = stride.max(dilation);
        if self.out_pad < most {
            return Ok(());
        }
        Err(format!(
            "has `pads`, `output_shape` and `output_padding` that add {} positions behind; with steps of {most} \
             `conv_transpose` adds fewer than that",
            self.out_pad
        )
        .into())
    }

    fn of((before, after): (usize, usize), out_pad: usize) -> Read<Self> {
        let own = |pad, out_pad, last| Ok(Self { pad, out_pad, last });
        match (before + out_pad).checked_sub(after) {
            Some(out_pad) => own(before, out_pad, false),
            None if after == before + out_pad + 1 => own(before, 0, true),
            None => Err(format!(
                "cuts {before} positions before and {after} behind, `output_padding` {out_pad}; `conv_transpose` cuts as much before as behind"
            )
            .into()),
        }
    }
}

/// A weight and, where there is one, the third operand as its bias.
fn with_bias(weight: Rc<Tensor>, node: &mut Reader) -> Read<(Params, bool)> {
    let bias = node.constant(2, "bias")?;
    let there = bias.is_some();
    Ok(([("weight", weight)].into_iter().chain(bias.map(|bias| ("bias", bias))).collect(), there))
}

fn scaled(tensor: Rc<Tensor>, factor: f64) -> Rc<Tensor> {
    if factor == 1.0 {
        return tensor;
    }
    let values = tensor.floats().iter().map(|&v| (f64::from(v) * factor) as f32).collect();
    Rc::new(Tensor::floats_of(tensor.dims.clone(), values, &tensor.name))
}

/// A bias of one number for each of `width` features, of one that may be stretched.
fn spread(bias: Rc<Tensor>, width: usize) -> Read<Rc<Tensor>> {
    match bias.dims.as_slice() {
        [] | [1] | [1, 1] if width != 1 => {
            let value = bias.floats().first().copied().unwrap_or(0.0);
            Ok(Rc::new(Tensor::floats_of(vec![width], vec![value; width], &bias.name)))
        }
        [] => Ok(Rc::new(bias.with_dims(vec![1]))),
        &[n] | &[1, n] if n == width => Ok(Rc::new(bias.with_dims(vec![width]))),
        other => {
            Err(format!("has a bias {other:?}, which is not the same for all samples or does not fit {width}").into())
        }
    }
}
