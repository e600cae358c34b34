//! Long networks: time grows with their length, not with its square.

use archc::exchange::{pytorch, rust};
use archc::plan::{self, Mode, verify::verify};
use archc::{Network, Options};
use std::collections::BTreeMap;
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

/// What this thread has computed so far: the scheduler's count where there is one, so that other work on the machine
/// does not matter; else the time of day.
fn clock(start: Instant) -> Duration {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = counted.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// The shortest of three tries.
fn shortest(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    let time = |()| {
        let before = clock(start);
        work();
        clock(start) - before
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

/// A loop whose turns have names of their own, and groups of as many bodies: neither is compared with all the others.
#[test]
fn exporting_takes_time_by_length() {
    let turns =
        |count| format!("model Chain() {{ input x [N, 4, 8, 8]\n for i in 1..={count} {{ turn{{i}}: conv(4, 3) }} }}");
    let networks = [2_000, 20_000].map(|count| (count, compile(&turns(count), count)));
    type Source = fn(&Network, &BTreeMap<String, String>) -> String;
    for (what, source) in [("PyTorch", pytorch::source as Source), ("Rust", rust::source)] {
        assert_linear(what, |count| {
            let network = &networks.iter().find(|(length, _)| *length == count).unwrap().1;
            assert!(!source(network, &BTreeMap::new()).is_empty());
        });
    }
}

/// Only meaningful when optimised: `cargo test --release scale::`.
#[test]
#[cfg_attr(debug_assertions, ignore = "timed in release builds only")]
fn a_hundred_thousand_layers_take_two_seconds_at_most() {
    for text in [repeated(100_000), written_out(100_000)] {
        let taken = shortest(|| {
            let network = compile(&text, 100_000);
            plan::best(&network.graph, Mode::Run, 1).unwrap();
        });
        assert!(taken < Duration::from_secs(2), "{taken:?}");
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
