//! What can be typed after `archc study`.

use crate::cli::args::ModelArgs;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// `archc study`
#[derive(Debug, Args)]
pub struct StudyArgs {
    /// What is studied.
    #[command(subcommand)]
    pub kind: Kind,
}

/// The studies.
#[derive(Debug, Subcommand)]
pub enum Kind {
    /// The norm of the gradient at each layer, with and without skips.
    #[command(
        after_help = "Examples:\n  archc study gradients examples/bare.arch\n  archc study gradients examples/bare.arch --vary n --values 3,9 --steps 0,10,100\n  archc study gradients examples/bare.arch --set 'init=\"kaiming_normal\"'"
    )]
    Gradients(Gradients),
    /// Training error with and without skips, at several depths.
    #[command(
        after_help = "Examples:\n  archc study degradation examples/twins.arch\n  archc study degradation examples/twins.arch --vary n --values 3,9 --seeds 3\n  archc study degradation net.arch --vary depth --values 2,4,8 --epochs 10"
    )]
    Degradation(Degradation),
    /// The loss around trained weights, along random directions.
    #[command(
        after_help = "Examples:\n  archc study landscape examples/twins.arch\n  archc study landscape examples/twins.arch --weights runs/twins-1 --plain-weights runs/twins-2 --grid 25\n  archc study landscape net.arch --weights runs/net-1 --dims 1 --grid 101"
    )]
    Landscape(Landscape),
    /// Accuracy as blocks are removed from the trained network.
    #[command(
        after_help = "Examples:\n  archc study lesion examples/twins.arch\n  archc study lesion net.arch --weights runs/net-1"
    )]
    Lesion(Lesion),
    /// How much each layer's weights read of each earlier layer, where a concat joins them.
    #[command(
        after_help = "Examples:\n  archc study features examples/dense_digits.arch\n  archc study features examples/densenet.arch --model DenseNet121 --data photos/ --weights densenet121.pth"
    )]
    Features(Features),
}

/// Which network, on which data, and where results go; for every study.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The data; the recipe's by default.
    #[arg(long, value_name = "D")]
    pub data: Option<String>,
    /// Seed of everything random; the recipe's by default.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Passes over the data where networks are trained; the recipe's by default.
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// The folder of the results; studies/NAME-KIND by default. A study that was stopped goes on.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The result as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
    /// Stop at the first broken data file.
    #[arg(long)]
    pub strict: bool,
    /// cpu, cuda, or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// CPU threads; all by default.
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
}

/// Which parameter takes which values.
#[derive(Clone, Debug, Args)]
pub struct Vary {
    /// A parameter of the model that makes it deeper.
    #[arg(long, value_name = "NAME", requires = "values")]
    pub vary: Option<String>,
    /// The values that it takes: 3,9.
    #[arg(long, value_name = "A,B", value_delimiter = ',', requires = "vary")]
    pub values: Vec<String>,
}

/// `archc study gradients`
#[derive(Debug, Args)]
pub struct Gradients {
    /// What every study is told.
    #[command(flatten)]
    pub common: Common,
    /// Depths.
    #[command(flatten)]
    pub vary: Vary,
    /// After how many steps of training; 0 is the start.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0,20,100")]
    pub steps: Vec<usize>,
    /// Samples of the batch that is measured on.
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub samples: usize,
}

/// `archc study degradation`
#[derive(Debug, Args)]
pub struct Degradation {
    /// What every study is told.
    #[command(flatten)]
    pub common: Common,
    /// Depths; `--vary n --values 3,9` where the model has a parameter `n`.
    #[command(flatten)]
    pub vary: Vary,
    /// How many seeds each network is trained with, from the recipe's on.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seeds: u64,
}

/// The weights that are looked at.
#[derive(Clone, Debug, Args)]
pub struct Trained {
    /// Weights: a run's folder, .safetensors, or .pth. Without, the network is trained first, by its recipe.
    #[arg(long, value_name = "RUN|FILE")]
    pub weights: Option<PathBuf>,
    /// Weights of the plain twin (`archc train --plain`), to compare with.
    #[arg(long, value_name = "RUN|FILE", requires = "weights")]
    pub plain_weights: Option<PathBuf>,
    /// Read what lies under this key of the file (state_dict, model.ema), or behind this prefix of its names.
    #[arg(long, value_name = "NAME", requires = "weights")]
    pub key: Option<String>,
}

/// `archc study landscape`
#[derive(Debug, Args)]
pub struct Landscape {
    /// What every study is told.
    #[command(flatten)]
    pub common: Common,
    /// Whose weights.
    #[command(flatten)]
    pub trained: Trained,
    /// Points along each direction; odd, so that the checkpoint is one of them.
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub grid: usize,
    /// One direction, or two.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub dims: u8,
    /// How far to walk, in lengths of the weights.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub reach: f64,
    /// Training samples that the loss is measured on.
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub samples: usize,
}

/// `archc study lesion`
#[derive(Debug, Args)]
pub struct Lesion {
    /// What every study is told.
    #[command(flatten)]
    pub common: Common,
    /// Whose weights.
    #[command(flatten)]
    pub trained: Trained,
    /// Test samples to measure on.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub samples: usize,
    /// Choices that are tried of each number of blocks.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub repeats: usize,
}

/// `archc study features`
#[derive(Debug, Args)]
pub struct Features {
    /// What every study is told.
    #[command(flatten)]
    pub common: Common,
    /// Weights: a run's folder, .safetensors, or .pth. Without, the network is trained first, by its recipe.
    #[arg(long, value_name = "RUN|FILE")]
    pub weights: Option<PathBuf>,
    /// Read what lies under this key of the file (state_dict, model.ema), or behind this prefix of its names.
    #[arg(long, value_name = "NAME", requires = "weights")]
    pub key: Option<String>,
}

impl Kind {
    /// The study's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gradients(_) => "gradients",
            Self::Degradation(_) => "degradation",
            Self::Landscape(_) => "landscape",
            Self::Lesion(_) => "lesion",
            Self::Features(_) => "features",
        }
    }

    /// What every study is told.
    pub fn common(&self) -> &Common {
        match self {
            Self::Gradients(args) => &args.common,
            Self::Degradation(args) => &args.common,
            Self::Landscape(args) => &args.common,
            Self::Lesion(args) => &args.common,
            Self::Features(args) => &args.common,
        }
    }

    /// The weights that are named.
    pub fn weights(&self) -> Option<&Path> {
        match self {
            Self::Gradients(_) | Self::Degradation(_) => None,
            Self::Landscape(args) => args.trained.weights.as_deref(),
            Self::Lesion(args) => args.trained.weights.as_deref(),
            Self::Features(args) => args.weights.as_deref(),
        }
    }

    /// The weights of the plain twin that are named.
    pub fn plain_weights(&self) -> Option<&Path> {
        match self {
            Self::Gradients(_) | Self::Degradation(_) | Self::Features(_) => None,
            Self::Landscape(args) => args.trained.plain_weights.as_deref(),
            Self::Lesion(args) => args.trained.plain_weights.as_deref(),
        }
    }
}
