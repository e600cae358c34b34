//! Diagnostics as JSON lines.

use crate::base::report::{Entry, Place, Report};
use crate::base::{Fix, Severity, SourceFile};
use serde::Serialize;

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    labels: Vec<JsonLabel<'a>>,
    notes: Vec<&'a str>,
    fix: Option<Edit<'a>>,
}

#[derive(Serialize)]
struct Edit<'a> {
    title: &'a str,
    file: &'a str,
    start: u32,
    end: u32,
    text: &'a str,
}

#[derive(Serialize)]
struct JsonLabel<'a> {
    file: &'a str,
    start: u32,
    end: u32,
    line: usize,
    column: usize,
    text: &'a str,
}

/// One object a line: `code`, `severity`, `message`, `help`, `labels` (bytes from 0, lines and columns
/// from 1, the primary label first), `notes`, and `fix`: the bytes from `start` to `end` of `file` become `text`.
pub fn json_lines(report: &Report) -> String {
    let lines = report.entries().iter().map(|entry| serde_json::to_string(&line(entry)).unwrap_or_default() + "\n");
    lines.collect()
}

fn line<'a>(entry: &Entry<'a>) -> JsonDiagnostic<'a> {
    let diagnostic = entry.diagnostic;
    JsonDiagnostic {
        code: diagnostic.code.0,
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        labels: entry.places.iter().map(spot).collect(),
        notes: entry.astray.iter().copied().chain(diagnostic.notes.iter().map(String::as_str)).collect(),
        fix: entry.fix.map(|(fix, file)| edit(fix, file)),
    }
}

fn edit<'a>(fix: &'a Fix, file: &'a SourceFile) -> Edit<'a> {
    Edit { title: &fix.title, file: &file.name, start: fix.span.start, end: fix.span.end, text: &fix.text }
}

fn spot<'a>(&Place { label, file }: &Place<'a>) -> JsonLabel<'a> {
    let (line, column) = file.line_column(label.span.start);
    JsonLabel { file: &file.name, start: label.span.start, end: label.span.end, line, column, text: &label.text }
}
