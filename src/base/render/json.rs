//! Diagnostics as JSON lines.

use crate::base::{Diagnostic, Diagnostics, Label, Severity, SourceMap};
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    labels: Vec<Place<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    start: u32,
    end: u32,
    line: usize,
    column: usize,
    text: &'a str,
}

/// One object a line: `code`, `severity`, `message`, `help`, `labels` (bytes from 0, lines and columns
/// from 1, the primary label first) and `notes`.
pub fn json_lines(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let lines = diagnostics.iter().map(|d| serde_json::to_string(&line(d, sources)).unwrap_or_default() + "\n");
    lines.collect()
}

fn line<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Line<'a> {
    Line {
        code: diagnostic.code.0,
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        labels: diagnostic.labels.iter().map(|label| place(label, sources)).collect(),
        notes: &diagnostic.notes,
    }
}

fn place<'a>(label: &'a Label, sources: &'a SourceMap) -> Place<'a> {
    let file = sources.file(label.span.file);
    let (line, column) = file.line_column(label.span.start);
    Place { file: &file.name, start: label.span.start, end: label.span.end, line, column, text: &label.text }
}
