//! What the steps of the language mean: names, scopes, values, skips, sizes and settings.

use archc::elaborate::recipe::{Augment, Duration, Optimizer, Schedule};
use archc::elaborate::{MemoryLoader, Network, Options, compile_text, compile_with};
use archc::graph::dump::dump;
use archc::graph::{NodeId, SkipLength};

fn codes_of(text: &str, options: &Options) -> Vec<String> {
    compile_text("t.arch", text, options).diagnostics.iter().map(|d| d.code.to_string()).collect()
}

fn network_with(text: &str, options: &Options) -> Network {
    let compiled = compile_text("t.arch", text, options);
    let said: Vec<_> = compiled.diagnostics.iter().map(|d| (d.code, d.message.clone())).collect();
    compiled.network.unwrap_or_else(|| panic!("{text}\n{said:#?}"))
}

/// A model with these steps after an input of 16×32×32.
fn model(steps: &str) -> Network {
    network_with(&format!("model M() {{\n input image [N, 16, 32, 32]\n{steps}\n}}"), &Options::default())
}

fn paths(network: &Network) -> Vec<&str> {
    let graph = &network.graph;
    graph.order().skip(1).map(|id| graph.node(id).path.as_str()).collect()
}

fn shape(network: &Network, path: &str) -> String {
    let graph = &network.graph;
    let id =
        graph.order().find(|&id| graph.node(id).path == path).unwrap_or_else(|| panic!("no {path}: {}", dump(graph)));
    graph.shape(id).to_string()
}

fn operands(network: &Network, path: &str) -> Vec<String> {
    let graph = &network.graph;
    let id: NodeId = graph.order().find(|&id| graph.node(id).path == path).unwrap();
    graph.operands(id).into_iter().map(|o| graph.node(o).path.clone()).collect()
}

#[test]
fn labels_are_scopes_and_braces_without_a_label_are_not() {
    let steps =
        "a: conv(8, 3) -> relu\n g: { conv(8, 3) -> { conv(8, 3) } }\n r: repeat 2 { relu }\n if true { conv(8, 1) }
        for i in 1..=2 { c{i}: conv(8, 1) }\n s: skip add { inner: conv(8, 1) }\n skip add { conv(8, 1) }";
    let expected = [
        "a",
        "relu1",
        "g.conv1",
        "g.conv2",
        "r.0.relu1",
        "r.1.relu1",
        "conv1",
        "c1",
        "c2",
        "s.inner",
        "s.add1",
        "conv2",
        "add1",
    ];
    assert_eq!(paths(&model(steps)), expected);
}

#[test]
fn blocks_open_a_scope_unless_their_label_is_blank() {
    let text = "block Unit(w) { conv: conv(w, 3) -> relu }
        model M() { input x [N, 3, 8, 8]\n Unit(4) -> Unit(4)\n named: Unit(4)\n _: Unit(4) }";
    let network = network_with(text, &Options::default());
    let expected =
        ["unit1.conv", "unit1.relu1", "unit2.conv", "unit2.relu1", "named.conv", "named.relu1", "conv", "relu1"];
    assert_eq!(paths(&network), expected);
}

#[test]
fn an_ordinal_passes_over_a_label_of_its_name() {
    assert_eq!(paths(&model("conv1: conv(8, 3) -> conv(8, 3)")), ["conv1", "conv2"]);
}

#[test]
fn values_are_found_by_path_and_by_parameter() {
    let text = "block Encoder() { one: conv(8, 3) -> relu\n two: { conv(8, 3) -> last: relu } }
        block Join(other: value) { skip concat from other }
        model M() { input x [N, 3, 8, 8]\n encoder: Encoder()\n conv(8, 3)\n Join(encoder.two.last)\n skip concat from encoder.one }";
    let network = network_with(text, &Options::default());
    assert_eq!(operands(&network, "join1.concat1"), ["encoder.two.last", "conv1"]);
    assert_eq!(operands(&network, "concat1"), ["encoder.one", "join1.concat1"]);
}

#[test]
fn a_set_is_lexical_and_ends_with_its_braces() {
    let text = "block Before() { conv(4, 1) }\n set conv(bias=false)\n block After() { conv(4, 1) }
        model M() { input x [N, 3, 8, 8]\n b: Before() -> a: After()\n g: { set conv(stride=2)\n conv(4, 1) }\n conv(4, 1, bias=true) }";
    let network = network_with(text, &Options::default());
    let names: Vec<String> = network.graph.named_params().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["b.conv1.weight", "b.conv1.bias", "a.conv1.weight", "g.conv1.weight", "conv1.weight", "conv1.bias"]
    );
    assert_eq!((shape(&network, "g.conv1"), shape(&network, "conv1")), ("[N, 4, 4, 4]".into(), "[N, 4, 4, 4]".into()));
}

#[test]
fn expressions_see_lets_loops_and_the_current_value() {
    let steps = "let w = it.channels * 2 + it.height % 5\n conv(w, 1)\n { let w = 4\n conv(w, 1) }\n conv(w, 1)
        for i in 2..4 { conv(if i == 2 and not (i > 2) { i } else { max(i, 9) }, 1) }
        conv(floor(7 / 2) + ceil(7 / 2) + round(2.5) + abs(-1), 1)";
    let network = model(steps);
    let widths = ["conv1", "conv2", "conv3", "conv4", "conv5", "conv6"].map(|path| shape(&network, path));
    assert_eq!(widths, ["34", "4", "34", "2", "9", "10"].map(|w| format!("[N, {w}, 32, 32]")));
}

#[test]
fn skips_read_source_and_result_in_their_order() {
    let steps = "a: conv(16, 3)\n skip concat(order=last) { b: conv(4, 3) }\n skip mul { avgpool(global) -> c: conv(20, 1) -> sigmoid }
        skip gate by t: conv(20, 1) { d: conv(20, 3) }\n skip add(scale=0.5, drop_path=0.1) { e: conv(20, 3) }";
    let network = model(steps);
    assert_eq!(operands(&network, "concat1"), ["b", "a"]);
    assert_eq!(operands(&network, "mul1"), ["concat1", "sigmoid1"]);
    assert_eq!(operands(&network, "gate1"), ["mul1", "d", "t"]);
    assert_eq!(operands(&network, "add1"), ["gate1", "e"]);
    let at: Vec<usize> = network.graph.skips.iter().map(|skip| skip.source_operand).collect();
    assert_eq!(at, [1, 0, 0, 0]);
    assert!(network.graph.skips.iter().all(|skip| skip.length == SkipLength::Short));
}

#[test]
fn projections_are_the_identity_where_shapes_agree() {
    let network = model("skip add via p: project { conv(16, 3) }\n skip add via q: project { conv(32, 3, stride=2) }");
    assert_eq!(paths(&network), ["conv1", "add1", "conv2", "q.0", "q.1", "add2"]);
    let vias: Vec<Option<&str>> = network.graph.skips.iter().map(|skip| skip.via.as_deref()).collect();
    assert_eq!(vias, [None, Some("project")]);
    assert!(network.graph.named_params().iter().all(|(name, _)| name != "q.0.bias"));
    let network =
        model("flatten -> linear(8)\n skip add via project { linear(4) }\n skip add via project { linear(6) }");
    assert_eq!(paths(&network)[3..], ["project1.0", "add1", "linear3", "project2.0", "add2"]);
}

#[test]
fn sources_are_padded_and_cropped() {
    let network = model("skip add via zero_pad { conv(32, 3, stride=2) }");
    assert_eq!(shape(&network, "zero_pad1"), "[N, 32, 16, 16]");
    let network = model("skip add fit crop { conv(16, 3, pad=0) }\n skip add fit pad { conv(16, 5, pad=1) }");
    assert_eq!(shape(&network, "fit_crop1"), "[N, 16, 30, 30]");
    assert_eq!(operands(&network, "fit_pad1"), ["conv2", "add1"]);
    assert_eq!(operands(&network, "add2"), ["add1", "fit_pad1"]);
}

#[test]
fn a_skip_is_long_where_its_path_visits_a_third_size() {
    let up = "upsample(2)";
    let table = [
        ("skip add { conv(16, 3) }".to_string(), SkipLength::Short),
        ("skip add via project { conv(16, 3, stride=2) -> conv(16, 3) }".to_string(), SkipLength::Short),
        (format!("long skip add {{ maxpool(2) -> conv(16, 3) -> {up} }}"), SkipLength::Long),
        (format!("long skip add {{ parallel add {{ conv(16, 3)\n maxpool(2) -> {up} }} }}"), SkipLength::Long),
        (format!("long skip add {{ long skip add {{ maxpool(2) -> {up} }} }}"), SkipLength::Long),
        ("skip add { skip mul { avgpool(global) -> conv(16, 1) -> sigmoid } }".to_string(), SkipLength::Short),
    ];
    for (steps, length) in table {
        let network = model(&steps);
        assert_eq!(network.graph.skips.last().unwrap().length, length, "{steps}");
    }
}

/// What is long at one size of the input is so at all: windows that make a map of 1×1 leave the word to the writer.
#[test]
fn a_bottom_of_one_position_may_be_left_to_or_not() {
    let at = |skip: &str, size: usize| {
        let steps = format!("{skip} add {{ maxpool(2) -> conv(4, 3) -> upsample(2) }}");
        network_with(&format!("model M() {{ input x [N, 4, H={size}, W={size}]\n {steps} }}"), &Options::default())
    };
    for (skip, size, length) in
        [("long skip", 8, SkipLength::Long), ("long skip", 2, SkipLength::Long), ("skip", 2, SkipLength::Short)]
    {
        assert_eq!(at(skip, size).graph.skips[0].length, length, "{skip} at {size}");
    }
    let squeezed = "model M() { input x [N, 4, 8, 8]\n long skip mul { avgpool(global) -> conv(4, 1) } }";
    assert_eq!(codes_of(squeezed, &Options::default()), ["E0505"]);
}

#[test]
fn sizes_come_from_the_file_or_from_the_options() {
    let text = "model M(c=3) { input x [N, c, H=32, W=48]\n input y [N, 1, H, 48]\n skip mul from x }";
    let network = network_with(text, &Options::default());
    let free: Vec<_> = network.free_sizes.iter().map(|free| (free.name.as_str(), free.default)).collect();
    assert_eq!(free, [("H", 32), ("W", 48)]);
    assert_eq!(shape(&network, "y"), "[N, 1, 32, 48]");
    let sizes = [("H".to_string(), 64)].into_iter().collect();
    let network = network_with(text, &Options { sizes, ..Options::default() });
    assert_eq!(shape(&network, "mul1"), "[N, 3, 64, 48]");
    let network = network_with(text, &Options { spatial: Some(vec![16, 8]), ..Options::default() });
    assert_eq!((shape(&network, "x"), shape(&network, "y")), ("[N, 3, 16, 8]".into(), "[N, 1, 16, 8]".into()));
    let sizes = [("Q".to_string(), 64)].into_iter().collect();
    assert_eq!(codes_of(text, &Options { sizes, ..Options::default() }), ["E0311"]);
    for spatial in [vec![16], vec![16, 0]] {
        assert_eq!(codes_of(text, &Options { spatial: Some(spatial), ..Options::default() }), ["E0311"]);
    }
}

#[test]
fn outputs_are_those_that_are_named_or_the_last_value() {
    let names = |steps: &str| -> Vec<String> { model(steps).graph.outputs.into_iter().map(|o| o.name).collect() };
    assert_eq!(names("conv(8, 3)\n head: conv(2, 1)"), ["head"]);
    assert_eq!(names("conv(8, 3)"), ["output"]);
    assert_eq!(names("conv(8, 3)\n output map\n avgpool(global)\n output pooled"), ["map", "pooled"]);
}

#[test]
fn the_plain_twin_has_no_skip_edges() {
    let text = std::fs::read_to_string("examples/resnet.arch").unwrap();
    let options = Options { model: Some("ResNet20".into()), plain: true, ..Options::default() };
    let twin = network_with(&text, &options);
    assert!(twin.graph.skips.is_empty());
    let count = |network: &Network| -> u64 {
        network.graph.named_params().iter().filter(|(_, spec)| spec.trainable).map(|(_, spec)| spec.elements()).sum()
    };
    assert_eq!(count(&twin), 269_722);
}

#[test]
fn one_mistake_is_one_message_and_two_are_two() {
    let text = "model M() { input x [N, 3, 8, 8]\n a: conf(8, 3) -> relu\n skip add { conv(it.channels, 3) }
        from a -> conv(8, 3, sride=2)\n output a\n from b -> linear(3) }";
    assert_eq!(codes_of(text, &Options::default()), ["E0203", "E0301", "E0208"]);
}

#[test]
fn equal_mistakes_in_other_expansions_are_folded() {
    let text = "block B(w, s) { skip add { conv(w, 3, stride=s) } }
        model M() { input x [N, 8, 64, 64]\n layer1: B(8, 1)\n layer2: B(16, 2) -> layer3: B(32, 2) -> layer4: B(64, 2) }";
    let compiled = compile_text("t.arch", text, &Options::default());
    let all: Vec<_> = compiled.diagnostics.iter().collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].notes, ["in `layer2`, the 2nd of 4 uses of `B` with w = 16, s = 2", "and 2 more like it"]);
    assert_eq!(all[0].labels.len(), 2);
    assert!(all[0].help.as_ref().unwrap().ends_with("skip add via project {"));
}

#[test]
fn imports_bring_blocks_with_the_sets_of_their_own_file() {
    let files = MemoryLoader::default()
        .with(
            "lib/unit.arch",
            "import Deep from \"deep.arch\"\nset conv(bias=false)\nblock Unit() { Deep() -> conv(4, 1) }",
        )
        .with("lib/deep.arch", "block Deep() { conv(4, 1) }");
    let text = "import Unit from \"lib/unit.arch\"\nmodel M() { input x [N, 3, 8, 8]\n u: Unit() -> conv(4, 1) }";
    let compiled = compile_with(&files, "root.arch", text, &Options::default());
    let names: Vec<String> = compiled.network.unwrap().graph.named_params().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["u.deep1.conv1.weight", "u.deep1.conv1.bias", "u.conv1.weight", "conv1.weight", "conv1.bias"]);
}

#[test]
fn recipes_are_read_and_changed_by_settings() {
    let text = std::fs::read_to_string("examples/resnet.arch").unwrap();
    let options = |settings: &[(&str, &str)]| Options {
        model: Some("ResNet20".into()),
        settings: settings.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect(),
        ..Options::default()
    };
    let recipe = network_with(&text, &options(&[])).recipe.unwrap();
    assert_eq!((recipe.batch, recipe.duration, recipe.seed), (128, Duration::Steps(64000), 1));
    assert_eq!(recipe.schedule, Schedule::Step { at: vec![32000, 48000], factor: 0.1, warmup: 0 });
    assert_eq!(recipe.augment, [Augment::PadCrop(4), Augment::Flip]);
    let settings = [
        ("optimizer.lr", "0.5"),
        ("epochs", "3"),
        ("classes", "7"),
        ("schedule", "cosine(warmup=5)"),
        ("data", "fashion-mnist"),
        ("augment.0.amount", "2"),
    ];
    let network = network_with(&text, &options(&settings));
    let recipe = network.recipe.unwrap();
    assert!(matches!(recipe.optimizer, Optimizer::Sgd { lr: 0.5, momentum: 0.9, nesterov: false, .. }));
    assert_eq!((recipe.duration, recipe.data.as_deref()), (Duration::Epochs(3), Some("fashion-mnist")));
    assert_eq!(recipe.schedule, Schedule::Cosine { warmup: 5, floor: 0.0 });
    assert_eq!(recipe.augment[0], Augment::PadCrop(2));
    assert_eq!(network.settings["classes"], "7");
    for (setting, code) in [
        (("optimiser.lr", "1"), "E0311"),
        (("optimizer.lrr", "1"), "E0703"),
        (("optimizer.lr", "-1"), "E0704"),
        (("clases", "1"), "E0311"),
        (("classes", "1 +"), "E0311"),
        (("loss", "mze"), "E0702"),
    ] {
        assert_eq!(codes_of(&text, &options(&[setting])), [code], "{setting:?}");
    }
}

#[test]
fn the_same_file_gives_the_same_graph() {
    let text = std::fs::read_to_string("examples/unet.arch").unwrap();
    let options = Options { model: Some("UNet".into()), ..Options::default() };
    let compiled = compile_text("unet.arch", &text, &options);
    let again = compiled.program.elaborate(&options).0.unwrap();
    assert_eq!(dump(&compiled.network.unwrap().graph), dump(&again.graph));
}

#[test]
fn hostile_texts_are_errors_like_others() {
    let doubling: String = (0..64).map(|i| format!("block B{i}() {{ B{0}() -> B{0}() }}\n", i + 1)).collect();
    let nested = format!("model M() {{ input x [N, 3]\n {} relu {} }}", "{".repeat(100_000), "}".repeat(100_000));
    let long = "x".repeat(3000);
    let table = [
        ("model M() { input x [N, 3]\n repeat 1000000000 { identity } }".to_string(), "E0601"),
        ("model M() { input x [N, 3]\n for i in 0..9223372036854775807 { } }".to_string(), "E0601"),
        (format!("{doubling}block B64() {{ identity }}\nmodel M() {{ input x [N, 3]\n B0() }}"), "E0601"),
        ("block A() { skip add { a: A() -> b: A() } }\nmodel M() { input x [N, 3]\n A() }".to_string(), "E0602"),
        ("model M() { input x [N, 0, 8, 8]\n relu }".to_string(), "E0310"),
        ("model M() { input x [N, -1, 8, 8]\n relu }".to_string(), "E0310"),
        ("model M() { input x [N, 1000000000, 1000000000, 1000000000]\n relu }".to_string(), "E0601"),
        (
            "model M() { input x [N, 3, 8, 8]\n conv(9223372036854775807, 1) -> conv(9223372036854775807, 1) }"
                .to_string(),
            "E0405",
        ),
        ("model M() { input x [N, 3]\n let a = 1e308 * 10\n linear(a) }".to_string(), "E0308"),
        (
            format!(
                "block A(n) {{ {long}: {{ if n > 0 {{ _: A(n - 1) }} else {{ relu }} }} }}\nmodel M() {{ input x [N, 3]\n A(9) }}"
            ),
            "E0601",
        ),
        (nested, "E0103"),
        ("model M() { input x [N, 3]\r\n relu\r\n }".to_string(), ""),
    ];
    for (text, code) in table {
        let found = codes_of(&text, &Options::default());
        assert_eq!(found.first().map_or("", String::as_str), code, "{}", text.chars().take(200).collect::<String>());
    }
}

#[test]
fn a_value_has_channels_and_up_to_two_sizes_of_space() {
    for (shape, codes) in
        [("[N]", &["E0310"][..]), ("[N, 4]", &[]), ("[N, 4, 2, 3]", &[]), ("[N, 4, 2, 3, 5]", &["E0310"])]
    {
        assert_eq!(codes_of(&format!("model M() {{ input x {shape}\n relu }}"), &Options::default()), codes, "{shape}");
    }
    let reshaped = "model M() { input x [N, 24]\n reshape([1, 2, 3, 4]) -> relu }";
    assert_eq!(codes_of(reshaped, &Options::default()), ["E0305"]);
}
