//! `archc bench` through the engine: medians, and where the time of a run goes.

use super::args::BenchArgs;
use super::bench::peak_resident_bytes;
use super::compute::say;
use super::shell::{Exit, Shell};
use crate::analysis::cost::cost;
use crate::base::{Diagnostic, Rng};
use crate::elaborate::{Compiled, Network};
use crate::engine::{Input, Session, SessionOptions, StepTime};
use crate::kernels::blocked::Cpu;
use crate::kernels::{Team, peak};
use crate::weights::Numbers;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    engine: &'static str,
    isa: &'static str,
    mode: &'static str,
    batch: usize,
    threads: usize,
    repeat: usize,
    median_ms: f64,
    min_ms: f64,
    max_ms: f64,
    /// Floating-point operations as a direct computation counts them, a multiply-add being two.
    gflops: f64,
    /// The arena as allocated.
    arena_bytes: u64,
    /// The arena as planned, scratch counted.
    planned_bytes: u64,
    /// What no plan can do with less.
    lower_bound_bytes: u64,
    /// Packed weights.
    weight_bytes: u64,
    /// The most the process had resident.
    peak_bytes: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<Row>,
}

/// One step of a profile.
#[derive(Debug, Serialize)]
struct Row {
    layers: Vec<String>,
    kernel: String,
    median_ms: f64,
    /// Of the time of all steps.
    share: f64,
    gflops: f64,
    gbytes_per_s: f64,
    /// The time that the machine's peak rates allow, over the time taken; above 1 where a kernel multiplies less than a
    /// direct computation.
    of_peak: f64,
}

/// Times a network through the engine, and prints the median with its spread.
///
/// # Errors
/// The exit status, after everything was said.
pub fn run(args: &BenchArgs, compiled: &Compiled, threads: usize, json: bool, shell: &Shell) -> Result<Exit, Exit> {
    let Some(network) = &compiled.network else { return Err(Exit::Errors) };
    let report = measure(args, compiled, network, threads).map_err(|error| say(*error, shell))?;
    match json {
        true => shell.print_json(&report),
        false => shell.print(&words(&report)),
    }
    Ok(Exit::Clean)
}

fn measure(
    args: &BenchArgs,
    compiled: &Compiled,
    network: &Network,
    threads: usize,
) -> Result<Report, Box<Diagnostic>> {
    let engine = compiled.engine(Arc::new(Numbers::seeded(network, 0)))?;
    let mut session = engine.session(SessionOptions { threads: Some(threads), ..SessionOptions::default() });
    let values = values(network, args.batch);
    let inputs: Vec<Input> = values.iter().map(|(name, dims, data)| Input { name, dims, data }).collect();
    let mut times = Vec::with_capacity(args.repeat);
    for turn in 0..args.repeat + 2 {
        let start = Instant::now();
        session.run(&inputs)?;
        if turn > 1 {
            times.push(start.elapsed());
        }
    }
    let steps = if args.profile { rows(session.profile(&inputs, args.repeat)?, threads) } else { Vec::new() };
    let median_ms = median(&mut times);
    let flops = 2.0 * cost(&network.graph).nodes.macs as f64 * args.batch as f64;
    let (planned_bytes, lower_bound_bytes) = session.plan().map_or((0, 0), |plan| (plan.peak, plan.lower_bound));
    Ok(Report {
        model: network.name.clone(),
        engine: "plan",
        isa: session.isa().name(),
        mode: "run",
        batch: args.batch,
        threads,
        repeat: args.repeat,
        median_ms,
        min_ms: milliseconds(times[0]),
        max_ms: milliseconds(times[times.len() - 1]),
        gflops: flops / median_ms / 1e6,
        arena_bytes: arena_bytes(&session),
        planned_bytes,
        lower_bound_bytes,
        weight_bytes: engine.weight_bytes() as u64,
        peak_bytes: peak_resident_bytes(),
        steps,
    })
}

fn arena_bytes(session: &Session) -> u64 {
    session.arena_bytes() as u64
}

/// Normal numbers for every input.
fn values(network: &Network, batch: usize) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let mut rng = Rng::new(0);
    let value = |&id: &crate::graph::NodeId| {
        let node = network.graph.node(id);
        let dims = node.shape.with_batch(batch);
        let data = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
        (node.path.clone(), dims, data)
    };
    network.graph.inputs.iter().map(value).collect()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The middle of the times, which are sorted.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    milliseconds(times[times.len() / 2])
}

/// The steps of a profile, against what the machine can do at most.
fn rows(steps: Vec<StepTime>, threads: usize) -> Vec<Row> {
    let team = Team::new(threads);
    let peak = peak::measure(&Cpu { team: &team, isa: crate::kernels::Isa::best() });
    let medians: Vec<f64> = steps.iter().map(|step| median(&mut step.times.clone())).collect();
    let total: f64 = medians.iter().sum();
    let row = |(step, ms): (StepTime, f64)| {
        let (flops, bytes) = (2.0 * step.step.macs as f64, step.step.bytes as f64);
        let least = (flops / peak.flops).max(bytes / peak.bandwidth) * 1e3;
        Row {
            layers: step.step.layers,
            kernel: step.step.kernel,
            median_ms: ms,
            share: ms / total,
            gflops: flops / ms / 1e6,
            gbytes_per_s: bytes / ms / 1e6,
            of_peak: least / ms,
        }
    };
    steps.into_iter().zip(medians).map(row).collect()
}

fn words(report: &Report) -> String {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut text = format!(
        "{}  run by the plan on {}, batch {}, {} threads\n  {:.2} ms  ({:.2}–{:.2}, {} repetitions)   {:.1} GFLOP/s   arena {:.1} MiB, weights {:.1} MiB",
        report.model,
        report.isa,
        report.batch,
        report.threads,
        report.median_ms,
        report.min_ms,
        report.max_ms,
        report.repeat,
        report.gflops,
        mib(report.planned_bytes),
        mib(report.weight_bytes),
    );
    if !report.steps.is_empty() {
        text +=
            &format!("\n\n  {:>8}  {:>6}  {:>8}  {:>6}  {:>7}  step\n", "ms", "share", "GFLOP/s", "GB/s", "of peak");
    }
    for row in &report.steps {
        let layers = row.layers.last().map_or("", String::as_str);
        text += &format!(
            "  {:>8.3}  {:>5.1}%  {:>8.1}  {:>6.1}  {:>6.0}%  {layers}  {}\n",
            row.median_ms,
            row.share * 100.0,
            row.gflops,
            row.gbytes_per_s,
            row.of_peak * 100.0,
            row.kernel,
        );
    }
    text
}
