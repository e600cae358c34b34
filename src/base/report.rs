//! Diagnostics with the texts they point into, which is what can be drawn.

use super::diagnostic::{Diagnostic, Fix, Label, Severity};
use super::fault::Fault;
use super::source::{SourceFile, SourceMap};

/// What renderers take. It is made of diagnostics together with the sources they point into, or of a [`Fault`], which
/// points into none: so no label reaches a renderer without its text.
#[derive(Clone, Debug, Default)]
pub struct Report<'a> {
    entries: Vec<Entry<'a>>,
}

/// A diagnostic whose labels found their texts.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// What is said.
    pub diagnostic: &'a Diagnostic,
    /// The labels with their texts, the primary one first.
    pub places: Vec<Place<'a>>,
    /// The fix, with the text it changes.
    pub fix: Option<(&'a Fix, &'a SourceFile)>,
    /// What labels say that point into a text of other sources: a mistake of ours, which still is no reason to be silent.
    pub astray: Vec<&'a str>,
}

/// A label with the text it points into.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The label.
    pub label: &'a Label,
    /// The text.
    pub file: &'a SourceFile,
}

impl<'a> Report<'a> {
    /// Diagnostics and the sources they are about.
    pub fn new(diagnostics: impl IntoIterator<Item = &'a Diagnostic>, sources: &'a SourceMap) -> Self {
        Self { entries: diagnostics.into_iter().map(|diagnostic| Entry::new(diagnostic, sources)).collect() }
    }

    /// In the order given.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The same without all but the first `most` warnings, and how many warnings were left out.
    pub fn with_warnings(self, most: usize) -> (Self, usize) {
        let (mut warnings, before) = (0, self.entries.len());
        let mut entries = self.entries;
        entries.retain(|entry| {
            warnings += usize::from(entry.diagnostic.severity == Severity::Warning);
            entry.diagnostic.severity == Severity::Error || warnings <= most
        });
        let left_out = before - entries.len();
        (Self { entries }, left_out)
    }
}

impl<'a> From<&'a Fault> for Report<'a> {
    fn from(fault: &'a Fault) -> Self {
        Self { entries: vec![Entry { diagnostic: fault, places: Vec::new(), fix: None, astray: Vec::new() }] }
    }
}

impl<'a> Entry<'a> {
    fn new(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Self {
        let (mut places, mut astray) = (Vec::with_capacity(diagnostic.labels.len()), Vec::new());
        for label in &diagnostic.labels {
            match sources.get(label.span.file) {
                Some(file) => places.push(Place { label, file }),
                None => astray.push(label.text.as_str()),
            }
        }
        let fix = diagnostic.fix.as_deref().and_then(|fix| Some((fix, sources.get(fix.span.file)?)));
        Self { diagnostic, places, fix, astray }
    }
}

#[cfg(test)]
mod tests {
    use super::super::render::{self, Style};
    use super::*;
    use crate::base::{FileId, Span, codes};

    #[test]
    fn a_label_whose_text_is_not_there_is_said_and_draws_nothing() {
        let mut sources = SourceMap::new();
        let file = sources.add("net.arch", "model Net {}\n");
        let elsewhere = Span::new(FileId(7), 3, 9);
        let diagnostic = Diagnostic::new(codes::TRAIN_UNFIT, "they do not fit")
            .label(elsewhere, "this recipe")
            .label(Span::new(file, 0, 5), "this model")
            .fix("write another", elsewhere, "x");
        let report = Report::new([&diagnostic], &sources);
        let text = render::fancy(&report, Style { color: false, width: 80 });
        assert!(text.contains("╰── this model") && text.contains("this recipe"), "{text}");
        let line: serde_json::Value = serde_json::from_str(&render::json_lines(&report)).unwrap();
        assert_eq!(line["labels"].as_array().unwrap().len(), 1);
        assert_eq!(line["notes"][0], "this recipe");
        assert!(line["fix"].is_null());
    }

    #[test]
    fn of_many_warnings_the_first_stay() {
        let sources = SourceMap::new();
        let all: Vec<_> = [codes::UNUSED_LABEL, codes::DIVERGED, codes::UNUSED_BLOCK, codes::UNUSED_NAME]
            .map(|code| Diagnostic::new(code, "fact"))
            .to_vec();
        let (kept, left_out) = Report::new(&all, &sources).with_warnings(1);
        let kept: Vec<_> = kept.entries().iter().map(|entry| entry.diagnostic.code).collect();
        assert_eq!((kept, left_out), (vec![codes::UNUSED_LABEL, codes::DIVERGED], 2));
    }
}
