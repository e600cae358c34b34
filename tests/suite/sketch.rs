//! Networks drawn by hand, without text.

use archc::base::{Rng, Span};
use archc::elaborate::InputDecl;
use archc::graph::{Graph, Node, NodeId, Output, ScopeId};
use archc::ops::conv::Conv;
use archc::ops::norm::BatchNorm;
use archc::ops::structure::Input;
use archc::ops::{Init, Op, ParamSpec};
use archc::shape::Shape;
use archc::{Network, Options};
use std::collections::BTreeMap;

/// A network being drawn.
#[derive(Default)]
pub struct Sketch {
    pub graph: Graph,
}

impl Sketch {
    pub fn input(&mut self, dims: &[usize]) -> NodeId {
        let shape = Shape::new(dims);
        let node = self.push(Input { shape: shape.clone() }.into(), shape, &[]);
        self.graph.inputs.push(node);
        node
    }

    fn push(&mut self, op: Op, shape: Shape, operands: &[NodeId]) -> NodeId {
        let path = format!("v{}", self.graph.len());
        self.graph.add(Node { op, path, shape, span: Span::default(), scope: ScopeId(0) }, operands)
    }

    /// A node; `None` where the op does not work on these operands.
    pub fn try_add(&mut self, op: impl Into<Op>, operands: &[NodeId]) -> Option<NodeId> {
        let op = op.into();
        let shapes: Vec<&Shape> = operands.iter().map(|&operand| self.graph.shape(operand)).collect();
        let shape = op.layer().infer(&shapes).ok()?;
        Some(self.push(op, shape, operands))
    }

    pub fn add(&mut self, op: impl Into<Op>, operands: &[NodeId]) -> NodeId {
        let op = op.into();
        let described = format!("{op:?} on {:?}", operands.iter().map(|&o| self.graph.shape(o)).collect::<Vec<_>>());
        self.try_add(op, operands).unwrap_or_else(|| panic!("{described}"))
    }

    pub fn conv(&mut self, width: usize, kernel: usize, stride: usize, from: NodeId) -> NodeId {
        let axes = self.graph.shape(from).spatial().len();
        let square = |size: usize| vec![size; axes];
        let conv = Conv {
            width,
            kernel: square(kernel),
            stride: square(stride),
            pad: square((kernel - 1) / 2),
            dilation: square(1),
            groups: 1,
            bias: false,
            init: Init::KaimingNormal,
            bias_init: None,
        };
        self.add(conv, &[from])
    }

    pub fn norm(&mut self, from: NodeId) -> NodeId {
        let norm = BatchNorm { eps: 1e-5, momentum: 0.1, affine: true, weight_init: 1.0, bias_init: 0.0 };
        self.add(norm, &[from])
    }

    pub fn output(&mut self, node: NodeId) {
        self.graph.outputs.push(Output { name: format!("out{}", self.graph.outputs.len()), node });
    }

    /// The network, checked; only the batch is free.
    pub fn network(self) -> Network {
        archc::graph::verify::verify(&self.graph).unwrap();
        let decl = |&id: &NodeId| {
            let node = self.graph.node(id);
            let sizes = node.shape.dims().iter().map(|&size| (None, Some(size)));
            InputDecl {
                name: node.path.clone(),
                dims: [(Some("N".to_string()), None)].into_iter().chain(sizes).collect(),
            }
        };
        Network {
            name: "Sketch".into(),
            doc: None,
            settings: BTreeMap::new(),
            inputs: self.graph.inputs.iter().map(decl).collect(),
            free_sizes: Vec::new(),
            recipe: None,
            graph: self.graph,
        }
    }
}

/// Parameters by path.
pub type Parameters = BTreeMap<String, Vec<f32>>;

/// Values of a network, by name: sizes with the batch in front, and numbers.
pub type Values = Vec<(String, Vec<usize>, Vec<f32>)>;

/// Parameters under which every layer does something and values keep their size, about.
pub fn parameters(graph: &Graph, seed: u64) -> Parameters {
    let parameter = |(path, spec): (String, ParamSpec)| {
        let mut rng = Rng::derive(seed, &path);
        let fan_in = spec.dims.iter().skip(1).product::<usize>().max(1) as f64;
        let (middle, spread) = match (spec.name, spec.dims.len()) {
            ("weight", 0 | 1) => (0.9, 0.2),
            ("weight", _) => (0.0, (1.5 / fan_in).sqrt()),
            ("running_var", _) => (1.0, 0.0),
            _ => (0.0, 0.2),
        };
        let number = |_| match spec.name {
            "running_var" => 0.5 + rng.uniform() as f32,
            _ => (middle + spread * rng.normal()) as f32,
        };
        let numbers = (0..spec.elements()).map(number).collect();
        (path, numbers)
    };
    graph.named_params().into_iter().map(parameter).collect()
}

/// Normal numbers for every input.
pub fn inputs(graph: &Graph, batch: usize, seed: u64) -> Values {
    let mut rng = Rng::new(seed);
    let input = |&id: &NodeId| {
        let node = graph.node(id);
        let dims = node.shape.with_batch(batch);
        let data = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
        (node.path.clone(), dims, data)
    };
    graph.inputs.iter().map(input).collect()
}

/// A model written as text.
pub fn written(text: &str) -> Network {
    let compiled = archc::compile_text("written.arch", text, &Options::default());
    compiled.network.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}
