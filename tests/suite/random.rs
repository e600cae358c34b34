//! Random networks of all ops: odd sizes, values read several times, several outputs.

use crate::arguments::random as argument;
use crate::sketch::Sketch;
use archc::Network;
use archc::base::Rng;
use archc::graph::NodeId;
use archc::ops::activation::{Activation, Prelu, Softmax};
use archc::ops::conv::{Conv, ConvTranspose};
use archc::ops::linear::{Linear, Scale};
use archc::ops::merge::{Add, Concat, Gate, Mul};
use archc::ops::norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};
use archc::ops::pool::{AdaptiveAvgPool, AvgPool, GlobalPool, MaxPool};
use archc::ops::resize::{Crop, CropLike, Interpolation, Pad, PadLike, PadMode, Upsample, UpsampleSize, ZeroPad};
use archc::ops::structure::{Dropout, Flatten, Identity, Reshape};
use archc::ops::{Args, Init, Op, Value, layers};
use archc::shape::Shape;
use std::collections::BTreeMap;

/// Numbers that a sample of a value may have.
const MOST_NUMBERS: u64 = 6000;

/// Products that a node may take.
const MOST_MACS: u64 = 300_000;

const WIDTHS: [usize; 10] = [1, 3, 5, 8, 15, 16, 17, 32, 33, 48];

/// A random network; the same for the same seed.
pub fn random(seed: u64) -> Network {
    let mut draw = Draw { rng: Rng::new(seed), net: Sketch::default(), values: Vec::new() };
    draw.inputs();
    for _ in 0..4 + draw.rng.below(14) {
        let from = draw.pick();
        let made = draw.layer(from);
        draw.values.extend(made);
    }
    draw.outputs();
    draw.net.network()
}

struct Draw {
    rng: Rng,
    net: Sketch,
    values: Vec<NodeId>,
}

impl Draw {
    fn inputs(&mut self) {
        let (rows, cols) = (1 + self.rng.below(14), 3 + self.rng.below(12));
        let kind = self.rng.below(20);
        for _ in 0..1 + self.rng.below(4) / 3 {
            let channels = self.one_of(&[1, 3, 3, 4, 5, 16, 19]);
            let input = match kind {
                0 => self.net.input(&[channels * cols]),
                1 | 2 => self.net.input(&[channels, rows * cols]),
                _ => self.net.input(&[channels, rows, cols]),
            };
            self.values.push(input);
        }
    }

    fn outputs(&mut self) {
        self.net.output(self.values[self.values.len() - 1]);
        for _ in 0..self.rng.below(3) {
            let other = self.pick();
            self.net.output(other);
        }
    }

    /// A value; late ones are likelier, so that there are chains.
    fn pick(&mut self) -> NodeId {
        let count = self.values.len();
        self.values[count - 1 - self.rng.below(count).min(self.rng.below(count)).min(self.rng.below(count))]
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.rng.below(list.len())]
    }

    fn coin(&mut self) -> bool {
        self.rng.below(2) == 0
    }

    fn shape(&self, node: NodeId) -> Shape {
        self.net.graph.shape(node).clone()
    }

    fn channels(&self, node: NodeId) -> usize {
        self.shape(node).dims()[0]
    }

    /// One entry an axis: mostly the same.
    fn each(&mut self, node: NodeId, list: &[usize]) -> Vec<usize> {
        let axes = self.shape(node).spatial().len();
        let same = self.one_of(list);
        let differ = self.rng.below(5) == 0;
        (0..axes).map(|_| if differ { self.one_of(list) } else { same }).collect()
    }

    /// A node, where the op works on these operands and is not too large.
    fn put(&mut self, op: impl Into<Op>, operands: &[NodeId]) -> Option<NodeId> {
        let op = op.into();
        let shapes: Vec<&Shape> = operands.iter().map(|&operand| self.net.graph.shape(operand)).collect();
        let shape = op.layer().infer(&shapes).ok()?;
        let small = shape.elements()? <= MOST_NUMBERS && op.layer().macs(&shapes, &shape) <= MOST_MACS;
        small.then(|| self.net.add(op, operands))
    }

    /// Another layer, or a few, over a value; `None` where what was drawn does not fit.
    fn layer(&mut self, from: NodeId) -> Option<NodeId> {
        match self.rng.below(32) {
            0..=3 => self.conv(from),
            4 | 5 => {
                let conv = self.conv(from)?;
                let norm = self.norm(conv)?;
                self.activation(norm)
            }
            6 | 7 => self.dense(from),
            8..=10 => self.residual(from),
            11 => self.squeeze(from),
            12 => self.transpose(from),
            13 | 14 => self.activation(from),
            15 | 16 => self.norm(from),
            17 | 18 => self.pool(from),
            19 => self.add(from),
            20 | 21 => self.concat(from),
            22 => self.gate(from),
            23 => self.upsample(from),
            24 | 25 => self.fit(from),
            26 => self.small(from),
            27 => self.reshape(from),
            28 | 29 => self.any(from),
            _ => self.linear(from),
        }
    }

    /// Any layer of the language, so that one that is added is drawn without being named here.
    fn any(&mut self, from: NodeId) -> Option<NodeId> {
        let (spec, shape) = (&layers()[self.rng.below(layers().len())], self.shape(from));
        let axes = shape.spatial().len();
        let mut given = BTreeMap::new();
        for arg in spec.args {
            // What is too small a number leaves nothing but rounding to compare.
            let value = match arg.name {
                "eps" => Some(Value::Float(1e-3)),
                _ => argument(arg, axes, &mut self.rng),
            };
            given.extend(value.map(|value| (arg.name.to_string(), value)));
        }
        let op = (spec.make)(&Args { given }, &shape).ok()?;
        self.put(op, &[from])
    }

    fn conv(&mut self, from: NodeId) -> Option<NodeId> {
        let width = self.one_of(&WIDTHS);
        let kernel = self.each(from, &[1, 1, 3, 3, 3, 5, 2, 7]);
        let stride = self.each(from, &[1, 1, 1, 1, 2, 3]);
        let dilation = self.each(from, &[1, 1, 1, 1, 2]);
        let same = kernel.iter().zip(&dilation).map(|(k, d)| (k - 1) * d / 2).collect();
        let pad = if self.rng.below(4) == 0 { self.each(from, &[0, 1, 2]) } else { same };
        let channels = self.channels(from);
        let (groups, width) = match self.rng.below(6) {
            0 => (channels, channels * self.one_of(&[1, 1, 2])),
            1 => {
                let divisors: Vec<usize> = (1..=channels).filter(|d| channels.is_multiple_of(*d)).collect();
                let groups = self.one_of(&divisors);
                (groups, groups * self.one_of(&[1, 2, 5, 16]))
            }
            _ => (1, width),
        };
        let (bias, init) = (self.coin(), Init::KaimingNormal);
        self.put(Conv { width, kernel, stride, pad, dilation, groups, bias, init, bias_init: None }, &[from])
    }

    fn transpose(&mut self, from: NodeId) -> Option<NodeId> {
        let kernel = self.each(from, &[1, 2, 2, 3, 4]);
        let stride = self.each(from, &[1, 2, 2, 3]);
        let dilation = self.each(from, &[1, 1, 2]);
        let pad = self.each(from, &[0, 0, 1]);
        let wanted = self.each(from, &[0, 0, 1]);
        let out_pad = wanted.iter().zip(&stride).map(|(&pad, &stride)| pad.min(stride - 1)).collect();
        let groups = if self.channels(from).is_multiple_of(2) { self.one_of(&[1, 2]) } else { 1 };
        let width = groups * self.one_of(&[1, 5, 8, 16, 17]);
        let (bias, init) = (self.coin(), Init::KaimingNormal);
        let op = ConvTranspose { width, kernel, stride, pad, out_pad, dilation, groups, bias, init, bias_init: None };
        self.put(op, &[from])
    }

    fn norm(&mut self, from: NodeId) -> Option<NodeId> {
        let (channels, affine, eps) = (self.channels(from), self.coin(), 1e-3);
        match self.rng.below(6) {
            0 => {
                let groups = self.one_of(&[1, 2, 3, 4, channels]);
                // Of one number nothing but rounding is left.
                if self.shape(from).elements()? == groups as u64 {
                    return None;
                }
                self.put(GroupNorm { groups, eps, affine }, &[from])
            }
            1 => self.put(LayerNorm { eps, affine }, &[from]),
            2 => self.put(InstanceNorm { eps, affine }, &[from]),
            _ => self.put(BatchNorm { eps, momentum: 0.1, affine, weight_init: 1.0, bias_init: 0.0 }, &[from]),
        }
    }

    fn activation(&mut self, from: NodeId) -> Option<NodeId> {
        let activation = self.one_of(&[
            Activation::Relu,
            Activation::Relu,
            Activation::Relu,
            Activation::Relu6,
            Activation::LeakyRelu { slope: 0.1 },
            Activation::Elu { alpha: 1.5 },
            Activation::Gelu,
            Activation::Silu,
            Activation::Sigmoid,
            Activation::Tanh,
            Activation::HardSwish,
            Activation::HardSigmoid,
        ]);
        self.put(activation, &[from])
    }

    fn pool(&mut self, from: NodeId) -> Option<NodeId> {
        let kernel = self.each(from, &[1, 2, 2, 3, 3]);
        let stride = self.each(from, &[1, 2, 2, 3]);
        let wanted = self.each(from, &[0, 1]);
        let pad: Vec<usize> = wanted.iter().zip(&kernel).map(|(&pad, &kernel)| pad.min(kernel / 2)).collect();
        let (ceil, other) = (self.coin(), self.coin());
        match self.rng.below(5) {
            0 | 1 => {
                // Where windows spread out over padding, some may see nothing else.
                let dilation = if pad.iter().all(|&pad| pad == 0) { &[1, 1, 2][..] } else { &[1] };
                let dilation = self.each(from, dilation);
                self.put(MaxPool { kernel, stride, pad, dilation, ceil }, &[from])
            }
            2 => self.put(AvgPool { kernel, stride, pad, ceil, count_pad: other }, &[from]),
            3 => self.put(GlobalPool { max: other }, &[from]),
            _ => {
                let size = self.each(from, &[1, 2, 3, 5]);
                self.put(AdaptiveAvgPool { size }, &[from])
            }
        }
    }

    /// A layer as in DenseNet: norm, activation, convolution, and what it read beside what it made.
    fn dense(&mut self, from: NodeId) -> Option<NodeId> {
        let norm = if self.coin() { self.norm(from)? } else { self.net.norm(from) };
        let active = self.activation(norm)?;
        let (width, kernel) = (self.one_of(&[4, 16, 32]), self.one_of(&[1, 3]));
        if self.shape(active).spatial().is_empty() {
            return None;
        }
        let new = self.net.conv(width, kernel, 1, active);
        self.put(Concat {}, &[from, new])
    }

    /// A sum with what was made of a value, or of its projection.
    fn residual(&mut self, from: NodeId) -> Option<NodeId> {
        if self.shape(from).spatial().is_empty() || self.shape(from).elements()? > MOST_NUMBERS / 2 {
            return None;
        }
        let width = if self.coin() { self.channels(from) } else { self.one_of(&[16, 20]) };
        let (kernel, stride) = (self.one_of(&[1, 3]), self.one_of(&[1, 1, 2]));
        let first = self.net.conv(width, kernel, stride, from);
        let mut body = self.norm(first)?;
        if self.coin() {
            let active = self.activation(body)?;
            body = self.net.conv(width, 3, 1, active);
        }
        let changed = self.shape(from) != self.shape(body);
        let skipped = if changed { self.net.conv(width, 1, stride, from) } else { from };
        let scale = self.one_of(&[1.0, 1.0, 0.5, -2.0]);
        let operands = if self.coin() { [skipped, body] } else { [body, skipped] };
        let sum = self.put(Add { scale, drop_path: 0.1 }, &operands)?;
        if self.coin() { self.activation(sum) } else { Some(sum) }
    }

    fn squeeze(&mut self, from: NodeId) -> Option<NodeId> {
        let channels = self.channels(from);
        let pooled = self.put(GlobalPool { max: false }, &[from])?;
        let narrow = self.net.conv(channels.div_ceil(4), 1, 1, pooled);
        let active = self.activation(narrow)?;
        let wide = self.net.conv(channels, 1, 1, active);
        let gate = self.put(Activation::Sigmoid, &[wide])?;
        let operands = if self.coin() { [from, gate] } else { [gate, from] };
        self.put(Mul {}, &operands)
    }

    /// Up to `count` values like `from` by some measure, itself among them.
    fn alike(&mut self, from: NodeId, count: usize, alike: impl Fn(&Shape, &Shape) -> bool) -> Vec<NodeId> {
        let shape = self.shape(from);
        let fits = |&&value: &&NodeId| alike(&shape, self.net.graph.shape(value));
        let all: Vec<NodeId> = self.values.iter().filter(fits).copied().collect();
        let mut chosen: Vec<NodeId> = (1..count).map(|_| self.one_of(&all)).collect();
        let place = self.rng.below(count);
        chosen.insert(place, from);
        chosen
    }

    fn add(&mut self, from: NodeId) -> Option<NodeId> {
        let count = self.one_of(&[2, 2, 2, 3, 4, 40]);
        let operands = self.alike(from, count, |a, b| a == b);
        let scale = self.one_of(&[1.0, 0.25, -1.5]);
        self.put(Add { scale, drop_path: 0.0 }, &operands)
    }

    fn concat(&mut self, from: NodeId) -> Option<NodeId> {
        let count = self.one_of(&[2, 2, 3, 4]);
        let operands = self.alike(from, count, |a, b| a.spatial() == b.spatial() && a.rank() == b.rank());
        self.put(Concat {}, &operands)
    }

    fn gate(&mut self, from: NodeId) -> Option<NodeId> {
        let operands = self.alike(from, 3, |a, b| a == b);
        let transform = match self.rng.below(3) {
            0 => self.put(GlobalPool { max: true }, &[operands[2]])?,
            _ => operands[2],
        };
        match self.coin() {
            true => self.put(Gate {}, &[operands[0], operands[1], transform]),
            false => self.put(Mul {}, &[operands[0], transform]),
        }
    }

    fn upsample(&mut self, from: NodeId) -> Option<NodeId> {
        let mode = self.one_of(&[Interpolation::Nearest, Interpolation::Bilinear]);
        let size = match self.rng.below(3) {
            0 => UpsampleSize::Factor(self.each(from, &[1, 2, 2, 3])),
            1 => UpsampleSize::Size(self.each(from, &[1, 4, 7, 11])),
            _ => {
                let like = self.pick();
                return self.put(Upsample { size: UpsampleSize::Like, mode }, &[from, like]);
            }
        };
        self.put(Upsample { size, mode }, &[from])
    }

    /// Padded or cropped.
    fn fit(&mut self, from: NodeId) -> Option<NodeId> {
        let like = self.pick();
        match self.rng.below(6) {
            0 => self.put(CropLike {}, &[from, like]),
            1 => self.put(PadLike {}, &[from, like]),
            2 => {
                let size = self.each(from, &[1, 2, 3, 5, 8]);
                self.put(Crop { size }, &[from])
            }
            3 => {
                let (width, stride) = (self.channels(from) + self.one_of(&[0, 1, 16, 21]), self.each(from, &[1, 2]));
                self.put(ZeroPad { width, stride }, &[from])
            }
            _ => {
                let mode = self.one_of(&[PadMode::Zero, PadMode::Reflect, PadMode::Replicate]);
                let (before, after) = (self.each(from, &[0, 1, 2]), self.each(from, &[0, 1, 2]));
                self.put(Pad { amount: before.into_iter().zip(after).collect(), mode }, &[from])
            }
        }
    }

    /// What has a few parameters, or none.
    fn small(&mut self, from: NodeId) -> Option<NodeId> {
        let (per_channel, shared) = (self.coin(), self.coin());
        match self.rng.below(5) {
            0 => self.put(Scale { init: 1.0, per_channel }, &[from]),
            1 => self.put(Prelu { init: 0.25, shared }, &[from]),
            2 => self.put(Softmax {}, &[from]),
            3 => self.put(Dropout { p: 0.5 }, &[from]),
            _ => self.put(Identity {}, &[from]),
        }
    }

    fn reshape(&mut self, from: NodeId) -> Option<NodeId> {
        let dims = match (self.shape(from).dims(), self.rng.below(3)) {
            (&[channels, rows, cols], 0) => vec![cols, channels, rows],
            (&[channels, rows, cols], 1) => vec![channels * rows, cols],
            (&[first, second], _) => vec![second, first],
            (&[features], _) if features.is_multiple_of(4) => vec![features / 4, 2, 2],
            _ => return self.put(Flatten {}, &[from]),
        };
        self.put(Reshape { dims }, &[from])
    }

    fn linear(&mut self, from: NodeId) -> Option<NodeId> {
        let vector = match self.shape(from).rank() {
            2 => from,
            _ => {
                let pooled = if self.coin() { self.put(GlobalPool { max: false }, &[from])? } else { from };
                self.put(Flatten {}, &[pooled])?
            }
        };
        let (width, bias) = (self.one_of(&WIDTHS), self.coin());
        self.put(Linear { width, bias, init: None, bias_init: None }, &[vector])
    }
}
