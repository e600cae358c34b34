//! `archc bench`: time a run through the engine or the candle module, or a training step.

mod module;
mod profile;
mod report;

use super::args::{EngineName, ModelArgs};
use super::shell::{Exit, Shell};
use super::{compute, load};
use archc::base::Rng;
use archc::elaborate::Network;
use archc::lower::with_stack;
use clap::Args;
use report::Report;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// `archc bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Samples at once.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub batch: usize,
    /// CPU threads; all by default.
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
    /// Time a training step (forward, backward, update) rather than a run.
    #[arg(long)]
    pub train: bool,
    /// What computes: `plan`, the engine that runs memory plans (CPU, inference), or `candle`, the module. The plan where
    /// it can.
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<EngineName>,
    /// Time every step of the plan.
    #[arg(long, conflicts_with = "train")]
    pub profile: bool,
    /// Timed repetitions, after one or two that warm up.
    #[arg(long, default_value_t = 10, value_name = "R")]
    pub repeat: usize,
    /// One JSON object: `median_ms`, `min_ms`, `max_ms`, `spread`, `gflops`, `peak_bytes` (values and scratch),
    /// `planned_bytes`, `resident_bytes` (the whole process), …
    #[arg(long)]
    pub json: bool,
    /// cpu, cuda, or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
}

/// Inputs: name, sizes, numbers.
type Values = Vec<(String, Vec<usize>, Vec<f32>)>;

/// Times it, and prints the median with its spread.
pub fn run(args: &BenchArgs, shell: &Shell) -> Result<Exit, Exit> {
    let json = args.json || shell.json();
    if args.batch == 0 || args.repeat == 0 {
        return Err(shell.usage("`--batch` and `--repeat` start at 1", "--batch 1 --repeat 10"));
    }
    let loaded = load::network(&args.file, &args.model, false, &shell.quiet_json(json))?;
    let threads = compute::threads(args.threads, shell)?;
    let plan = planned(args, shell)?;
    let device = compute::device(&args.device, shell)?;
    let (network, values) = (&loaded.network, values(&loaded.network, args.batch));
    let (times, plan) = if plan {
        let measured = profile::measure(args, &loaded.compiled, &values, threads);
        let (times, plan) = measured.map_err(|error| loaded.fail(*error, shell))?;
        (times, Some(plan))
    } else {
        let measured = with_stack(|| module::measure(args, network, values, &device));
        (measured.map_err(|error| loaded.fail(error, shell))?, None)
    };
    let report = Report::new(network, args, threads, archc::lower::device::name(&device), times, plan);
    match json {
        true => shell.print_json(&report),
        false => shell.print(&report.words()),
    }
    Ok(Exit::Clean)
}

/// Whether the engine is to run: where it can, unless the module is asked for.
fn planned(args: &BenchArgs, shell: &Shell) -> Result<bool, Exit> {
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

/// Normal numbers for every input.
fn values(network: &Network, batch: usize) -> Values {
    let mut rng = Rng::new(0);
    let value = |&id: &archc::graph::NodeId| {
        let node = network.graph.node(id);
        let dims = node.shape.with_batch(batch);
        let data = (0..dims.iter().product()).map(|_| rng.normal() as f32).collect();
        (node.path.clone(), dims, data)
    };
    network.graph.inputs.iter().map(value).collect()
}

/// Milliseconds of each repetition, after some that warm up.
fn timed<E>(args: &BenchArgs, warm_up: usize, mut work: impl FnMut() -> Result<(), E>) -> Result<Vec<f64>, E> {
    let mut times = Vec::with_capacity(args.repeat);
    for turn in 0..args.repeat + warm_up {
        let start = Instant::now();
        work()?;
        if turn >= warm_up {
            times.push(milliseconds(start.elapsed()));
        }
    }
    Ok(times)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
