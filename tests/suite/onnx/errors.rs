//! What people see of files that are no networks, and of networks that are no files.

use archc::base::render::{self, Style};
use archc::base::{Diagnostic, Report, SourceMap};
use archc::elaborate::Options;
use archc::exchange::onnx::export::export;
use archc::exchange::onnx::import::{ImportOptions, import};
use archc::exchange::onnx::proto::*;
use archc::weights::Numbers;
use prost::Message;
use std::path::Path;

pub fn shown(error: &Diagnostic, folder: &Path) -> String {
    let mut error = error.clone();
    error.message = error.message.replace(&format!("{}/", folder.display()), "");
    error.message = error.message.replace(&folder.display().to_string(), "FOLDER");
    render::fancy(&Report::new([&error], &SourceMap::new()), Style { color: false, width: 100 })
}

/// A tensor's name and type; an empty size is free.
fn value(name: &str, elem_type: i32, dims: &[i64]) -> ValueInfoProto {
    let dim = dims.iter().map(|&d| Dimension { dim_value: (d > 0).then_some(d), dim_param: None }).collect();
    let tensor_type = Some(TensorTypeProto { elem_type, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

fn node(op: &str, name: &str, input: &[&str], output: &str) -> NodeProto {
    let input = input.iter().map(|&name| name.into()).collect();
    NodeProto { op_type: op.into(), name: name.into(), input, output: vec![output.into()], ..NodeProto::default() }
}

fn tensor(name: &str, dims: &[i64], floats: usize) -> TensorProto {
    let raw_data = Some(vec![0u8; 4 * floats].into());
    TensorProto { name: name.into(), dims: dims.to_vec(), data_type: dtype::FLOAT, raw_data, ..TensorProto::default() }
}

/// A model of these nodes, from `x` to `y`.
fn model(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let graph = GraphProto {
        node,
        initializer,
        input: vec![value("x", dtype::FLOAT, &[0, 3, 8, 8])],
        output: vec![value("y", dtype::FLOAT, &[])],
        ..GraphProto::default()
    };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 17 }];
    ModelProto { ir_version: 8, graph: Some(graph), opset_import, ..ModelProto::default() }
}

/// The error of a file with these bytes.
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.onnx");
    std::fs::write(&path, bytes).unwrap();
    shown(&import(&path, &ImportOptions::default()).unwrap_err(), folder.path())
}

fn refused_model(model: &ModelProto) -> String {
    refused(&model.encode_to_vec())
}

#[test]
fn files_that_cannot_be_read_are_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = import(&folder.path().join("resnet.onnx"), &ImportOptions::default()).unwrap_err();
    let is_folder = import(folder.path(), &ImportOptions::default()).unwrap_err();
    let whole = model(vec![node("Relu", "act", &["x"], "y")], Vec::new()).encode_to_vec();
    let conv = || vec![node("Conv", "conv", &["x", "w"], "y")];
    let outside = |location: &str| {
        let entry = StringStringEntryProto { key: "location".into(), value: location.into() };
        let data = TensorProto { external_data: vec![entry], data_location: EXTERNAL, ..tensor("w", &[4, 3, 3, 3], 0) };
        refused_model(&model(conv(), vec![data]))
    };
    let all = [
        ("missing", shown(&missing, folder.path())),
        ("a folder", shown(&is_folder, folder.path())),
        ("empty", refused(b"")),
        ("a checkpoint", refused(b"PK\x03\x04 and so on")),
        ("a picture", refused(b"\x89PNG\r\n\x1a\n and so on")),
        ("cut short", refused(&whole[..whole.len() - 5])),
        ("other sizes", refused_model(&model(conv(), vec![tensor("w", &[4, 3, 3, 3], 7)]))),
        ("weights elsewhere, missing", outside("net.onnx.data")),
        ("weights elsewhere, outside", outside("../net.onnx.data")),
    ];
    let all: Vec<String> = all.iter().map(|(what, text)| format!("## {what}\n{text}")).collect();
    insta::assert_snapshot!("onnx_e0830", all.join("\n"));
}

#[test]
fn what_no_layer_does_is_named_with_its_place() {
    let nodes = vec![
        node("Relu", "/stem/act/Relu", &["x"], "a"),
        node("Sin", "/body/Sin", &["a"], "b"),
        node("Relu", "/body/act/Relu", &["b"], "c"),
        node("MatMul", "/attn/MatMul", &["a", "a"], "d"),
        node("Add", "/Add", &["c", "d"], "e"),
        node("LogSoftmax", "", &["a"], "f"),
        node("Sum", "/Sum", &["e", "f"], "y"),
    ];
    let several = refused_model(&model(nodes, Vec::new()));
    let mut custom = model(vec![node("Deform", "warp", &["x"], "y")], Vec::new());
    if let Some(node) = custom.graph.as_mut().and_then(|graph| graph.node.first_mut()) {
        node.domain = "com.example".into();
    }
    let functions = vec![FunctionProto { name: "Block".into() }];
    let own = ModelProto { functions, ..model(vec![node("Relu", "act", &["x"], "y")], Vec::new()) };
    let clip =
        model(vec![node("Clip", "/clip", &["x", "low", "high"], "y")], vec![number("low", 1.0), number("high", 2.0)]);
    let all = [several, refused_model(&custom), refused_model(&own), refused_model(&clip)];
    insta::assert_snapshot!("onnx_e0831", all.join("\n"));
}

#[test]
fn what_only_a_refused_node_reads_is_not_listed() {
    let factor = |op: &str, x: &str, y: &str| node(op, &format!("/{op}"), &[x, "c"], y);
    let nodes = vec![
        factor("Sub", "x", "a"),
        factor("Div", "a", "b"),
        node("Relu", "/act", &["b"], "r"),
        // Over all axes, the batch as well.
        node("ReduceMean", "/mean", &["b"], "m"),
        node("Add", "/Add", &["r", "m"], "y"),
    ];
    let error = refused_model(&model(nodes, vec![number("c", 2.0)]));
    assert!(error.contains("`ReduceMean` at `/mean`"), "{error}");
    assert!(!error.contains("`Sub`") && !error.contains("`Div`"), "{error}");
}

#[test]
fn the_batch_is_said_by_its_letter() {
    let order: Vec<u8> = [1i64, 0, 2, 3].iter().flat_map(|n| n.to_le_bytes()).collect();
    let order = TensorProto { data_type: dtype::INT64, raw_data: Some(order.into()), ..tensor("order", &[4], 0) };
    let nodes = vec![
        node("Shape", "/Shape", &["x"], "s"),
        node("Gather", "/Gather", &["s", "order"], "t"),
        node("Reshape", "/Reshape", &["x", "t"], "y"),
    ];
    let error = refused_model(&model(nodes, vec![order]));
    assert!(error.contains("gives the sizes [3, N, 8, 8], which do not"), "{error}");
}

#[test]
fn padding_that_nobody_agrees_on_is_refused_with_another_export() {
    let word = |name: &str, text: &'static str| AttributeProto {
        name: name.into(),
        s: Some(text.as_bytes().into()),
        r#type: kind::STRING,
        ..AttributeProto::default()
    };
    let twice =
        AttributeProto { name: "dilations".into(), ints: vec![2, 2], r#type: kind::INTS, ..AttributeProto::default() };
    let attribute = vec![word("auto_pad", "SAME_LOWER"), twice];
    let conv = NodeProto { attribute, ..node("Conv", "/conv", &["x", "w"], "y") };
    let error = refused_model(&model(vec![conv], vec![tensor("w", &[2, 3, 3, 3], 54)]));
    assert!(error.contains("`auto_pad` and `dilations` = [2, 2]") && error.contains("dynamo=True"), "{error}");
}

/// Each factor is settled after the one before it, however many there are.
#[test]
fn a_long_chain_of_factors_is_no_deep_one() {
    const COUNT: usize = 30_000;
    let name = |i: usize| if i == 0 { "x".to_string() } else { format!("m{i}") };
    let factor = |i: usize| node("Mul", "", &[&name(i), "c"], &name(i + 1));
    let mut nodes: Vec<NodeProto> = (0..COUNT).map(factor).collect();
    nodes.push(node("Relu", "act", &[&name(COUNT)], "r"));
    nodes.push(node("Sin", "end", &["r"], "y"));
    let error = refused_model(&model(nodes, vec![tensor("c", &[3, 1, 1], 3)]));
    assert!(error.contains("`Sin` at `end`"), "{error}");
}

fn number(name: &str, value: f32) -> TensorProto {
    TensorProto { name: name.into(), data_type: dtype::FLOAT, float_data: vec![value], ..TensorProto::default() }
}

#[test]
fn what_is_no_network_is_said_so() {
    let relu = || model(vec![node("Relu", "act", &["x"], "y")], Vec::new());
    let with = |change: &dyn Fn(&mut GraphProto)| {
        let mut model = relu();
        model.graph.iter_mut().for_each(change);
        refused_model(&model)
    };
    let all = [
        ("whole numbers", with(&|g| g.input = vec![value("ids", dtype::INT64, &[0, 16])])),
        ("no batch", with(&|g| g.input = vec![value("x", dtype::FLOAT, &[5])])),
        ("channels not said", with(&|g| g.input = vec![value("x", dtype::FLOAT, &[0, 0, 8, 8])])),
        ("no input", with(&|g| g.input.clear())),
        ("no output", with(&|g| g.output.clear())),
        ("an output of nothing", with(&|g| g.output = vec![value("z", dtype::FLOAT, &[])])),
        ("an operand of nothing", with(&|g| g.node = vec![node("Relu", "act", &["z"], "y")])),
        ("a circle", with(&|g| g.node = vec![node("Add", "sum", &["x", "y"], "z"), node("Relu", "act", &["z"], "y")])),
        ("twice", with(&|g| g.node.push(node("Tanh", "again", &["x"], "y")))),
    ];
    let all: Vec<String> = all.iter().map(|(what, text)| format!("## {what}\n{text}")).collect();
    insta::assert_snapshot!("onnx_e0832", all.join("\n"));
}

#[test]
fn weights_that_no_file_holds_are_refused() {
    let text = "model Huge() {\n    input x [N, 40000]\n    linear(20000)\n}\n";
    let compiled = archc::compile_text("huge.arch", text, &Options::default());
    let network = compiled.sound().unwrap();
    let error = export(&compiled, network, &Numbers::seeded(network, 1)).unwrap_err();
    insta::assert_snapshot!("onnx_e0833", shown(&error, Path::new("nowhere")));
}
