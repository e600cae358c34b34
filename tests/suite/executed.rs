//! Executed shapes are inferred ones, for every model of every example: a module refuses a value of other
//! sizes than were inferred, so running is checking.

use archc::{Network, Options, check_all};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::path::{Path, PathBuf};

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "arch"));
    files.sort();
    files
}

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
