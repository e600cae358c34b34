//! Diagnostics as JSON lines.

use crate::base::{Diagnostic, Diagnostics, Fix, Label, Severity, SourceMap};
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    labels: Vec<Place<'a>>,
    notes: &'a [String],
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
struct Place<'a> {
    file: &'a str,
    start: u32,
    end: u32,
    line: usize,
    column: usize,
    text: &'a str,
}

/// One object a line: `code`, `severity`, `message`, `help`, `labels` (bytes from 0, lines and columns
/// from 1, the primary label first), `notes`, and `fix`: the bytes from `start` to `end` of `file` become `text`.
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
        fix: diagnostic.fix.as_deref().map(|fix| edit(fix, sources)),
    }
}

fn edit<'a>(fix: &'a Fix, sources: &'a SourceMap) -> Edit<'a> {
    let file = &sources.file(fix.span.file).name;
    Edit { title: &fix.title, file, start: fix.span.start, end: fix.span.end, text: &fix.text }
}

fn place<'a>(label: &'a Label, sources: &'a SourceMap) -> Place<'a> {
    let file = sources.file(label.span.file);
    let (line, column) = file.line_column(label.span.start);
    Place { file: &file.name, start: label.span.start, end: label.span.end, line, column, text: &label.text }
}
