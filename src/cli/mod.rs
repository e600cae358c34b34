//! Talk to people: the only place that prints or exits.
//!
//! Exit status: 0 clean, 1 errors found, 2 a command line that makes no sense.

pub mod args;
mod check;
mod explain;
mod load;
mod shell;

use args::{Cli, Command};
use clap::Parser;
use shell::{Exit, Shell};
use std::process::ExitCode;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let shell = Shell::new(&cli.output);
    ExitCode::from(dispatch(&cli.command, &shell) as u8)
}

fn dispatch(command: &Command, shell: &Shell) -> Exit {
    match command {
        Command::Check(args) => check::run(args, shell),
        Command::Explain { code } => explain::run(code.as_deref(), shell),
        _ => Exit::Usage,
    }
}
