//! What `archc bench` says, in words and as JSON.

use super::BenchArgs;
use archc::analysis::cost::cost;
use archc::elaborate::Network;
use serde::Serialize;

/// What was measured, however it was computed.
#[derive(Debug, Serialize)]
pub struct Report {
    model: String,
    /// `plan` or `candle`.
    engine: &'static str,
    device: String,
    /// `run` or `train`.
    mode: &'static str,
    batch: usize,
    threads: usize,
    repeat: usize,
    median_ms: f64,
    min_ms: f64,
    max_ms: f64,
    /// From the shortest to the longest repetition, over the median.
    spread: f64,
    /// Floating-point operations as a direct computation counts them, a multiply-add being two.
    gflops: f64,
    /// Bytes that values and scratch took at most: by the plan its arena as it was allocated; by the module, whose values
    /// are allocated one by one, the same as `resident_bytes`.
    peak_bytes: u64,
    /// The most that the process had resident, weights and program included; 0 where the system does not tell.
    resident_bytes: u64,
    /// What only a plan has.
    #[serde(flatten)]
    plan: Option<Planned>,
}

/// What the engine can tell of its plan.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The instructions that it used.
    pub isa: &'static str,
    /// The arena as allocated.
    #[serde(skip)]
    pub arena_bytes: u64,
    /// The arena as planned, scratch counted.
    pub planned_bytes: u64,
    /// What no plan can do with less.
    pub lower_bound_bytes: u64,
    /// Packed weights.
    pub weight_bytes: u64,
    /// Every step, where it was profiled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Row>,
}

/// One step of a profile.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The path of the node that it goes by.
    pub layer: String,
    /// Paths of the nodes that it stands for.
    pub layers: Vec<String>,
    /// What computes it.
    pub kernel: String,
    /// The median of its times.
    pub median_ms: f64,
    /// Of the time of all steps.
    pub share: f64,
    /// As [`Report::gflops`].
    pub gflops: f64,
    /// What it reads and writes, over its time.
    pub gbytes_per_s: f64,
    /// The time that the machine's peak rates allow, over the time taken; above 1 where a kernel multiplies less than a
    /// direct computation.
    pub of_peak: f64,
}

impl Report {
    /// A report of these times, in milliseconds; at least one. `plan` where the engine computed.
    pub fn new(
        network: &Network,
        args: &BenchArgs,
        threads: usize,
        device: String,
        mut times: Vec<f64>,
        plan: Option<Planned>,
    ) -> Self {
        let median_ms = median(&mut times);
        let (min_ms, max_ms) = (times[0], times[times.len() - 1]);
        // A training step multiplies three times: forward, and the gradients of values and of weights.
        let passes = if args.train { 3.0 } else { 1.0 };
        let flops = 2.0 * cost(&network.graph).nodes.macs as f64 * args.batch as f64 * passes;
        let resident_bytes = peak_resident_bytes();
        Self {
            model: network.name.clone(),
            engine: if plan.is_some() { "plan" } else { "candle" },
            device,
            mode: if args.train { "train" } else { "run" },
            batch: args.batch,
            threads,
            repeat: args.repeat,
            median_ms,
            min_ms,
            max_ms,
            spread: (max_ms - min_ms) / median_ms,
            gflops: flops / median_ms / 1e6,
            peak_bytes: plan.as_ref().map_or(resident_bytes, |plan| plan.arena_bytes),
            resident_bytes,
            plan,
        }
    }

    /// The report for people: two lines, and a table of the steps where there are any.
    pub fn words(&self) -> String {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let what = match (&self.plan, self.mode) {
            (Some(plan), _) => format!("run by the plan on {}", plan.isa),
            (None, "train") => format!("training step on {}", self.device),
            (None, _) => format!("run by the module on {}", self.device),
        };
        let planned = self.plan.as_ref().map_or(String::new(), |plan| {
            format!("arena {:.1} MiB, weights {:.1} MiB, ", mib(plan.planned_bytes), mib(plan.weight_bytes))
        });
        let mut text = format!(
            "{}  {what}, batch {}, {} threads\n  {:.2} ms  ({:.2}–{:.2}, {} repetitions)   {:.1} GFLOP/s   {planned}{:.1} MiB resident",
            self.model,
            self.batch,
            self.threads,
            self.median_ms,
            self.min_ms,
            self.max_ms,
            self.repeat,
            self.gflops,
            mib(self.resident_bytes),
        );
        if let Some(plan) = self.plan.as_ref().filter(|plan| !plan.steps.is_empty()) {
            text += &table(&plan.steps);
        }
        text
    }
}

fn table(steps: &[Row]) -> String {
    let mut text =
        format!("\n\n  {:>8}  {:>6}  {:>8}  {:>6}  {:>7}  step", "ms", "share", "GFLOP/s", "GB/s", "of peak");
    for row in steps {
        text += &format!(
            "\n  {:>8.3}  {:>5.1}%  {:>8.1}  {:>6.1}  {:>6.0}%  {}  {}",
            row.median_ms,
            row.share * 100.0,
            row.gflops,
            row.gbytes_per_s,
            row.of_peak * 100.0,
            row.layer,
            row.kernel,
        );
    }
    text
}

/// The middle of the times, which are sorted; 0 where there are none.
pub fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}

/// The most memory the process had resident, as Linux counts it; 0 where it cannot be read.
fn peak_resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
