//! Where text goes: results to standard output, everything else to standard error.

use super::args::{Color, Format, OutputArgs};
use crate::base::render::{self, Style};
use crate::base::{Diagnostics, SourceMap};
use std::io::{IsTerminal, Write};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing wrong.
    Clean = 0,
    /// Errors were found.
    Errors = 1,
    /// The command line made no sense.
    Usage = 2,
}

/// The terminal, pipe or file that the command talks to.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Text or JSON.
    pub format: Format,
    /// Only errors and results.
    pub quiet: bool,
    /// More detail.
    pub verbose: bool,
    color_out: bool,
    color_err: bool,
    width: usize,
}

impl Shell {
    /// What the arguments and the environment ask for.
    pub fn new(output: &OutputArgs) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let color = |terminal: bool| match output.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        let terminal = console::Term::stdout().size_checked();
        Self {
            format: output.format,
            quiet: output.quiet,
            verbose: output.verbose,
            color_out: color(std::io::stdout().is_terminal()),
            color_err: color(std::io::stderr().is_terminal()),
            width: terminal.map_or(100, |(_, columns)| columns as usize).clamp(60, 140),
        }
    }

    /// Whether programs read the output.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// How results are drawn.
    pub fn style(&self) -> Style {
        Style { color: self.color_out, width: self.width }
    }

    /// A result, on standard output. A reader that went away is no error.
    pub fn print(&self, text: &str) {
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// A remark, on standard error; not when quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// Diagnostics: JSON lines on standard output, or drawn on standard error.
    pub fn report(&self, diagnostics: &Diagnostics, sources: &SourceMap) {
        if self.json() {
            let _ = write!(std::io::stdout().lock(), "{}", render::json_lines(diagnostics, sources));
            return;
        }
        let shown: Diagnostics = match self.quiet {
            true => diagnostics.iter().filter(|d| d.severity == crate::base::Severity::Error).cloned().collect(),
            false => diagnostics.clone(),
        };
        let style = Style { color: self.color_err, width: self.width };
        let _ = write!(std::io::stderr().lock(), "{}", render::fancy(&shown, sources, style));
    }

    /// A command line that makes no sense, and what to type instead.
    pub fn usage(&self, message: &str, help: &str) -> Exit {
        let _ = writeln!(std::io::stderr().lock(), "error: {message}\n  help: {help}");
        Exit::Usage
    }
}
