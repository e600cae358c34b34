//! `archc summary`: the layers as a table.

use super::args::SummaryArgs;
use super::load;
use super::shell::{Exit, Shell};
use crate::tools::summary::{render, summarize};

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
