//! `archc graph`: draw the network.

use super::args::GraphArgs;
use super::shell::{Exit, Shell};
use super::{files, load};
use crate::tools::{dot, picture};

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
