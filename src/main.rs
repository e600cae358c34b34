//! The command line: all of it is in [`archc::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    archc::cli::main()
}
