//! Diagnostics as people and as programs read them.
//!
//! [`fancy`] shows each with the lines it is about, its labels, context, help and where to read more;
//! [`json_lines`] gives one JSON object a line. Text from a file never reaches the terminal with its
//! control characters.

mod json;
mod snippet;

pub use json::json_lines;

use super::report::{Entry, Report};
use super::{Code, Severity};
use std::collections::BTreeSet;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// Columns that text may fill; source lines are never wrapped.
    pub width: usize,
}

impl Style {
    /// Text in a colour, where colours are on.
    fn paint(self, text: &str, ansi: &str) -> String {
        if self.color { format!("\u{1b}[{ansi}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// All diagnostics as text, with a blank line after each. Each code says once how to read more on it.
pub fn fancy(report: &Report, style: Style) -> String {
    let mut explained = BTreeSet::new();
    let mut out = String::new();
    for entry in report.entries() {
        one(&mut out, entry, style, explained.insert(entry.diagnostic.code));
    }
    out
}

fn one(out: &mut String, entry: &Entry, style: Style, explain: bool) {
    let diagnostic = entry.diagnostic;
    let (word, ansi) = match diagnostic.severity {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
    };
    let head = format!("{word}[{}]", diagnostic.code);
    let text = wrapped(&format!("{head}: {}", printable(&diagnostic.message)), style.width, "  ");
    let rest = text.strip_prefix(&head).unwrap_or(&text);
    let _ = writeln!(out, "{}{}", style.paint(&head, ansi), style.paint(rest, "1"));
    snippet::write(out, &entry.places, style);
    for note in entry.astray.iter().copied().chain(diagnostic.notes.iter().map(String::as_str)) {
        let _ = writeln!(out, "  {}", wrapped(&printable(note), style.width.saturating_sub(2), "  "));
    }
    if let Some(help) = &diagnostic.help {
        let help = printable(help).replace('\n', "\n        ");
        let _ = writeln!(out, "  {} {help}", style.paint("help:", "1;36"));
    }
    if explain {
        let _ = writeln!(out, "  {} {}", style.paint("note:", "1"), explanation(diagnostic.code));
    }
    out.push('\n');
}

fn explanation(code: Code) -> String {
    format!("`archc explain {code}`")
}

/// Text without control characters, newlines aside.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// Text broken between words, so that no line is wider than `width` columns unless a word is; lines
/// after the first start with `indent`.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut used = 0;
    for (i, word) in text.split(' ').enumerate() {
        if i > 0 && used + 1 + word.width() > width {
            out.push('\n');
            out.push_str(indent);
            used = indent.len();
        } else if i > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += word.width();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Diagnostic, Diagnostics, SourceMap, Span, codes};

    const PLAIN: Style = Style { color: false, width: 100 };

    fn fancy(out: &Diagnostics, sources: &SourceMap, style: Style) -> String {
        super::fancy(&Report::new(out.iter(), sources), style)
    }

    fn sample() -> (SourceMap, Diagnostics) {
        let mut sources = SourceMap::new();
        let net = sources.add("net.arch", "model Net {\n    input x [N, 3, 8, 8]\n    cnov(64, 3)\n}\n");
        let lib = sources.add("lib.arch", "block Conv() {\n\trelu\n}\n");
        let mut out = Diagnostics::default();
        let first = Diagnostic::new(codes::SYNTAX, "there is no layer or block named `cnov`")
            .label(Span::new(net, 41, 45), "not known")
            .label(Span::new(net, 6, 9), "in this model")
            .label(Span::new(lib, 6, 10), "a block with a similar name")
            .note("in `layer2.0`, the 1st of 4 uses of `BasicBlock`")
            .help("write `conv`");
        out.push(first);
        out.push(Diagnostic::new(codes::SYNTAX, "another").label(Span::new(net, 50, 51), "here"));
        (sources, out)
    }

    #[test]
    fn shows_labels_in_several_files_and_explains_once() {
        let (sources, out) = sample();
        let text = fancy(&out, &sources, PLAIN);
        let expected = "\
error[E0101]: there is no layer or block named `cnov`
   ╭─[net.arch:3:5]
 1 │ model Net {
   ·       ─┬─
   ·        ╰── in this model
 2 │     input x [N, 3, 8, 8]
 3 │     cnov(64, 3)
   ·     ──┬─
   ·       ╰── not known
 4 │ }
   ╰────
   ╭─[lib.arch:1:7]
 1 │ block Conv() {
   ·       ──┬─
   ·         ╰── a block with a similar name
 2 │     relu
   ╰────
  in `layer2.0`, the 1st of 4 uses of `BasicBlock`
  help: write `conv`
  note: `archc explain E0101`

error[E0101]: another
   ╭─[net.arch:3:14]
 2 │     input x [N, 3, 8, 8]
 3 │     cnov(64, 3)
   ·              ┬
   ·              ╰── here
 4 │ }
   ╰────

";
        assert_eq!(text, expected);
    }

    #[test]
    fn json_has_bytes_lines_and_columns() {
        let (sources, out) = sample();
        let text = json_lines(&Report::new(out.iter(), &sources));
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert_eq!(first["code"], "E0101");
        assert_eq!(first["severity"], "error");
        assert_eq!(first["help"], "write `conv`");
        let label = serde_json::json!({
            "file": "net.arch", "start": 41, "end": 45, "line": 3, "column": 5, "text": "not known"
        });
        assert_eq!(first["labels"][0], label);
        assert_eq!(first["labels"][2]["file"], "lib.arch");
    }

    #[test]
    fn a_huge_line_and_control_characters_do_not_reach_the_terminal() {
        let mut sources = SourceMap::new();
        let text = format!("a\u{1b}[31m\n{}", "x".repeat(1 << 20));
        let id = sources.add("big.arch", text.as_str());
        let mut out = Diagnostics::default();
        out.push(Diagnostic::new(codes::SYNTAX, "control \u{7}").label(Span::new(id, 0, 2), "here"));
        out.push(Diagnostic::new(codes::SYNTAX, "long").label(Span::new(id, 700_000, 700_003), "far in"));
        out.push(Diagnostic::new(codes::SYNTAX, "beyond").label(Span::new(id, 9_000_000, 9_000_001), "past the end"));
        let text = fancy(&out, &sources, PLAIN);
        assert!(text.len() < 4000, "{} bytes", text.len());
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
        assert!(text.contains("far in") && text.contains("past the end"));
    }

    #[test]
    fn colours_are_only_there_when_asked_for() {
        let (sources, out) = sample();
        assert!(fancy(&out, &sources, Style { color: true, width: 80 }).contains("\u{1b}[1;31merror[E0101]"));
        assert!(!fancy(&out, &sources, PLAIN).contains('\u{1b}'));
    }

    #[test]
    fn wraps_between_words() {
        assert_eq!(wrapped("one two three", 8, "  "), "one two\n  three");
    }
}
