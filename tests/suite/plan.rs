//! Memory plans: figures computed elsewhere, and proofs on random graphs.

use archc::base::{Rng, Span};
use archc::graph::{Graph, Node, NodeId, Output, ScopeId};
use archc::ops::activation::Activation;
use archc::ops::conv::Conv;
use archc::ops::merge::{Add, Concat, Gate, Mul};
use archc::ops::norm::BatchNorm;
use archc::ops::pool::{AvgPool, GlobalPool, MaxPool};
use archc::ops::resize::{Crop, CropLike};
use archc::ops::structure::{Dropout, Flatten, Identity, Input};
use archc::ops::{Init, Op};
use archc::plan::{
    self, Assumptions, Concat as ConcatPlan, Grouping, Mode, Plan,
    verify::{Broken, verify},
};
use archc::shape::Shape;

/// A network drawn by hand.
#[derive(Default)]
struct Sketch {
    graph: Graph,
}

impl Sketch {
    fn input(&mut self, dims: &[usize]) -> NodeId {
        let shape = Shape::new(dims);
        let node = self.push(Input { shape: shape.clone() }.into(), shape, &[]);
        self.graph.inputs.push(node);
        node
    }

    fn push(&mut self, op: Op, shape: Shape, operands: &[NodeId]) -> NodeId {
        let path = format!("v{}", self.graph.len());
        self.graph.add(Node { op, path, shape, span: Span::default(), scope: ScopeId(0) }, operands)
    }

    fn add(&mut self, op: impl Into<Op>, operands: &[NodeId]) -> NodeId {
        let op = op.into();
        let shapes: Vec<&Shape> = operands.iter().map(|&operand| self.graph.shape(operand)).collect();
        let shape = op.layer().infer(&shapes).unwrap_or_else(|e| panic!("{op:?} on {shapes:?}: {e:?}"));
        self.push(op, shape, operands)
    }

    fn conv(&mut self, width: usize, kernel: usize, stride: usize, from: NodeId) -> NodeId {
        self.conv_padded(width, kernel, stride, (kernel - 1) / 2, from)
    }

    fn conv_padded(&mut self, width: usize, kernel: usize, stride: usize, pad: usize, from: NodeId) -> NodeId {
        let conv = Conv {
            width,
            kernel: vec![kernel; 2],
            stride: vec![stride; 2],
            pad: vec![pad; 2],
            dilation: vec![1; 2],
            groups: 1,
            bias: false,
            init: Init::KaimingNormal,
            bias_init: None,
        };
        self.add(conv, &[from])
    }

    fn norm(&mut self, from: NodeId) -> NodeId {
        let norm = BatchNorm { eps: 1e-5, momentum: 0.1, affine: true, weight_init: 1.0, bias_init: 0.0 };
        self.add(norm, &[from])
    }

    fn output(&mut self, node: NodeId) {
        self.graph.outputs.push(Output { name: format!("out{}", self.graph.outputs.len()), node });
    }
}

/// Every way to plan a graph, proved.
fn prove_all(graph: &Graph) {
    for mode in [Mode::Run, Mode::Train] {
        for concat in [ConcatPlan::Copied, ConcatPlan::Chained, ConcatPlan::Whole] {
            for grouping in [Grouping::Fused, Grouping::PerNode] {
                for (in_place, crop_views) in [(false, false), (true, false), (true, true)] {
                    let assumptions = Assumptions { grouping, concat, in_place, crop_views };
                    let plan = plan::plan(graph, &assumptions, mode, 3).unwrap();
                    prove(&plan);
                }
            }
        }
        prove(&plan::best(graph, mode, 1).unwrap());
    }
}

fn prove(plan: &Plan) {
    verify(plan).unwrap_or_else(|broken| panic!("{broken} under {:?} in {:?}\n{plan:#?}", plan.assumptions, plan.mode));
    assert!(plan.lower_bound <= plan.peak && plan.live.iter().all(|&live| live <= plan.lower_bound));
}

/// A random network of maps [N, C, 4, 4] and what becomes of them.
fn random(seed: u64) -> Graph {
    let mut rng = Rng::new(seed);
    let mut net = Sketch::default();
    let mut values: Vec<NodeId> = (0..1 + rng.below(2)).map(|_| net.input(&[1 + seed as usize % 3, 4, 4])).collect();
    for _ in 0..4 + rng.below(16) {
        // Late values are likelier, so that there are chains.
        let pick = |rng: &mut Rng| values[values.len() - 1 - rng.below(values.len()).min(rng.below(values.len()))];
        let (a, b) = (pick(&mut rng), pick(&mut rng));
        let same = net.graph.shape(a) == net.graph.shape(b);
        let maps = net.graph.shape(a).spatial() == net.graph.shape(b).spatial();
        let node = match rng.below(14) {
            0 | 1 => net.conv(1 + rng.below(4), 3, 1, a),
            2 => net.norm(a),
            3 | 4 => net.add(Activation::Relu, &[a]),
            5 => net.add(Activation::Gelu, &[a]),
            6 => net.add(Identity {}, &[a]),
            7 => net.add(Dropout { p: 0.5 }, &[a]),
            8 if same => net.add(Add { scale: 1.0, drop_path: 0.0 }, &[a, b]),
            9 | 10 if maps => net.add(Concat {}, &[a, b]),
            11 if same => net.add(Gate {}, &[a, b, a]),
            12 => {
                let gate = net.add(GlobalPool { max: false }, &[a]);
                net.add(Mul {}, &[a, gate])
            }
            13 if net.graph.shape(a).spatial()[0] > 2 => net.add(Crop { size: vec![2, 2] }, &[a]),
            _ => net.add(CropLike {}, &[a, a]),
        };
        values.push(node);
    }
    let last = values[values.len() - 1];
    net.output(last);
    if rng.below(3) == 0 {
        let other = values[rng.below(values.len())];
        net.output(other);
    }
    net.graph
}

#[test]
fn plans_of_random_graphs_overwrite_nothing() {
    (0..400).for_each(|seed| prove_all(&random(seed)));
}

#[test]
fn broken_plans_are_found_out() {
    let mut net = Sketch::default();
    let input = net.input(&[1, 4, 4]);
    let a = net.conv(2, 3, 1, input);
    let b = net.conv(2, 3, 1, a);
    let sum = net.add(Add { scale: 1.0, drop_path: 0.0 }, &[a, b]);
    net.output(sum);
    let plan = plan::best(&net.graph, Mode::Run, 1).unwrap();
    verify(&plan).unwrap();
    let (a, b) = (plan.places[1].buffer, plan.places[2].buffer);

    let mut moved = plan.clone();
    moved.buffers[b].offset = moved.buffers[a].offset;
    assert_eq!(verify(&moved), Err(Broken::Overlap { first: a, second: b }));
    let mut shared = plan.clone();
    shared.places[2] = shared.places[1];
    assert_eq!(verify(&shared), Err(Broken::Overwritten { step: 3, value: 1 }));
    let mut off_grid = plan.clone();
    off_grid.buffers[a].offset += 4;
    assert_eq!(verify(&off_grid), Err(Broken::Outside { buffer: a }));
    let mut torn = plan;
    torn.places[3].offset += 4;
    assert_eq!(verify(&torn), Err(Broken::Torn { step: 3, value: 1 }));
}

/// Conv, norm and activation, the convolution that the figures count as one value.
fn unit(net: &mut Sketch, width: usize, kernel: usize, stride: usize, from: NodeId, relu: bool) -> NodeId {
    let conv = net.conv(width, kernel, stride, from);
    let norm = net.norm(conv);
    if relu { net.add(Activation::Relu, &[norm]) } else { norm }
}

fn pool(kernel: usize, stride: usize, pad: usize) -> MaxPool {
    MaxPool { kernel: vec![kernel; 2], stride: vec![stride; 2], pad: vec![pad; 2], dilation: vec![1; 2], ceil: false }
}

fn head(net: &mut Sketch, x: NodeId) -> Graph {
    let x = net.add(GlobalPool { max: false }, &[x]);
    let x = net.add(Flatten {}, &[x]);
    let linear = archc::ops::linear::Linear { width: 1000, bias: true, init: None, bias_init: None };
    let x = net.add(linear, &[x]);
    net.output(x);
    std::mem::take(&mut net.graph)
}

fn resnet(depths: [usize; 4], bottleneck: bool) -> Graph {
    let mut net = Sketch::default();
    let x = net.input(&[3, 224, 224]);
    let x = unit(&mut net, 64, 7, 2, x, true);
    let mut x = net.add(pool(3, 2, 1), &[x]);
    for (stage, depth) in depths.into_iter().enumerate() {
        let width = 64 << stage;
        for i in 0..depth {
            let stride = if i == 0 && stage > 0 { 2 } else { 1 };
            let (out, body) = if bottleneck {
                let a = unit(&mut net, width, 1, 1, x, true);
                let b = unit(&mut net, width, 3, stride, a, true);
                (width * 4, unit(&mut net, width * 4, 1, 1, b, false))
            } else {
                let a = unit(&mut net, width, 3, stride, x, true);
                (width, unit(&mut net, width, 3, 1, a, false))
            };
            let skip = if net.graph.shape(x).channels() == Some(out) && stride == 1 {
                x
            } else {
                unit(&mut net, out, 1, stride, x, false)
            };
            let sum = net.add(Add { scale: 1.0, drop_path: 0.0 }, &[skip, body]);
            x = net.add(Activation::Relu, &[sum]);
        }
    }
    head(&mut net, x)
}

fn norm_relu(net: &mut Sketch, x: NodeId) -> NodeId {
    let norm = net.norm(x);
    net.add(Activation::Relu, &[norm])
}

fn densenet() -> Graph {
    let mut net = Sketch::default();
    let x = net.input(&[3, 224, 224]);
    let x = unit(&mut net, 64, 7, 2, x, true);
    let mut x = net.add(pool(3, 2, 1), &[x]);
    for (stage, depth) in [6, 12, 24, 16].into_iter().enumerate() {
        for _ in 0..depth {
            let y = norm_relu(&mut net, x);
            let y = unit(&mut net, 128, 1, 1, y, true);
            let y = net.conv(32, 3, 1, y);
            x = net.add(Concat {}, &[x, y]);
        }
        if stage < 3 {
            let y = norm_relu(&mut net, x);
            let half = net.graph.shape(y).channels().unwrap() / 2;
            let y = net.conv(half, 1, 1, y);
            let mean =
                AvgPool { kernel: vec![2; 2], stride: vec![2; 2], pad: vec![0; 2], ceil: false, count_pad: true };
            x = net.add(mean, &[y]);
        }
    }
    let x = norm_relu(&mut net, x);
    head(&mut net, x)
}

fn mib(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / (1 << 20) as f64)
}

fn figures(graph: &Graph, assumptions: &Assumptions) -> (String, String) {
    let plan = plan::plan(graph, assumptions, Mode::Run, 1).unwrap();
    prove(&plan);
    (mib(plan.naive), mib(plan.lower_bound))
}

#[test]
fn figures_agree_with_those_computed_elsewhere() {
    let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
    assert_eq!(figures(&resnet([2, 2, 2, 2], false), &Assumptions::REFERENCE), pair("13.69", "3.83"));
    assert_eq!(figures(&resnet([3, 4, 6, 3], true), &Assumptions::REFERENCE), pair("64.80", "9.19"));
    assert_eq!(figures(&densenet(), &Assumptions::REFERENCE), pair("107.39", "6.89"));
    assert_eq!(figures(&densenet(), &Assumptions::REFERENCE_CHAINED), pair("70.01", "7.27"));
}
