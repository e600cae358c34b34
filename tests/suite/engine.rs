//! The engine against the candle module: the same numbers, whatever the passes did; and the plan that it keeps to.

use crate::random::random;
use crate::sketch::{Parameters, Values, inputs, parameters};
use crate::zoo::examples;
use archc::base::Rng;
use archc::engine::{Engine, Input, SessionOptions};
use archc::kernels::Isa;
use archc::lower::{Module, ParamStore};
use archc::plan::verify::verify;
use archc::weights::Numbers;
use archc::{Compiled, Network, Options, check_all};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A model at the smallest of some sizes that it works at.
fn small(file: &Path, model: &str) -> Option<Compiled> {
    let at = |spatial: Option<Vec<usize>>| {
        let compiled = archc::compile(file, &Options { model: Some(model.into()), spatial, ..Options::default() });
        compiled.network.is_some().then_some(compiled)
    };
    [32, 48, 64, 96].into_iter().find_map(|size| at(Some(vec![size, size]))).or_else(|| at(None))
}

/// Parameters as drawn, with running statistics that do something.
fn weights(network: &Network, seed: u64) -> Parameters {
    let numbers = Numbers::seeded(network, seed);
    let mut rng = Rng::new(seed);
    let parameter = |(path, spec): (String, archc::ops::ParamSpec)| {
        let values = match spec.name {
            "running_mean" => (0..spec.elements()).map(|_| 0.1 * rng.normal() as f32).collect(),
            "running_var" => (0..spec.elements()).map(|_| 0.5 + rng.uniform() as f32).collect(),
            _ => numbers.get(&path).unwrap().into_owned(),
        };
        (path, values)
    };
    network.graph.named_params().into_iter().map(parameter).collect()
}

/// The outputs of a module that computes with these parameters.
fn by_module(
    network: &Network,
    lower: impl FnOnce(VarBuilder) -> archc::lower::Result<Module>,
    weights: &Parameters,
    given: &Values,
) -> BTreeMap<String, Vec<f32>> {
    let store = ParamStore::new(network, 0, DType::F32, &Device::Cpu).unwrap();
    let module = lower(store.var_builder()).unwrap();
    for (path, spec) in network.graph.named_params() {
        if !spec.dims.is_empty() {
            let tensor = Tensor::from_slice(&weights[&path], spec.dims.as_slice(), &Device::Cpu).unwrap();
            store.get(&path).unwrap().set(&tensor).unwrap();
        }
    }
    let tensors: Vec<(&str, Tensor)> = given
        .iter()
        .map(|(name, dims, data)| (name.as_str(), Tensor::from_slice(data, dims.as_slice(), &Device::Cpu).unwrap()))
        .collect();
    let named: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let outputs = module.forward_all(&named, false).unwrap();
    outputs.into_iter().map(|(name, t)| (name, t.flatten_all().unwrap().to_vec1().unwrap())).collect()
}

fn by_engine(engine: &Engine, given: &Values, options: SessionOptions) -> BTreeMap<String, Vec<f32>> {
    let mut session = engine.session(options);
    let inputs: Vec<Input> = given.iter().map(|(name, dims, data)| Input { name, dims, data }).collect();
    let outputs = session.run(&inputs).unwrap_or_else(|error| panic!("{}: {}", error.code, error.message));
    let values = outputs.iter().map(|output| (output.name.to_string(), output.to_vec())).collect();
    let planned = session.planned().unwrap();
    verify(&planned.plan).unwrap();
    assert_eq!(session.arena_bytes() as u64, planned.plan.peak.next_multiple_of(4), "the arena is as planned");
    values
}

/// The largest difference over the largest value.
fn difference(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    got.iter().zip(want).map(|(g, w)| (g - w).abs() / scale).fold(0.0, f32::max)
}

#[test]
fn it_agrees_with_the_module_on_every_example() {
    let mut ran = 0;
    for file in examples() {
        for planned in check_all(&file, &Options::default()) {
            let Some(network) = &planned.network else { continue };
            let place = format!("{} {}", file.display(), network.name);
            let compiled = small(&file, &network.name).unwrap_or_else(|| panic!("{place} works at no small size"));
            let network = compiled.network.as_ref().unwrap();
            if archc::analysis::cost::cost(&network.graph).nodes.parameters > 30_000_000 {
                continue;
            }
            let (weights, given) = (weights(network, 1), inputs(&network.graph, 2, 3));
            let want = by_module(network, |vb| compiled.lower(vb), &weights, &given);
            let engine = compiled.engine(Arc::new(weights)).unwrap();
            let got = by_engine(&engine, &given, SessionOptions { threads: Some(2), ..SessionOptions::default() });
            for (name, want) in &want {
                let off = difference(&got[name], want);
                assert!(off < 1e-4, "{place}, `{name}`: {off:e}");
            }
            ran += 1;
        }
    }
    assert!(ran > 20, "only {ran} models ran");
}

#[test]
fn it_agrees_with_the_module_on_random_networks() {
    for seed in 0..500 {
        let network = random(seed);
        let (weights, given) = (parameters(&network.graph, seed), inputs(&network.graph, 1 + seed as usize % 3, seed));
        let want = by_module(&network, |vb| network.lower(vb), &weights, &given);
        let threads = Some(1 + seed as usize % 2);
        let engine = Engine::of(network, Arc::new(weights));
        let got = by_engine(&engine, &given, SessionOptions { threads, ..SessionOptions::default() });
        for (name, want) in &want {
            // Numbers are about 1 here; of what cancels to nothing, only rounding is left to compare.
            let scale = want.iter().fold(0.1f32, |m, v| m.max(v.abs()));
            let off = got[name].iter().zip(want).map(|(g, w)| (g - w).abs() / scale);
            assert!(off.into_iter().all(|off| off <= 1e-4), "network {seed}, `{name}`: {:?}, want {want:?}", got[name]);
        }
    }
}

#[test]
fn sessions_and_instruction_sets_agree() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/resnet.arch");
    let compiled = small(&file, "ResNet18").unwrap();
    let network = compiled.network.as_ref().unwrap();
    let engine = compiled.engine(Arc::new(weights(network, 1))).unwrap();
    let given = inputs(&network.graph, 1, 3);
    let options = |threads| SessionOptions { threads: Some(threads), ..SessionOptions::default() };
    let one = by_engine(&engine, &given, options(1));
    std::thread::scope(|scope| {
        let session = |_| scope.spawn(|| by_engine(&engine, &given, options(1)));
        let all: Vec<_> = (0..8).map(session).collect();
        all.into_iter().for_each(|session| assert_eq!(session.join().unwrap(), one, "sessions give the same bits"));
    });
    assert_eq!(by_engine(&engine, &given, options(3)), one, "threads give the same bits");
    for isa in Isa::available() {
        let other = by_engine(&engine, &given, SessionOptions { isa: Some(isa), ..options(2) });
        one.iter().for_each(|(name, want)| assert!(difference(&other[name], want) < 1e-4, "{isa:?}"));
    }
}

#[test]
fn batches_and_sizes_change_between_runs() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/resnet.arch");
    let compiled = small(&file, "ResNet18").unwrap();
    let network = compiled.network.as_ref().unwrap();
    let engine = compiled.engine(Arc::new(weights(network, 1))).unwrap();
    let mut session = engine.session(SessionOptions { threads: Some(2), ..SessionOptions::default() });
    let three = inputs(&network.graph, 3, 5);
    let run = |session: &mut archc::engine::Session, given: &Values| -> Vec<f32> {
        let inputs: Vec<Input> = given.iter().map(|(name, dims, data)| Input { name, dims, data }).collect();
        session.run(&inputs).unwrap()[0].to_vec()
    };
    let together = run(&mut session, &three);
    let (name, dims, data) = &three[0];
    let (each, classes) = (data.len() / 3, together.len() / 3);
    for n in 0..3 {
        let one = vec![(name.clone(), [&[1], &dims[1..]].concat(), data[n * each..(n + 1) * each].to_vec())];
        assert!(difference(&run(&mut session, &one), &together[n * classes..(n + 1) * classes]) < 1e-5);
    }
    let wrong = Input { name, dims: &[1, 4, 32, 32], data: &[0.0; 4096] };
    assert_eq!(session.run(&[wrong]).unwrap_err().code.0, "E0902");
}
