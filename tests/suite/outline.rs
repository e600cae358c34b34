//! What `archc plan` shows of a run: the plan of the engine, and what the passes did.

use crate::plan::SMALL;
use crate::sketch::written;
use archc::engine::{Engine, Input, Outline, SessionOptions};
use archc::kernels::Isa;
use archc::opt::PASSES;
use archc::plan::verify::verify;
use archc::tools::plan::{explain, report, svg, table};
use archc::tools::text::Style;
use archc::weights::Numbers;
use std::sync::Arc;

/// The plan after all passes, without the scratch of kernels, in which machines differ.
#[test]
fn what_runs_is_as_before() {
    let last = PASSES.last().map(|pass| pass.name);
    let style = Style { width: 160, ..Style::default() };
    for (name, text) in SMALL {
        let network = written(text);
        let outline = Outline::new(&network, 1, 2, Isa::Portable, last).unwrap();
        verify(&outline.plan).unwrap();
        let shown = report(&network.graph, &outline.plan).unwrap();
        let passes = explain::explain(&network.graph, &outline.net, None);
        let explained = explain::render(name, &network.graph, &outline.net, &passes, style);
        let both = format!("{}\n{explained}", table::render(name, &shown, style));
        insta::assert_snapshot!(format!("outline_{name}"), both);
    }
}

#[test]
fn the_outline_is_what_a_session_runs() {
    for (name, text) in SMALL {
        let network = written(text);
        for (batch, threads) in [(1, 1), (3, 2)] {
            let outline = Outline::new(&network, batch, threads, Isa::best(), None).unwrap();
            let engine = Engine::of(network.clone(), Arc::new(Numbers::seeded(&network, 0)));
            let mut session = engine.session(SessionOptions { threads: Some(threads), ..SessionOptions::default() });
            let input = network.graph.node(network.graph.inputs[0]);
            let dims = input.shape.with_batch(batch);
            let data = vec![0.5; dims.iter().product()];
            session.run(&[Input { name: &input.path, dims: &dims, data: &data }]).unwrap();
            let ran = session.plan().unwrap();
            assert_eq!((outline.plan.peak, &outline.plan.places), (ran.peak, &ran.places), "{name}");
            let kernels = outline.kernels.iter().flatten().count();
            assert_eq!(kernels, session.planned().unwrap().steps.len(), "{name}");
            let told = report(&network.graph, &outline.plan).unwrap().with_kernels(&outline.kernels);
            assert_eq!(told.steps.iter().filter(|step| step.kernel.is_some()).count(), kernels, "{name}");
        }
    }
}

#[test]
fn every_cut_can_be_planned_and_explained() {
    let network = written(SMALL[1].1);
    for (i, pass) in PASSES.iter().enumerate() {
        let outline = Outline::new(&network, 2, 1, Isa::Portable, Some(pass.name)).unwrap();
        verify(&outline.plan).unwrap();
        assert_eq!(explain::explain(&network.graph, &outline.net, Some(pass.name)).len(), i + 1);
        let named = |name: &str| PASSES[..=i].iter().any(|pass| pass.name == name);
        assert!(outline.net.notes.iter().all(|note| named(note.pass)), "{}", pass.name);
    }
}

/// A box for each buffer, scratch in a tone of its own, shared memory hatched, and the lines of peak and bound.
#[test]
fn the_picture_shows_scratch_and_what_is_shared() {
    let network = written(SMALL[0].1);
    let outline = Outline::new(&network, 1, 2, Isa::best(), None).unwrap();
    let picture = svg::render("residual", &network.graph, &outline.plan);
    let count = |what: &str| picture.matches(what).count();
    assert_eq!(count("<g><title>") - count("class=\"band\" x"), outline.plan.buffers.len());
    // One of each is in the legend.
    assert!(count("box scratch") > 1 && count("url(#hatch)") > 1, "{picture}");
    assert!(picture.contains("lower bound") && picture.contains("peak "), "{picture}");
}

/// Cuts of a map are searched, not listed: there are as many as it has columns.
#[test]
fn a_map_of_endless_lines_is_planned_soon() {
    let network = written(
        "model Net { input x [N, 3, 8, 2147483648]\n conv(8, 3) -> relu -> maxpool(2) -> conv_transpose(8, 2, stride=2) }",
    );
    for batch in [1, 2] {
        match Outline::new(&network, batch, 2, Isa::best(), None) {
            Ok(outline) => verify(&outline.plan).unwrap(),
            Err(error) => assert_eq!(error.code.0, "E0906"),
        }
    }
}

/// A transposed convolution is as many convolutions as its stride has places: what no network has is refused.
#[test]
fn a_stride_of_millions_of_places_is_refused() {
    let network = written("model Net { input x [N, 1, 8, 8]\n conv_transpose(1, 30000, stride=30000) }");
    let error = Outline::new(&network, 1, 2, Isa::best(), None).err().unwrap();
    assert_eq!(error.code.0, "E0906");
    assert!(error.message.contains("stride 30000 × 30000"), "{}", error.message);
}

/// Of one output only the window counts, however large the stride is.
#[test]
fn a_stride_beyond_the_map_takes_no_room() {
    for stride in [27_483_647, i64::MAX] {
        let network = written(&format!("model Net {{ input x [N, 3, 8, 8]\n conv(16, 3, stride={stride}) }}"));
        let outline = Outline::new(&network, 1, 2, Isa::best(), None).unwrap();
        assert!(outline.plan.peak < 1 << 20, "{} bytes", outline.plan.peak);
    }
}

#[test]
fn a_window_of_billions_of_taps_is_refused() {
    for layer in ["conv(4, 65535)", "conv_transpose(4, 65535)"] {
        let network = written(&format!("model Net {{ input x [N, 1, 8, 8]\n {layer} }}"));
        let error = Outline::new(&network, 1, 2, Isa::best(), None).err().unwrap();
        assert!(error.code.0 == "E0906" && error.message.contains("65535 × 65535"), "{}", error.message);
    }
}

#[test]
fn a_window_that_reaches_over_padding_alone_is_refused() {
    let network = written("model Net { input x [N, 2, 4]\n conv(8, 3, dilation=44967296) }");
    let error = Outline::new(&network, 1, 2, Isa::best(), None).err().unwrap();
    assert!(error.code.0 == "E0906" && error.message.contains("over 1 × 89934593 positions"), "{}", error.message);
}
