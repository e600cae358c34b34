//! The pass before the grammar: comments and newlines within parentheses become spaces, brackets are
//! matched and their depth bounded, characters without a meaning are reported, and the text is cut
//! into segments of one item each. One walk over the bytes, which keep their places.

use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Span, codes};
use std::ops::Range;

/// A text made ready for the grammar.
pub struct Layout {
    /// As long as the source.
    pub text: Vec<u8>,
    /// One item each, in order.
    pub segments: Vec<Segment>,
    /// Lines with a reported error, in order: what the grammar says about them is no news.
    pub tainted: Vec<Range<usize>>,
}

/// The bytes of one item, with the doc comment before it.
pub struct Segment {
    /// Where it stands.
    pub range: Range<usize>,
    /// How many closing braces it lacks.
    pub missing: usize,
}

/// An open bracket.
#[derive(Clone, Copy)]
struct Open {
    bracket: u8,
    at: usize,
    indent: usize,
}

/// Words that start an item; at the margin they end whatever braces are still open.
const ITEMS: [&str; 5] = ["block ", "model ", "train ", "import ", "set "];

/// Lays a text out; `None` where it is not worth parsing.
pub fn lay_out(id: FileId, text: &str, limits: &Limits, out: &mut Diagnostics) -> Option<Layout> {
    if text.len() as u64 > limits.source_bytes.min(u32::MAX as u64) {
        out.push(too_large(id, text.len(), limits));
        return None;
    }
    let mut scanner = Scanner {
        id,
        source: text,
        limits,
        out,
        layout: Layout { text: text.as_bytes().to_vec(), segments: Vec::new(), tainted: Vec::new() },
        pos: 0,
        line: 0,
        start: None,
        stack: Vec::new(),
        suspect: None,
    };
    scanner.walk()?;
    Some(scanner.layout)
}

fn too_large(id: FileId, bytes: usize, limits: &Limits) -> Diagnostic {
    let message = format!("the file holds {bytes} bytes, more than the limit of {}", limits.source_bytes);
    let help = format!("raise the limit: `--limit source-bytes={bytes}`");
    Diagnostic::new(codes::TOO_LARGE, message).label(Span::new(id, 0, 0), "this file").help(help)
}

struct Scanner<'a> {
    id: FileId,
    source: &'a str,
    limits: &'a Limits,
    out: &'a mut Diagnostics,
    layout: Layout,
    pos: usize,
    /// Where the current line starts.
    line: usize,
    /// Where the current segment starts.
    start: Option<usize>,
    stack: Vec<Open>,
    /// The brace whose partner seems to be missing: a `}` indented differently closed it.
    suspect: Option<Open>,
}

impl Scanner<'_> {
    fn walk(&mut self) -> Option<()> {
        self.byte_order_mark();
        self.line_start();
        loop {
            while self.pos < self.source.len() {
                self.step()?;
                if self.out.len() >= self.limits.errors {
                    return None;
                }
            }
            match self.stack.last().copied() {
                Some(open) if open.bracket != b'{' => self.unclosed_parenthesis(),
                _ => break,
            }
        }
        self.unclosed_braces();
        self.end_segment();
        Some(())
    }

    fn bytes(&self) -> &[u8] {
        self.source.as_bytes()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start, end)
    }

    fn blank(&mut self, range: Range<usize>) {
        self.layout.text[range].fill(b' ');
    }

    /// Where the current line ends.
    fn line_end(&self) -> usize {
        self.bytes()[self.pos..].iter().position(|&b| b == b'\n').map_or(self.source.len(), |n| self.pos + n)
    }

    /// Reports a problem once a line and silences what the grammar would say about the line.
    fn report(&mut self, diagnostic: Diagnostic) {
        let line = self.line..self.line_end();
        if self.layout.tainted.last().is_none_or(|last| last.start != line.start) {
            self.out.push(diagnostic);
            self.layout.tainted.push(line);
        }
    }

    fn byte_order_mark(&mut self) {
        if self.source.starts_with('\u{feff}') {
            self.blank(0..3);
            self.pos = 3;
        }
    }

    fn step(&mut self) -> Option<()> {
        let byte = self.bytes()[self.pos];
        match byte {
            b'\n' => self.newline(),
            b' ' | b'\t' => self.pos += 1,
            b'\r' => self.carriage_return(),
            b'/' if self.source[self.pos..].starts_with("//") => self.comment(),
            b'"' => self.string(),
            b'(' | b'[' | b'{' => self.open(byte)?,
            b')' | b']' | b'}' => self.close(byte),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.token(),
            b',' | b':' | b'=' | b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' => self.token(),
            b'!' if self.bytes().get(self.pos + 1) == Some(&b'=') => self.token(),
            _ => self.stranger()?,
        }
        Some(())
    }

    fn token(&mut self) {
        self.start.get_or_insert(self.pos);
        self.pos += 1;
    }

    fn newline(&mut self) {
        match self.stack.last() {
            None => self.end_line_at_top(),
            Some(open) if open.bracket != b'{' => self.layout.text[self.pos] = b' ',
            Some(_) => {}
        }
        self.pos += 1;
        self.line_start();
    }

    /// A newline outside all brackets ends a segment, unless it held only doc comments.
    fn end_line_at_top(&mut self) {
        let doc = self.source[self.line..self.pos].trim_start().starts_with("///");
        if !doc {
            self.end_segment();
        }
    }

    fn line_start(&mut self) {
        self.line = self.pos;
        let rest = &self.source[self.pos..];
        let inside = self.stack.iter().any(|open| open.bracket == b'{');
        if inside && ITEMS[..3].iter().any(|word| rest.starts_with(word)) {
            match self.stack.last() {
                Some(open) if open.bracket != b'{' => self.unclosed_parenthesis(),
                _ => {
                    self.unclosed_braces();
                    self.end_segment();
                }
            }
        }
    }

    fn end_segment(&mut self) {
        if let Some(start) = self.start.take() {
            let missing = self.stack.len();
            self.layout.segments.push(Segment { range: start..self.pos, missing });
        }
        self.stack.clear();
        self.suspect = None;
    }

    fn carriage_return(&mut self) {
        let lone = self.bytes().get(self.pos + 1) != Some(&b'\n');
        self.layout.text[self.pos] = if lone { b'\n' } else { b' ' };
        if lone && !self.out.iter().any(|d| d.code == codes::CHARACTER && d.message.contains("carriage return")) {
            let message = "a carriage return without a newline";
            let diagnostic =
                Diagnostic::new(codes::CHARACTER, message).label(self.span(self.pos, self.pos + 1), "here");
            self.report(diagnostic.help("save the file with `\\n` or `\\r\\n` line ends"));
        }
        self.pos += 1;
    }

    /// Blanks a comment; doc comments outside braces stay.
    fn comment(&mut self) {
        let end = self.line_end();
        let text = &self.source[self.pos..end];
        let own_line = self.source[self.line..self.pos].trim().is_empty();
        if self.stack.is_empty() && own_line && text.starts_with("///") {
            self.start.get_or_insert(self.pos);
            if text.ends_with('\r') {
                self.layout.text[end - 1] = b' ';
            }
        } else {
            self.blank(self.pos..end);
        }
        self.pos = end;
    }

    fn string(&mut self) {
        self.start.get_or_insert(self.pos);
        let end = self.line_end();
        let mut at = self.pos + 1;
        while at < end {
            match self.bytes()[at] {
                b'\\' => at += 1,
                b'"' => {
                    self.pos = at + 1;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        let diagnostic = Diagnostic::new(codes::STRING, "the string is not closed on its line")
            .label(self.span(self.pos, self.pos + 1), "it starts here")
            .help("close it with `\"`; write `\\n` for a newline in a string");
        self.report(diagnostic);
        let line = self.line;
        while self.stack.last().is_some_and(|open| open.bracket != b'{' && open.at >= line) {
            self.stack.pop();
        }
        self.blank(self.pos..end);
        self.pos = end;
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        if self.stack.len() >= self.limits.nesting {
            let limit = self.limits.nesting;
            let diagnostic = Diagnostic::new(codes::TOO_DEEP, format!("more than {limit} brackets are open at once"))
                .label(self.span(self.pos, self.pos + 1), "this one is too deep")
                .help(format!("raise the limit: `--limit nesting={}`", limit * 2));
            self.out.push(diagnostic);
            return None;
        }
        let before = &self.source[self.line..self.pos];
        let indent = before.len() - before.trim_start().len();
        self.stack.push(Open { bracket, at: self.pos, indent });
        self.token();
        Some(())
    }

    fn close(&mut self, bracket: u8) {
        let opener = match bracket {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        match self.stack.last().copied() {
            Some(open) if open.bracket == opener => {
                self.stack.pop();
                let before = &self.source[self.line..self.pos];
                if bracket == b'}' && before.trim().is_empty() && before.len() != open.indent && self.suspect.is_none()
                {
                    self.suspect = Some(open);
                }
            }
            Some(open) if bracket != b'}' && open.bracket != b'{' => {
                let message = format!("`{}` is closed by `{}`", open.bracket as char, bracket as char);
                let diagnostic = Diagnostic::new(codes::BRACKET, message)
                    .label(self.span(self.pos, self.pos + 1), "this closes another kind of bracket")
                    .label(self.span(open.at, open.at + 1), "opened here");
                self.report(diagnostic);
                self.stack.pop();
            }
            Some(open) if open.bracket != b'{' && self.stack.iter().any(|o| o.bracket == b'{') => {
                return self.unclosed_parenthesis();
            }
            _ => {
                let message = format!("this `{}` closes nothing", bracket as char);
                let place = self.span(self.pos, self.pos + 1);
                self.report(Diagnostic::new(codes::BRACKET, message).label(place, "no bracket is open here"));
                self.blank(self.pos..self.pos + 1);
            }
        }
        self.token();
    }

    /// The innermost parenthesis has no partner: it is taken to end with its line, and what follows is
    /// walked again.
    fn unclosed_parenthesis(&mut self) {
        let Some(first) = self.stack.iter().position(|open| open.bracket != b'{') else { return };
        let open = self.stack[first];
        self.stack.truncate(first);
        self.line = self.source[..open.at].rfind('\n').map_or(0, |n| n + 1);
        self.pos = open.at;
        let message = format!("this `{}` is never closed", open.bracket as char);
        self.report(Diagnostic::new(codes::BRACKET, message).label(self.span(open.at, open.at + 1), "opened here"));
        self.pos = self.line_end();
        if let Some(newline) = self.layout.text.get_mut(self.pos) {
            *newline = b'\n';
        }
    }

    /// The braces still open have no partners: one of them is reported.
    fn unclosed_braces(&mut self) {
        let Some(&innermost) = self.stack.last() else { return };
        let open = self.suspect.unwrap_or(innermost);
        let end = self.source[..self.pos].trim_end().len();
        let diagnostic = Diagnostic::new(codes::BRACKET, "this `{` is never closed")
            .label(self.span(open.at, open.at + 1), "opened here")
            .label(self.span(end, end), "a `}` is missing before this ends");
        self.out.push(diagnostic);
    }

    /// A character that means nothing here.
    fn stranger(&mut self) -> Option<()> {
        let Some(c) = self.source[self.pos..].chars().next() else {
            self.pos += 1;
            return Some(());
        };
        let end = self.pos + c.len_utf8();
        let place = self.span(self.pos, end);
        if c == '\0' {
            let message = "the file holds a NUL byte";
            self.out.push(Diagnostic::new(codes::CHARACTER, message).label(place, "is this a text file?"));
            return None;
        }
        self.report(super::message::stranger(c, place));
        let end = if matches!(c, '#') { self.line_end() } else { end };
        self.blank(self.pos..end);
        self.pos = end;
        Some(())
    }
}
