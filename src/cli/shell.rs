//! Where text goes: results to standard output, everything else to standard error.

use super::args::{Color, Format, OutputArgs};
use archc::base::render;
use archc::base::{Diagnostics, Fault, Report, SourceMap};
use archc::tools::text::Style;
use serde::Serialize;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};

/// Warnings drawn where nobody asked for all.
const WARNINGS_DRAWN: usize = 20;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing wrong.
    Clean = 0,
    /// Errors were found.
    Errors = 1,
    /// The command line made no sense.
    Usage = 2,
    /// Ctrl-C, after everything was saved; as shells count, 128 + SIGINT.
    Interrupted = 130,
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
        let color = |terminal: bool| match output.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => wanted(terminal, |name| std::env::var_os(name)),
        };
        let (color_out, color_err) = (color(std::io::stdout().is_terminal()), color(std::io::stderr().is_terminal()));
        // Bars ask `console` whether they may be coloured.
        console::set_colors_enabled(color_out);
        console::set_colors_enabled_stderr(color_err);
        let terminal = console::Term::stdout().size_checked();
        Self {
            format: output.format,
            quiet: output.quiet,
            verbose: output.verbose,
            color_out,
            color_err,
            width: terminal.map_or(100, |(_, columns)| columns as usize).clamp(60, 140),
        }
    }

    /// Whether programs read the output.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether a person watches standard error, in a terminal where a cursor can move.
    pub fn interactive(&self) -> bool {
        console::Term::stderr().is_term() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// How results are drawn.
    pub fn style(&self) -> Style {
        Style { color: self.color_out, width: self.width, unicode: true }
    }

    /// The same shell for a command whose result is one JSON object: warnings are left out of it.
    pub fn quiet_json(&self, json: bool) -> Self {
        Self { quiet: self.quiet || json, ..self.clone() }
    }

    /// A result as one JSON object on one line.
    pub fn print_json(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.print(&text),
            Err(error) => self.note(&format!("error[I0001]: the result cannot be written as JSON: {error}")),
        }
    }

    /// A result, on standard output. A reader that went away is no error.
    pub fn print(&self, text: &str) {
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// A result, on standard output at once. `false` where nobody reads any more.
    pub fn deliver(&self, text: &str) -> bool {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }

    /// Clears the screen, where results go to one.
    pub fn clear(&self) {
        let out = console::Term::stdout();
        if out.is_term() && std::env::var_os("TERM").is_none_or(|term| term != "dumb") {
            let _ = out.clear_screen();
        }
    }

    /// A remark, on standard error; not when quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// Diagnostics about source texts: JSON lines on standard output, or drawn on standard error. Warnings are left out
    /// when quiet; of many, the first are drawn unless verbose.
    pub fn report(&self, diagnostics: &Diagnostics, sources: &SourceMap) {
        self.draw(Report::new(diagnostics.iter(), sources));
    }

    /// What is wrong outside any text, said as diagnostics are.
    pub fn fault(&self, fault: &Fault) {
        self.draw(fault.into());
    }

    fn draw(&self, report: Report) {
        let room = match (self.quiet, self.json() || self.verbose) {
            (true, _) => 0,
            (false, true) => usize::MAX,
            (false, false) => WARNINGS_DRAWN,
        };
        let (shown, left_out) = report.with_warnings(room);
        if self.json() {
            let _ = write!(std::io::stdout().lock(), "{}", render::json_lines(&shown));
            return;
        }
        let style = render::Style { color: self.color_err, width: self.width };
        let _ = write!(std::io::stderr().lock(), "{}", render::fancy(&shown, style));
        if !self.quiet && left_out > 0 {
            self.note(&format!("and {left_out} more warnings; -v shows them all\n"));
        }
    }

    /// A command line that makes no sense, and what to type instead.
    pub fn usage(&self, message: &str, help: &str) -> Exit {
        let _ = writeln!(std::io::stderr().lock(), "error: {message}\n  help: {help}");
        Exit::Usage
    }
}

/// Whether colours are wanted where the command line leaves it open: see no-color.org and bixense.com/clicolors.
fn wanted(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let is = |name, word: &str| variable(name).is_some_and(|value| value == word);
    match () {
        () if set("NO_COLOR") => false,
        () if set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
        () => terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_whether_to_colour() {
        let colored = |terminal, set: &[(&str, &str)]| {
            wanted(terminal, |name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value)))
        };
        assert!(colored(true, &[]) && !colored(false, &[]));
        assert!(!colored(true, &[("NO_COLOR", "1")]) && colored(true, &[("NO_COLOR", "")]));
        assert!(colored(false, &[("CLICOLOR_FORCE", "1")]) && !colored(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!colored(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!colored(true, &[("CLICOLOR", "0")]) && !colored(true, &[("TERM", "dumb")]));
    }
}
