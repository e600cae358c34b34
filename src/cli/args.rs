//! What can be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A compiler for neural-network architectures.
///
/// Describe a network in an `.arch` file that reads like the figure in the paper; check it, see what it
/// costs, train it and run it.
#[derive(Debug, Parser)]
#[command(name = "archc", version, max_term_width = 110, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to say it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How output looks; for every command.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// Text for people, or JSON for programs.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Colours: in a terminal, always, or never.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Only errors and results.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More detail.
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// Output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// In a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prove shapes and skips, and say what each network costs.
    #[command(
        after_help = "Examples:\n  archc check net.arch\n  archc check examples/\n  archc check unet.arch --sizes\n  archc check net.arch --format json"
    )]
    Check(CheckArgs),
    /// Show the layers as a table, with shapes, parameters and costs.
    #[command(
        after_help = "Examples:\n  archc summary examples/resnet.arch --model ResNet50\n  archc summary net.arch --json | jq .parameters"
    )]
    Summary(SummaryArgs),
    /// Show the memory plan: which value lies where, when.
    #[command(
        after_help = "Examples:\n  archc plan examples/unet.arch --model UNet --svg plan.svg\n  archc plan net.arch --explain\n  archc plan net.arch --stop-after fold_norm\n  archc plan net.arch --train --batch 32 --svg plan.svg"
    )]
    Plan(PlanArgs),
    /// Draw the network.
    #[command(
        after_help = "Examples:\n  archc graph examples/unet.arch --model UNet --svg unet.svg\n  archc graph net.arch --dot | dot -Tpdf > net.pdf"
    )]
    Graph(GraphArgs),
    /// Run a network on tensors or images.
    #[command(
        after_help = "Examples:\n  archc run net.arch --weights runs/net-1 --input cat.png\n  archc run net.arch --weights w.safetensors --input x.npy --output y.safetensors"
    )]
    Run(RunArgs),
    /// Train a network by its recipe.
    #[command(
        after_help = "Examples:\n  archc train examples/digits.arch\n  archc train net.arch --data photos/ --epochs 20 --set optimizer.lr=0.01\n  archc train net.arch --resume runs/net-1"
    )]
    Train(TrainArgs),
    /// Measure a trained network on a data set.
    #[command(
        after_help = "Examples:\n  archc eval examples/digits.arch --data builtin:digits --weights runs/digits-1"
    )]
    Eval(EvalArgs),
    /// Time a network: one run, or one training step.
    #[command(
        after_help = "Examples:\n  archc bench examples/resnet.arch --model ResNet18 --batch 1 --size 224x224 --threads 2\n  archc bench net.arch --train --batch 8 --json"
    )]
    Bench(BenchArgs),
    /// Explain an error code.
    #[command(after_help = "Examples:\n  archc explain E0501\n  archc explain            lists every code")]
    Explain {
        /// The code, such as E0501; without it, all codes are listed.
        code: Option<String>,
    },
}

/// Which network, at which sizes; for every command that reads a file.
#[derive(Clone, Debug, Default, Args)]
pub struct ModelArgs {
    /// Which model, where the file has several.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Set a model parameter (classes=10) or a line of the recipe (optimizer.lr=0.01).
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
    /// Spatial size of the inputs: 320x240, 16000, or by name H=320.
    #[arg(long = "size", value_name = "HxW")]
    pub sizes: Vec<String>,
    /// Raise a limit (layers=1000000); `archc explain E0106` tells about limits.
    #[arg(long = "limit", value_name = "NAME=N")]
    pub limits: Vec<String>,
    /// Let imports reach anything under this directory.
    #[arg(long, value_name = "DIR")]
    pub import_root: Option<PathBuf>,
}

/// `archc check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files, or directories of `.arch` files.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Say which values of each free size are valid.
    #[arg(long = "sizes")]
    pub valid_sizes: bool,
    /// Check the plain twin, without any skip edge.
    #[arg(long)]
    pub plain: bool,
}

/// `archc summary`
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// One JSON object: `parameters`, `macs`, `outputs`, `layers`, `skips`.
    #[arg(long)]
    pub json: bool,
    /// Show the plain twin, without any skip edge.
    #[arg(long)]
    pub plain: bool,
}

/// `archc plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Plan a training step rather than inference.
    #[arg(long)]
    pub train: bool,
    /// Samples at once.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub batch: usize,
    /// CPU threads, whose kernels share the scratch; all by default.
    #[arg(long, value_name = "T", conflicts_with = "train")]
    pub threads: Option<usize>,
    /// Say what each pass did before the plan was made, and where it did not fire, why.
    #[arg(long, conflicts_with = "train")]
    pub explain: bool,
    /// Plan the network as the passes up to this one leave it, without the scratch of kernels.
    #[arg(long, value_name = "PASS", conflicts_with = "train")]
    pub stop_after: Option<String>,
    /// Draw the plan into this file.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// `archc graph`
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Graphviz text on standard output (the default).
    #[arg(long, conflicts_with = "svg")]
    pub dot: bool,
    /// Draw into this file.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Draw every repeated block, rather than one with its count.
    #[arg(long)]
    pub expand: bool,
}

/// `archc run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Weights: a run's folder, .safetensors, or .pth.
    #[arg(long, value_name = "RUN|FILE")]
    pub weights: Option<PathBuf>,
    /// Load what fits, and say what does not.
    #[arg(long, requires = "weights")]
    pub partial: bool,
    /// A tensor (.safetensors, .npy) or an image (.png, .jpg); several as NAME=FILE.
    #[arg(long = "input", required = true, value_name = "[NAME=]FILE")]
    pub inputs: Vec<String>,
    /// Where outputs go: .safetensors, .npy, or .png for a mask.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What computes: `plan`, the engine that runs memory plans (the default on the CPU), or `candle`, the module.
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<EngineName>,
    /// cpu, cuda, or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// CPU threads; all by default.
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
    /// Seed of the weights, where none are given.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// `archc train`
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The data: builtin:digits, fashion-mnist, a folder, or a .safetensors or .npz file.
    #[arg(long, value_name = "D")]
    pub data: Option<String>,
    /// The run's folder; runs/NAME-K by default.
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Start from these weights.
    #[arg(long, value_name = "RUN|FILE", conflicts_with = "resume")]
    pub weights: Option<PathBuf>,
    /// Load what fits, and say what does not.
    #[arg(long, requires = "weights")]
    pub partial: bool,
    /// Passes over the data.
    #[arg(long, value_name = "N", conflicts_with = "steps")]
    pub epochs: Option<usize>,
    /// Optimizer steps.
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,
    /// Keep the data's order.
    #[arg(long)]
    pub no_shuffle: bool,
    /// Leave augmentation out.
    #[arg(long)]
    pub no_augment: bool,
    /// Seed of everything random.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Go on with a stopped run.
    #[arg(long, value_name = "RUN")]
    pub resume: Option<PathBuf>,
    /// Stop at the first broken data file.
    #[arg(long)]
    pub strict: bool,
    /// Train the plain twin, without any skip edge.
    #[arg(long)]
    pub plain: bool,
    /// cpu, cuda, or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// CPU threads; all by default.
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
}

/// `archc eval`
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The data; its test part is used where it has one. The recipe's by default.
    #[arg(long, value_name = "D")]
    pub data: Option<String>,
    /// Weights: a run's folder, .safetensors, or .pth.
    #[arg(long, required = true, value_name = "RUN|FILE")]
    pub weights: PathBuf,
    /// Load what fits, and say what does not.
    #[arg(long)]
    pub partial: bool,
    /// Stop at the first broken data file.
    #[arg(long)]
    pub strict: bool,
    /// What computes: `plan`, the engine that runs memory plans (the default on the CPU), or `candle`, the module.
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<EngineName>,
    /// cpu, cuda, or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// CPU threads; all by default.
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineName {
    /// The engine that runs memory plans.
    Plan,
    /// The candle module.
    Candle,
}

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
