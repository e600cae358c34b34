//! torchvision's names are ours: state dicts load as they are, and give the same logits. The full-size networks are
//! compared by `tests/parity/torchvision_check.py`, which also made what is read here.

use archc::lower::ParamStore;
use archc::lower::weights::{self, Checkpoint, Fit};
use archc::{Compiled, Options, compile, compile_text};
use candle_core::{DType, Device, Tensor};
use std::path::{Path, PathBuf};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn keys_and_sizes_of_state_dicts_are_ours() {
    let table = [
        ("resnet18", "resnet.arch", "ResNet18"),
        ("resnet34", "resnet.arch", "ResNet34"),
        ("resnet50", "resnet.arch", "ResNet50"),
        ("densenet121", "densenet.arch", "DenseNet121"),
    ];
    for (list, file, model) in table {
        let options = Options { model: Some(model.into()), ..Options::default() };
        let network = compile(&root("examples").join(file), &options).network.unwrap();
        let line = |dims: &[usize], path: &str| dims.iter().fold(path.to_string(), |line, d| format!("{line} {d}"));
        let mut ours: Vec<String> = network.graph.named_params().iter().map(|(path, s)| line(&s.dims, path)).collect();
        let text = std::fs::read_to_string(root(&format!("tests/parity/torchvision/{list}.txt"))).unwrap();
        let mut theirs: Vec<&str> = text.lines().collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{model}");
    }
}

/// A DenseNet of torchvision's, with two blocks of two and three layers.
const TINY: &str = r#"
import DenseBlock, Transition from "densenet.arch"
model Tiny {
    input image [N, 3, H=32, W=32]
    features: {
        conv0: conv(8, 7, stride=2, bias=false) -> norm0: batch_norm -> relu
        maxpool(3, stride=2, pad=1)
        denseblock1: DenseBlock(2, 4) -> transition1: Transition()
        denseblock2: DenseBlock(3, 4)
        norm5: batch_norm
    }
    relu -> avgpool(global) -> flatten
    classifier: linear(5)
}
"#;

fn tiny() -> Compiled {
    compile_text(&root("examples/tiny.arch").display().to_string(), TINY, &Options::default())
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn a_state_dict_gives_the_same_logits_from_both_formats_and_at_other_sizes() {
    let want = Checkpoint::open(&root("tests/parity/torchvision/tiny_logits.safetensors")).unwrap().read_all().unwrap();
    let logits = numbers(&want["logits"]);
    let largest = logits.iter().fold(0f32, |m, v| m.max(v.abs()));
    let compiled = tiny();
    for file in ["tiny.pth", "tiny.safetensors"] {
        let store = ParamStore::new(compiled.network.as_ref().unwrap(), 9, DType::F32, &Device::Cpu).unwrap();
        let path = root("tests/parity/torchvision").join(file);
        assert!(weights::load(&store, &path, Fit::Strict).unwrap().fits());
        // The image is 37×45, and 32×32 was planned.
        let module = compiled.lower(store.var_builder()).unwrap();
        let got = numbers(&module.forward(&want["image"], false).unwrap());
        let apart = got.iter().zip(&logits).map(|(a, b)| (a - b).abs());
        let worst = apart.fold(0f32, |m, d| if d.is_nan() { f32::INFINITY } else { m.max(d) });
        assert!(worst <= 1e-5 * largest, "{file}: off by {worst} of {largest}");
    }
}

#[test]
fn a_size_that_leaves_nothing_is_said() {
    let compiled = tiny();
    let store = ParamStore::new(compiled.network.as_ref().unwrap(), 9, DType::F32, &Device::Cpu).unwrap();
    let module = compiled.lower(store.var_builder()).unwrap();
    let speck = Tensor::zeros((1, 3, 2, 2), DType::F32, &Device::Cpu).unwrap();
    let diagnostic = module.forward(&speck, false).unwrap_err().into_diagnostic();
    assert_eq!(diagnostic.code.0, "E0903");
    assert!(diagnostic.message.contains("H = 2, W = 2"), "{}", diagnostic.message);
}
