//! What people look at: summaries, valid sizes, Graphviz text and pictures of the examples.

use archc::analysis::{cost, field, sizes};
use archc::elaborate::{Compiled, Network, Options, compile};
use archc::tools::text::Style;
use archc::tools::{dot, picture, summary};
use std::path::Path;

fn compiled(file: &str, options: &Options) -> Compiled {
    compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file), options)
}

fn network(file: &str, model: &str) -> Network {
    let compiled = compiled(file, &Options { model: Some(model.into()), ..Options::default() });
    compiled.network.unwrap_or_else(|| panic!("{file}: {model} has errors"))
}

#[test]
fn summaries_read_well() {
    let of = |file, model| summary::render(&network(file, model), Style::default(), false);
    insta::assert_snapshot!("summary_resnet34", of("resnet.arch", "ResNet34"));
    insta::assert_snapshot!("summary_densenet121", of("densenet.arch", "DenseNet121"));
    insta::assert_snapshot!("summary_unet", of("unet.arch", "UNet"));
    insta::assert_snapshot!("summary_unet2015", of("unet.arch", "UNet2015"));
    insta::assert_snapshot!("summary_highway", of("highway.arch", "Highway50"));
    insta::assert_snapshot!("summary_googlenet", of("inception.arch", "GoogLeNet"));
}

#[test]
fn a_narrow_plain_terminal_gets_a_narrow_plain_table() {
    let style = Style { color: false, width: 80, unicode: false };
    let text = summary::render(&network("resnet.arch", "ResNet20"), style, false);
    let table = text.lines().skip(1);
    assert!(table.clone().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("summary_resnet20_narrow", text);
}

#[test]
fn expanded_summaries_show_every_layer() {
    let network = network("resnet.arch", "ResNet34");
    let text = summary::render(&network, Style { width: 200, ..Style::default() }, true);
    let rows = text.lines().filter(|line| line.contains("batch_norm")).count();
    assert_eq!(rows, 36, "33 convolutions of the main path have one each, and 3 projections");
}

#[test]
fn json_counts_as_the_papers_do() {
    let json = serde_json::to_value(summary::summarize(&network("resnet.arch", "ResNet18"))).unwrap();
    assert_eq!(json["parameters"], 11_689_512);
    assert_eq!(json["buffers"], 9_620);
    assert_eq!(json["macs"], 1_814_073_344u64);
    assert_eq!(json["outputs"][0]["shape"], serde_json::json!([1000]));
    let sum: u64 = json["layers"].as_array().unwrap().iter().map(|l| l["parameters"].as_u64().unwrap()).sum();
    assert_eq!(sum, 11_689_512);
    let skip = serde_json::json!({
        "kind": "add", "length": "short", "from": "maxpool1", "to": "layer1.0.add1", "via": null
    });
    assert_eq!(json["skips"][0], skip);
}

#[test]
fn receptive_fields_are_those_of_gradients() {
    // Measured in PyTorch on torchvision's networks, as the extent of the gradient of one position.
    let table = [
        ("resnet.arch", "ResNet50", "layer4.2.relu3", "427"),
        ("resnet.arch", "ResNet18", "layer4.1.relu2", "435"),
        ("vgg.arch", "VGG16", "features.maxpool5", "212"),
    ];
    for (file, model, path, published) in table {
        let network = network(file, model);
        let graph = &network.graph;
        let fields = field::receptive_fields(graph);
        let found = graph.order().find(|&id| graph.node(id).path == path);
        let found = found.map(|id| fields[&id].to_string());
        assert_eq!(found.as_deref(), Some(published), "{model} {path}");
    }
}

#[test]
fn training_keeps_more_than_running_needs() {
    for (file, model) in [("resnet.arch", "ResNet18"), ("unet.arch", "UNet"), ("densenet.arch", "DenseNet40")] {
        let cost = cost::cost(&network(file, model).graph);
        assert!(cost.train_bytes > cost.run_bytes, "{model}: {cost:?}");
    }
}

#[test]
fn valid_sizes_are_found_and_explained() {
    let asked = Options { model: Some("UNet".into()), sizes: [("H".to_string(), 250)].into(), ..Options::default() };
    let found = compiled("unet.arch", &asked);
    assert!(found.network.is_none(), "250 does not halve four times");
    let report = sizes::of_program(&found.program, &asked).unwrap();
    insta::assert_snapshot!("sizes_unet", sizes::render(&report));
}

#[test]
fn graphviz_text_is_whole() {
    let network = network("residual_block.arch", "ResidualBlocks");
    insta::assert_snapshot!("dot_residual_block", dot::dot(&network, false));
    let nodes = |text: &str| text.lines().filter(|line| line.contains("fillcolor") && line.contains("label")).count();
    assert_eq!(nodes(&dot::dot(&network, true)), network.graph.len());
    let repeated = dot::dot(&self::network("highway.arch", "Highway50"), false);
    assert!(repeated.contains("Highway ×48"), "{repeated}");
    assert_eq!(nodes(&repeated), 9, "an input, three layers before, four in the block, one after");
}

#[test]
fn pictures_are_stable() {
    insta::assert_snapshot!(
        "svg_residual_block",
        picture::svg(&network("residual_block.arch", "ResidualBlocks"), false)
    );
    insta::assert_snapshot!("svg_highway", picture::svg(&network("highway.arch", "Highway50"), false));
}

/// In every example, folded and expanded: no text leaves the page or reaches into the next on its line.
#[test]
fn no_texts_overlap_in_any_picture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "arch"));
    files.sort();
    for file in files {
        for compiled in archc::elaborate::check_all(&file, &Options::default()) {
            let Some(network) = compiled.network else { continue };
            for expand in [false, true] {
                check_texts(&network.name, &picture::svg(&network, expand));
            }
        }
    }
}

/// Texts of one line of the picture, from left to right, must not reach into each other or leave the page.
fn check_texts(name: &str, svg: &str) {
    let number = |line: &str, key: &str| -> i64 {
        let rest = &line[line.find(key).unwrap() + key.len()..];
        rest[..rest.find('"').unwrap()].parse().unwrap()
    };
    let page = number(svg, " width=\"");
    let mut lines: std::collections::BTreeMap<i64, Vec<(i64, i64, String)>> = Default::default();
    for line in svg.lines().filter(|line| line.starts_with("<text")) {
        let pieces = line.split('>').filter_map(|piece| piece.split_once('<').map(|(text, _)| text));
        let text: String = pieces.collect();
        let width = picture::style::text_width(&text, 11.0);
        let x = number(line, " x=\"");
        let start = match () {
            _ if line.contains("\"end\"") => x - width,
            _ if line.contains("\"middle\"") => x - width / 2,
            _ => x,
        };
        assert!(start >= 0 && start + width <= page, "{name}: `{text}` leaves the page");
        lines.entry(number(line, " y=\"")).or_default().push((start, start + width, text));
    }
    for texts in lines.values_mut() {
        texts.sort();
        for pair in texts.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{name}: `{}` reaches into `{}`", pair[0].2, pair[1].2);
        }
    }
}
