//! Memory plans: figures computed elsewhere, and proofs on random graphs.

use crate::random::random;
use crate::sketch::{Sketch, written};
use crate::zoo::examples;
use archc::elaborate::recipe::Optimizer;
use archc::graph::Graph;
use archc::ops::Op;
use archc::ops::merge::Add;
use archc::opt::{Net, Step, optimise};
use archc::plan::{
    self, Assumptions, Concat as ConcatPlan, Grouping, Mode, Plan, running,
    verify::{Broken, verify},
};
use archc::tools::{plan as tools, text::Style};
use archc::{Network, Options};
use std::path::Path;

/// Every way to plan a graph, proved.
fn prove_all(graph: &Graph) {
    for mode in [Mode::Run, Mode::Train] {
        for concat in [ConcatPlan::Copied, ConcatPlan::Chained, ConcatPlan::Whole] {
            for grouping in [Grouping::Fused, Grouping::PerNode] {
                for (in_place, crop_views) in [(false, false), (true, false), (true, true)] {
                    let assumptions = Assumptions { grouping, concat, in_place, crop_views };
                    let plan = plan::plan(graph, &assumptions, mode, 3).unwrap();
                    prove(&plan);
                }
            }
        }
        prove(&plan::best(graph, mode, 1).unwrap());
    }
}

fn prove(plan: &Plan) {
    verify(plan).unwrap_or_else(|broken| panic!("{broken} under {:?} in {:?}\n{plan:#?}", plan.assumptions, plan.mode));
    assert!(plan.lower_bound <= plan.peak && plan.live.iter().all(|&live| live <= plan.lower_bound));
}

#[test]
fn plans_of_random_graphs_overwrite_nothing() {
    (0..250).for_each(|seed| prove_all(&random(seed).graph));
}

#[test]
fn broken_plans_are_found_out() {
    let mut net = Sketch::default();
    let input = net.input(&[1, 4, 4]);
    let a = net.conv(2, 3, 1, input);
    let b = net.conv(2, 3, 1, a);
    let sum = net.add(Add { scale: 1.0, drop_path: 0.0 }, &[a, b]);
    net.output(sum);
    let plan = plan::best(&net.graph, Mode::Run, 1).unwrap();
    verify(&plan).unwrap();
    let (a, b) = (plan.places[1].buffer, plan.places[2].buffer);

    let mut moved = plan.clone();
    moved.buffers[b].offset = moved.buffers[a].offset;
    assert_eq!(verify(&moved), Err(Broken::Overlap { first: a, second: b }));
    let mut shared = plan.clone();
    shared.places[2] = shared.places[1];
    assert_eq!(verify(&shared), Err(Broken::Overwritten { step: 3, value: 1 }));
    let mut off_grid = plan.clone();
    off_grid.buffers[a].offset += 4;
    assert_eq!(verify(&off_grid), Err(Broken::Outside { buffer: a }));
    let mut torn = plan;
    torn.places[3].offset += 4;
    assert_eq!(verify(&torn), Err(Broken::Torn { step: 3, value: 1 }));
}

fn example(file: &str, model: &str) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file);
    let compiled = archc::compile(&path, &Options { model: Some(model.into()), ..Options::default() });
    compiled.network.unwrap_or_else(|| panic!("{model} of {file}: {:?}", compiled.diagnostics))
}

fn mib(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / f64::from(1 << 20))
}

fn figures(network: &Network, assumptions: &Assumptions, batch: u64) -> [String; 2] {
    let plan = plan::plan(&network.graph, assumptions, Mode::Run, batch).unwrap();
    prove(&plan);
    [mib(plan.naive), mib(plan.lower_bound)]
}

/// Batch 1, f32, MiB of 2²⁰ bytes, computed by hand-written loops over the papers' tables.
#[test]
fn figures_agree_with_those_computed_elsewhere() {
    let (copied, chained) = (&Assumptions::REFERENCE, &Assumptions::REFERENCE_CHAINED);
    let table = [
        ("resnet.arch", "ResNet18", copied, ["13.69", "3.83"]),
        ("resnet.arch", "ResNet50", copied, ["64.80", "9.19"]),
        ("unet.arch", "UNet2015", copied, ["697.01", "191.31"]),
        ("densenet.arch", "DenseNet121", copied, ["107.39", "6.89"]),
        ("densenet.arch", "DenseNet121", chained, ["70.01", "7.27"]),
    ];
    for (file, model, assumptions, expected) in table {
        assert_eq!(figures(&example(file, model), assumptions, 1), expected, "{model} under {assumptions:?}");
    }
}

#[test]
fn values_grow_with_the_batch_and_weights_do_not() {
    let network = example("resnet.arch", "ResNet18");
    let one = plan::best(&network.graph, Mode::Train, 1).unwrap();
    let many = plan::best(&network.graph, Mode::Train, 16).unwrap();
    assert_eq!((many.naive, many.lower_bound), (one.naive * 16, one.lower_bound * 16));
    assert_eq!(one.apart, many.apart);
    assert_eq!(one.apart.gradients, 4 * 11_689_512);
    let trained = one.with_optimizer(&Optimizer::AdamW {
        lr: 0.1,
        betas: [0.9, 0.999],
        eps: 1e-8,
        weight_decay: 0.0,
        amsgrad: false,
    });
    assert_eq!(trained.apart.optimizer, 2 * 4 * 11_689_512);
}

#[test]
fn bytes_that_cannot_be_counted_are_refused() {
    let network = example("resnet.arch", "ResNet18");
    assert_eq!(plan::best(&network.graph, Mode::Run, u64::MAX).unwrap_err(), plan::TooLarge);
}

#[test]
fn plans_of_all_examples_overwrite_nothing() {
    let mut planned = 0;
    for file in examples() {
        for compiled in archc::check_all(&file, &Options::default()) {
            let Some(network) = compiled.network else { continue };
            for mode in [Mode::Run, Mode::Train] {
                prove(&plan::best(&network.graph, mode, 2).unwrap());
                planned += 1;
            }
            prove(&plan::plan(&network.graph, &Assumptions::REFERENCE_CHAINED, Mode::Run, 1).unwrap());
        }
    }
    assert!(planned >= 40, "{planned} plans only");
}

/// Peak over the most that is live at once, every buffer rounded up to where the next may start.
fn waste(plan: &Plan) -> f64 {
    let live = |&step: &usize| plan.buffers.iter().filter(move |b| b.live.first <= step && step <= b.live.last);
    let bytes = |step: usize| live(&step).map(|b| b.bytes.next_multiple_of(plan::ALIGNMENT)).sum::<u64>();
    plan.peak as f64 / (0..plan.steps.len()).map(bytes).max().unwrap() as f64
}

/// Scratch that a step might want: none, a window of each position as a plain convolution unrolls it, or anything.
fn scratch(graph: &Graph, net: &Net, kind: usize) -> Vec<u64> {
    let wanted = |(i, step): (usize, &Step)| match step.head().map(|node| &graph.node(node).op) {
        Some(Op::Conv(conv)) if kind == 1 => {
            let window: usize = conv.kernel.iter().product();
            let positions = graph.shape(step.makes.node).spatial().iter().product::<usize>();
            (window * graph.shape(step.reads[0].node).dims()[0] * positions) as u64 * 4
        }
        Some(_) if kind == 2 => i as u64 * 7919 % 40_000 * 64,
        _ => 0,
    };
    net.steps.iter().enumerate().map(wanted).collect()
}

#[test]
fn peaks_of_all_examples_are_near_what_nothing_can_beat() {
    let mut planned = 0;
    for file in examples() {
        for compiled in archc::check_all(&file, &Options::default()) {
            let Some(network) = compiled.network else { continue };
            for mode in [Mode::Run, Mode::Train] {
                let found = waste(&plan::best(&network.graph, mode, 1).unwrap());
                assert!(found <= 1.03, "{} in {mode:?}: {found}", network.name);
            }
            let net = optimise(&network.graph, None).unwrap();
            for (batch, kind) in [1, 2, 16].into_iter().flat_map(|batch| (0..3).map(move |kind| (batch, kind))) {
                let plan = running(&network.graph, &net, batch, &scratch(&network.graph, &net, kind)).unwrap().plan;
                prove(&plan);
                let found = plan.peak as f64 / plan.lower_bound as f64;
                assert!(found <= 1.03, "{} at batch {batch}, scratch of kind {kind}: {found}", network.name);
                planned += 1;
            }
        }
    }
    assert!(planned > 300, "{planned} plans only");
}

/// Small networks, one for each way that values share memory.
pub const SMALL: [(&str, &str); 4] = [
    (
        "residual",
        "block Basic(width, stride=1) {
             skip add via project { conv(width, 3, stride=stride, bias=false) -> batch_norm -> relu -> conv(width, 3) }
             relu
         }
         model Net() { input image [N, 3, 16, 16]
             conv(8, 3) -> relu -> Basic(8) -> Basic(16, stride=2) -> avgpool(global) -> flatten -> linear(10) }",
    ),
    (
        "dense",
        "block Dense() { skip concat { batch_norm -> relu -> conv(4, 3, bias=false) } }
         model Net() { input image [N, 3, 16, 16]
             conv(8, 3) -> repeat 3 { Dense() } -> batch_norm -> relu -> conv(2, 1) }",
    ),
    (
        "long",
        "model Net() { input image [N, 1, 20, 20]
             enc: conv(4, 3, pad=0) -> relu -> maxpool(2) -> conv(8, 3) -> relu -> conv_transpose(4, 2, stride=2)
             conv(4, 3, pad=0) -> long skip concat from enc fit crop -> conv(2, 1) }",
    ),
    (
        "gated",
        "model Net() { input x [N, 16]
             linear(16) -> skip gate by transform: linear(16) { hidden: linear(16) -> relu } -> dropout(0.5)
             output features
             linear(4) }",
    ),
];

#[test]
fn plans_of_small_networks_are_as_before() {
    for (name, text) in SMALL {
        let network = written(text);
        for (mode, batch) in [(Mode::Run, 1), (Mode::Train, 4)] {
            let plan = plan::best(&network.graph, mode, batch).unwrap();
            prove(&plan);
            let report = tools::report(&network.graph, &plan).unwrap();
            let table = tools::table::render(name, &report, Style { width: 160, ..Style::default() });
            insta::assert_snapshot!(format!("plan_{name}_{}", if mode == Mode::Run { "run" } else { "train" }), table);
        }
    }
}

#[test]
fn the_report_adds_up() {
    for (name, text) in SMALL {
        let network = written(text);
        let plan = plan::best(&network.graph, Mode::Train, 3).unwrap();
        let report = tools::report(&network.graph, &plan).unwrap();
        assert_eq!(report.totals.naive, report.buffers.iter().map(|b| b.bytes).sum::<u64>(), "{name}");
        assert_eq!(report.totals.lower_bound, report.steps.iter().map(|s| s.live_bytes).max().unwrap(), "{name}");
        assert_eq!(report.steps.last().unwrap().live_after_bytes, 0, "{name}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["totals"]["peak"], report.totals.peak, "{name}");
        let kept = tools::report(&network.graph, &plan::best(&network.graph, Mode::Run, 3).unwrap()).unwrap();
        assert!(kept.steps.last().unwrap().live_after_bytes > 0, "{name}: outputs stay");
    }
}

#[test]
fn the_picture_has_a_box_for_every_buffer() {
    for (name, text) in SMALL {
        let network = written(text);
        let plan = plan::best(&network.graph, Mode::Run, 1).unwrap();
        let svg = tools::svg::render(name, &network.graph, &plan);
        let boxes = svg.matches("<g><title>").count() - svg.matches("class=\"band\" x").count();
        assert_eq!(boxes, plan.buffers.len(), "{name}");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{name}");
    }
}
