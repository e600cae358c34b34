//! `archc graph`: draw the network.

use super::args::ModelArgs;
use super::shell::{Exit, Shell};
use super::{files, load};
use crate::tools::{dot, picture};
use clap::Args;
use std::path::PathBuf;

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

/// Prints Graphviz text, or draws into a file.
pub fn run(args: &GraphArgs, shell: &Shell) -> Result<Exit, Exit> {
    let loaded = load::network(&args.file, &args.model, false, shell)?;
    let Some(path) = &args.svg else {
        shell.print(dot::dot(&loaded.network, args.expand).trim_end());
        return Ok(Exit::Clean);
    };
    files::write(path, &picture::svg(&loaded.network, args.expand), shell)?;
    Ok(Exit::Clean)
}
