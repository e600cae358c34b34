//! `archc completions`: what a shell needs to complete the command line.

use super::help;
use super::shell::{Exit, Shell};
use clap::Args;

/// `archc completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Prints the script.
pub fn run(args: &CompletionsArgs, shell: &Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::tree(), "archc", &mut script);
    shell.print(String::from_utf8_lossy(&script).trim_end());
    Exit::Clean
}
