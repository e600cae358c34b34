//! The command line. It is a crate of its own, so that a change of words does not compile the compiler again.
#![deny(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
