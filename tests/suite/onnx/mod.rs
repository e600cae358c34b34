//! ONNX, out and in again: every layer and skip, structure recovered, and files that are broken.

mod errors;
mod fixtures;

use archc::base::Rng;
use archc::elaborate::{Compiled, Options, compile};
use archc::exchange::onnx::export::export;
use archc::exchange::onnx::import::{ImportOptions, Imported, import};
use archc::weights::Numbers;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn compiled(file: &str, model: &str) -> Compiled {
    let options = Options { model: Some(model.into()), ..Options::default() };
    compile(&root().join(file), &options)
}

fn exported(file: &str, model: &str) -> Vec<u8> {
    let compiled = compiled(file, model);
    let network = compiled.sound().unwrap();
    export(&compiled, network, &Numbers::seeded(network, 3)).unwrap().bytes
}

/// Reads bytes as the file of a model.
fn read(folder: &Path, bytes: &[u8]) -> Result<Imported, String> {
    let path: PathBuf = folder.join("net.onnx");
    std::fs::write(&path, bytes).unwrap();
    import(&path, &ImportOptions { name: None, size: vec![64, 64] }).map_err(|error| error.code.to_string())
}

#[test]
fn what_is_exported_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let models = [
        ("examples/resnet.arch", "ResNet20"),
        ("examples/resnet.arch", "ResNet20B"),
        ("examples/densenet.arch", "DenseNet40"),
        ("examples/highway.arch", "Highway50"),
        ("tests/exchange/layers/fixed.arch", "Convolutions"),
        ("tests/exchange/layers/fixed.arch", "Activations"),
        ("tests/exchange/layers/fixed.arch", "Norms"),
    ];
    for (file, model) in models {
        let imported = read(folder.path(), &exported(file, model)).unwrap_or_else(|e| panic!("{model}: {e}"));
        assert!(imported.notes.is_empty(), "{model}: {:?}\n{}", imported.notes, imported.text);
        let before = compiled(file, model);
        let text = archc::compile_text("net.arch", &imported.text, &Options::default());
        let params =
            |c: &Compiled| -> u64 { c.sound().unwrap().graph.named_params().iter().map(|p| p.1.elements()).sum() };
        let affine = model == "Norms";
        assert!(affine || params(&before) == params(&text), "{model}:\n{}", imported.text);
    }
}

#[test]
fn blocks_and_loops_are_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let text = read(folder.path(), &exported("examples/resnet.arch", "ResNet20B")).unwrap().text;
    assert!(text.contains("(width, stride=1) {\n    skip add via downsample: project {"), "{text}");
    assert!(text.contains("stride = if i == 0 { 2 } else { 1 }"), "{text}");
    assert!(text.lines().count() < 40, "{text}");
}

#[test]
fn broken_files_end_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let whole = exported("tests/exchange/layers/fixed.arch", "Norms");
    let mut rng = Rng::derive(1, "onnx");
    for turn in 0..300usize {
        let mut bytes = whole.clone();
        if turn % 3 == 0 {
            bytes.truncate(rng.below(bytes.len()));
        }
        for _ in 0..1 + turn % 5 {
            if let Some(at) = (!bytes.is_empty()).then(|| rng.below(bytes.len())) {
                bytes[at] = rng.below(256) as u8;
            }
        }
        if let Err(code) = read(folder.path(), &bytes) {
            assert!(code.starts_with("E083"), "{code}");
        }
    }
}
