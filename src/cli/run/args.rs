//! What `archc run` is told.

use super::framing::Fit;
use super::jobs::is_picture;
use super::kind::Drawn;
use crate::cli::args::{ComputeArgs, ModelArgs};
use crate::cli::shell::{Exit, Shell};
use crate::cli::weights::Reading;
use archc::base::memory;
use clap::Args;
use std::path::{Path, PathBuf};

/// `archc run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The file.
    pub file: PathBuf,
    /// Pictures (.png, .jpg, …), folders of them, or tensors (.safetensors, .npy), one after the other.
    #[arg(value_name = "INPUT", required_unless_present = "inputs")]
    pub more: Vec<String>,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Weights: a run's folder, .safetensors, or what PyTorch saved (.pth, .pt, .ckpt, .bin).
    #[arg(long, value_name = "RUN|FILE")]
    pub weights: Option<PathBuf>,
    /// How they are read.
    #[command(flatten)]
    pub reading: Reading,
    /// The same as INPUT; NAME=FILE for each of several inputs of a network.
    #[arg(long = "input", value_name = "[NAME=]FILE")]
    pub inputs: Vec<String>,
    /// How a picture is made to fit. Without: native (or tile, where memory asks for it) where the network answers for each
    /// pixel and its sizes are free; cover where they are fixed; crop where it gives classes.
    #[arg(long, value_enum)]
    pub fit: Option<Fit>,
    /// Memory that computing may take, such as 2G; half of what is free by default.
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Where outputs go: .safetensors, .npy, .png (a mask or picture), .csv or .json (classes), or a folder.
    #[arg(long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// How a .png shows what is answered for each pixel; by what the network learnt, without.
    #[arg(long = "as", value_name = "WHAT", value_enum)]
    pub drawn: Option<Drawn>,
    /// Likeliest classes that are told of each input; 5 by default.
    #[arg(long, value_name = "K")]
    pub top: Option<usize>,
    /// What computes, and where.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Seed of the weights, where none are given.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl RunArgs {
    /// Whatever is to be run on.
    pub fn files(&self) -> Vec<String> {
        self.inputs.iter().chain(&self.more).cloned().collect()
    }

    /// Whether a folder is among it.
    pub fn names_a_folder(&self) -> bool {
        self.files().iter().any(|file| Path::new(file).is_dir())
    }

    /// Refuses what clap cannot see.
    ///
    /// # Errors
    /// [`Exit::Usage`].
    pub fn check(&self, shell: &Shell) -> Result<(), Exit> {
        if is_picture(&self.file) {
            let files = self.files().into_iter().find(|file| file.ends_with(".arch"));
            let network = files.unwrap_or_else(|| "net.arch".into());
            let message = format!("`{}` is a picture, and the network comes first", self.file.display());
            return Err(shell.usage(&message, &format!("archc run {network} {}", self.file.display())));
        }
        if self.top == Some(0) {
            return Err(shell.usage("`--top 0` tells nothing", "--top 1, or more"));
        }
        Ok(())
    }

    /// Bytes that computing may take, where that was said.
    ///
    /// # Errors
    /// [`Exit::Usage`] where it is no size.
    pub fn memory(&self, shell: &Shell) -> Result<Option<u64>, Exit> {
        let Some(text) = &self.memory else { return Ok(None) };
        match memory::parse(text) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(shell.usage(&format!("`--memory {text}` is no size"), "--memory 2G, or --memory 500M")),
        }
    }
}
