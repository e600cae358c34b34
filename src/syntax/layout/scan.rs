//! The walk: tokens, lines and comments.

use super::brackets::{Frame, Kind};
use super::{Layout, LogicalLine};
use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Span, codes};
use crate::syntax::message;
use std::ops::Range;

/// Bytes that are walked again at most, so that the time stays linear.
const AGAIN: usize = 4 << 20;

/// The last token, as far as the next one depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// A step may start after it.
    Start,
    /// `->`
    Arrow,
    /// `else`
    Else,
    /// The `}` of a body.
    BodyEnd,
    /// The `}` of a value's `if`.
    ValueEnd,
    /// Anything else.
    Other,
}

/// Walks a text once.
pub(super) struct Scanner<'a> {
    pub(super) id: FileId,
    pub(super) source: &'a str,
    pub(super) limits: &'a Limits,
    pub(super) out: &'a mut Diagnostics,
    text: Vec<u8>,
    tainted: Vec<Range<usize>>,
    pub(super) pos: usize,
    /// Where the current line of the text starts.
    pub(super) row: usize,
    /// Where it ends.
    pub(super) row_end: usize,
    /// Bytes that may be walked again after parentheses without partners.
    pub(super) again: usize,
    /// Open brackets; the first frame is the file.
    pub(super) frames: Vec<Frame>,
    pub(super) last: Last,
    /// One past the last token.
    pub(super) last_end: usize,
    /// Whether the next `{` belongs to an `if` that gives a value.
    pub(super) value_if: bool,
    /// The brace whose partner seems to be missing: a `}` indented differently closed it.
    pub(super) suspect: Option<usize>,
    /// The doc comment in the current line, with nothing after it yet.
    doc_only: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(id: FileId, source: &'a str, limits: &'a Limits, out: &'a mut Diagnostics) -> Self {
        Self {
            id,
            source,
            limits,
            out,
            text: source.as_bytes().to_vec(),
            tainted: Vec::new(),
            pos: 0,
            row: 0,
            row_end: 0,
            again: AGAIN,
            frames: vec![Frame::new(Kind::Body, 0, 0)],
            last: Last::Start,
            last_end: 0,
            value_if: false,
            suspect: None,
            doc_only: false,
        }
    }

    /// Walks to the end.
    pub(super) fn finish(mut self) -> Option<Layout> {
        if self.source.starts_with('\u{feff}') {
            self.blank(0..3);
            self.pos = 3;
        }
        self.start_row(self.pos);
        loop {
            while self.pos < self.source.len() {
                self.step()?;
                if self.out.len() >= self.limits.errors {
                    return None;
                }
            }
            if !self.unclosed_parenthesis()? {
                break;
            }
        }
        self.unclosed_braces();
        self.end_line();
        let lines = self.frames.pop()?.lines;
        Some(Layout { text: String::from_utf8(self.text).ok()?, lines, tainted: self.tainted })
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.pos + ahead).copied().unwrap_or(0)
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start, end)
    }

    pub(super) fn blank(&mut self, range: Range<usize>) {
        self.text[range].fill(b' ');
    }

    /// A newline, put back where it had been blanked.
    pub(super) fn restore_newline(&mut self, at: usize) {
        if let Some(byte) = self.text.get_mut(at) {
            *byte = b'\n';
        }
    }

    /// Enters a line of the text.
    pub(super) fn start_row(&mut self, at: usize) {
        self.row = at;
        let rest = &self.source.as_bytes()[at..];
        self.row_end = rest.iter().position(|&b| b == b'\n' || b == b'\r').map_or(self.source.len(), |n| at + n);
    }

    /// Reports a problem once a line and silences what the grammar would say about the line.
    pub(super) fn report(&mut self, diagnostic: impl FnOnce() -> Diagnostic) {
        let at = self.tainted.partition_point(|other| other.start < self.row);
        if self.tainted.get(at).is_none_or(|other| other.start != self.row) {
            self.out.push(diagnostic());
            self.tainted.insert(at, self.row..self.row_end);
        }
    }

    fn step(&mut self) -> Option<()> {
        let byte = self.byte(0);
        match byte {
            b'\n' => self.newline()?,
            b' ' => self.pos += 1,
            b'\t' => {
                self.blank(self.pos..self.pos + 1);
                self.pos += 1;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' => self.word(),
            b'(' | b'[' | b'{' => self.open(byte)?,
            b')' | b']' | b'}' => self.close(byte)?,
            b'/' if self.byte(1) == b'/' => self.comment(),
            b'-' if self.byte(1) == b'>' => self.token(2, Last::Arrow),
            b':' => self.token(1, Last::Start),
            b'!' if self.byte(1) == b'=' => self.token(2, Last::Other),
            b',' | b'=' | b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' => self.token(1, Last::Other),
            b'"' => self.string(),
            b'\r' => self.carriage_return()?,
            _ => self.stranger()?,
        }
        Some(())
    }

    /// Starts a line with the next token, unless that goes on with the one before: `->` may start or
    /// end a line, and `else` goes on with its `if`.
    pub(super) fn begin(&mut self, token: Last) {
        let joins = match token {
            Last::Arrow => true,
            Last::Else => self.last == Last::BodyEnd,
            _ => self.last == Last::Arrow,
        };
        let Some(frame) = self.frames.last_mut() else { return };
        if frame.kind == Kind::Body && frame.broken && !joins {
            self.end_line();
        }
        let at = self.pos;
        let Some(frame) = self.frames.last_mut() else { return };
        frame.broken = false;
        if frame.kind == Kind::Body && frame.start.is_none() {
            frame.start = Some(at);
            self.last = Last::Start;
            self.value_if = false;
        }
        self.doc_only = false;
    }

    pub(super) fn token(&mut self, length: usize, token: Last) {
        self.begin(token);
        self.pos += length;
        self.last_end = self.pos;
        self.last = token;
    }

    /// Ends the current line of the innermost braces. A doc comment with nothing after it is no line.
    pub(super) fn end_line(&mut self) {
        let end = self.last_end;
        let doc_only = std::mem::take(&mut self.doc_only);
        let Some(frame) = self.frames.last_mut() else { return };
        frame.broken = false;
        if let Some(start) = frame.start.take().filter(|_| !doc_only) {
            frame.lines.push(LogicalLine { start, end, braces: std::mem::take(&mut frame.braces) });
        }
    }

    fn word(&mut self) {
        let rest = &self.source.as_bytes()[self.pos..];
        let length = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(rest.len());
        match &rest[..length] {
            b"else" => {
                self.value_if = self.last == Last::ValueEnd;
                self.token(length, Last::Else);
            }
            b"if" => {
                self.begin(Last::Other);
                self.value_if |= self.last == Last::Other;
                self.token(length, Last::Other);
            }
            _ => self.token(length, Last::Other),
        }
    }

    fn newline(&mut self) -> Option<()> {
        if let Some(frame) = self.frames.last_mut() {
            match frame.kind {
                Kind::Body => {
                    frame.spans_lines = true;
                    frame.broken = frame.start.is_some() && !self.doc_only;
                }
                _ => self.text[self.pos] = b' ',
            }
        }
        self.pos += 1;
        self.start_row(self.pos);
        self.head_at_margin()
    }

    fn carriage_return(&mut self) -> Option<()> {
        if self.byte(1) == b'\n' {
            self.blank(self.pos..self.pos + 1);
            self.pos += 1;
            return Some(());
        }
        let message = "a carriage return without a newline";
        if !self.out.iter().any(|known| known.message == message) {
            let place = self.span(self.pos, self.pos + 1);
            let diagnostic = Diagnostic::new(codes::CHARACTER, message).label(place, "the line ends here");
            self.out.push(diagnostic.help("save the file with `\\n` or `\\r\\n` at the ends of lines"));
        }
        self.restore_newline(self.pos);
        self.newline()
    }

    /// Blanks a comment; doc comments before items stay.
    fn comment(&mut self) {
        let end = self.row_end;
        let text = &self.source[self.pos..end];
        let alone = self.source[self.row..self.pos].trim().is_empty();
        if self.frames.len() == 1 && alone && text.starts_with("///") {
            let started = self.doc_only;
            self.begin(Last::Other);
            self.doc_only = started || self.frames[0].start == Some(self.pos);
        } else {
            self.blank(self.pos..end);
        }
        self.pos = end;
    }

    fn string(&mut self) {
        let end = self.row_end;
        let bytes = self.source.as_bytes();
        let mut at = self.pos + 1;
        while at < end && bytes[at] != b'"' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        if at < end {
            return self.token(at + 1 - self.pos, Last::Other);
        }
        let place = self.span(self.pos, self.pos + 1);
        self.report(|| {
            Diagnostic::new(codes::STRING, "the string is not closed on its line")
                .label(place, "it starts here")
                .help("close it with `\"`; write `\\n` for a newline in a string")
        });
        self.forget_row_brackets();
        self.blank(self.pos..end);
        self.pos = end;
    }

    /// A character that means nothing here.
    fn stranger(&mut self) -> Option<()> {
        let c = self.source[self.pos..].chars().next()?;
        let mut end = self.pos + c.len_utf8();
        let place = self.span(self.pos, end);
        if c == '\0' {
            let message = "the file holds a NUL byte";
            self.out.push(Diagnostic::new(codes::CHARACTER, message).label(place, "is this a text file?"));
            return None;
        }
        if c == '#' {
            end = self.row_end;
        }
        self.report(|| message::stranger(c, place));
        self.blank(self.pos..end);
        self.pos = end;
        Some(())
    }
}
