//! The lines a diagnostic is about, drawn by miette, one drawing for each file. Only an excerpt is
//! handed over, so that drawing does not depend on the size of the file.

use super::{Style, printable};
use crate::base::report::Place;
use crate::base::{Label, SourceFile};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceSpan, SpanContents,
};
use std::fmt::Write;

/// Lines shown around a label.
const CONTEXT: usize = 1;
/// A line of more bytes is not drawn.
const WIDEST: usize = 400;
/// Labels further apart than this many bytes are drawn apart.
const APART: usize = 1 << 16;

/// Draws the labels, file by file, the primary label's file first.
pub fn write(out: &mut String, places: &[Place], style: Style) {
    let mut rest: Vec<(bool, &Place)> = places.iter().enumerate().map(|(i, place)| (i == 0, place)).collect();
    while let Some(&(_, first)) = rest.first() {
        let span = first.label.span;
        let near = |place: &Place| {
            place.label.span.file == span.file && place.label.span.start.abs_diff(span.start) < APART as u32
        };
        let (here, elsewhere) = rest.into_iter().partition::<Vec<_>, _>(|(_, place)| near(place));
        let labels: Vec<(bool, &Label)> = here.iter().map(|(primary, place)| (*primary, place.label)).collect();
        draw(out, &labels, first.file, style);
        rest = elsewhere;
    }
}

fn draw(out: &mut String, labels: &[(bool, &Label)], file: &SourceFile, style: Style) {
    let spans: Vec<(usize, usize)> = labels.iter().map(|(_, label)| clamped(label, &file.text)).collect();
    let start = spans.iter().map(|s| s.0).min().unwrap_or(0);
    let end = spans.iter().map(|s| s.1).max().unwrap_or(0);
    let excerpt = Excerpt::around(file, start, end);
    if excerpt.text.lines().any(|line| line.len() > WIDEST) {
        return listed(out, labels, file);
    }
    let labels = labels.iter().zip(&spans).map(|(&(primary, label), &(start, end))| {
        let span = (start - excerpt.offset, end - start);
        let text = Some(printable(&label.text).replace('\n', " "));
        if primary { LabeledSpan::new_primary_with_span(text, span) } else { LabeledSpan::new_with_span(text, span) }
    });
    let picture = Picture { labels: labels.collect(), excerpt: &excerpt };
    let theme = if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_context_lines(CONTEXT)
        .with_links(false)
        .with_width(style.width)
        .without_syntax_highlighting();
    let mut text = String::new();
    if handler.render_report(&mut text, &picture).is_ok() {
        text.lines().skip_while(|line| !line.contains('╭')).for_each(|line| {
            let _ = writeln!(out, "{}", line.trim_end());
        });
    }
}

/// Labels on lines too long to draw: only where they are.
fn listed(out: &mut String, labels: &[(bool, &Label)], file: &SourceFile) {
    for (_, label) in labels {
        let (line, column) = file.line_column(label.span.start);
        let _ = writeln!(out, "   ╭─[{}:{line}:{column}]", file.name);
        let _ = writeln!(out, "   · {}\n   ╰────", printable(&label.text));
    }
}

/// A label's bytes, kept within the text and on character boundaries.
fn clamped(label: &Label, text: &str) -> (usize, usize) {
    let floor = |at: u32| {
        let at = (at as usize).min(text.len());
        (0..=at).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
    };
    let start = floor(label.span.start);
    (start, floor(label.span.end).max(start))
}

/// A character as it may be drawn, in as many bytes: controls and changes of direction are replaced.
fn drawable(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ if c.is_control() => ['·', ' '][usize::from(c.is_ascii())],
        _ => c,
    }
}

/// Some lines of a file.
#[derive(Debug)]
struct Excerpt {
    name: String,
    text: String,
    /// Byte of the file at which it starts.
    offset: usize,
    /// Lines of the file before it.
    lines_before: usize,
}

impl Excerpt {
    fn around(file: &SourceFile, start: usize, end: usize) -> Self {
        let back = |at: usize| file.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let ahead = |at: usize| file.text[at..].find('\n').map_or(file.text.len(), |n| at + n + 1);
        let first = (0..CONTEXT + 1).fold(back(start), |at, _| back(at.saturating_sub(1)));
        let last = (0..CONTEXT + 1).fold(ahead(end), |at, _| ahead(at));
        let lines_before = file.line_column(first as u32).0 - 1;
        let text = file.text[first..last].chars().map(drawable).collect();
        Self { name: printable(&file.name), text, offset: first, lines_before }
    }
}

impl miette::SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let part = self.text.as_str().read_span(span, before, after)?;
        let line = part.line() + self.lines_before;
        let name = self.name.clone();
        let data = part.data();
        Ok(Box::new(MietteSpanContents::new_named(name, data, *part.span(), line, part.column(), part.line_count())))
    }
}

/// What miette draws: labels in an excerpt, and nothing else.
#[derive(Debug)]
struct Picture<'a> {
    labels: Vec<LabeledSpan>,
    excerpt: &'a Excerpt,
}

impl std::fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("-")
    }
}

impl std::error::Error for Picture<'_> {}

impl miette::Diagnostic for Picture<'_> {
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
