//! Diagnostics as editors show them.

use super::analysis::Analysis;
use super::paths::uri_of;
use super::text::{Encoding, Text};
use crate::base::{Diagnostic, Severity, Span, codes};
use lsp_types::{
    DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, NumberOrString, Range, Uri,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The diagnostics of a program, by file. Each of its files has an entry.
pub fn by_file(analysis: &Analysis, encoding: Encoding) -> BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>> {
    let places = Places::of(analysis, encoding);
    let files = 0..analysis.program.sources.files().len() as u32;
    let paths = files.map(|id| analysis.path(crate::base::FileId(id)));
    let mut found: BTreeMap<PathBuf, Vec<_>> = paths.map(|path| (path, Vec::new())).collect();
    for diagnostic in analysis.diagnostics.iter() {
        let file = diagnostic.labels.first().map_or_else(Default::default, |label| label.span.file);
        found.entry(analysis.path(file)).or_default().push(shown(diagnostic, &places));
    }
    found
}

/// The texts of a program with their lines.
pub struct Places {
    texts: Vec<(Option<Uri>, Text)>,
}

impl Places {
    /// Of the program as it stands.
    pub fn of(analysis: &Analysis, encoding: Encoding) -> Self {
        let files = analysis.program.sources.files().iter();
        let text = |file: &crate::base::SourceFile| {
            (uri_of(&PathBuf::from(&file.name)), Text::new(std::sync::Arc::clone(&file.text), encoding))
        };
        Self { texts: files.map(text).collect() }
    }

    /// The positions of a span.
    pub fn range(&self, span: Span) -> Range {
        let text = self.texts.get(span.file.0 as usize).map(|(_, text)| text);
        text.map_or_else(Range::default, |text| text.range(span.start as usize, span.end as usize))
    }

    /// The document and the positions of a span.
    pub fn location(&self, span: Span) -> Option<Location> {
        let (uri, _) = self.texts.get(span.file.0 as usize)?;
        Some(Location { uri: uri.clone()?, range: self.range(span) })
    }
}

/// One diagnostic. What its own place is, its help and its notes are lines of the message; other places are related ones.
pub fn shown(diagnostic: &Diagnostic, places: &Places) -> lsp_types::Diagnostic {
    let first = diagnostic.labels.first();
    let mut message = diagnostic.message.clone();
    for line in first.iter().map(|label| &label.text).filter(|text| !text.is_empty()) {
        message += &format!("\n{line}");
    }
    diagnostic.help.iter().for_each(|help| message += &format!("\nhelp: {help}"));
    diagnostic.notes.iter().for_each(|note| message += &format!("\nnote: {note}"));
    let related = diagnostic.labels.iter().skip(1).filter_map(|label| {
        let location = places.location(label.span)?;
        Some(DiagnosticRelatedInformation { location, message: label.text.clone() })
    });
    let related: Vec<_> = related.collect();
    let unused = [codes::UNUSED_LABEL, codes::UNUSED_BLOCK, codes::UNUSED_IMPORT, codes::UNUSED_NAME];
    lsp_types::Diagnostic {
        range: first.map_or_else(Range::default, |label| places.range(label.span)),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.to_string())),
        code_description: None,
        source: Some("archc".into()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        tags: unused.contains(&diagnostic.code).then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: None,
    }
}
