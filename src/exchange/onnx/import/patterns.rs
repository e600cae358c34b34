//! Layers that a file spells out in sums and products.

use super::item::{BATCH, Item, Kind, Raw, Value};
use super::lift::Lift;
use super::operators::{Made, Operator, each};
use super::reader::{Read, Reader};
use super::refused::sizes_of;
use super::tensor::Tensor;
use crate::ops::Op;
use crate::ops::activation::Activation;
use crate::ops::conv::Conv;
use crate::ops::linear::Scale;
use crate::ops::merge::{Add, Gate, Mul};
use crate::ops::pool::MaxPool;
use crate::ops::{Init, linear::Linear};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] = &[
    each("Add", &[7, 13, 14], |lift, node| lift.arithmetic(node)),
    each("Div", &[7, 13, 14], |lift, node| lift.arithmetic(node)),
    each("Erf", &[9, 13], |lift, node| lift.erf(node)),
    each("Mean", &[8, 13], |lift, node| lift.arithmetic(node)),
    each("Mul", &[7, 13, 14], |lift, node| lift.arithmetic(node)),
    each("Neg", &[6, 13], |lift, node| lift.negative(node)),
    each("Sub", &[7, 13, 14], |lift, node| lift.arithmetic(node)),
    each("Sum", &[8, 13], |lift, node| lift.arithmetic(node)),
];

impl Lift<'_> {
    fn erf(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        Ok(self.raw(Raw::Erf, x, self.items[x].dims.clone()))
    }

    fn negative(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        self.affine(x, Some(Rc::new(Tensor::of(Vec::new(), vec![-1.0]))), None)
    }

    pub(super) fn arithmetic(&mut self, node: &mut Reader) -> Made {
        let (op, all) = (node.op(), node.all()?);
        if op == "Mean" || (op == "Sum" && all.len() != 2) {
            let items = all.iter().map(|v| if let Value::Item(i) = v { Some(*i) } else { None });
            let items = items.collect::<Option<Vec<_>>>().ok_or("adds a constant")?;
            return self.many(items, op == "Mean");
        }
        if let [Value::Item(a), Value::Item(b)] = all.as_slice()
            && let Some(made) = self.part_of_norm(op, *a, *b)
        {
            return made;
        }
        match (op, all.as_slice()) {
            ("Add" | "Sum", [Value::Item(a), Value::Item(b)]) => self.sum(*a, *b),
            ("Mul", [Value::Item(a), Value::Item(b)]) => self.product(*a, *b),
            ("Add" | "Sum", [Value::Item(x), Value::Const(c)] | [Value::Const(c), Value::Item(x)]) => {
                self.affine(*x, None, Some(c.clone()))
            }
            ("Mul", [Value::Item(x), Value::Const(c)] | [Value::Const(c), Value::Item(x)]) => {
                self.affine(*x, Some(c.clone()), None)
            }
            ("Sub", [Value::Item(x), Value::Const(c)]) => {
                let minus = Rc::new(map(c, |v| -v));
                self.affine(*x, None, Some(minus))
            }
            ("Sub", [Value::Const(c), Value::Item(x)]) => {
                let minus = Rc::new(Tensor::of(Vec::new(), vec![-1.0]));
                self.affine(*x, Some(minus), Some(c.clone()))
            }
            ("Div", [Value::Item(x), Value::Const(c)]) => {
                let inverse = Rc::new(map(c, |v| 1.0 / v));
                self.affine(*x, Some(inverse), None)
            }
            ("Sub" | "Div", [Value::Item(_), Value::Item(_)]) => {
                let what = if op == "Sub" { "difference" } else { "quotient" };
                Err(format!("is of two computed values; the language has no {what} of them").into())
            }
            _ => Err("divides a constant by a value, which no layer does".into()),
        }
    }

    /// `x · mul + add`: a bias of the layer before it, or a learned factor, or part of an activation.
    pub(super) fn affine(&mut self, x: usize, mul: Option<Rc<Tensor>>, add: Option<Rc<Tensor>>) -> Made {
        let item = self.items[x].clone();
        let channels = item.dims.get(1).copied().unwrap_or(0);
        if let (Some(add), None) = (&add, &mul)
            && let Some(bias) = per_channel(add, &item, channels)
            && let Some(made) = self.with_added(&item, bias)
        {
            return made;
        }
        let strange = |t: &&Rc<Tensor>| {
            t.dims.len() > item.dims.len() || (t.len() != 1 && per_channel(t, &item, channels).is_none())
        };
        if let Some(strange) = [&mul, &add].into_iter().flatten().find(strange) {
            let dims = sizes_of(&strange.dims);
            let why = format!("meets a constant {dims}, which is neither one number nor one a channel");
            return Err(why.into());
        }
        if let Some(made) = self.hard(x, &mul, &add) {
            return made;
        }
        // Single numbers after single numbers are one step.
        let (mut from, mut mul, mut add) = (x, mul, add);
        if let Kind::Raw(Raw::Affine { mul: m, add: a }) = &item.kind {
            let one = |t: &Option<Rc<Tensor>>, otherwise: f64| t.as_ref().map_or(Some(otherwise), |t| t.single());
            if let (Some(m), Some(a), Some(m2), Some(a2)) = (one(m, 1.0), one(a, 0.0), one(&mul, 1.0), one(&add, 0.0)) {
                let number = |v: f64| Some(Rc::new(Tensor::of(Vec::new(), vec![v])));
                (from, mul, add) = (item.inputs[0], number(m * m2), number(a * m2 + a2));
            } else if m.is_some() && a.is_none() && mul.is_none() {
                (from, mul) = (item.inputs[0], m.clone());
            }
        }
        if let Some(made) = self.gelu_of_scaled(from, &mul, &add) {
            return made;
        }
        Ok(self.raw(Raw::Affine { mul, add }, from, item.dims))
    }

    /// The layer before with this bias, if it has none.
    fn with_added(&mut self, item: &Item, bias: Vec<f32>) -> Option<Made> {
        let mut params = item.params.clone();
        let op = item.op()?;
        let op = if let Op::Linear(op) = op {
            (!op.bias).then(|| Op::from(Linear { bias: true, ..op.clone() }))?
        } else if let Op::Conv(op) = op {
            (!op.bias).then(|| Op::from(Conv { bias: true, ..op.clone() }))?
        } else {
            return None;
        };
        params.push(("bias", Rc::new(Tensor::floats_of(vec![bias.len()], bias, ""))));
        Some(self.layer(op, item.inputs.clone(), params))
    }

    /// `relu6(x + 3) / 6`, and `x·relu6(x + 3) / 6` whose product came first.
    fn hard(&mut self, x: usize, mul: &Option<Rc<Tensor>>, add: &Option<Rc<Tensor>>) -> Option<Made> {
        let sixth = mul.as_ref()?.single().is_some_and(|m| (m * 6.0 - 1.0).abs() < 1e-6) && add.is_none();
        if !sixth {
            return None;
        }
        if let Some(from) = self.shifted_relu6(x) {
            return Some(self.layer(Activation::HardSigmoid, vec![from], Vec::new()));
        }
        let item = &self.items[x];
        let [a, b] = item.inputs.as_slice() else { return None };
        let (a, b) = (*a, *b);
        let product = matches!(item.op(), Some(Op::Mul(_)));
        let whole = product && (self.shifted_relu6(b) == Some(a) || self.shifted_relu6(a) == Some(b));
        let from = if self.shifted_relu6(b) == Some(a) { a } else { b };
        whole.then(|| self.layer(Activation::HardSwish, vec![from], Vec::new()))
    }

    /// x, of `relu6(x + 3)`.
    fn shifted_relu6(&self, id: usize) -> Option<usize> {
        let item = &self.items[id];
        if item.op() != Some(&Op::Activation(Activation::Relu6)) {
            return None;
        }
        let (from, mul, add) = self.affine_of(item.inputs[0])?;
        (mul == 1.0 && add == 3.0).then_some(from)
    }

    /// x, m and a of `x·m + a` with single numbers.
    pub(super) fn affine_of(&self, id: usize) -> Option<(usize, f64, f64)> {
        let item = &self.items[id];
        let Kind::Raw(Raw::Affine { mul, add }) = &item.kind else { return None };
        let one = |t: &Option<Rc<Tensor>>, otherwise: f64| t.as_ref().map_or(Some(otherwise), |t| t.single());
        Some((item.inputs[0], one(mul, 1.0)?, one(add, 0.0)?))
    }

    /// x and the factor f of `f·(1 + erf(x / √2))`.
    fn erf_gate(&self, id: usize) -> Option<(usize, f64)> {
        let (erf, mul, add) = self.affine_of(id)?;
        let item = &self.items[erf];
        if !matches!(item.kind, Kind::Raw(Raw::Erf)) || (mul - add).abs() > 1e-6 {
            return None;
        }
        let (x, root, none) = self.affine_of(item.inputs[0])?;
        let right = (root - std::f64::consts::FRAC_1_SQRT_2).abs() < 1e-5 && none == 0.0;
        right.then_some((x, mul))
    }

    /// `½·(x·(1 + erf(x / √2)))`
    fn gelu_of_scaled(&mut self, x: usize, mul: &Option<Rc<Tensor>>, add: &Option<Rc<Tensor>>) -> Option<Made> {
        let half = mul.as_ref()?.single() == Some(0.5) && add.as_ref().is_none_or(|t| t.single() == Some(0.0));
        let item = &self.items[x];
        if !half || !matches!(item.op(), Some(Op::Mul(_))) {
            return None;
        }
        let [a, b] = item.inputs.as_slice() else { return None };
        let from = self.gelu_parts(*a, *b, 1.0)?;
        Some(self.layer(Activation::Gelu, vec![from], Vec::new()))
    }

    /// x, where a and b are x and its gate in either order, with a factor that is `wanted` in all.
    fn gelu_parts(&self, a: usize, b: usize, wanted: f64) -> Option<usize> {
        [(a, b), (b, a)].into_iter().find_map(|(x, gate)| {
            let (from, factor) = self.erf_gate(gate)?;
            let plain = x == from && (factor - wanted).abs() < 1e-6;
            let scaled =
                self.affine_of(x).is_some_and(|(y, m, a)| y == from && a == 0.0 && (m * factor - wanted).abs() < 1e-6);
            (plain || scaled).then_some(from)
        })
    }

    /// The product of two values: a self-gated activation, or a merge.
    fn product(&mut self, a: usize, b: usize) -> Made {
        if let Some(x) = self.gelu_parts(a, b, 0.5) {
            return self.layer(Activation::Gelu, vec![x], Vec::new());
        }
        for (x, gate) in [(a, b), (b, a)] {
            let item = &self.items[gate];
            let Some(Op::Activation(function)) = item.op().filter(|_| item.inputs == [x]) else { continue };
            let own = match function {
                Activation::Sigmoid => Activation::Silu,
                Activation::HardSigmoid => Activation::HardSwish,
                _ => continue,
            };
            return self.layer(own, vec![x], Vec::new());
        }
        self.layer(Mul {}, vec![a, b], Vec::new())
    }

    /// The sum of two values: a gate, or a merge that may scale what it adds.
    fn sum(&mut self, a: usize, b: usize) -> Made {
        if let Some([s, r, t]) = self.gate_parts(a, b).or_else(|| self.gate_parts(b, a)) {
            return self.layer(Gate {}, vec![s, r, t], Vec::new());
        }
        for (s, r) in [(a, b), (b, a)] {
            if let Some((from, scale, 0.0)) = self.affine_of(r)
                && self.is_bare(r)
            {
                return self.layer(Add { scale, drop_path: 0.0 }, vec![s, from], Vec::new());
            }
        }
        self.layer(Add { scale: 1.0, drop_path: 0.0 }, vec![a, b], Vec::new())
    }

    /// Whether a factor is a bare number rather than a tensor of one that may have been learned.
    fn is_bare(&self, id: usize) -> bool {
        match &self.items[id].kind {
            Kind::Raw(Raw::Affine { mul, .. }) => mul.as_ref().is_none_or(|t| t.dims.is_empty()),
            _ => false,
        }
    }

    /// S, R and T of `t·R + (1 − t)·S`, given the two products.
    fn gate_parts(&self, taken: usize, carried: usize) -> Option<[usize; 3]> {
        let two = |id: usize| {
            let Some(Op::Mul(_)) = self.items[id].op() else { return None };
            let &[a, b] = self.items[id].inputs.as_slice() else { return None };
            Some([(a, b), (b, a)])
        };
        for (t, r) in two(taken)? {
            let sigmoid = self.items[t].op() == Some(&Op::Activation(Activation::Sigmoid));
            for (shut, s) in two(carried)? {
                if sigmoid && self.one_minus(shut) == Some(t) {
                    return Some([s, r, self.items[t].inputs[0]]);
                }
            }
        }
        None
    }

    fn one_minus(&self, id: usize) -> Option<usize> {
        // A piece that met a merge stands before the layer that it became.
        if matches!(self.items[id].op(), Some(Op::Scale(_))) {
            return None;
        }
        self.affine_of(id).filter(|&(_, m, a)| m == -1.0 && a == 1.0).map(|(x, ..)| x)
    }

    /// A value as a layer's: a factor that is no part of anything becomes `scale`, one with a sum a 1×1 convolution of each
    /// channel by itself.
    pub(super) fn settled(&mut self, id: usize) -> Read<usize> {
        let item = self.items[id].clone();
        if let Kind::Raw(Raw::Stride(stride)) = &item.kind {
            // The maximum of each position by itself.
            let (stride, one) = (stride.clone(), vec![1; stride.len()]);
            let (kernel, dilation, pad) = (one.clone(), one, vec![0; stride.len()]);
            return self
                .layer(MaxPool { kernel, stride, pad, dilation, ceil: false }, item.inputs, Vec::new())
                .and_then(as_item);
        }
        let Kind::Raw(Raw::Affine { mul, add }) = &item.kind else { return Ok(id) };
        if self.one_minus(id).is_some_and(|t| self.items[t].op() == Some(&Op::Activation(Activation::Sigmoid))) {
            return Ok(id);
        }
        let channels = item.dims.get(1).copied().unwrap_or(0);
        let spread = |t: &Rc<Tensor>| per_channel(t, &item, channels);
        if let (Some(made), true) = (self.norm_affine(&item, mul, add), item.dims.len() >= 2) {
            return made.and_then(as_item);
        }
        let made = match (mul, add) {
            (Some(mul), None) => {
                let single = mul.len() == 1;
                let values = if single { mul.floats().into_owned() } else { spread(mul).unwrap_or_default() };
                let weight = Rc::new(Tensor::floats_of(vec![values.len()], values, &mul.name));
                self.layer(Scale { init: 1.0, per_channel: !single }, item.inputs.clone(), vec![("weight", weight)])
            }
            _ if item.dims.len() < 3 => Err("adds a constant to vectors that no linear layer gave".into()),
            _ => self.channelwise(&item, mul, add),
        };
        made.and_then(as_item)
    }

    /// A factor and a sum as a 1×1 convolution of each channel by itself.
    fn channelwise(&mut self, item: &Item, mul: &Option<Rc<Tensor>>, add: &Option<Rc<Tensor>>) -> Made {
        let channels = item.dims.get(1).copied().unwrap_or(0);
        let spread = |t: &Rc<Tensor>| per_channel(t, item, channels);
        let ones = || Some(vec![1.0; channels]);
        let weight = mul.as_ref().map_or_else(ones, spread).ok_or("meets a constant that does not fit")?;
        let bias = add.as_ref().and_then(spread).ok_or("meets a constant that does not fit")?;
        let axes = item.dims.len() - 2;
        let dims = [vec![channels, 1], vec![1; axes]].concat();
        let name = mul.as_ref().map_or("", |t| t.name.as_str());
        let params = vec![
            ("weight", Rc::new(Tensor::floats_of(dims, weight, name))),
            ("bias", Rc::new(Tensor::floats_of(vec![channels], bias, ""))),
        ];
        let one = || vec![1; axes];
        let (kernel, stride, dilation, pad) = (one(), one(), one(), vec![0; axes]);
        let (init, bias_init) = (Init::KaimingNormal, None);
        let (width, groups, bias) = (channels, channels, true);
        let op = Conv { width, kernel, stride, pad, dilation, groups, bias, init, bias_init };
        self.layer(op, item.inputs.clone(), params)
    }

    /// Settles what layers still read; pieces that nothing became are left, to be reported.
    pub(super) fn settle_all(&mut self) {
        let mut settled = BTreeMap::new();
        for id in 0..self.items.len() {
            let layer = matches!(self.items[id].kind, Kind::Layer(_));
            for place in 0..self.items[id].inputs.len() {
                let input = self.items[id].inputs[place];
                if layer {
                    self.items[id].inputs[place] = self.settle_before(input, &mut settled);
                }
            }
        }
        for i in 0..self.outputs.len() {
            self.outputs[i].1 = self.settle_before(self.outputs[i].1, &mut settled);
        }
    }

    /// The layer that a piece is for all of its readers, those settled that it reads; what is no piece is itself.
    fn settle_before(&mut self, input: usize, settled: &mut BTreeMap<usize, usize>) -> usize {
        let mut chain = Vec::new();
        let mut at = input;
        while !settled.contains_key(&at)
            && matches!(self.items[at].kind, Kind::Raw(Raw::Affine { .. } | Raw::Stride(_)))
        {
            chain.push(at);
            at = self.items[at].inputs[0];
        }
        for piece in chain.into_iter().rev() {
            let from = self.items[piece].inputs[0];
            self.items[piece].inputs[0] = settled.get(&from).copied().unwrap_or(from);
            self.now = self.items[piece].node;
            // A layer that gives other sizes than the piece is another function: the piece is left, and reported.
            let made = self.settled(piece).ok().filter(|&made| self.items[made].dims == self.items[piece].dims);
            settled.insert(piece, made.unwrap_or(piece));
        }
        settled.get(&input).copied().unwrap_or(input)
    }
}

fn as_item(value: Value) -> Read<usize> {
    match value {
        Value::Item(id) => Ok(id),
        _ => Err("is not computed".into()),
    }
}

fn map(tensor: &Tensor, f: impl Fn(f64) -> f64) -> Tensor {
    match tensor.numbers() {
        Some(numbers) => Tensor::of(tensor.dims.clone(), numbers.into_iter().map(f).collect()).named(&tensor.name),
        None => {
            let values = tensor.floats().iter().map(|&v| f(f64::from(v)) as f32).collect();
            Tensor::floats_of(tensor.dims.clone(), values, &tensor.name)
        }
    }
}

/// One number a channel of a constant that meets an item, if it is that (or one number in all).
pub(super) fn per_channel(tensor: &Tensor, item: &Item, channels: usize) -> Option<Vec<f32>> {
    if channels == 0 || channels == BATCH || tensor.len() > 1 << 24 {
        return None;
    }
    if tensor.len() == 1 {
        return Some(vec![*tensor.floats().first()?; channels]);
    }
    let rank = item.dims.len();
    let missing = rank.checked_sub(tensor.dims.len())?;
    let place = 1usize.checked_sub(missing)?;
    let along = tensor.dims.iter().enumerate().all(|(i, &d)| d == if i == place { channels } else { 1 });
    along.then(|| tensor.floats().into_owned())
}
