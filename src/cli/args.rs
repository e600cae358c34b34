//! What can be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A compiler for neural-network architectures.
///
/// Describe a network in an `.arch` file that reads like the figure in the paper; check it, see what it
/// costs, train it and run it.
#[derive(Debug, Parser)]
#[command(name = "archc", version, max_term_width = 110, propagate_version = true)]
#[command(
    after_help = "A first tour:\n  archc new net                                   a network to start from, in net.arch\n  archc check net.arch                            proves its shapes and skips\n  archc summary net.arch                          layers, shapes, costs\n  archc train net.arch                            learns; ends with a report to look at\n  archc eval net.arch --weights runs/net-1        how good is it?\n  archc help train                                more about a command"
)]
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
#[command(next_help_heading = "Output")]
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
    /// In a terminal, unless NO_COLOR is set; with CLICOLOR_FORCE, in pipes too.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small network to start from, with comments that teach the language.
    #[command(
        after_help = "Examples:\n  archc new my-net                      my-net.arch, with the model MyNet\n  archc new scans --template unet       a class for each pixel"
    )]
    New(super::new::NewArgs),
    /// Prove shapes and skips, and say what each network costs.
    #[command(
        after_help = "Examples:\n  archc check net.arch\n  archc check examples/\n  archc check unet.arch --sizes\n  archc check net.arch --watch\n  archc check net.arch --format json"
    )]
    Check(super::check::CheckArgs),
    /// Bring files into the one canonical style.
    #[command(
        after_help = "Examples:\n  archc fmt net.arch\n  archc fmt                every .arch file below this folder\n  archc fmt --check models/\n  archc fmt --diff net.arch\n  cat net.arch | archc fmt -"
    )]
    Fmt(super::fmt::FmtArgs),
    /// Say what changed between two networks, or between two revisions of a file.
    #[command(
        after_help = "Examples:\n  archc diff old.arch new.arch\n  archc diff net.arch                      since the last commit\n  archc diff net.arch@HEAD~3 net.arch@main\n  archc diff --rev HEAD~1 net.arch\n  archc diff resnet.arch --model ResNet18 --model-b ResNet34\n  archc diff resnet.arch --model ResNet20 --plain-b"
    )]
    Diff(super::diff::DiffArgs),
    /// Show the layers as a table, with shapes, parameters and costs.
    #[command(
        after_help = "Examples:\n  archc summary examples/resnet.arch --model ResNet50\n  archc summary net.arch --html summary.html\n  archc summary net.arch --json | jq .parameters"
    )]
    Summary(super::summary::SummaryArgs),
    /// Show the memory plan: which value lies where, when.
    #[command(
        after_help = "Examples:\n  archc plan examples/unet.arch --model UNet --svg plan.svg\n  archc plan net.arch --explain\n  archc plan net.arch --stop-after fold_norm\n  archc plan net.arch --train --batch 32 --svg plan.svg"
    )]
    Plan(super::plan::PlanArgs),
    /// Draw the network.
    #[command(
        after_help = "Examples:\n  archc graph examples/resnet.arch --model ResNet152 --html resnet.html\n  archc graph examples/unet.arch --model UNet --svg unet.svg --mermaid unet.mmd\n  archc graph net.arch --dot | dot -Tpdf > net.pdf"
    )]
    Graph(super::graph::GraphArgs),
    /// Run a network on pictures or tensors.
    #[command(
        after_help = "Examples:\n  archc run net.arch --weights runs/net-1 cat.png\n  archc run net.arch --weights runs/net-1 photos/ --output classes.csv\n  archc run unet.arch --weights runs/unet-1 scan.png --output mask.png    of the picture's size\n  archc run unet.arch --weights runs/unet-1 scans/ --output masks/ --fit tile\n  archc run net.arch --weights w.safetensors --input x.npy --output y.safetensors"
    )]
    Run(Box<super::run::RunArgs>),
    /// Train a network by its recipe.
    #[command(
        after_help = "Examples:\n  archc train examples/digits.arch\n  archc train net.arch --data photos/ --epochs 20 --set optimizer.lr=0.01\n  archc train net.arch --resume runs/net-1\n  archc train net.arch --tensorboard boards      then: tensorboard --logdir boards"
    )]
    Train(super::train::TrainArgs),
    /// Measure a trained network on a data set.
    #[command(
        after_help = "Examples:\n  archc eval examples/digits.arch --weights runs/digits-1\n  archc eval net.arch --data photos/ --weights net.safetensors\n  archc eval net.arch --weights runs/net-1 --format json"
    )]
    Eval(super::eval::EvalArgs),
    /// Make the page about a training again: curves, mistakes, confusion, recipe.
    #[command(
        after_help = "Examples:\n  archc report runs/net-1                              runs/net-1/report.html\n  archc report runs/net-1 --out net.html\n  archc report runs/net-1 --data other-photos/         what it answers about other data"
    )]
    Report(super::report::ReportArgs),
    /// Time a network: one run, or one training step.
    #[command(
        after_help = "Examples:\n  archc bench examples/resnet.arch --model ResNet18 --batch 1 --size 224x224 --threads 2\n  archc bench net.arch --train --batch 8 --json"
    )]
    Bench(super::bench::BenchArgs),
    /// Write the network in the words of other tools, and its weights.
    #[command(
        after_help = "Examples:\n  archc export net.arch --pytorch net.py --safetensors net.safetensors\n  archc export net.arch --rust net.rs\n  archc export examples/resnet.arch --model ResNet18 --arch -\n  archc export net.arch --weights runs/net-1 --safetensors net.safetensors\n  archc export net.arch --weights runs/net-1 --onnx net.onnx"
    )]
    Export(super::export::ExportArgs),
    /// Read an ONNX file: an `.arch` file with its blocks recovered, and its weights.
    #[command(
        after_help = "Examples:\n  archc import resnet50.onnx\n  archc import model.onnx -o net.arch --name Net --weights-out net.safetensors\n  archc run net.arch --weights net.safetensors --input cat.png"
    )]
    Import(super::import::ImportArgs),
    /// Serve an editor: a language server over standard input and output.
    #[command(
        after_help = "Examples:\n  archc lsp                              what an editor starts; see editors/ for VS Code, Neovim, Helix\n  hx --health arch                       whether Helix finds it"
    )]
    Lsp(super::lsp::LspArgs),
    /// Show why skips help, on this network: gradients, degradation, landscape, lesion, features.
    #[command(
        after_help = "Examples:\n  archc study gradients examples/bare.arch\n  archc study degradation examples/twins.arch --vary n --values 3,9\n  archc study landscape examples/twins.arch --weights runs/twins-1\n  archc study lesion examples/twins.arch\n  archc study features examples/dense_digits.arch --json | jq .findings"
    )]
    Study(super::study::StudyArgs),
    /// Explain an error code.
    #[command(after_help = "Examples:\n  archc explain E0501\n  archc explain            lists every code")]
    Explain {
        /// The code, such as E0501; without it, all codes are listed.
        code: Option<String>,
    },
    /// Print a script that completes archc's command lines in your shell.
    #[command(
        after_help = "Examples:\n  archc completions bash > ~/.local/share/bash-completion/completions/archc\n  archc completions zsh > ~/.zfunc/_archc                    with  fpath+=~/.zfunc  before compinit\n  archc completions fish > ~/.config/fish/completions/archc.fish"
    )]
    Completions(super::completions::CompletionsArgs),
    /// Make manual pages.
    #[command(
        after_help = "Examples:\n  archc man | man -l -                              the page of archc\n  archc man ~/.local/share/man/man1                 all pages; then: man archc-train"
    )]
    Man(super::man::ManArgs),
}

/// What computes, and where; for commands that run a network.
#[derive(Clone, Debug, Args)]
pub struct ComputeArgs {
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

/// Which network, at which sizes; for every command that reads a file.
#[derive(Clone, Debug, Default, Args)]
pub struct ModelArgs {
    /// Which model, where the file has several.
    #[arg(help_heading = "Network", long, value_name = "NAME")]
    pub model: Option<String>,
    /// Set a model parameter (classes=10) or a line of the recipe (optimizer.lr=0.01).
    #[arg(help_heading = "Network", long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
    /// Spatial size of the inputs: 320x240, 16000, or by name H=320.
    #[arg(help_heading = "Network", long = "size", value_name = "HxW")]
    pub sizes: Vec<String>,
    /// Raise a limit (layers=1000000); `archc explain E0601` tells about limits.
    #[arg(help_heading = "Network", long = "limit", value_name = "NAME=N")]
    pub limits: Vec<String>,
    /// Let imports reach anything under this directory.
    #[arg(help_heading = "Network", long, value_name = "DIR")]
    pub import_root: Option<PathBuf>,
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineName {
    /// The engine that runs memory plans.
    Plan,
    /// The candle module.
    Candle,
}
