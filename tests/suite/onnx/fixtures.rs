//! Files that PyTorch wrote (`tests/exchange/make_fixtures.py`): what they become, and whether it computes the same.

use super::root;
use archc::elaborate::{Compiled, Options};
use archc::engine::{Input, SessionOptions};
use archc::exchange::onnx::import::{ImportOptions, Imported, import};
use archc::weights::{Fit, Numbers, WeightFile};
use std::path::Path;
use std::sync::Arc;

/// Every file, and the network that it was written from, whose inputs and outputs lie beside it.
const FIXTURES: [(&str, &str); 20] = [
    ("crossing", "crossing"),
    ("crossing_free", "crossing"),
    ("dense_dynamo", "dense"),
    ("dense_kept", "dense"),
    ("highway", "highway"),
    ("mobile_folded", "mobile"),
    ("mobile_kept", "mobile"),
    ("residual_dynamo", "residual"),
    ("residual_folded", "residual"),
    ("residual_kept", "residual"),
    ("se_dynamo", "senet"),
    ("se_folded", "senet"),
    ("squeeze_dynamo", "squeeze"),
    ("squeeze_folded", "squeeze"),
    ("stripped", "residual"),
    ("two", "two"),
    ("unet_dynamo_free", "unet"),
    ("unet_free", "unet"),
    ("vgg_dynamo", "vgg"),
    ("vgg_folded", "vgg"),
];

fn folder() -> std::path::PathBuf {
    root().join("tests/exchange/onnx")
}

/// The tensors `in.0`, `in.1`, … of a file: sizes and numbers.
fn tensors(file: &WeightFile, kind: &str) -> Vec<(Vec<usize>, Vec<f32>)> {
    let stored = (0..).map_while(|i| file.get(&format!("{kind}.{i}")));
    stored.map(|s| (s.dims.clone(), file.floats(s).unwrap().into_owned())).collect()
}

/// Runs an imported model on what PyTorch was given.
pub fn outputs(imported: &Imported, given: &[(Vec<usize>, Vec<f32>)], folder: &Path) -> Vec<Vec<f32>> {
    let compiled: Compiled = archc::compile_text("net.arch", &imported.text, &Options::default());
    let network = compiled.sound().unwrap_or_else(|e| panic!("{}\n{}", e.message, imported.text));
    let path = folder.join("net.safetensors");
    std::fs::write(&path, &imported.weights).unwrap();
    let (numbers, _) = Numbers::load(network, &path, Fit::Strict, 0).unwrap();
    run(&compiled, Arc::new(numbers), given)
}

/// What a network gives for these inputs.
pub fn run(compiled: &Compiled, numbers: Arc<Numbers>, given: &[(Vec<usize>, Vec<f32>)]) -> Vec<Vec<f32>> {
    let network = compiled.sound().unwrap();
    let names: Vec<String> = network.inputs.iter().map(|input| input.name.clone()).collect();
    let inputs = names.iter().zip(given).map(|(name, (dims, data))| Input { name, dims, data });
    let inputs: Vec<Input> = inputs.collect();
    let options = SessionOptions { threads: Some(1), ..SessionOptions::default() };
    let mut session = compiled.session(numbers, options).unwrap();
    session.run(&inputs).unwrap_or_else(|e| panic!("{}", e.message)).iter().map(|output| output.to_vec()).collect()
}

/// The largest difference over the largest value.
pub fn off(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    let largest = want.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

#[test]
fn what_pytorch_writes_comes_in() {
    let scratch = tempfile::tempdir().unwrap();
    for (name, network) in FIXTURES {
        let data = WeightFile::open(&folder().join(format!("{network}.safetensors"))).unwrap();
        let (given, wanted) = (tensors(&data, "in"), tensors(&data, "out"));
        let path = folder().join(format!("{name}.onnx"));
        let imported =
            import(&path, &ImportOptions::default()).unwrap_or_else(|e| panic!("{name}: {} {:?}", e.message, e.notes));
        let notes: String = imported.notes.iter().map(|note| format!("# {note}\n")).collect();
        insta::assert_snapshot!(format!("onnx_{name}"), notes + &imported.text);
        let got = outputs(&imported, &given, scratch.path());
        assert_eq!(got.len(), wanted.len(), "{name}");
        for (got, (_, want)) in got.iter().zip(&wanted) {
            assert!(off(got, want) < 1e-5, "{name}: {:e}", off(got, want));
        }
    }
}

/// The list above, the script's and the folder's are one.
#[test]
fn every_fixture_is_tried() {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    let mut found: Vec<String> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into()).collect();
    found.sort();
    assert_eq!(found, FIXTURES.map(|(name, _)| name));
}
