//! What is wrong, where, and what to write instead.

use super::codes::Code;
use super::span::Span;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file compiles, but probably does not say what was meant.
    Warning,
    /// The file does not compile.
    Error,
}

/// A place in the source and what that place has to do with the message.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What this place is; lower case, no full stop.
    pub text: String,
}

/// Text to write instead of some bytes, which would mend what a diagnostic is about.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Fix {
    /// What it does, in a few words.
    pub title: String,
    /// The bytes to replace; none where something is only added.
    pub span: Span,
    /// What to write there.
    pub text: String,
}

/// One message to the user. Text is lower case, without a full stop, names in backticks.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Diagnostic {
    /// The code, which `archc explain` knows.
    pub code: Code,
    /// Error or warning, as the code says.
    pub severity: Severity,
    /// The fact.
    pub message: String,
    /// The places; the first is the primary one.
    pub labels: Vec<Label>,
    /// What to write instead, as text that can be pasted.
    pub help: Option<Box<str>>,
    /// Context: the chain of expansions, how many more like it.
    pub notes: Vec<String>,
    /// The same as an edit, where one can be told.
    pub fix: Option<Box<Fix>>,
}

/// The code and the fact, for programs that pass errors on; `base::render` draws the whole of it.
impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl Diagnostic {
    /// A diagnostic of this code, with the code's own severity.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: Vec::new(),
            help: None,
            notes: Vec::new(),
            fix: None,
        }
    }

    /// Adds a labelled place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into().into_boxed_str());
        self
    }

    /// Says what to write instead as an edit.
    pub fn fix(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Box::new(Fix { title: title.into(), span, text: text.into() }));
        self
    }

    /// Labels a place that says something unknown with what was probably meant, which is also the fix, or else as told.
    pub fn meant(self, span: Span, meant: Option<&str>, otherwise: impl FnOnce() -> String) -> Self {
        match meant {
            Some(meant) => {
                let title = format!("write `{meant}`");
                self.label(span, format!("did you mean `{meant}`?")).fix(title, span, meant)
            }
            None => self.label(span, otherwise()),
        }
    }

    /// Adds context.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }
}

/// The diagnostics of one run, in the order found.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// Hashes of those in the list, so that adding many takes linear time.
    seen: BTreeSet<u64>,
    /// How many are errors.
    errors: usize,
}

impl Diagnostics {
    /// Adds one, unless the same message stands at the same place already.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let mut hasher = DefaultHasher::new();
        diagnostic.hash(&mut hasher);
        if self.seen.insert(hasher.finish()) {
            self.errors += usize::from(diagnostic.severity == Severity::Error);
            self.list.push(diagnostic);
        }
    }

    /// Adds all of another run's.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        other.into_iter().for_each(|d| self.push(d));
    }

    /// Whether an error is among them.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// In the order found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(list: I) -> Self {
        let mut all = Self::default();
        all.extend(list);
        all
    }
}
