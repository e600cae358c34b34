//! Operators that are layers.

use super::attrs::Attrs;
use super::fold::{known, transposed};
use super::item::{Raw, Value};
use super::lift::{Lift, Refused};
use super::tensor::Tensor;
use crate::ops::activation::{Activation, Prelu, Softmax};
use crate::ops::conv::{Conv, ConvTranspose};
use crate::ops::linear::Linear;
use crate::ops::merge::Concat;
use crate::ops::norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};
use crate::ops::resize::{Pad, PadMode};
use crate::ops::{Init, Op};
use std::rc::Rc;

pub(super) type Made = Result<Value, Refused>;

impl Lift<'_> {
    /// What an operator gives.
    pub(super) fn operator(&mut self, op: &str, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let x = match inputs.first() {
            Some(Some(Value::Item(x))) => *x,
            _ if matches!(op, "Add" | "Mul" | "Sub" | "Div" | "MatMul" | "Constant" | "Shape") => usize::MAX,
            _ => return Err("has a first operand that is no computed value".into()),
        };
        if let Some(function) = function(op, attrs) {
            return self.layer(function?, vec![x], Vec::new());
        }
        match op {
            "Constant" => constant(attrs),
            "Shape" => self.sizes_of(inputs, attrs),
            "Add" | "Sum" | "Mul" | "Sub" | "Div" => self.arithmetic(op, inputs),
            "Identity" | "Dropout" | "Cast" => Ok(Value::Item(x)),
            "Conv" => self.conv(x, inputs, attrs),
            "ConvTranspose" => self.conv_transpose(x, inputs, attrs),
            "Gemm" => self.gemm(x, inputs, attrs),
            "MatMul" => self.matmul(inputs),
            "BatchNormalization" => self.batch_norm(x, inputs, attrs),
            "InstanceNormalization" => self.instance_norm(x, inputs, attrs),
            "LayerNormalization" => self.layer_norm(x, inputs, attrs),
            "GroupNormalization" => self.group_norm(x, inputs, attrs),
            "MaxPool" | "AveragePool" => self.pool(op, x, attrs),
            "GlobalAveragePool" | "GlobalMaxPool" => self.global(op == "GlobalMaxPool", x),
            "ReduceMean" | "ReduceMax" => self.reduce(op == "ReduceMax", x, inputs, attrs),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshaped(op, x, inputs, attrs),
            "Transpose" => self.transpose(x, attrs),
            "Resize" | "Upsample" => self.resize(op, x, inputs, attrs),
            "Pad" => self.pad(x, inputs, attrs),
            "Slice" => self.slice(x, inputs, attrs),
            "Concat" => self.concat(inputs, attrs),
            "Clip" => self.clip(x, inputs, attrs),
            "PRelu" => self.prelu(x, inputs),
            "Softmax" => self.softmax(x, attrs),
            "Erf" => Ok(self.raw(Raw::Erf, x, self.items[x].dims.clone())),
            _ => Err("is an operator that no layer stands for".into()),
        }
    }

    fn concat(&mut self, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let item = |value: &Option<Value>| match value {
            Some(Value::Item(i)) => Some(*i),
            _ => None,
        };
        let items: Vec<usize> = inputs.iter().map(item).collect::<Option<_>>().ok_or("joins a constant")?;
        let rank = items.first().map_or(0, |&i| self.items[i].dims.len()) as i64;
        let axis = attrs.int("axis", 1);
        if axis != 1 && axis + rank != 1 {
            return Err(format!("joins along axis {axis}; `concat` joins channels"));
        }
        match items.as_slice() {
            [one] => Ok(Value::Item(*one)),
            _ => self.layer(Concat {}, items, Vec::new()),
        }
    }

    /// A constant operand.
    pub(super) fn weight(&self, inputs: &[Option<Value>], i: usize, what: &str) -> Result<Rc<Tensor>, Refused> {
        match inputs.get(i).cloned().flatten() {
            Some(Value::Const(tensor)) => Ok(tensor),
            _ => Err(format!("has a {what} that is computed or missing")),
        }
    }

    /// Padding of a window's axes: the same on both sides, after a `pad` of its own where the file's is not.
    pub(super) fn even_pads(
        &mut self,
        x: usize,
        window: &Window,
        attrs: &Attrs,
    ) -> Result<(usize, Vec<usize>), Refused> {
        let pads = self.pads(x, window, attrs)?;
        if pads.iter().all(|(a, b)| a == b) {
            return Ok((x, pads.into_iter().map(|(a, _)| a).collect()));
        }
        let axes = pads.len();
        match self.layer(Pad { amount: pads, mode: PadMode::Zero }, vec![x], Vec::new())? {
            Value::Item(padded) => Ok((padded, vec![0; axes])),
            _ => Err("cannot be padded".into()),
        }
    }

    /// Padding before and after each axis, as `pads` or `auto_pad` say.
    pub(super) fn pads(&self, x: usize, window: &Window, attrs: &Attrs) -> Result<Vec<(usize, usize)>, Refused> {
        let axes = window.kernel.len();
        let auto = attrs.word("auto_pad");
        if auto == "SAME_UPPER" || auto == "SAME_LOWER" {
            let pair = |i: usize| {
                let (size, stride) = (self.items[x].dims[i + 2], window.stride[i]);
                let reach = (window.kernel[i] - 1) * window.dilation[i] + 1;
                let more = ((size.div_ceil(stride) - 1) * stride + reach).saturating_sub(size);
                if auto == "SAME_UPPER" { (more / 2, more - more / 2) } else { (more - more / 2, more / 2) }
            };
            return Ok((0..axes).map(pair).collect());
        }
        let pads = attrs.sizes("pads", 2 * axes, 0).ok_or("has padding that cannot be read")?;
        if pads.iter().any(|&p| p > 1 << 20) {
            return Err("has padding that cannot be".into());
        }
        Ok((0..axes).map(|i| (pads[i], pads[i + axes])).collect())
    }

    /// The window of an operator on an item.
    pub(super) fn window(&self, x: usize, kernel: Vec<usize>, attrs: &Attrs) -> Result<Window, Refused> {
        let axes = kernel.len();
        if self.items[x].dims.len() != axes + 2 || !matches!(axes, 1 | 2) {
            return Err("has a window that does not fit its operand; layers work on [N, C, L] and [N, C, H, W]".into());
        }
        let stride = attrs.sizes("strides", axes, 1).filter(|s| !s.contains(&0));
        let dilation = attrs.sizes("dilations", axes, 1).filter(|s| !s.contains(&0));
        let (Some(stride), Some(dilation)) = (stride, dilation) else {
            return Err("has strides that cannot be".into());
        };
        let sound = kernel.iter().chain(&stride).chain(&dilation).all(|&n| n <= 1 << 20) && !kernel.contains(&0);
        if sound { Ok(Window { kernel, stride, dilation }) } else { Err("has a window that cannot be".into()) }
    }

    fn conv(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let weight = self.weight(inputs, 1, "weight")?;
        let [width, _, kernel @ ..] = weight.dims.as_slice() else { return Err("has a weight of too few axes".into()) };
        let window = self.window(x, kernel.to_vec(), attrs)?;
        let (x, pad) = self.even_pads(x, &window, attrs)?;
        let groups = count(attrs, "group")?;
        let (width, Window { kernel, stride, dilation }) = (*width, window);
        let bias = inputs.len() > 2;
        let params = self.with_bias(weight, inputs, 2)?;
        let (init, bias_init) = (Init::KaimingNormal, None);
        self.layer(Conv { width, kernel, stride, pad, dilation, groups, bias, init, bias_init }, vec![x], params)
    }

    fn conv_transpose(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let weight = self.weight(inputs, 1, "weight")?;
        let [_, width, kernel @ ..] = weight.dims.as_slice() else { return Err("has a weight of too few axes".into()) };
        let window = self.window(x, kernel.to_vec(), attrs)?;
        let pads = self.pads(x, &window, attrs)?;
        if attrs.ints("output_shape").is_some() || pads.iter().any(|(a, b)| a != b) {
            return Err("has uneven padding".into());
        }
        let groups = count(attrs, "group")?;
        let width = width.checked_mul(groups).ok_or("is too wide")?;
        let out_pad = attrs.sizes("output_padding", window.kernel.len(), 0).ok_or("has padding that cannot be read")?;
        let Window { kernel, stride, dilation } = window;
        let pad = pads.into_iter().map(|(a, _)| a).collect();
        let bias = inputs.len() > 2;
        let params = self.with_bias(weight, inputs, 2)?;
        let (init, bias_init) = (Init::KaimingNormal, None);
        let op = ConvTranspose { width, kernel, stride, pad, out_pad, dilation, groups, bias, init, bias_init };
        self.layer(op, vec![x], params)
    }

    fn with_bias(
        &self,
        weight: Rc<Tensor>,
        inputs: &[Option<Value>],
        i: usize,
    ) -> Result<Vec<(&'static str, Rc<Tensor>)>, Refused> {
        let mut params = vec![("weight", weight)];
        if inputs.len() > i {
            params.push(("bias", self.weight(inputs, i, "bias")?));
        }
        Ok(params)
    }

    fn gemm(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        if attrs.int("transA", 0) != 0 || attrs.float("alpha", 1.0) != 1.0 || attrs.float("beta", 1.0) != 1.0 {
            return Err("scales or turns its operands".into());
        }
        let weight = self.weight(inputs, 1, "weight")?;
        let bias = match inputs.get(2).cloned().flatten() {
            Some(_) => Some(self.weight(inputs, 2, "bias")?),
            None => None,
        };
        self.linear(x, weight, attrs.int("transB", 0) != 0, bias)
    }

    /// `x·W + b`, or `x·Wᵀ + b` where the weight is `turned` as a linear layer's is.
    pub(super) fn linear(&mut self, x: usize, weight: Rc<Tensor>, turned: bool, bias: Option<Rc<Tensor>>) -> Made {
        let &[rows, columns] = weight.dims.as_slice() else { return Err("has a weight that is no matrix".into()) };
        let weight = if turned { weight } else { Rc::new(transposed(&weight, rows, columns)) };
        let width = weight.dims[0];
        let mut params = vec![("weight", weight)];
        if let Some(bias) = &bias {
            let flat = if bias.len() == width { bias.with_dims(vec![width]) } else { (**bias).clone() };
            params.push(("bias", Rc::new(flat)));
        }
        let op = Linear { width, bias: bias.is_some(), init: None, bias_init: None };
        self.layer(op, vec![x], params)
    }

    fn matmul(&mut self, inputs: &[Option<Value>]) -> Made {
        match (inputs.first(), inputs.get(1)) {
            (Some(Some(Value::Item(x))), Some(Some(Value::Const(w)))) if self.items[*x].dims.len() == 2 => {
                self.linear(*x, w.clone(), false, None)
            }
            (Some(Some(Value::Item(x))), Some(Some(Value::Const(w)))) if w.dims.len() == 2 => {
                self.times_right(*x, w.clone())
            }
            (Some(Some(Value::Const(w))), Some(Some(Value::Item(x)))) if w.dims.len() == 2 => {
                self.times_left(*x, w.clone())
            }
            _ => Err("multiplies two values that are both computed".into()),
        }
    }

    fn batch_norm(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        if attrs.int("training_mode", 0) != 0 {
            return Err("is in training mode".into());
        }
        let names = ["weight", "bias", "running_mean", "running_var"];
        let params = names.iter().enumerate().map(|(i, name)| Ok((*name, self.weight(inputs, i + 1, name)?)));
        let params = params.collect::<Result<Vec<_>, Refused>>()?;
        let momentum = 1.0 - attrs.float("momentum", 0.9);
        let momentum = ((momentum * 1e6).round() / 1e6).clamp(0.0, 1.0);
        let eps = attrs.float("epsilon", 1e-5);
        self.layer(BatchNorm { eps, momentum, affine: true, weight_init: 1.0, bias_init: 0.0 }, vec![x], params)
    }

    fn instance_norm(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let params = vec![("weight", self.weight(inputs, 1, "weight")?), ("bias", self.weight(inputs, 2, "bias")?)];
        let eps = attrs.float("epsilon", 1e-5);
        self.layer(InstanceNorm { eps, affine: true }, vec![x], params)
    }

    fn group_norm(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let channels = self.items[x].dims.get(1).copied().unwrap_or(0);
        let groups = count(attrs, "num_groups")?;
        let spread = |tensor: Rc<Tensor>| match tensor.len() {
            // Before opset 21, one number a group.
            n if n == groups && n != channels && n > 0 => {
                let each = channels / n;
                let values = tensor.floats().iter().flat_map(|&v| std::iter::repeat_n(v, each)).collect();
                Rc::new(Tensor::floats_of(vec![each * n], values, &tensor.name))
            }
            _ => tensor,
        };
        let (weight, bias) = (self.weight(inputs, 1, "weight")?, self.weight(inputs, 2, "bias")?);
        let params = vec![("weight", spread(weight)), ("bias", spread(bias))];
        let eps = attrs.float("epsilon", 1e-5);
        self.layer(GroupNorm { groups, eps, affine: true }, vec![x], params)
    }

    /// Of vectors; of a map whose channels were moved to the end, what becomes a layer when they are moved back.
    fn layer_norm(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let dims = self.items[x].dims.clone();
        let axis = attrs.int("axis", -1);
        if axis != -1 && axis != dims.len() as i64 - 1 {
            return Err("is over more than the last axis".into());
        }
        let eps = attrs.float("epsilon", 1e-5);
        let weight = self.weight(inputs, 1, "weight")?;
        let zeros = || Rc::new(Tensor::floats_of(weight.dims.clone(), vec![0.0; weight.len()], ""));
        let bias = if inputs.len() > 2 { self.weight(inputs, 2, "bias")? } else { zeros() };
        let params = vec![("weight", weight), ("bias", bias)];
        if dims.len() == 2 {
            return self.layer(LayerNorm { eps, affine: true }, vec![x], params);
        }
        let kind = super::item::Kind::Raw(Raw::NormLast(eps));
        Ok(Value::Item(self.push(kind, vec![x], params, dims)))
    }

    fn clip(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let limit = |i: usize, name: &str, otherwise: f64| match inputs.get(i).cloned().flatten() {
            Some(Value::Const(tensor)) => tensor.single().ok_or("has a limit that is no number"),
            Some(_) => Err("has a limit that is computed"),
            None => Ok(attrs.float(name, otherwise)),
        };
        let (low, high) = (limit(1, "min", f64::NEG_INFINITY)?, limit(2, "max", f64::INFINITY)?);
        match (low, high) {
            (0.0, 6.0) => self.layer(Activation::Relu6, vec![x], Vec::new()),
            (0.0, h) if h >= f64::from(f32::MAX) => self.layer(Activation::Relu, vec![x], Vec::new()),
            _ => Err(format!("clips to {low} … {high}; layers clip to 0 … and to 0 … 6")),
        }
    }

    fn prelu(&mut self, x: usize, inputs: &[Option<Value>]) -> Made {
        let slope = self.weight(inputs, 1, "slope")?;
        let channels = self.items[x].dims.get(1).copied().unwrap_or(0);
        let shared = slope.len() == 1;
        if !shared && slope.len() != channels {
            return Err("has slopes that are neither one nor one a channel".into());
        }
        let slope = Rc::new(slope.with_dims(vec![slope.len()]));
        self.layer(Prelu { init: 0.25, shared }, vec![x], vec![("weight", slope)])
    }

    fn softmax(&mut self, x: usize, attrs: &Attrs) -> Made {
        let rank = self.items[x].dims.len() as i64;
        let axis = attrs.int("axis", if self.opset < 13 { 1 } else { -1 });
        let axis = if axis < 0 { axis + rank } else { axis };
        match axis == 1 && (rank == 2 || self.opset >= 13) {
            true => self.layer(Op::from(Softmax {}), vec![x], Vec::new()),
            false => Err(format!("is over axis {axis}; `softmax` is over the channels")),
        }
    }
}

/// The activation that an operator is, if it is one; an error where its attributes make it another.
fn function(op: &str, attrs: &Attrs) -> Option<Result<Activation, Refused>> {
    Some(Ok(match op {
        "Relu" => Activation::Relu,
        "Sigmoid" => Activation::Sigmoid,
        "Tanh" => Activation::Tanh,
        "HardSwish" => Activation::HardSwish,
        "Swish" => Activation::Silu,
        "LeakyRelu" => Activation::LeakyRelu { slope: attrs.float("alpha", 0.01) },
        "Elu" => Activation::Elu { alpha: attrs.float("alpha", 1.0) },
        "Gelu" if attrs.word("approximate") != "tanh" => Activation::Gelu,
        "HardSigmoid" => {
            let sixth = (attrs.float("alpha", 0.2) * 6.0 - 1.0).abs() < 1e-5;
            match sixth && attrs.float("beta", 0.5) == 0.5 {
                true => Activation::HardSigmoid,
                false => return Some(Err("has another slope than 1/6".into())),
            }
        }
        _ => return None,
    }))
}

/// A sliding window.
pub(super) struct Window {
    pub kernel: Vec<usize>,
    pub stride: Vec<usize>,
    pub dilation: Vec<usize>,
}

fn count(attrs: &Attrs, name: &str) -> Result<usize, Refused> {
    usize::try_from(attrs.int(name, 1)).ok().filter(|&n| n > 0).ok_or_else(|| format!("has a `{name}` that cannot be"))
}

fn constant(attrs: &Attrs) -> Made {
    let ints = attrs.ints("value_ints").map(Tensor::whole);
    let int = || {
        Some(Tensor::whole_of(Vec::new(), &[attrs.int("value_int", i64::MIN) as f64]))
            .filter(|_| attrs.int("value_int", i64::MIN) != i64::MIN)
    };
    let float =
        || Some(attrs.float("value_float", f64::NAN)).filter(|x| !x.is_nan()).map(|x| Tensor::of(Vec::new(), vec![x]));
    let floats = || attrs.floats("value_floats").map(|v| Tensor::of(vec![v.len()], v));
    let tensor = attrs.tensor("value").or(ints).or_else(int).or_else(float).or_else(floats);
    tensor.map(known).ok_or_else(|| "holds a constant that is not read".into())
}
