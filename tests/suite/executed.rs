//! Executed shapes are inferred ones, for every model of every example: a module refuses a value of other
//! sizes than were inferred, so running is checking.

use crate::zoo::examples;
use archc::base::Rng;
use archc::elaborate::recipe::Optimizer as Settings;
use archc::lower::{ParamStore, with_stack};
use archc::train::optim::Optimizer;
use archc::{Compiled, Network, Options, check_all};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;

/// Sizes that are free, made small: the smallest of these at which the network still works.
fn small(file: &Path, model: &str) -> Option<archc::Compiled> {
    [None, Some(32), Some(48), Some(64), Some(96), Some(192)].into_iter().skip(1).find_map(|size| {
        let mut options = Options { model: Some(model.into()), ..Options::default() };
        let planned = archc::compile(file, &options).network?;
        options.sizes =
            planned.free_sizes.iter().map(|free| (free.name.clone(), size.unwrap_or(free.default))).collect();
        let compiled = archc::compile(file, &options);
        compiled.network.is_some().then_some(compiled)
    })
}

/// Inputs of a network at the sizes planned for, with a batch.
fn inputs(network: &Network, batch: usize) -> Vec<(String, Tensor)> {
    let input = |&id: &archc::graph::NodeId| {
        let node = network.graph.node(id);
        let zeros = Tensor::zeros(node.shape.with_batch(batch), DType::F32, &Device::Cpu).unwrap();
        (node.path.clone(), zeros)
    };
    network.graph.inputs.iter().map(input).collect()
}

#[test]
fn every_example_runs_at_its_inferred_shapes() {
    let mut ran = 0;
    for file in examples() {
        for planned in check_all(&file, &Options::default()) {
            let Some(network) = &planned.network else { continue };
            let place = format!("{} {}", file.display(), network.name);
            let compiled = small(&file, &network.name).unwrap_or_else(|| panic!("{place} works at no small size"));
            let network = compiled.network.as_ref().unwrap();
            let module = compiled.lower(VarBuilder::zeros(DType::F32, &Device::Cpu)).unwrap();
            let inputs = inputs(network, 2);
            let given: Vec<(&str, &Tensor)> = inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
            let outputs = module.forward_all(&given, false).unwrap_or_else(|error| panic!("{place}: {error}"));
            for output in &network.graph.outputs {
                assert_eq!(outputs[&output.name].dims(), network.graph.shape(output.node).with_batch(2), "{place}");
            }
            ran += 1;
        }
    }
    assert!(ran > 30, "only {ran} models ran");
}

/// The model of a file with the fewest parameters, at a small size that it works at.
fn smallest(file: &Path) -> Compiled {
    let parameters = |network: &Network| archc::analysis::cost::cost(&network.graph).nodes.parameters;
    let networks = check_all(file, &Options::default()).into_iter().filter_map(|compiled| compiled.network);
    let model = networks.min_by_key(parameters).unwrap().name;
    let at = |spatial: Option<Vec<usize>>| {
        let compiled = archc::compile(file, &Options { model: Some(model.clone()), spatial, ..Options::default() });
        compiled.network.is_some().then_some(compiled)
    };
    [48, 96].into_iter().find_map(|size| at(Some(vec![size, size]))).or_else(|| at(None)).unwrap()
}

/// A step of gradient descent towards random targets: the losses before and after it, and how many parameters had no
/// gradient.
fn one_step(compiled: &Compiled) -> archc::lower::Result<([f32; 2], usize)> {
    let network = compiled.checked()?;
    let store = ParamStore::new(network, 1, DType::F32, &Device::Cpu)?;
    let module = compiled.lower(store.var_builder())?;
    let settings = Settings::Sgd { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false };
    let named = store.trainable().into_iter().map(|(path, var)| (path.to_string(), var.clone()));
    let mut optimizer = Optimizer::new(settings, named)?;
    let mut rng = Rng::new(5);
    let mut random = |dims: Vec<usize>| {
        let values: Vec<f32> = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
        Tensor::from_vec(values, dims, &Device::Cpu)
    };
    let input = random(network.graph.shape(network.graph.inputs[0]).with_batch(2))?;
    let target = random(network.graph.shape(network.graph.outputs[0].node).with_batch(2))?;
    let loss = || archc::lower::Result::Ok((module.forward(&input, true)? - &target)?.sqr()?.mean_all()?);
    let before = loss()?;
    let gradients = before.backward()?;
    let without = store.trainable().iter().filter(|(_, var)| gradients.get(var).is_none()).count();
    optimizer.step(&gradients, 1e-3)?;
    Ok(([before.to_scalar()?, loss()?.to_scalar()?], without))
}

#[test]
fn every_example_learns_a_little() {
    for file in examples() {
        let compiled = smallest(&file);
        let (losses, without) = with_stack(|| one_step(&compiled)).unwrap();
        assert!(losses.iter().all(|loss| loss.is_finite()), "{}: {losses:?}", file.display());
        assert!(losses[1] != losses[0], "{}: {losses:?}", file.display());
        assert_eq!(without, 0, "{}: parameters without a gradient", file.display());
    }
}
