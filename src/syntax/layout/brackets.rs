//! Brackets: matched, counted, and, where one has no partner, blamed.

use super::scan::{Last, Scanner};
use super::{Braces, LogicalLine};
use crate::base::{Diagnostic, codes};

/// What stands in a bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `(` or `[`: newlines are nothing.
    Parenthesis(u8),
    /// The braces of an `if` that gives a value: newlines are nothing.
    Value,
    /// Steps, fields or items, one a line.
    Body,
}

/// An open bracket; the file itself is the outermost.
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) at: usize,
    /// Blanks before its line.
    indent: usize,
    /// Whether a newline was met in it, outside all other brackets.
    pub(super) spans_lines: bool,
    /// Whether the current line was followed by a newline.
    pub(super) broken: bool,
    /// Where the current line starts.
    pub(super) start: Option<usize>,
    /// The braces of the current line.
    pub(super) braces: Vec<Braces>,
    /// The lines before it.
    pub(super) lines: Vec<LogicalLine>,
}

impl Frame {
    pub(super) fn new(kind: Kind, at: usize, indent: usize) -> Self {
        Self { kind, at, indent, spans_lines: false, broken: false, start: None, braces: Vec::new(), lines: Vec::new() }
    }

    fn bracket(&self) -> char {
        if let Kind::Parenthesis(byte) = self.kind { byte as char } else { '{' }
    }
}

/// Words that start an item: at the margin they end whatever is still open.
const HEADS: [&str; 3] = ["block ", "model ", "train "];

impl Scanner<'_> {
    pub(super) fn open(&mut self, bracket: u8) -> Option<()> {
        if self.frames.len() > self.limits.nesting {
            let limit = self.limits.nesting;
            let diagnostic = Diagnostic::new(codes::TOO_DEEP, format!("more than {limit} brackets are open at once"))
                .label(self.span(self.pos, self.pos + 1), "this one is too deep")
                .help(format!("raise the limit: `--limit nesting={}`", limit * 2));
            self.out.push(diagnostic);
            return None;
        }
        self.begin(Last::Other);
        let inside_value = self.frames.last().is_some_and(|frame| frame.kind != Kind::Body);
        let kind = match bracket {
            b'{' if inside_value || self.value_if => Kind::Value,
            b'{' => Kind::Body,
            _ => Kind::Parenthesis(bracket),
        };
        let before = &self.source[self.row..self.pos];
        let indent = before.len() - before.trim_start().len();
        let frame = Frame::new(kind, self.pos, indent);
        self.token(1, if kind == Kind::Body { Last::Start } else { Last::Other });
        if bracket == b'{' {
            self.value_if = false;
        }
        self.frames.push(frame);
        Some(())
    }

    pub(super) fn close(&mut self, bracket: u8) -> Option<()> {
        let Some(kind) = (self.frames.len() > 1).then(|| self.frames.last().map(|frame| frame.kind)).flatten() else {
            self.closes_nothing(bracket);
            return Some(());
        };
        match (kind, bracket) {
            (Kind::Parenthesis(b'('), b')') | (Kind::Parenthesis(b'['), b']') => self.leave(Last::Other),
            (Kind::Value, b'}') => self.leave(Last::ValueEnd),
            (Kind::Body, b'}') => self.close_body(),
            (Kind::Parenthesis(_), b')' | b']') => {
                self.closed_by_another(bracket);
                self.leave(Last::Other);
            }
            (Kind::Parenthesis(_), _) if self.frames.iter().any(Self::is_braces) => {
                self.unclosed_parenthesis()?;
            }
            _ => self.closes_nothing(bracket),
        }
        Some(())
    }

    fn is_braces(frame: &Frame) -> bool {
        matches!(frame.kind, Kind::Value) || (frame.kind == Kind::Body && frame.at > 0)
    }

    /// Closes a bracket that holds no lines.
    fn leave(&mut self, last: Last) {
        self.frames.pop();
        self.pos += 1;
        self.last_end = self.pos;
        self.last = last;
    }

    fn close_body(&mut self) {
        let before = &self.source[self.row..self.pos];
        if let Some(frame) = self.frames.last()
            && self.suspect.is_none()
            && before.trim().is_empty()
            && before.len() != frame.indent
        {
            self.suspect = Some(frame.at);
        }
        let close = self.pos;
        self.end_body(close);
        self.pos += 1;
        self.last_end = self.pos;
        self.last = Last::BodyEnd;
    }

    /// Hands the lines of the innermost braces to the line that holds them.
    fn end_body(&mut self, close: usize) {
        let spans_lines = self.frames.last().is_some_and(|frame| frame.spans_lines);
        if spans_lines {
            self.end_line();
        }
        let Some(frame) = self.frames.pop() else { return };
        let Some(outer) = self.frames.last_mut() else { return };
        if spans_lines {
            outer.braces.push(Braces { open: frame.at, close, lines: frame.lines });
        } else {
            outer.braces.extend(frame.braces);
        }
    }

    fn closes_nothing(&mut self, bracket: u8) {
        let place = self.span(self.pos, self.pos + 1);
        self.report(|| {
            let message = format!("this `{}` closes nothing", bracket as char);
            Diagnostic::new(codes::BRACKET, message).label(place, "no bracket is open for it")
        });
        self.blank(self.pos..self.pos + 1);
        self.pos += 1;
    }

    fn closed_by_another(&mut self, bracket: u8) {
        let Some(frame) = self.frames.last() else { return };
        let (opened, at) = (frame.bracket(), frame.at);
        let (here, there) = (self.span(self.pos, self.pos + 1), self.span(at, at + 1));
        self.report(|| {
            Diagnostic::new(codes::BRACKET, format!("`{opened}` is closed by `{}`", bracket as char))
                .label(here, "this closes another kind of bracket")
                .label(there, "opened here")
        });
    }

    /// The outermost open parenthesis has no partner: it is taken to end with its line of the text, and
    /// what follows is walked again. `Some(false)` where none is open, `None` where too much was walked
    /// again already.
    pub(super) fn unclosed_parenthesis(&mut self) -> Option<bool> {
        let Some(first) = self.frames.iter().position(|frame| frame.kind != Kind::Body) else { return Some(false) };
        let (at, bracket) = (self.frames[first].at, self.frames[first].bracket());
        self.frames.truncate(first);
        let reached = self.pos;
        self.start_row(self.source[..at].rfind(['\n', '\r']).map_or(0, |n| n + 1));
        let place = self.span(at, at + 1);
        self.report(|| {
            Diagnostic::new(codes::BRACKET, format!("this `{bracket}` is never closed")).label(place, "opened here")
        });
        self.pos = self.row_end;
        self.last_end = self.pos;
        self.last = Last::Other;
        self.restore_newline(self.pos);
        self.again = self.again.checked_sub(reached.saturating_sub(self.pos))?;
        Some(true)
    }

    /// The braces still open have no partners: one of them is reported, and all are closed.
    pub(super) fn unclosed_braces(&mut self) {
        let Some(innermost) = self.frames.last().filter(|_| self.frames.len() > 1) else { return };
        let at = self.suspect.unwrap_or(innermost.at);
        let end = self.last_end;
        let diagnostic = Diagnostic::new(codes::BRACKET, "this `{` is never closed")
            .label(self.span(at, at + 1), "opened here")
            .label(self.span(end, end), "a `}` is missing before this ends");
        self.out.push(diagnostic);
        while self.frames.len() > 1 {
            if let Some(frame) = self.frames.last_mut() {
                frame.spans_lines = true;
            }
            self.end_body(end);
        }
    }

    /// Forgets the parentheses opened on this line of the text, whose rest is not understood.
    pub(super) fn forget_row_brackets(&mut self) {
        let row = self.row;
        while self.frames.last().is_some_and(|frame| frame.kind != Kind::Body && frame.at >= row) {
            self.frames.pop();
        }
    }

    /// A head of an item at the margin, while braces are open, means that one was not closed.
    pub(super) fn head_at_margin(&mut self) -> Option<()> {
        let rest = &self.source[self.row..];
        if self.frames.len() == 1 || !HEADS.iter().any(|word| rest.starts_with(word)) {
            return Some(());
        }
        if !self.unclosed_parenthesis()? {
            self.unclosed_braces();
            self.suspect = None;
            self.end_line();
        }
        Some(())
    }
}
