//! Runs timed through the engine, and where their time goes.

use super::BenchArgs;
use super::report::{Planned, Row, median};
use super::{Values, milliseconds, timed};
use archc::base::Diagnostic;
use archc::elaborate::Compiled;
use archc::engine::{Input, SessionOptions, StepTime};
use archc::kernels::blocked::Cpu;
use archc::kernels::{Isa, ThreadPool, peak};
use archc::weights::Numbers;
use std::sync::Arc;

/// Milliseconds of each repetition, and what the plan was.
///
/// # Errors
/// What compiling, planning and running report.
pub fn measure(
    args: &BenchArgs,
    compiled: &Compiled,
    values: &Values,
    threads: usize,
) -> Result<(Vec<f64>, Planned), Box<Diagnostic>> {
    let seeded = compiled.network.as_ref().map(|network| Numbers::seeded(network, 0));
    let missing = || Box::new(Diagnostic::new(archc::base::codes::INTERNAL, "there is no network to time"));
    let engine = compiled.engine(Arc::new(seeded.ok_or_else(missing)?))?;
    let mut session = engine.session(SessionOptions { threads: Some(threads), ..SessionOptions::default() });
    let inputs: Vec<Input> = values.iter().map(|(name, dims, data)| Input { name, dims, data }).collect();
    let times = timed(args, 2, || session.run(&inputs).map(drop))?;
    let steps = if args.profile { rows(session.profile(&inputs, args.repeat)?, threads) } else { Vec::new() };
    let (planned_bytes, lower_bound_bytes) = session.plan().map_or((0, 0), |plan| (plan.peak, plan.lower_bound));
    let planned = Planned {
        isa: session.isa().name(),
        arena_bytes: session.arena_bytes() as u64,
        planned_bytes,
        lower_bound_bytes,
        weight_bytes: engine.weight_bytes() as u64,
        steps,
    };
    Ok((times, planned))
}

/// The steps of a profile, against what the machine can do at most.
fn rows(steps: Vec<StepTime>, threads: usize) -> Vec<Row> {
    let thread_pool = ThreadPool::new(threads);
    let peak = peak::measure(&Cpu::new(&thread_pool, Isa::best()));
    let middle = |step: &StepTime| median(&mut step.times.iter().map(|&time| milliseconds(time)).collect::<Vec<_>>());
    let medians: Vec<f64> = steps.iter().map(middle).collect();
    let total: f64 = medians.iter().sum();
    let row = |(step, ms): (StepTime, f64)| {
        let (flops, bytes) = (2.0 * step.step.macs as f64, step.step.bytes as f64);
        let least = (flops / peak.flops).max(bytes / peak.bandwidth) * 1e3;
        Row {
            layer: step.step.layer,
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
