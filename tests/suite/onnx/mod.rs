//! ONNX, out and in again: every layer and skip, structure recovered, and files that are broken.

mod errors;
mod fixtures;
mod operators;

use archc::base::Rng;
use archc::elaborate::{Compiled, InputDecl, Options, compile};
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

/// At the planned sizes and, where they are free, at others.
#[test]
fn what_comes_back_computes_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let models = [
        ("examples/resnet.arch", "ResNet20"),
        ("examples/densenet.arch", "DenseNet40"),
        ("examples/highway.arch", "Highway50"),
        ("examples/residual_block.arch", "ResidualBlocks"),
        ("examples/canvas.arch", "Canvas"),
        ("tests/exchange/layers/fixed.arch", "Convolutions"),
        ("tests/exchange/layers/fixed.arch", "Activations"),
        ("tests/exchange/layers/fixed.arch", "Norms"),
        ("tests/exchange/layers/fixed.arch", "Pools"),
        ("tests/exchange/layers/fixed.arch", "Lines"),
        ("tests/exchange/layers/fixed.arch", "Sizes"),
        ("tests/exchange/layers/fixed.arch", "Skips"),
        ("tests/exchange/layers/fixed.arch", "Through"),
        ("tests/exchange/layers/free.arch", "FreeMaps"),
        ("tests/exchange/layers/free.arch", "FreeMaps2"),
        ("tests/exchange/layers/free.arch", "FreeLine"),
    ];
    for (file, model) in models {
        let imported = read(folder.path(), &exported(file, model)).unwrap_or_else(|e| panic!("{model}: {e}"));
        let before = compiled(file, model);
        let network = before.sound().unwrap();
        // What a file cannot say of free sizes is read at 64, and stays so.
        let fixed = imported.notes.iter().any(|note| note.contains(" stays "));
        for factor in [1, 2] {
            let free = network.free_sizes.iter().map(|size| (size.name.as_str(), factor * size.default.max(32)));
            let free: Vec<(&str, usize)> = free.collect();
            if (factor > 1 && free.is_empty()) || (fixed && free.iter().any(|(_, size)| *size != 64)) {
                continue;
            }
            let given: Vec<(Vec<usize>, Vec<f32>)> = network.inputs.iter().map(|decl| values(decl, &free)).collect();
            let numbers = std::sync::Arc::new(Numbers::seeded(network, 3));
            let want = fixtures::run(&before, numbers, &given);
            let got = fixtures::outputs(&imported, &given, folder.path());
            assert_eq!(got.len(), want.len(), "{model}");
            for (got, want) in got.iter().zip(&want) {
                let off = fixtures::off(got, want);
                assert!(off < 1e-5, "{model} at {free:?}: {off:e}\n{}", imported.text);
            }
        }
    }
}

/// Nearest interpolation whose positions are chosen one by one comes back as what it was.
#[test]
fn chosen_positions_are_nearest_interpolation() {
    let folder = tempfile::tempdir().unwrap();
    let text = "model Up() {\n    input x [N, 2, 14, 6]\n    upsample(size=[16, 9])\n    conv(2, 1)\n}\n";
    let compiled = archc::compile_text("up.arch", text, &Options::default());
    let network = compiled.sound().unwrap();
    let bytes = export(&compiled, network, &Numbers::seeded(network, 3)).unwrap().bytes;
    let imported = read(folder.path(), &bytes).unwrap();
    assert!(imported.text.contains("upsample(size=[16, 9])"), "{}", imported.text);
    assert!(imported.notes.is_empty(), "{:?}", imported.notes);
}

/// Numbers for an input of two samples, at these values of its free sizes.
fn values(decl: &InputDecl, free: &[(&str, usize)]) -> (Vec<usize>, Vec<f32>) {
    let size = |(name, size): &(Option<String>, Option<usize>)| {
        let chosen = free.iter().find(|(n, _)| Some(*n) == name.as_deref());
        chosen.map(|(_, size)| *size).or(*size).unwrap_or(2)
    };
    let dims: Vec<usize> = decl.dims.iter().map(size).collect();
    let mut rng = Rng::derive(5, &decl.name);
    let data = (0..dims.iter().product()).map(|_| rng.below(2001) as f32 / 1000.0 - 1.0).collect();
    (dims, data)
}

#[test]
fn blocks_and_loops_are_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let text = read(folder.path(), &exported("examples/resnet.arch", "ResNet20B")).unwrap().text;
    assert!(text.contains("(width, stride=1) {\n    skip add via downsample: project {"), "{text}");
    assert!(text.contains("stride = if i == 0 { stride } else { 1 }"), "{text}");
    assert!(text.lines().count() < 40, "{text}");
    // Widths of widths: every parameter has a name of its own.
    let text = read(folder.path(), &exported("examples/inception.arch", "GoogLeNet")).unwrap().text;
    assert!(text.contains("inception3a: Inception3a(64, 96, 128, 16, 32, 32)"), "{text}");
    let text = read(folder.path(), &exported("examples/highway.arch", "Highway50")).unwrap().text;
    assert!(text.contains("for i in 1..=48 { highway{i}: Highway() }"), "{text}");
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
