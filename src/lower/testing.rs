//! Small networks for the tests of this room.

use crate::base::Span;
use crate::elaborate::{FreeSize, InputDecl, Network};
use crate::graph::{Graph, Node, NodeId, Output, ScopeId};
use crate::ops::{Init, Op, conv::Conv, linear::Linear, norm::BatchNorm, structure};
use crate::shape::Shape;
use std::collections::BTreeMap;

/// Adds a node with the shape that its rule gives.
pub fn add(graph: &mut Graph, path: &str, op: impl Into<Op>, operands: &[NodeId]) -> NodeId {
    let op = op.into();
    let shapes: Vec<&Shape> = operands.iter().map(|&id| graph.shape(id)).collect();
    let shape = op.layer().infer(&shapes).unwrap();
    let (span, scope) = (Span::default(), ScopeId::default());
    graph.add(Node { op, path: path.into(), shape, span, scope }, operands)
}

/// A graph made a network with one output, and one input of these sizes; a third axis is named `H`.
pub fn wrap(mut graph: Graph, dims: &[usize], output: NodeId) -> Network {
    graph.outputs = vec![Output { name: "output".into(), node: output }];
    let axis = |(i, &d): (usize, &usize)| ((i == 1).then(|| "H".to_string()), Some(d));
    let axes = dims.iter().enumerate().map(axis);
    let decl =
        InputDecl { name: "image".into(), dims: std::iter::once((Some("N".into()), None)).chain(axes).collect() };
    let free_sizes = dims.get(1).map(|&default| FreeSize { name: "H".into(), default }).into_iter().collect();
    Network {
        name: "Tiny".into(),
        doc: None,
        settings: BTreeMap::from([("classes".into(), "3".into())]),
        graph,
        inputs: vec![decl],
        free_sizes,
        recipe: None,
    }
}

/// `[N, 1, 4, 4] → conv → bn → flatten → fc → [N, 3]`; the same as in `tests/parity/make_weights.py`.
pub fn network() -> Network {
    let mut graph = Graph::default();
    let image = add(&mut graph, "image", structure::Input { shape: Shape::new([1, 4, 4]) }, &[]);
    graph.inputs = vec![image];
    let conv = Conv {
        width: 2,
        kernel: vec![3, 3],
        stride: vec![2, 2],
        pad: vec![1, 1],
        dilation: vec![1, 1],
        groups: 1,
        bias: false,
        init: Init::KaimingNormal,
        bias_init: None,
    };
    let conv = add(&mut graph, "conv", conv, &[image]);
    let norm = BatchNorm { eps: 1e-5, momentum: 0.1, affine: true, weight_init: 1.0, bias_init: 0.0 };
    let norm = add(&mut graph, "bn", norm, &[conv]);
    let flat = add(&mut graph, "flatten1", structure::Flatten {}, &[norm]);
    let linear = Linear { width: 3, bias: true, init: None, bias_init: None };
    let linear = add(&mut graph, "fc", linear, &[flat]);
    wrap(graph, &[1, 4, 4], linear)
}
