//! Talk to people: the only place that prints or exits.
//!
//! Exit status: 0 clean, 1 errors found, 2 a command line that makes no sense; 130 after Ctrl-C.

mod answer;
pub mod args;
mod bench;
mod check;
mod completions;
mod compute;
mod data;
mod diff;
mod eval;
mod explain;
mod export;
mod files;
mod fmt;
mod graph;
pub mod help;
mod import;
mod interrupt;
mod kin;
mod load;
mod lsp;
mod man;
mod mistyped;
mod new;
mod onnx;
mod plan;
mod progress;
mod report;
mod revision;
mod run;
mod shell;
mod study;
mod summary;
mod taught;
mod train;
mod watch;
mod weights;

use args::Command;
use shell::{Exit, Shell};
use std::process::ExitCode;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = help::parse();
    let shell = Shell::new(&cli.output);
    ExitCode::from(dispatch(&cli.command, &shell) as u8)
}

fn dispatch(command: &Command, shell: &Shell) -> Exit {
    let done = match command {
        Command::Check(args) => Ok(check::run(args, shell)),
        Command::Fmt(args) => fmt::run(args, shell),
        Command::Diff(args) => diff::run(args, shell),
        Command::Summary(args) => summary::run(args, shell),
        Command::Study(args) => study::run(args, shell),
        Command::Train(args) => train::run(args, shell),
        Command::Eval(args) => eval::run(args, shell),
        Command::Bench(args) => bench::run(args, shell),
        Command::Export(args) => export::run(args, shell),
        Command::Import(args) => import::run(args, shell),
        Command::Lsp(args) => Ok(lsp::run(args, shell)),
        Command::Explain { code } => Ok(explain::run(code.as_deref(), shell)),
        Command::New(args) => new::run(args, shell),
        Command::Completions(args) => Ok(completions::run(args, shell)),
        Command::Man(args) => man::run(args, shell),
        Command::Report(args) => report::run(args, shell),
        Command::Run(args) => run::run(args, shell),
        Command::Plan(args) => plan::run(args, shell),
        Command::Graph(args) => graph::run(args, shell),
    };
    done.unwrap_or_else(|exit| exit)
}
