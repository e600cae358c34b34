//! The pass before the grammar: one walk over the bytes that finds the lines of the language.
//!
//! Comments, and newlines within parentheses, become spaces (bytes keep their places); brackets are
//! matched and their depth is bounded; characters without a meaning are reported. What is left is a
//! tree of [`LogicalLine`]s: an item, or a chain of steps, may hold braces that span lines, whose lines are
//! its children. The grammar reads each line by itself with such braces shown empty, so an error stays
//! in its line, and neither time nor memory depend on how the lines are nested.

mod brackets;
mod scan;

use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Span, codes};
use std::borrow::Cow;
use std::ops::Range;

/// A text made ready for the grammar.
pub struct Layout {
    /// As long as the source.
    pub text: String,
    /// The items.
    pub lines: Vec<LogicalLine>,
    /// Lines of the text with a reported error, in order: what the grammar says about them is no news.
    pub tainted: Vec<Range<usize>>,
}

/// One line of the language: an item, a chain of steps, or a field of a recipe.
pub struct LogicalLine {
    /// Its first byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Its braces that span lines, in order.
    pub braces: Vec<Braces>,
}

/// Braces that span lines.
pub struct Braces {
    /// Where `{` stands.
    pub open: usize,
    /// Where `}` stands, or the end of the line where it is missing.
    pub close: usize,
    /// What stands between them.
    pub lines: Vec<LogicalLine>,
}

/// A line's text with braces that span lines shown empty, and the way back to the file.
#[derive(Default)]
pub struct Shown<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// From which byte of the text on, how much further the byte of the file is.
    shifts: Vec<(usize, usize)>,
}

impl LogicalLine {
    /// What the grammar reads.
    pub fn shown<'a>(&self, text: &'a str) -> Shown<'a> {
        let mut shifts = vec![(0, self.start)];
        if self.braces.is_empty() {
            return Shown { text: Cow::Borrowed(&text[self.start..self.end]), shifts };
        }
        let mut shown = String::new();
        let mut from = self.start;
        for braces in &self.braces {
            shown.push_str(&text[from..=braces.open]);
            shifts.push((shown.len(), braces.close - shown.len()));
            shown.push('}');
            from = (braces.close + 1).min(self.end);
        }
        shown.push_str(&text[from..self.end]);
        Shown { text: Cow::Owned(shown), shifts }
    }
}

impl Shown<'_> {
    /// The byte of the file for a byte of the text.
    pub fn place(&self, at: usize) -> usize {
        let after = self.shifts.partition_point(|&(from, _)| from <= at);
        at + after.checked_sub(1).map_or(0, |i| self.shifts[i].1)
    }
}

impl Layout {
    /// Whether the line of the text around a byte had an error of its own.
    pub fn is_tainted(&self, at: usize) -> bool {
        let after = self.tainted.partition_point(|line| line.start <= at);
        after > 0 && self.tainted[after - 1].end >= at
    }
}

/// Lays a text out; `None` where it is not worth parsing.
pub fn lay_out(id: FileId, text: &str, limits: &Limits, out: &mut Diagnostics) -> Option<Layout> {
    let most = limits.source_bytes.min(u32::MAX as u64);
    if text.len() as u64 > most {
        let message = format!("the file holds {} bytes, more than the limit of {most}", text.len());
        let help = format!("raise the limit: `--limit source-bytes={}`", text.len());
        out.push(Diagnostic::new(codes::TOO_LARGE, message).label(Span::new(id, 0, 0), "this file").help(help));
        return None;
    }
    scan::Scanner::new(id, text, limits, out).finish()
}
