//! `archc lsp`: a language server for editors.

use super::shell::{Exit, Shell};
use crate::editor;
use clap::Args;
use lsp_server::Connection;
use std::io::IsTerminal;

/// `archc lsp`
#[derive(Debug, Args)]
pub struct LspArgs {
    /// Talk over standard input and output. It is the only way, and some editors say it.
    #[arg(long)]
    pub stdio: bool,
}

/// Serves one editor over standard input and output until it says `exit`.
pub fn run(_: &LspArgs, shell: &Shell) -> Exit {
    if std::io::stdin().is_terminal() {
        shell.note("archc lsp talks to an editor over standard input and output; editors/ says how to set one up");
    }
    let (connection, threads) = Connection::stdio();
    let ended = editor::serve(&connection);
    // The writer ends when nobody can send any more; the reader may wait for an editor that is gone.
    drop(connection);
    match ended {
        Ok(()) => match threads.join() {
            Ok(()) => Exit::Clean,
            Err(_) => Exit::Errors,
        },
        Err(error) => {
            shell.note(&format!("error: {}", error.message));
            Exit::Errors
        }
    }
}
