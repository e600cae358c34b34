//! What `archc diff` says of networks that people compare.

use archc::tools::diff::{Diff, Sign, diff, render};
use archc::tools::text::Style;
use archc::{Network, Options, compile, compile_text};
use std::path::Path;

fn network(file: &str, model: &str, plain: bool) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file);
    let compiled = compile(&path, &Options { model: Some(model.into()), plain, ..Options::default() });
    compiled.network.unwrap_or_else(|| panic!("{file}: {model} has errors"))
}

fn example(file: &str, model: &str) -> Network {
    network(file, model, false)
}

fn written(body: &str) -> Network {
    let text = format!("model Net() {{\n    input image [N, 3, H=32, W=32]\n{body}\n}}\n");
    let compiled = compile_text("net.arch", &text, &Options::default());
    compiled.network.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

fn text(a: &Network, b: &Network) -> String {
    render(&diff(a, b), Style::default(), false)
}

fn lines(diff: &Diff) -> usize {
    render(diff, Style::default(), false).lines().count()
}

#[test]
fn famous_pairs_read_well() {
    let pairs = [
        ("diff_resnet_18_34", example("resnet.arch", "ResNet18"), example("resnet.arch", "ResNet34")),
        ("diff_resnet_18_50", example("resnet.arch", "ResNet18"), example("resnet.arch", "ResNet50")),
        ("diff_resnet_se", example("resnet.arch", "ResNet50"), example("senet.arch", "SEResNet50")),
        ("diff_resnet_20_plain", example("resnet.arch", "ResNet20"), network("resnet.arch", "ResNet20", true)),
        ("diff_resnet_20_b", example("resnet.arch", "ResNet20"), example("resnet.arch", "ResNet20B")),
        ("diff_densenet_121_169", example("densenet.arch", "DenseNet121"), example("densenet.arch", "DenseNet169")),
        ("diff_densenet_121_161", example("densenet.arch", "DenseNet121"), example("densenet.arch", "DenseNet161")),
    ];
    for (name, a, b) in &pairs {
        insta::assert_snapshot!(*name, text(a, b));
    }
}

#[test]
fn small_edits_are_told_as_what_they_are() {
    let old = written("stem: conv(8, 3) -> relu\nskip add { conv(8, 3) -> relu }\nhead: conv(4, 1)");
    let cases = [
        ("diff_renamed", "entry: conv(8, 3) -> relu\nskip add { conv(8, 3) -> relu }\nhead: conv(4, 1)"),
        ("diff_inserted", "stem: conv(8, 3) -> batch_norm -> relu\nskip add { conv(8, 3) -> relu }\nhead: conv(4, 1)"),
        (
            "diff_unlabelled",
            "stem: conv(8, 3) -> relu -> conv(8, 5)\nskip add { conv(8, 3) -> relu }\nhead: conv(4, 1)",
        ),
        ("diff_argument", "stem: conv(8, 5, stride=2) -> relu\nskip add { conv(8, 3) -> relu }\nhead: conv(4, 1)"),
        ("diff_kind", "stem: conv(8, 3) -> gelu\nskip concat { conv(8, 3) -> relu }\nhead: conv(4, 1)"),
        ("diff_from", "stem: conv(8, 3) -> act: relu\nconv(8, 3) -> relu\nskip add from stem\nhead: conv(4, 1)"),
        ("diff_wrapped", "body: { stem: conv(8, 3) -> relu }\nskip add { conv(8, 3) -> relu }\nhead: conv(4, 1)"),
    ];
    for (name, body) in cases {
        let new = written(body);
        insta::assert_snapshot!(name, text(&old, &new));
        assert!(!diff(&new, &old).equal, "{name}");
    }
}

#[test]
fn equal_networks_are_equal_whatever_their_text() {
    let a = written("stem: conv(8, 3) -> relu\nhead: conv(4, 1)");
    let b = written("let width = 4 * 2\n// other words\nstem: conv(width, kernel=3)\nrelu\nhead: conv(4, 1)");
    assert!(diff(&a, &b).equal);
    assert_eq!(text(&a, &b), "Net → Net   no difference\n");
    for (file, model) in [("unet.arch", "UNet2015"), ("inception.arch", "GoogLeNet"), ("highway.arch", "Highway50")] {
        let net = example(file, model);
        assert!(diff(&net, &net).equal, "{model}");
    }
}

#[test]
fn an_argument_is_told_once_where_the_block_is_used() {
    let of = |width: usize| {
        let text = format!(
            "block Unit(width) {{ a: conv(width, 3) -> relu -> b: conv(4 * width, 1) }}\n\
             block Stage(depth, width) {{ for i in 0..depth {{ {{i}}: Unit(width) }} }}\n\
             model Net() {{\n    input image [N, 3, 16, 16]\n    stage: Stage(3, {width})\n}}\n"
        );
        compile_text("net.arch", &text, &Options::default()).network.unwrap()
    };
    let found = diff(&of(8), &of(12));
    assert_eq!(found.changes.len(), 1, "{found:?}");
    let change = &found.changes[0];
    assert_eq!((change.sign, change.label.as_str(), change.what.as_str()), (Sign::Changed, "stage", "Stage"));
    assert_eq!(change.notes, ["width 8 → 12"]);
    assert_eq!((change.following, change.within.len()), (6, 0));
}

#[test]
fn large_networks_compare_quickly_and_shortly() {
    let (a, b) = (example("resnet.arch", "ResNet101"), example("resnet.arch", "ResNet152"));
    let start = std::time::Instant::now();
    let found = diff(&a, &b);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert!(lines(&found) < 16, "{}", render(&found, Style::default(), false));
    insta::assert_snapshot!("diff_resnet_101_152", render(&found, Style::default(), false));
}

#[test]
fn programs_read_json() {
    let json =
        serde_json::to_value(diff(&example("resnet.arch", "ResNet18"), &example("resnet.arch", "ResNet34"))).unwrap();
    assert_eq!(json["equal"], false);
    assert_eq!(json["changes"][0]["sign"], "changed");
    assert_eq!(json["changes"][0]["after"], "layer1");
    assert_eq!(json["totals"][1]["name"], "parameters");
    assert_eq!(json["totals"][1]["before"], 11_689_512);
}
