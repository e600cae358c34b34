//! Networks computed in double precision, one op after another: what everything else is held against. An op by itself is the
//! candle module's, composed of candle's operators, which [`crate::parity`] holds against PyTorch's numbers.

use crate::sketch::{Parameters, Sketch, Values};
use archc::graph::{Graph, NodeId};
use archc::lower::{Module, ParamStore, nn};
use archc::opt::{EpilogueOp, Net, Step, TensorRef, Work};
use archc::shape::{Layout, Shape};
use candle_core::{DType, Device, Tensor};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A value, batch and channels first.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub batch: usize,
    pub channels: usize,
    pub numbers: Vec<f64>,
}

impl Map {
    fn new(batch: usize, shape: &Shape, numbers: Vec<f64>) -> Self {
        assert_eq!(numbers.len() as u64, batch as u64 * shape.elements().unwrap(), "{shape}");
        Self { batch, channels: shape.dims()[0], numbers }
    }

    /// The positions of one channel of one sample.
    fn plane(&self, n: usize, c: usize) -> &[f64] {
        let positions = self.numbers.len() / (self.batch * self.channels);
        let start = (n * self.channels + c) * positions;
        &self.numbers[start..start + positions]
    }
}

/// A graph with the numbers of its parameters.
pub struct Reference<'a> {
    graph: &'a Graph,
    parameters: &'a Parameters,
    /// Each node as a network of its own.
    modules: RefCell<BTreeMap<NodeId, Module>>,
}

impl<'a> Reference<'a> {
    pub fn new(graph: &'a Graph, parameters: &'a Parameters) -> Self {
        Self { graph, parameters, modules: RefCell::default() }
    }

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
                let there = whole.plane(n, slice.channel_offset + c);
                assert_eq!(part.plane(n, c), there, "a slice is where it is said to be");
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
        let mut operands: Vec<Map> = step.reads.iter().map(|held| values[held].clone()).collect();
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

    /// The value of a node. An operand may be the value of another node of other axes, where what stood between was dropped;
    /// those of which only the size matters may be missing.
    fn op(&self, node: NodeId, operands: &[&Map]) -> Map {
        let batch = operands[0].batch;
        let tensor = |(i, operand): (usize, NodeId)| {
            let dims = self.graph.shape(operand).with_batch(batch);
            let numbers = operands.get(i).map(|map| Tensor::from_slice(&map.numbers, dims.as_slice(), &Device::Cpu));
            numbers.unwrap_or_else(|| Tensor::zeros(dims.as_slice(), DType::F64, &Device::Cpu)).unwrap()
        };
        let tensors: Vec<Tensor> = self.graph.operands(node).into_iter().enumerate().map(tensor).collect();
        let mut modules = self.modules.borrow_mut();
        let module = modules.entry(node).or_insert_with(|| self.alone(node));
        let names: Vec<String> = module.input_names().into_iter().map(String::from).collect();
        let named: Vec<(&str, &Tensor)> = names.iter().map(String::as_str).zip(&tensors).collect();
        let _portable = nn::force_portable();
        let value = module.forward_all(&named, false).unwrap().into_values().next().unwrap();
        Map::new(batch, self.graph.shape(node), value.flatten_all().unwrap().to_vec1().unwrap())
    }

    /// A node as a network of its own, with its parameters.
    fn alone(&self, node: NodeId) -> Module {
        let mut sketch = Sketch::default();
        let operands = self.graph.operands(node).into_iter();
        let inputs: Vec<NodeId> = operands.map(|operand| sketch.input(self.graph.shape(operand).dims())).collect();
        let value = sketch.add(self.graph.node(node).op.clone(), &inputs);
        sketch.output(value);
        let network = sketch.network();
        let store = ParamStore::new(&network, 0, DType::F64, &Device::Cpu).unwrap();
        for entry in store.entries().iter().filter(|entry| !entry.spec.dims.is_empty()) {
            let numbers = &self.parameters[&format!("{}.{}", self.graph.node(node).path, entry.spec.name)];
            let tensor = Tensor::from_slice(numbers, entry.spec.dims.as_slice(), &Device::Cpu).unwrap();
            entry.set(&tensor.to_dtype(DType::F64).unwrap()).unwrap();
        }
        network.lower(store.var_builder()).unwrap()
    }
}
