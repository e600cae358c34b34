//! `archc bench`: time a run through the engine or the candle module, or a training step.

use super::args::{BenchArgs, EngineName};
use super::shell::{Exit, Shell};
use super::{compute, load, profile};
use crate::analysis::cost::cost;
use crate::base::Rng;
use crate::elaborate::Network;
use crate::elaborate::recipe::{Loss, LossTerm, Optimizer as Settings};
use crate::lower::{Module, ParamStore, Result, with_stack};
use crate::train::loss;
use crate::train::optim::Optimizer;
use candle_core::{DType, Device, Tensor};
use serde::Serialize;
use std::time::Instant;

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    engine: &'static str,
    device: String,
    mode: &'static str,
    batch: usize,
    threads: usize,
    repeat: usize,
    median_ms: f64,
    min_ms: f64,
    max_ms: f64,
    gflops: f64,
    peak_bytes: u64,
}

/// Times it, and prints the median with its spread.
pub fn run(args: &BenchArgs, shell: &Shell) -> std::result::Result<Exit, Exit> {
    let json = args.json || shell.json();
    if args.batch == 0 || args.repeat == 0 {
        return Err(shell.usage("`--batch` and `--repeat` start at 1", "--batch 1 --repeat 10"));
    }
    let loaded = load::network(&args.file, &args.model, false, &shell.quiet_json(json))?;
    let threads = compute::threads(args.threads, shell)?;
    let plan = planned(args, shell)?;
    let device = compute::device(&args.device, shell)?;
    if plan {
        return profile::run(args, &loaded.compiled, threads, json, shell);
    }
    let times = with_stack(|| measure(&loaded.network, args, &device)).map_err(|e| compute::fail(e, shell))?;
    let report = report(&loaded.network, args, threads, &device, times);
    match json {
        true => shell.print_json(&report),
        false => shell.print(&words(&report)),
    }
    Ok(Exit::Clean)
}

/// Whether the engine is to run: where it can, unless the module is asked for.
fn planned(args: &BenchArgs, shell: &Shell) -> std::result::Result<bool, Exit> {
    if args.train && args.engine == Some(EngineName::Plan) {
        return Err(shell.usage("the plan runs inference", "leave out `--train`, or say `--engine candle`"));
    }
    match compute::by_plan(args.engine, &args.device, shell)? && !args.train {
        false if args.profile => {
            Err(shell.usage("only the plan has steps to profile", "leave out `--engine candle` and `--device`"))
        }
        plan => Ok(plan),
    }
}

/// Milliseconds of each repetition, sorted.
fn measure(network: &Network, args: &BenchArgs, device: &Device) -> Result<Vec<f64>> {
    let store = ParamStore::new(network, 0, DType::F32, device)?;
    let module = network.lower(store.var_builder())?;
    let inputs = inputs(network, args.batch, device)?;
    let mut optimizer = training_optimizer(&store)?;
    let mut times = Vec::with_capacity(args.repeat);
    let warm_up = if args.train { 1 } else { 2 };
    for turn in 0..args.repeat + warm_up {
        let start = Instant::now();
        match args.train {
            true => step(&module, &inputs, &mut optimizer)?,
            false => drop(forward(&module, &inputs, false)?),
        }
        device.synchronize()?;
        if turn >= warm_up {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn training_optimizer(store: &ParamStore) -> Result<Optimizer> {
    let settings = Settings::Sgd { lr: 0.01, momentum: 0.9, dampening: 0.0, weight_decay: 0.0, nesterov: false };
    Ok(Optimizer::new(settings, store.trainable().into_iter().map(|(path, var)| (path.to_string(), var.clone())))?)
}

fn inputs(network: &Network, batch: usize, device: &Device) -> Result<Vec<(String, Tensor)>> {
    let mut rng = Rng::new(0);
    let graph = &network.graph;
    let tensor = |&id: &_| {
        let dims = graph.shape(id).with_batch(batch);
        let values: Vec<f32> = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
        Ok((graph.node(id).path.clone(), Tensor::from_vec(values, dims, device)?))
    };
    graph.inputs.iter().map(tensor).collect()
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

fn report(network: &Network, args: &BenchArgs, threads: usize, device: &Device, times: Vec<f64>) -> Report {
    let median_ms = times[times.len() / 2];
    // A training step multiplies three times: forward, and the gradients of values and of weights.
    let passes = if args.train { 3.0 } else { 1.0 };
    let flops = 2.0 * cost(&network.graph).nodes.macs as f64 * args.batch as f64 * passes;
    Report {
        model: network.name.clone(),
        engine: "candle",
        device: crate::lower::device::name(device),
        mode: if args.train { "train" } else { "run" },
        batch: args.batch,
        threads,
        repeat: args.repeat,
        median_ms,
        min_ms: times[0],
        max_ms: times[times.len() - 1],
        gflops: flops / median_ms / 1e6,
        peak_bytes: peak_resident_bytes(),
    }
}

/// The most memory the process had resident, as Linux counts it; 0 where it cannot be read.
pub fn peak_resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn words(report: &Report) -> String {
    format!(
        "{}  {} on {}, batch {}, {} threads\n  {:.2} ms  ({:.2}–{:.2}, {} repetitions)   {:.1} GFLOP/s   {:.1} MiB resident",
        report.model,
        if report.mode == "train" { "training step" } else { "run" },
        report.device,
        report.batch,
        report.threads,
        report.median_ms,
        report.min_ms,
        report.max_ms,
        report.repeat,
        report.gflops,
        report.peak_bytes as f64 / (1 << 20) as f64,
    )
}
