//! Losses and optimizers against what PyTorch made of them (`tests/parity/make_training.py`).

use super::{network, recipe};
use archc::lower::weights::Checkpoint;
use archc::lower::{Module, ParamStore};
use archc::train::data::Targets;
use archc::train::loss;
use archc::train::optim::{Optimizer, rate_factor};
use candle_core::{DType, Device, Result, Tensor, Var};
use std::collections::BTreeMap;
use std::path::Path;

/// The tensors of a fixture, and its cases.
fn fixture(name: &str) -> (BTreeMap<String, Tensor>, serde_json::Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/training").join(name);
    let file = Checkpoint::open(&path).expect("the fixture opens");
    let cases = serde_json::from_str(&file.metadata["cases"]).expect("the cases are JSON");
    (file.read_all().expect("the fixture is whole"), cases)
}

/// The largest difference, over the largest value.
fn difference(found: &Tensor, expected: &Tensor) -> f64 {
    let list = |t: &Tensor| t.to_dtype(DType::F64).and_then(|t| t.flatten_all()?.to_vec1::<f64>()).expect("numbers");
    let (found, expected) = (list(found), list(expected));
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-3f64, |m, x| m.max(x.abs()));
    found
        .iter()
        .zip(&expected)
        .map(|(a, b)| if a == b { 0.0 } else { (a - b).abs() / scale })
        .fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m })
}

#[test]
fn losses_and_their_gradients_are_pytorchs() -> Result<()> {
    let (tensors, cases) = fixture("losses.safetensors");
    let cases = cases.as_array().expect("a list");
    assert!(cases.len() > 20, "the fixture lists its cases");
    for (number, case) in cases.iter().enumerate() {
        let text = case.as_str().expect("a loss");
        let terms = recipe(&format!("loss = {text}\noptimizer = sgd(lr=0.1)\nbatch = 2\nsteps = 1")).loss;
        let get = |name: &str| &tensors[&format!("{number}.{name}")];
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 2e-6)] {
            let output = Var::from_tensor(&get("output").to_dtype(dtype)?)?;
            let outputs = [("output".to_string(), output.as_tensor().clone())];
            let value = loss::total(&terms, &outputs, get("target"))?;
            let gradients = value.backward()?;
            let gradient = gradients.get(&output).expect("a gradient");
            let (of_value, of_gradient) = (difference(&value, get("value")), difference(gradient, get("grad")));
            assert!(of_value < tolerance, "{number}: {text} in {dtype:?}: the value is off by {of_value:e}");
            assert!(of_gradient < tolerance, "{number}: {text} in {dtype:?}: the gradient is off by {of_gradient:e}");
        }
    }
    Ok(())
}

#[test]
fn a_target_where_all_is_ignored_gives_0_where_pytorch_gives_nan() -> Result<()> {
    let terms = recipe("loss = cross_entropy(ignore_index=1)\noptimizer = sgd(lr=0.1)\nbatch = 2\nsteps = 1").loss;
    let logits = candle_core::Var::zeros((2, 3), DType::F32, &Device::Cpu)?;
    let outputs = [("output".to_string(), logits.as_tensor().clone())];
    let value = loss::total(&terms, &outputs, &Tensor::new(&[1i64, 1], &Device::Cpu)?)?;
    assert_eq!(value.to_scalar::<f32>()?, 0.0);
    let gradient = value.backward()?.get(&logits).expect("a gradient").sqr()?.sum_all()?;
    assert_eq!(gradient.to_scalar::<f32>()?, 0.0);
    assert!(
        !loss::counts(&terms, &Targets::Classes(vec![1, 1])) && loss::counts(&terms, &Targets::Classes(vec![1, 0]))
    );
    Ok(())
}

/// Ten steps of every optimizer with its schedule, on a small network, in both types.
#[test]
fn ten_steps_follow_pytorchs_weights() {
    let (tensors, cases) = fixture("optimizers.safetensors");
    let cases = cases.as_array().expect("a list");
    assert!(cases.len() >= 12, "the fixture lists its cases");
    for (number, case) in cases.iter().enumerate() {
        let line = |name: &str| case[name].as_str().expect("a line of a recipe");
        let (optimizer, schedule) = (line("optimizer"), line("schedule"));
        for (dtype, name, tolerance) in [(DType::F64, "f64", 1e-9), (DType::F32, "f32", 1e-4)] {
            let trained = ten_steps(optimizer, schedule, &tensors, dtype);
            for (path, value) in trained {
                let off = difference(&value, &tensors[&format!("{number}.{name}.{path}")]);
                assert!(off < tolerance, "{number}: {optimizer}, {schedule} in {name}: `{path}` is off by {off:e}");
            }
        }
    }
}

/// The weights after ten steps from the fixture's start.
fn ten_steps(
    optimizer: &str,
    schedule: &str,
    tensors: &BTreeMap<String, Tensor>,
    dtype: DType,
) -> BTreeMap<String, Tensor> {
    let text = include_str!("../../parity/training/net.arch");
    let lines =
        format!("loss = cross_entropy()\noptimizer = {optimizer}\nschedule = {schedule}\nbatch = 8\nsteps = 10");
    let network = network(&format!("{text}\ntrain Net {{\n{lines}\n}}\n"));
    let recipe = network.recipe.clone().expect("a recipe");
    let store = ParamStore::new(&network, 1, dtype, &Device::Cpu).expect("a store");
    for entry in store.entries() {
        entry.set(&tensors[&format!("start.{}", entry.path)]).expect("the start fits");
    }
    let module: Module = network.lower(store.var_builder()).expect("a module");
    let trainable = store.trainable().into_iter().map(|(path, var)| (path.to_string(), var.clone()));
    let mut optimizer = Optimizer::new(recipe.optimizer.clone(), trainable).expect("an optimizer");
    for step in 0..10 {
        let batch = |name: &str| tensors[name].get(step).expect("a batch");
        let x = batch("x").to_dtype(dtype).expect("a type");
        let outputs = [("fc".to_string(), module.forward(&x, true).expect("an output"))];
        let value = loss::total(&recipe.loss, &outputs, &batch("y")).expect("a loss");
        let rate = optimizer.base_rate() * rate_factor(&recipe.schedule, step, 10);
        optimizer.step(&value.backward().expect("gradients"), rate).expect("a step");
    }
    store.snapshot().expect("a copy")
}
