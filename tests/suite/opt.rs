//! Passes: what each does to a small network, what stops it, and that no outputs change.

use crate::random::random;
use crate::reference::Reference;
use crate::sketch::{inputs, parameters};
use archc::opt::{PASSES, optimise};
use archc::plan::{running, verify::verify};

#[test]
fn passes_preserve_the_outputs_of_random_networks() {
    for seed in 0..500 {
        let network = random(seed);
        let graph = &network.graph;
        let (parameters, given) = (parameters(graph, seed), inputs(graph, 2, seed));
        let reference = Reference { graph, parameters: &parameters };
        let want = reference.run(&given);
        for pass in PASSES {
            let net = optimise(graph, Some(pass.name)).unwrap_or_else(|broken| panic!("network {seed}: {broken}"));
            for (i, (got, want)) in reference.run_net(&net, &given).iter().zip(&want).enumerate() {
                assert!(want.numbers.iter().all(|x| x.is_finite()) && got.numbers.len() == want.numbers.len());
                let scale = want.numbers.iter().fold(1e-300f64, |most, x| most.max(x.abs()));
                let off = got.numbers.iter().zip(&want.numbers).map(|(a, b)| (a - b).abs() / scale);
                let off = off.fold(0.0, |most, off| if off <= most { most } else { off });
                assert!(off < 1e-12, "network {seed} after `{}`, output {i}: {off:e}", pass.name);
            }
        }
    }
}

#[test]
fn nets_of_random_networks_are_planned_soundly() {
    for seed in 0..500 {
        let network = random(seed);
        for pass in PASSES {
            let net = optimise(&network.graph, Some(pass.name)).unwrap();
            let scratch: Vec<u64> = (0..net.steps.len() as u64).map(|i| i % 3 * 400).collect();
            let found = running(&network.graph, &net, 2, &scratch).unwrap();
            verify(&found.plan).unwrap_or_else(|broken| panic!("network {seed} after `{}`: {broken}", pass.name));
        }
    }
}
