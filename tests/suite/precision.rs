//! The engine against networks computed in double precision.

use crate::random::random;
use crate::reference::{Map, Reference};
use crate::sketch::{Values, inputs, parameters};
use archc::Options;
use archc::engine::{Engine, Input, Session, SessionOptions};
use archc::kernels::Isa;
use std::path::Path;
use std::sync::Arc;

/// All outputs, in file order.
pub fn run(session: &mut Session, given: &Values) -> Vec<Vec<f32>> {
    let inputs: Vec<Input> = given.iter().map(|(name, dims, data)| Input { name, dims, data }).collect();
    let outputs = session.run(&inputs).unwrap_or_else(|error| panic!("{}: {}", error.code, error.message));
    outputs.iter().map(|output| output.to_vec()).collect()
}

/// The largest difference over the largest value. Numbers here are about 1; of what cancels to nothing, only rounding
/// is left to compare.
pub fn off(got: &[f32], want: &Map) -> f64 {
    assert_eq!(got.len(), want.numbers.len());
    assert!(got.iter().all(|x| x.is_finite()) && want.numbers.iter().all(|x| x.is_finite()));
    let scale = want.numbers.iter().fold(0.1f64, |most, x| most.max(x.abs()));
    got.iter().zip(&want.numbers).map(|(&got, want)| (f64::from(got) - want).abs() / scale).fold(0.0, f64::max)
}

#[test]
fn random_networks_compute_what_they_say() {
    let isas: Vec<Isa> = Isa::available().collect();
    for seed in 0..500 {
        let network = random(seed);
        let batch = 1 + seed as usize % 3;
        let (parameters, given) = (parameters(&network.graph, seed), inputs(&network.graph, batch, seed));
        let want = Reference::new(&network.graph, &parameters).run(&given);
        let engine = Engine::of(network, Arc::new(parameters));
        let isa = Some(isas[seed as usize % isas.len()]);
        let options = SessionOptions { threads: Some(1 + seed as usize % 2), isa, ..SessionOptions::default() };
        let got = run(&mut engine.session(options), &given);
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            let off = off(got, want);
            assert!(off < 2e-5, "network {seed} at batch {batch}, output {i}: {off:e}");
        }
    }
}

/// ResNet-50 has all kinds of convolutions that Winograd's transforms take, one after another.
#[test]
fn transforms_lose_less_than_the_order_of_sums_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/resnet.arch");
    let options = Options { model: Some("ResNet50".into()), spatial: Some(vec![64, 64]), ..Options::default() };
    let network = archc::compile(&path, &options).network.unwrap();
    let (mut plain, mut fast) = (0.0, 0.0);
    for seed in 0..3 {
        let (parameters, given) = (parameters(&network.graph, seed), inputs(&network.graph, 1, seed));
        let want = Reference::new(&network.graph, &parameters).run(&given);
        let engine = Engine::of(network.clone(), Arc::new(parameters));
        let off = |direct| {
            let options = SessionOptions { threads: Some(2), direct, ..SessionOptions::default() };
            off(&run(&mut engine.session(options), &given)[0], &want[0])
        };
        let (a, b) = (off(true), off(false));
        (plain, fast) = (plain + a, fast + b);
    }
    assert!(plain < 3.0 * 2e-6, "directly {plain:e} on three inputs together");
    assert!(fast <= 2.0 * plain, "{fast:e} by the methods chosen, {plain:e} directly");
}
