//! ONNX files, changed as messages: attributes, operands, types, sizes, versions.

use super::{Seed, bytes, pick};
use archc::base::Rng;
use archc::exchange::onnx::proto::{
    AttributeProto, Dimension, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, kind,
};
use prost::Message;

/// Numbers that attributes, sizes and constants do not expect.
const INTS: [i64; 17] =
    [0, 1, 2, 3, -1, -2, 4, 5, 7, 64, 255, 1 << 20, 1 << 31, (1 << 31) - 1, 1 << 40, i64::MAX, i64::MIN];

const FLOATS: [f32; 12] =
    [0.0, 1.0, -1.0, 0.5, 2.0, 1e-5, 1e30, -1e30, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE];

/// Operators, known and unknown.
const OPERATORS: [&str; 44] = [
    "Conv",
    "ConvTranspose",
    "BatchNormalization",
    "Relu",
    "LeakyRelu",
    "PRelu",
    "Sigmoid",
    "Tanh",
    "Softmax",
    "Gemm",
    "MatMul",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Concat",
    "Slice",
    "Split",
    "Reshape",
    "Flatten",
    "Transpose",
    "Squeeze",
    "Unsqueeze",
    "Shape",
    "Gather",
    "Cast",
    "Constant",
    "ConstantOfShape",
    "Resize",
    "Upsample",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "ReduceMean",
    "Pad",
    "Clip",
    "Dropout",
    "Identity",
    "HardSwish",
    "InstanceNormalization",
    "LayerNormalization",
    "Erf",
    "Loop",
];

const ATTRIBUTES: [&str; 36] = [
    "kernel_shape",
    "strides",
    "pads",
    "dilations",
    "group",
    "auto_pad",
    "output_padding",
    "output_shape",
    "epsilon",
    "momentum",
    "training_mode",
    "axis",
    "axes",
    "perm",
    "alpha",
    "beta",
    "transA",
    "transB",
    "ceil_mode",
    "count_include_pad",
    "storage_order",
    "mode",
    "coordinate_transformation_mode",
    "nearest_mode",
    "cubic_coeff_a",
    "exclude_outside",
    "extrapolation_value",
    "to",
    "value",
    "keepdims",
    "num_outputs",
    "split",
    "allowzero",
    "min",
    "max",
    "scales",
];

const WORDS: [&str; 16] = [
    "NOTSET",
    "SAME_UPPER",
    "SAME_LOWER",
    "VALID",
    "nearest",
    "linear",
    "cubic",
    "asymmetric",
    "half_pixel",
    "align_corners",
    "pytorch_half_pixel",
    "tf_crop_and_resize",
    "constant",
    "reflect",
    "edge",
    "wrap",
];

/// A few changes of the message, or of bytes.
pub fn mutate(seeds: &[Seed], seed: usize, rng: &mut Rng) -> Vec<u8> {
    let message = ModelProto::decode(seeds[seed].bytes.as_slice());
    let (Ok(mut model), true) = (message, rng.below(6) > 0) else { return bytes::mutate(seeds, seed, rng) };
    for _ in 0..1 + rng.below(3) {
        change(&mut model, rng);
    }
    model.encode_to_vec()
}

fn change(model: &mut ModelProto, rng: &mut Rng) {
    let version = [1, 6, 7, 9, 10, 11, 12, 13, 14, 17, 18, 19, 21, 22, 23, 0, -1, i64::MAX][rng.below(18)];
    match (rng.below(24), model.opset_import.first_mut()) {
        (0, Some(opset)) => opset.version = version,
        (1, Some(opset)) => opset.domain = "ai.onnx.ml".into(),
        (2, _) => model.opset_import.clear(),
        (3, _) => model.ir_version = pick_int(rng),
        (4, _) => model.producer_name = ["archc", "pytorch", "tf2onnx", ""][rng.below(4)].into(),
        _ => {
            if let Some(graph) = &mut model.graph {
                graph_change(graph, rng);
            }
        }
    }
}

fn graph_change(graph: &mut GraphProto, rng: &mut Rng) {
    let names = names(graph, rng);
    match rng.below(10) {
        0..=4 if !graph.node.is_empty() => {
            let at = rng.below(graph.node.len());
            node_change(&mut graph.node[at], &names, rng);
        }
        5 if !graph.node.is_empty() => node_moved(&mut graph.node, rng),
        6 | 7 if !graph.initializer.is_empty() => {
            let at = rng.below(graph.initializer.len());
            tensor_change(&mut graph.initializer[at], rng);
        }
        8 => value_change(&mut graph.input, &names, rng),
        _ => value_change(&mut graph.output, &names, rng),
    }
}

/// Some names of values.
fn names(graph: &GraphProto, rng: &mut Rng) -> Vec<String> {
    let mut names = vec![String::new(), "nothing".to_string()];
    for _ in 0..6 {
        let node = (!graph.node.is_empty()).then(|| &graph.node[rng.below(graph.node.len())]);
        names.extend(node.and_then(|node| node.output.first().cloned()));
        let held = (!graph.initializer.is_empty()).then(|| &graph.initializer[rng.below(graph.initializer.len())]);
        names.extend(held.map(|tensor| tensor.name.clone()));
    }
    names.extend(graph.input.iter().map(|input| input.name.clone()));
    names
}

fn one(names: &[String], rng: &mut Rng) -> String {
    names[rng.below(names.len())].clone()
}

fn pick_int(rng: &mut Rng) -> i64 {
    INTS[rng.below(INTS.len())]
}

fn node_moved(nodes: &mut Vec<NodeProto>, rng: &mut Rng) {
    let (at, to) = (rng.below(nodes.len()), rng.below(nodes.len()));
    match rng.below(3) {
        0 => drop(nodes.remove(at)),
        1 => nodes.swap(at, to),
        _ => nodes.insert(to, nodes[at].clone()),
    }
}

fn node_change(node: &mut NodeProto, names: &[String], rng: &mut Rng) {
    let inputs = node.input.len();
    match rng.below(12) {
        0 => node.op_type = pick(&OPERATORS, rng).into(),
        1 => node.domain = "com.microsoft".into(),
        2 if inputs > 0 => node.input[rng.below(inputs)] = one(names, rng),
        3 if inputs > 0 => drop(node.input.remove(rng.below(inputs))),
        4 => node.input.push(one(names, rng)),
        5 if inputs > 1 => node.input.swap(0, 1),
        6 => node.output.push(one(names, rng)),
        7 if !node.attribute.is_empty() => drop(node.attribute.remove(rng.below(node.attribute.len()))),
        8 => node.attribute.push(attribute(rng)),
        _ if !node.attribute.is_empty() => {
            let at = rng.below(node.attribute.len());
            attribute_change(&mut node.attribute[at], rng);
        }
        _ => node.attribute.push(attribute(rng)),
    }
}

fn attribute(rng: &mut Rng) -> AttributeProto {
    let mut made = AttributeProto { name: pick(&ATTRIBUTES, rng).into(), ..AttributeProto::default() };
    fill(&mut made, [kind::FLOAT, kind::INT, kind::STRING, kind::FLOATS, kind::INTS][rng.below(5)], rng);
    made
}

fn fill(attribute: &mut AttributeProto, of: i32, rng: &mut Rng) {
    attribute.r#type = of;
    match of {
        kind::FLOAT => attribute.f = Some(FLOATS[rng.below(FLOATS.len())]),
        kind::INT => attribute.i = Some(pick_int(rng)),
        kind::STRING => attribute.s = Some(pick(&WORDS, rng).as_bytes().to_vec().into()),
        kind::FLOATS => attribute.floats = (0..rng.below(5)).map(|_| FLOATS[rng.below(FLOATS.len())]).collect(),
        _ => attribute.ints = (0..rng.below(6)).map(|_| pick_int(rng)).collect(),
    }
}

fn attribute_change(attribute: &mut AttributeProto, rng: &mut Rng) {
    let ints = attribute.ints.len();
    match rng.below(8) {
        0 => attribute.r#type = rng.below(16) as i32 - 1,
        1 => attribute.name = pick(&ATTRIBUTES, rng).into(),
        2 if ints > 0 => attribute.ints.truncate(rng.below(ints)),
        3 if ints > 0 => attribute.ints.push(pick_int(rng)),
        4 | 5 if ints > 0 => attribute.ints[rng.below(ints)] = pick_int(rng),
        6 => fill(attribute, [kind::FLOAT, kind::INT, kind::STRING, kind::FLOATS, kind::INTS][rng.below(5)], rng),
        _ => match &mut attribute.t {
            Some(tensor) => tensor_change(tensor, rng),
            None => fill(attribute, attribute.r#type, rng),
        },
    }
}

fn tensor_change(tensor: &mut TensorProto, rng: &mut Rng) {
    let axes = tensor.dims.len();
    match rng.below(10) {
        0 => tensor.data_type = rng.below(24) as i32,
        1 if axes > 0 => tensor.dims[rng.below(axes)] = pick_int(rng),
        2 if axes > 0 => drop(tensor.dims.remove(rng.below(axes))),
        3 => tensor.dims.push([1, 1, 2, 0, -1][rng.below(5)]),
        4 if axes > 1 => tensor.dims.swap(0, axes - 1),
        5 => tensor.raw_data = None,
        6 => tensor.data_location = 1,
        7 => tensor.int64_data = (0..rng.below(5)).map(|_| pick_int(rng)).collect(),
        8 => tensor.float_data = (0..rng.below(5)).map(|_| FLOATS[rng.below(FLOATS.len())]).collect(),
        _ => {
            if let Some(raw) = &tensor.raw_data {
                let mut raw = raw.to_vec();
                bytes::change(&mut raw, rng);
                tensor.raw_data = Some(raw.into());
            }
        }
    }
}

fn value_change(values: &mut Vec<ValueInfoProto>, names: &[String], rng: &mut Rng) {
    if values.is_empty() {
        return values.push(ValueInfoProto { name: one(names, rng), r#type: None });
    }
    let at = rng.below(values.len());
    match rng.below(8) {
        0 => drop(values.remove(at)),
        1 => values.push(values[at].clone()),
        2 => values[at].name = one(names, rng),
        3 => values[at].r#type = None,
        4 => values.push(ValueInfoProto { name: one(names, rng), r#type: values[at].r#type.clone() }),
        _ => dims_change(&mut values[at], rng),
    }
}

fn dims_change(value: &mut ValueInfoProto, rng: &mut Rng) {
    let tensor = value.r#type.as_mut().and_then(|t| t.tensor_type.as_mut());
    let Some(tensor) = tensor else { return };
    if rng.below(6) == 0 {
        tensor.elem_type = rng.below(20) as i32;
        return;
    }
    let Some(shape) = tensor.shape.as_mut() else { return };
    let size = Dimension { dim_value: Some(pick_int(rng)), dim_param: None };
    let named = Dimension { dim_value: None, dim_param: Some(["N", "H", "", "batch size", "é"][rng.below(5)].into()) };
    let none = Dimension { dim_value: None, dim_param: None };
    let new = [&size, &named, &none][rng.below(3)].clone();
    match (rng.below(5), shape.dim.len()) {
        (0, n) if n > 0 => drop(shape.dim.remove(rng.below(n))),
        (1, n) => shape.dim.insert(rng.below(n + 1), new),
        (_, n) if n > 0 => shape.dim[rng.below(n)] = new,
        _ => tensor.shape = None,
    }
}
