//! Networks computed in double precision: what everything else is held against.

use crate::definitions::*;
use crate::sketch::{Parameters, Values};
use archc::graph::{Graph, NodeId};
use archc::ops::Op;
use archc::ops::activation::Activation;
use archc::opt::{EpilogueOp, Net, Step, TensorRef, Work};
use archc::shape::{Layout, Shape};
use std::collections::BTreeMap;

/// A graph with the numbers of its parameters.
pub struct Reference<'a> {
    pub graph: &'a Graph,
    pub parameters: &'a Parameters,
}

impl Reference<'_> {
    /// All outputs, in file order, as the nodes say.
    pub fn run(&self, inputs: &Values) -> Vec<Map> {
        let mut values = self.inputs(inputs);
        for node in self.graph.order() {
            if !values.contains_key(&node) {
                let operands: Vec<&Map> = self.graph.operands(node).iter().map(|operand| &values[operand]).collect();
                let value = self.op(node, &operands);
                values.insert(node, value);
            }
        }
        self.graph.outputs.iter().map(|output| values[&output.node].clone()).collect()
    }

    /// All outputs, as the steps of a net say; every slice that it wishes for is looked at.
    pub fn run_net(&self, net: &Net, inputs: &Values) -> Vec<Map> {
        let plain = |(node, map)| (TensorRef { node, layout: Layout::Plain }, map);
        let mut values: BTreeMap<TensorRef, Map> = self.inputs(inputs).into_iter().map(plain).collect();
        for step in &net.steps {
            let value = self.step(step, &values);
            values.insert(step.makes, value);
        }
        for slice in &net.slices {
            let (part, whole) = (&values[&slice.part], &values[&slice.whole]);
            for (n, c) in (0..part.batch).flat_map(|n| (0..part.channels).map(move |c| (n, c))) {
                assert_eq!(
                    part.plane(n, c),
                    whole.plane(n, slice.channel_offset + c),
                    "a slice is where it is said to be"
                );
            }
        }
        let output = |(output, held): (&archc::graph::Output, &TensorRef)| {
            let map = &values[held];
            Map::new(map.batch, self.graph.shape(output.node), map.numbers.clone())
        };
        self.graph.outputs.iter().zip(&net.outputs).map(output).collect()
    }

    fn inputs(&self, inputs: &Values) -> BTreeMap<NodeId, Map> {
        let input = |(&node, (_, dims, data)): (&NodeId, &(String, Vec<usize>, Vec<f32>))| {
            let numbers = data.iter().map(|&x| f64::from(x)).collect();
            (node, Map::new(dims[0], self.graph.shape(node), numbers))
        };
        self.graph.inputs.iter().zip(inputs).map(input).collect()
    }

    fn step(&self, step: &Step, values: &BTreeMap<TensorRef, Map>) -> Map {
        let Work::Op(node) = step.work else { return values[&step.reads[0]].clone() };
        // A value may be that of another node of other axes, where what stood between was dropped.
        let shapes = self.graph.operands(node).into_iter().map(|operand| self.graph.shape(operand));
        let read = |(held, shape): (&TensorRef, &Shape)| {
            let map = &values[held];
            Map::new(map.batch, shape, map.numbers.clone())
        };
        let mut operands: Vec<Map> = step.reads.iter().zip(shapes).map(read).collect();
        for &before in &step.prologue {
            operands[0] = self.op(before, &[&operands[0]]);
        }
        let mut result = self.op(node, &operands.iter().collect::<Vec<_>>());
        for after in &step.epilogue {
            match *after {
                EpilogueOp::Affine(node) | EpilogueOp::Activation(node) => result = self.op(node, &[&result]),
                EpilogueOp::Sum { value, own, other, .. } => {
                    let summand = &values[&value].numbers;
                    result.numbers.iter_mut().zip(summand).for_each(|(y, s)| *y = own * *y + other * s);
                }
            }
        }
        result
    }

    fn parameter(&self, node: NodeId, name: &str) -> Option<Vec<f64>> {
        let found = self.parameters.get(&format!("{}.{name}", self.graph.node(node).path));
        found.map(|numbers| numbers.iter().map(|&x| f64::from(x)).collect())
    }

    /// The value of a node. Operands of which only the size matters may be missing.
    fn op(&self, node: NodeId, operands: &[&Map]) -> Map {
        let (op, shape, x) = (&self.graph.node(node).op, self.graph.shape(node), operands[0]);
        let weight = || self.parameter(node, "weight");
        match op {
            Op::Input(_) => unreachable!("inputs are given"),
            Op::Conv(op) => conv(op, x, &weight().unwrap(), self.parameter(node, "bias"), shape),
            Op::ConvTranspose(op) => transpose(op, x, &weight().unwrap(), self.parameter(node, "bias"), shape),
            Op::Linear(_) => {
                let (weight, bias) = (weight().unwrap(), self.parameter(node, "bias"));
                Map::from_fn(x.batch, shape, |n, o, _| {
                    let row = &weight[o * x.channels..(o + 1) * x.channels];
                    let features = &x.numbers[n * x.channels..(n + 1) * x.channels];
                    row.iter().zip(features).map(|(w, x)| w * x).sum::<f64>() + bias.as_ref().map_or(0.0, |b| b[o])
                })
            }
            Op::Scale(_) => by_factor(x, &weight().unwrap(), |w, x| w * x),
            Op::Prelu(_) => by_factor(x, &weight().unwrap(), |w, x| if x > 0.0 { x } else { w * x }),
            Op::BatchNorm(_) | Op::GroupNorm(_) | Op::LayerNorm(_) | Op::InstanceNorm(_) => self.norm(node, x),
            Op::Activation(f) => x.clone().by_channel(|_, x| activate(f, x)),
            Op::Softmax(_) => softmax(x),
            Op::Dropout(_) | Op::Identity(_) | Op::Flatten(_) | Op::Reshape(_) => {
                Map::new(x.batch, shape, x.numbers.clone())
            }
            Op::MaxPool(op) => max_pool(op, x, shape),
            Op::AvgPool(op) => avg_pool(op, x, shape),
            Op::GlobalPool(_) | Op::AdaptiveAvgPool(_) => adaptive(x, shape, matches!(op, Op::GlobalPool(p) if p.max)),
            Op::Upsample(op) => upsample(op.mode, x, shape),
            Op::Pad(_) | Op::PadLike(_) | Op::Crop(_) | Op::CropLike(_) | Op::ZeroPad(_) => moved(op, x, shape),
            Op::Add(op) => Map::from_fn(x.batch, shape, |n, c, at| {
                let term = |(i, x): (usize, &&Map)| if i == 1 { op.scale * x.at(n, c, at) } else { x.at(n, c, at) };
                operands.iter().enumerate().map(term).sum()
            }),
            Op::Concat(_) => concat(operands, shape),
            Op::Mul(_) => Map::from_fn(x.batch, shape, |n, c, at| operands.iter().map(|x| x.at(n, c, at)).product()),
            Op::Gate(_) => Map::from_fn(x.batch, shape, |n, c, at| {
                let t = activate(&Activation::Sigmoid, operands[2].at(n, c, at));
                t * operands[1].at(n, c, at) + (1.0 - t) * x.at(n, c, at)
            }),
        }
    }

    fn norm(&self, node: NodeId, x: &Map) -> Map {
        let mut y = x.clone();
        match &self.graph.node(node).op {
            Op::BatchNorm(op) => {
                let [mean, var] = ["running_mean", "running_var"].map(|name| self.parameter(node, name).unwrap());
                y = y.by_channel(|c, x| (x - mean[c]) / (var[c] + op.eps).sqrt());
            }
            Op::GroupNorm(op) => normalise_groups(&mut y, op.groups, op.eps),
            Op::InstanceNorm(op) => normalise_groups(&mut y, x.channels, op.eps),
            Op::LayerNorm(op) => {
                for (n, p) in (0..x.batch).flat_map(|n| (0..x.positions()).map(move |p| (n, p))) {
                    let mut column: Vec<f64> = (0..x.channels).map(|c| x.plane(n, c)[p]).collect();
                    normalise(&mut column, op.eps);
                    column.into_iter().enumerate().for_each(|(c, value)| y.plane_mut(n, c)[p] = value);
                }
            }
            other => panic!("{other:?} is no norm"),
        }
        let (weight, bias) = (self.parameter(node, "weight"), self.parameter(node, "bias"));
        y.by_channel(|c, x| weight.as_ref().map_or(1.0, |w| w[c]) * x + bias.as_ref().map_or(0.0, |b| b[c]))
    }
}
