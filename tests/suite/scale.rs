//! Long networks: time grows with their length, not with its square.

use archc::plan::{self, Mode, verify::verify};
use archc::{Network, Options};
use std::time::{Duration, Instant};

fn repeated(count: usize) -> String {
    format!("model Chain() {{ input x [N, 4, 8, 8]\n repeat {count} {{ conv(4, 3) }} }}")
}

fn written_out(count: usize) -> String {
    format!("model Chain() {{ input x [N, 4, 8, 8]\n{}}}", "conv(4, 3)\n".repeat(count))
}

/// Every layer adds to what came before it, a skip each.
fn skipping(count: usize) -> String {
    format!("model Chain() {{ input x [N, 4, 8, 8]\n repeat {count} {{ skip add {{ conv(4, 3) -> relu }} }} }}")
}

fn compile(text: &str, layers: usize) -> Network {
    let compiled = archc::compile_text("chain.arch", text, &Options::default());
    let network = compiled.network.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    assert!(network.graph.len() > layers);
    network
}

/// The shortest of three tries: what the machine can do, whoever else is using it.
fn shortest(mut work: impl FnMut()) -> Duration {
    let time = |()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    [(); 3].map(time).into_iter().min().unwrap_or_default()
}

/// Ten times the length takes about ten times as long; a quadratic step would take a hundred times.
fn assert_linear(what: &str, mut work: impl FnMut(usize)) {
    let (short, long) = (shortest(|| work(2_000)), shortest(|| work(20_000)));
    assert!(long < short * 35 + Duration::from_millis(50), "{what}: {short:?} for 2,000 layers, {long:?} for 20,000");
}

#[test]
fn compiling_takes_time_by_length() {
    for (what, text) in [("repeat", repeated as fn(usize) -> String), ("lines", written_out), ("skips", skipping)] {
        assert_linear(what, |count| drop(compile(&text(count), count)));
    }
}

#[test]
fn planning_takes_time_by_length() {
    for (what, text) in [("chain", repeated as fn(usize) -> String), ("skips", skipping)] {
        let networks = [2_000, 20_000].map(|count| (count, compile(&text(count), count)));
        for mode in [Mode::Run, Mode::Train] {
            assert_linear(what, |count| {
                let network = &networks.iter().find(|(length, _)| *length == count).unwrap().1;
                plan::best(&network.graph, mode, 1).unwrap();
            });
        }
    }
}

#[test]
fn a_long_chain_is_planned_at_its_bound() {
    let network = compile(&repeated(20_000), 20_000);
    for mode in [Mode::Run, Mode::Train] {
        let plan = plan::best(&network.graph, mode, 1).unwrap();
        verify(&plan).unwrap();
        assert_eq!(plan.peak, plan.lower_bound, "{mode:?}");
    }
}
