//! `archc summary`: the layers as a table.

use super::args::ModelArgs;
use super::load;
use super::shell::{Exit, Shell};
use crate::tools::summary::{render, summarize};
use clap::Args;
use std::path::PathBuf;

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

/// Prints the table, or one JSON object.
pub fn run(args: &SummaryArgs, shell: &Shell) -> Result<Exit, Exit> {
    let json = args.json || shell.json();
    let loaded = load::network(&args.file, &args.model, args.plain, &shell.quiet_json(json))?;
    match json {
        true => shell.print_json(&summarize(&loaded.network)),
        false => shell.print(render(&loaded.network, shell.style(), shell.verbose).trim_end()),
    }
    Ok(Exit::Clean)
}
