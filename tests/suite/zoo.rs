//! The published figures of the examples: parameters, multiply-accumulates, shapes and names.

use archc::base::Severity;
use archc::elaborate::{Compiled, Network, Options, check_all, compile};
use std::path::{Path, PathBuf};

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)
}

/// All example files, by name.
pub fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "arch"));
    files.sort();
    files
}

fn messages(compiled: &Compiled) -> Vec<String> {
    compiled.diagnostics.iter().map(|d| format!("{} {} {:?} {:?}", d.code, d.message, d.help, d.notes)).collect()
}

fn network(file: &str, model: &str, options: Options) -> Network {
    let compiled = compile(&example(file), &Options { model: Some(model.into()), ..options });
    let said = messages(&compiled);
    compiled.network.unwrap_or_else(|| panic!("{file}: {model}: {said:#?}"))
}

fn parameters(network: &Network) -> u64 {
    network.graph.named_params().iter().filter(|(_, spec)| spec.trainable).map(|(_, spec)| spec.elements()).sum()
}

fn macs(network: &Network) -> u64 {
    let graph = &network.graph;
    graph.order().map(|id| graph.node(id).op.layer().macs(&graph.operand_shapes(id), graph.shape(id))).sum()
}

#[test]
fn parameters_are_those_published() {
    let table = [
        ("resnet.arch", "ResNet18", 11_689_512),
        ("resnet.arch", "ResNet34", 21_797_672),
        ("resnet.arch", "ResNet50", 25_557_032),
        ("resnet.arch", "ResNet101", 44_549_160),
        ("resnet.arch", "ResNet152", 60_192_808),
        ("resnet.arch", "ResNet20", 269_722),
        ("resnet.arch", "ResNet56", 853_018),
        ("resnet.arch", "ResNet110", 1_727_962),
        ("densenet.arch", "DenseNet121", 7_978_856),
        ("densenet.arch", "DenseNet161", 28_681_000),
        ("densenet.arch", "DenseNet169", 14_149_480),
        ("densenet.arch", "DenseNet201", 20_013_928),
        ("densenet.arch", "DenseNet40", 1_019_722),
        ("densenet.arch", "DenseNetBC100", 769_162),
        ("vgg.arch", "VGG11", 132_863_336),
        ("vgg.arch", "VGG13", 133_047_848),
        ("vgg.arch", "VGG16", 138_357_544),
        ("vgg.arch", "VGG19", 143_667_240),
        ("unet.arch", "UNet2015", 31_030_658),
        ("mobilenet.arch", "MobileNetV2", 3_504_872),
        ("plain.arch", "Plain20", 269_722),
    ];
    for (file, model, published) in table {
        assert_eq!(parameters(&network(file, model, Options::default())), published, "{model}");
    }
}

#[test]
fn multiply_accumulates_are_those_published() {
    let table = [
        ("resnet.arch", "ResNet18", 1.814),
        ("resnet.arch", "ResNet34", 3.664),
        ("resnet.arch", "ResNet50", 4.089),
        ("resnet.arch", "ResNet101", 7.801),
        ("resnet.arch", "ResNet152", 11.514),
        ("densenet.arch", "DenseNet121", 2.834),
    ];
    for (file, model, giga) in table {
        let ours = macs(&network(file, model, Options::default())) as f64 / 1e9;
        assert!((ours - giga).abs() < 0.0006, "{model}: {ours} GMACs, published {giga}");
    }
}

#[test]
fn output_shapes_are_those_of_the_papers() {
    let table: [(&str, &str, &[usize]); 5] = [
        ("unet.arch", "UNet2015", &[2, 388, 388]),
        ("unet.arch", "UNet", &[2, 256, 256]),
        ("residual_block.arch", "ResidualBlocks", &[128, 13, 13]),
        ("dense_block.arch", "DenseBlock", &[256, 24, 24]),
        ("inception.arch", "GoogLeNet", &[1000]),
    ];
    for (file, model, dims) in table {
        let network = network(file, model, Options::default());
        let output = network.graph.outputs[0].node;
        assert_eq!(network.graph.shape(output).dims(), dims, "{model}");
    }
}

#[test]
fn every_example_compiles_without_a_word() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(example("")).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "arch"));
    files.sort();
    assert!(files.len() >= 10);
    for file in files {
        for compiled in check_all(&file, &Options::default()) {
            assert!(
                compiled.network.is_some() && compiled.diagnostics.is_empty(),
                "{}: {:#?}",
                file.display(),
                messages(&compiled)
            );
            assert_eq!(compiled.diagnostics.count(Severity::Warning), 0);
        }
    }
}

#[test]
fn names_are_those_of_torchvision() {
    let paths = |file, model| -> Vec<String> {
        network(file, model, Options::default()).graph.named_params().into_iter().map(|(path, _)| path).collect()
    };
    let resnet = paths("resnet.arch", "ResNet18");
    assert_eq!(resnet.len(), 122);
    for name in [
        "conv1.weight",
        "layer1.0.bn1.running_mean",
        "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.bias",
        "fc.bias",
    ] {
        assert!(resnet.iter().any(|path| path == name), "{name} is missing in {resnet:#?}");
    }
    let densenet = paths("densenet.arch", "DenseNet121");
    assert!(densenet.iter().any(|path| path == "features.denseblock4.denselayer16.conv2.weight"));
    assert!(paths("vgg.arch", "VGG16").iter().any(|path| path == "features.28.bias"));
    let mobile = paths("mobilenet.arch", "MobileNetV2");
    assert!(mobile.iter().any(|path| path == "features.17.conv.3.running_var"), "{mobile:#?}");
}
