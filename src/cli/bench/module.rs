//! Runs and training steps timed through the candle module.

use super::BenchArgs;
use super::{Values, timed};
use archc::elaborate::Network;
use archc::elaborate::recipe::{Loss, LossTerm, Optimizer as Settings};
use archc::lower::{Module, ParamStore, Result};
use archc::train::loss;
use archc::train::optim::Optimizer;
use candle_core::{DType, Device, Tensor};

/// Milliseconds of each repetition.
///
/// # Errors
/// What lowering and computing report.
pub fn measure(args: &BenchArgs, network: &Network, values: Values, device: &Device) -> Result<Vec<f64>> {
    let store = ParamStore::new(network, 0, DType::F32, device)?;
    let module = network.lower(store.var_builder())?;
    let tensor = |(name, dims, data)| Ok((name, Tensor::from_vec::<Vec<usize>, f32>(data, dims, device)?));
    let inputs = values.into_iter().map(tensor).collect::<Result<Vec<_>>>()?;
    let mut optimizer = training_optimizer(&store)?;
    timed(args, if args.train { 1 } else { 2 }, || {
        match args.train {
            true => step(&module, &inputs, &mut optimizer)?,
            false => drop(forward(&module, &inputs, false)?),
        }
        Ok(device.synchronize()?)
    })
}

fn training_optimizer(store: &ParamStore) -> Result<Optimizer> {
    let settings = Settings::Sgd { lr: 0.01, momentum: 0.9, dampening: 0.0, weight_decay: 0.0, nesterov: false };
    Ok(Optimizer::new(settings, store.trainable().into_iter().map(|(path, var)| (path.to_string(), var.clone())))?)
}

fn forward(module: &Module, inputs: &[(String, Tensor)], train: bool) -> Result<Vec<(String, Tensor)>> {
    let inputs: Vec<_> = inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    Ok(module.forward_all(&inputs, train)?.into_iter().collect())
}

/// Forward, cross entropy of the first output against class 0, backward, SGD with momentum.
fn step(module: &Module, inputs: &[(String, Tensor)], optimizer: &mut Optimizer) -> Result<()> {
    let outputs = forward(module, inputs, true)?;
    let output = &outputs[0].1;
    let (dims, device) = (output.dims(), output.device());
    let mut target = vec![dims[0]];
    target.extend(dims.iter().skip(2));
    let target = Tensor::zeros(target, DType::I64, device)?;
    let loss = Loss::CrossEntropy { label_smoothing: 0.0, ignore_index: None, class_weights: None };
    let terms = [LossTerm { weight: 1.0, loss, output: None }];
    let total = loss::total(&terms, &outputs, &target)?;
    drop(outputs);
    Ok(optimizer.step(&total.backward()?, 0.01)?)
}
