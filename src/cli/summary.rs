//! `archc summary`: the layers as a table.

use super::args::ModelArgs;
use super::shell::{Exit, Shell};
use super::{files, load};
use archc::tools::html;
use archc::tools::summary::{render, summarize};
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
    /// A page with rows that fold and can be sorted by cost, in one file.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub html: Option<PathBuf>,
    /// Show the plain twin, without any skip edge.
    #[arg(long)]
    pub plain: bool,
}

/// Prints the table, or one JSON object.
pub fn run(args: &SummaryArgs, shell: &Shell) -> Result<Exit, Exit> {
    let json = args.json || shell.json();
    let loaded = load::network(&args.file, &args.model, args.plain, &shell.quiet_json(json))?;
    if let Some(path) = &args.html {
        let page = html::summary::page(&loaded.network, &loaded.compiled.sources);
        files::write(path, &page, shell)?;
        return Ok(Exit::Clean);
    }
    match json {
        true => shell.print_json(&summarize(&loaded.network)),
        false => shell.print(render(&loaded.network, shell.style(), shell.verbose).trim_end()),
    }
    Ok(Exit::Clean)
}
