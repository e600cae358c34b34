//! ONNX files, as text.

use archc::base::codes;
use archc::elaborate::{Options, compile, compile_text};
use archc::exchange::onnx::export::{Exported, export};
use archc::exchange::onnx::proto::{AttributeProto, ModelProto, TensorProto, ValueInfoProto, dtype, kind};
use archc::weights::Numbers;
use prost::Message;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Numbers that are printed; of longer constants only the sizes.
const SHORT: usize = 24;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/layers")
}

fn exported(path: &Path, model: &str) -> Exported {
    let compiled = compile(path, &Options { model: Some(model.into()), ..Options::default() });
    let network = compiled.sound().unwrap();
    export(&compiled, network, &Numbers::seeded(network, 3)).unwrap()
}

/// Files and models that together have every operator the export writes.
fn shown() -> Vec<(PathBuf, &'static str)> {
    let fixed = ["Convolutions", "Lines", "Activations", "Norms", "Pools", "Sizes", "Skips", "Through"];
    let free = ["FreeMaps", "FreeMaps2", "FreeLine"];
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let fixed = fixed.map(|model| (folder().join("fixed.arch"), model));
    let free = free.map(|model| (folder().join("free.arch"), model));
    fixed.into_iter().chain(free).chain([(examples.join("digits.arch"), "Digits")]).collect()
}

#[test]
fn files_are_what_they_were() {
    for (path, model) in shown() {
        let Exported { bytes, notes } = exported(&path, model);
        insta::assert_snapshot!(format!("onnx_{model}"), text(&ModelProto::decode(&*bytes).unwrap(), &notes));
    }
}

/// An operator that the export knows and no snapshot has is one whose form may change unseen.
#[test]
fn every_operator_that_is_written_is_in_a_snapshot() {
    let mut seen = BTreeSet::new();
    for (path, model) in shown() {
        let file = ModelProto::decode(&*exported(&path, model).bytes).unwrap();
        seen.extend(file.graph.unwrap().node.into_iter().map(|node| node.op_type));
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/exchange/onnx/export");
    let mut named = BTreeSet::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        // Operators are the words in quotes that start with a capital letter.
        let words = source.split('"').skip(1).step_by(2).map(String::from);
        named.extend(
            words.filter(|word| word.starts_with(char::is_uppercase) && word.chars().all(char::is_alphanumeric)),
        );
    }
    named.remove("N");
    assert_eq!(named.difference(&seen).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(seen.is_subset(&named), "{seen:?}");
}

#[test]
fn what_is_too_large_for_a_file_is_an_error() {
    let text = "model Wide() {\n    input vector [N, 30000]\n    linear(30000)\n}\n";
    let compiled = compile_text("wide.arch", text, &Options::default());
    let network = compiled.sound().unwrap();
    let error = export(&compiled, network, &Numbers::seeded(network, 3)).unwrap_err();
    assert_eq!(error.code, codes::ONNX_UNWRITABLE);
    assert_eq!(error.message, "the weights of `Wide` take 3.4 GiB, and an ONNX file holds at most 2");
}

#[test]
fn a_size_that_decides_what_is_built_is_fixed_and_a_note_says_so() {
    let text = "model Deep() {\n    input image [N, 1, H=4, W=4]\n    repeat it.height { conv(2, 3) }\n}\n";
    let compiled = compile_text("deep.arch", text, &Options::default());
    let network = compiled.sound().unwrap();
    let Exported { bytes, notes } = export(&compiled, network, &Numbers::seeded(network, 3)).unwrap();
    assert_eq!(notes, ["H is fixed in the file: it decides how many layers there are: 5 or 4"]);
    let graph = ModelProto::decode(&*bytes).unwrap().graph.unwrap();
    assert_eq!(value(&graph.input[0]), "image [N, 1, 4, W]");
}

/// What the file of a text says of its sizes.
fn promised_of(text: &str) -> (String, Vec<String>) {
    let compiled = compile_text("sizes.arch", text, &Options::default());
    let network = compiled.sound().unwrap();
    said(export(&compiled, network, &Numbers::seeded(network, 3)).unwrap())
}

/// What the file of a model says of them.
fn promised(model: &str) -> (String, Vec<String>) {
    said(exported(&folder().join("fits.arch"), model))
}

/// What a file says of its sizes: inputs, outputs, and notes.
fn said(Exported { bytes, notes }: Exported) -> (String, Vec<String>) {
    let graph = ModelProto::decode(&*bytes).unwrap().graph.unwrap();
    let ends: Vec<String> = graph.input.iter().chain(&graph.output).map(value).collect();
    (ends.join(" → "), notes)
}

#[test]
fn a_size_that_decides_far_from_the_planned_one_is_fixed() {
    let text = "model Far() {\n    input x [N, 1, H=16, W=16]\n    repeat (if it.height > 100 { 3 } else { 2 }) { conv(4, 3) }\n}\n";
    let (ends, notes) = promised_of(text);
    assert!(ends.starts_with("x [N, 1, 16, W] → "), "{ends}");
    assert_eq!(notes, ["H is fixed in the file: it decides how many layers there are: 3 or 4"]);
    // Each alone is far from deciding, both together are not.
    let text = "model Area() {\n    input x [N, 1, H=32, W=32]\n    repeat (if it.height * it.width > 80000 { 3 } else { 2 }) { conv(4, 3) }\n}\n";
    let (ends, notes) = promised_of(text);
    let fixed = |name| format!("{name} is fixed in the file: it decides how many layers there are: 3 or 4");
    assert!(ends.starts_with("x [N, 1, 32, 32] → "), "{ends}");
    assert_eq!(notes, ["H", "W"].map(fixed));
}

#[test]
fn what_fit_cuts_and_pads_at_some_sizes_only_is_computed() {
    let (ends, notes) = promised("FitPad");
    assert_eq!(ends, "image [N, 1, H, W] → output [N, 2, H, W]");
    assert_eq!(notes, ["H", "W"].map(|name| format!("{name} takes any size from 4 up")));
    let (ends, notes) = promised("FitCrop");
    assert_eq!(ends, "image [N, 1, H, W] → output [N, 2, output.2, output.3]");
    assert_eq!(notes, ["H", "W"].map(|name| format!("{name} takes any size from 6 up")));
    assert_eq!(promised("Ceilings").1, ["H", "W"].map(|name| format!("{name} takes any size from 2 up")));
    let (ends, notes) = promised("Rounded");
    assert_eq!(ends, "image [N, 2, H, W] → output [N, 4, output.2, output.3]");
    assert_eq!(notes, [off("upsample1")]);
}

/// What is said of a layer that ONNX Runtime computes otherwise at some sizes.
fn off(path: &str) -> String {
    format!(
        "`{path}` reads a neighbouring position at some sizes in ONNX Runtime, which divides in single precision (14 to 16, say)"
    )
}

/// `Resize` would read row 6 for row 8 of 16, where the language reads row 7 of 14.
#[test]
fn positions_that_a_quotient_would_miss_are_chosen_one_by_one() {
    let ops = |size: &str, to: &str| {
        let text = format!("model Up() {{\n    input x [N, 2, {size}]\n    conv(2, 1) -> upsample(size={to})\n}}\n");
        let compiled = compile_text("up.arch", &text, &Options::default());
        let network = compiled.sound().unwrap();
        let Exported { bytes, notes } = export(&compiled, network, &Numbers::seeded(network, 3)).unwrap();
        let nodes = ModelProto::decode(&*bytes).unwrap().graph.unwrap().node;
        let shown = nodes
            .iter()
            .skip(1)
            .map(|node| format!("{}{}", node.op_type, node.attribute.iter().map(attribute).collect::<String>()));
        (shown.collect::<Vec<_>>().join(" "), notes)
    };
    assert_eq!(ops("14, 14", "[16, 16]"), ("Gatheraxis=2 Gatheraxis=3".into(), Vec::new()));
    assert_eq!(ops("14, 8", "[16, 8]"), ("Gatheraxis=2".into(), Vec::new()));
    assert!(
        ops("9, 14", "[11, 28]").0.ends_with("mode=nearestcoordinate_transformation_mode=asymmetricnearest_mode=floor")
    );
    assert_eq!(ops("H=14, 14", "[16, 28]").1, [off("upsample1")]);
    assert_eq!(ops("H=14, 14", "[it.height * 2, 28]").1, Vec::<String>::new());
}

#[test]
fn a_note_says_which_sizes_work() {
    let (ends, notes) = promised("Quarters");
    assert_eq!(ends, "image [N, 1, H, W] → output [N, 2, H, W]");
    assert_eq!(notes, ["H takes 4, 8, 12, … (multiples of 4)", "W takes 4, 8, 12, … (multiples of 4)"]);
}

#[test]
fn a_size_with_which_something_is_stated_by_no_rule_is_fixed() {
    let (ends, notes) = promised("Steps");
    assert_eq!(ends, "image [N, 2, 16, W] → output [N, 4, 8, W]");
    assert_eq!(notes, ["H is fixed in the file: no rule was found for the sizes that `upsample1` states"]);
}

fn text(model: &ModelProto, notes: &[String]) -> String {
    let graph = model.graph.as_ref().unwrap();
    let mut text = format!("{}, opset {}\n", graph.name, model.opset_import[0].version);
    notes.iter().for_each(|note| writeln!(text, "note: {note}").unwrap());
    graph.input.iter().for_each(|input| writeln!(text, "in {}", value(input)).unwrap());
    for node in &graph.node {
        let attrs: String = node.attribute.iter().map(|attr| format!(" {}", attribute(attr))).collect();
        let (output, op, inputs) = (node.output.join(", "), &node.op_type, node.input.join(", "));
        writeln!(text, "{output} = {op}({inputs}){attrs}").unwrap();
    }
    graph.output.iter().for_each(|output| writeln!(text, "out {}", value(output)).unwrap());
    graph.initializer.iter().for_each(|tensor| writeln!(text, "{}", constant(tensor)).unwrap());
    text
}

fn value(info: &ValueInfoProto) -> String {
    let shape = info.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap().shape.as_ref().unwrap();
    let dim = |size: Option<i64>, name: Option<&String>| size.map_or_else(|| name.unwrap().clone(), |s| s.to_string());
    let dims: Vec<String> = shape.dim.iter().map(|d| dim(d.dim_value, d.dim_param.as_ref())).collect();
    format!("{} [{}]", info.name, dims.join(", "))
}

fn attribute(attr: &AttributeProto) -> String {
    let value = match attr.r#type {
        kind::INT => attr.i.unwrap().to_string(),
        kind::FLOAT => attr.f.unwrap().to_string(),
        kind::INTS => format!("{:?}", attr.ints),
        _ => String::from_utf8(attr.s.as_ref().unwrap().to_vec()).unwrap(),
    };
    format!("{}={value}", attr.name)
}

/// Sizes of parameters, and the numbers of short constants.
fn constant(tensor: &TensorProto) -> String {
    let raw = tensor.raw_data.as_ref().unwrap();
    let numbers: Vec<String> = match tensor.data_type {
        dtype::FLOAT => raw.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b).to_string()).collect(),
        _ => raw.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b).to_string()).collect(),
    };
    let own = ["const/", ".scales", ".windows", ".no_"].iter().any(|part| tensor.name.contains(part));
    let shown = if own && numbers.len() <= SHORT { format!(" = {}", numbers.join(" ")) } else { String::new() };
    format!("{} {:?}{shown}", tensor.name, tensor.dims)
}
