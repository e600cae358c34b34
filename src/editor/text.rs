//! One open text: its lines, and positions as editors count them.

use lsp_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent};
use std::sync::Arc;

/// How columns are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// In bytes.
    Utf8,
    /// In units of UTF-16, which every client understands.
    Utf16,
}

impl Encoding {
    /// UTF-8 where the client offers it.
    pub fn agreed(offered: Option<&Vec<PositionEncodingKind>>) -> Self {
        match offered {
            Some(kinds) if kinds.contains(&PositionEncodingKind::UTF8) => Self::Utf8,
            _ => Self::Utf16,
        }
    }

    /// Its name in the protocol.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// Columns that a text takes.
    pub fn width(self, text: &str) -> u32 {
        match self {
            Self::Utf8 => text.len() as u32,
            Self::Utf16 if text.is_ascii() => text.len() as u32,
            Self::Utf16 => text.encode_utf16().count() as u32,
        }
    }
}

/// A text with the starts of its lines.
#[derive(Clone, Debug)]
pub struct Text {
    /// The whole text.
    pub text: Arc<str>,
    starts: Vec<u32>,
    encoding: Encoding,
}

impl Text {
    /// Finds the lines of a text.
    pub fn new(text: impl Into<Arc<str>>, encoding: Encoding) -> Self {
        let text = text.into();
        let bytes = text.as_bytes();
        let ends = |&(i, b): &(usize, &u8)| *b == b'\n' || *b == b'\r' && bytes.get(i + 1) != Some(&b'\n');
        let breaks = bytes.iter().enumerate().filter(ends).map(|(i, _)| i as u32 + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { text, starts, encoding }
    }

    /// The line of a byte, from 0.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start as usize <= offset).saturating_sub(1)
    }

    /// The bytes of a line, without what ends it.
    pub fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let start = self.starts.get(line).map_or(self.text.len(), |&s| s as usize);
        let end = self.starts.get(line + 1).map_or(self.text.len(), |&s| s as usize);
        let content = self.text.get(start..end).unwrap_or("").trim_end_matches(['\n', '\r']);
        start..start + content.len()
    }

    /// The byte at a position. Positions past the end of a line or of the text are moved to that end, and those
    /// within a character to its start.
    pub fn offset(&self, position: Position) -> usize {
        if position.line as usize >= self.starts.len() {
            return self.text.len();
        }
        let range = self.line_range(position.line as usize);
        let line = &self.text[range.clone()];
        let mut column = 0;
        for (at, c) in line.char_indices() {
            let width = match self.encoding {
                Encoding::Utf8 => c.len_utf8(),
                Encoding::Utf16 => c.len_utf16(),
            };
            if column + width as u32 > position.character {
                return range.start + at;
            }
            column += width as u32;
        }
        range.end
    }

    /// The position of a byte; of one within a character, that of its start.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = self.line_of(offset);
        let start = self.starts.get(line).map_or(0, |&s| s as usize);
        Position::new(line as u32, self.encoding.width(self.text.get(start..offset).unwrap_or("")))
    }

    /// The positions of a range of bytes.
    pub fn range(&self, start: usize, end: usize) -> Range {
        Range::new(self.position(start), self.position(end.max(start)))
    }

    /// The text after a change that the client tells.
    pub fn changed(&self, change: &TextDocumentContentChangeEvent) -> Self {
        let Some(range) = change.range else { return Self::new(change.text.as_str(), self.encoding) };
        let start = self.offset(range.start);
        let end = self.offset(range.end).max(start);
        let whole = [&self.text[..start], &change.text, &self.text[end..]].concat();
        Self::new(whole, self.encoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_agreed() {
        let text = "a × b\r\nc𝄞d\n";
        let (wide, narrow) = (Text::new(text, Encoding::Utf16), Text::new(text, Encoding::Utf8));
        let place = text.find('b').unwrap_or(0);
        assert_eq!(wide.position(place), Position::new(0, 4));
        assert_eq!(narrow.position(place), Position::new(0, 5));
        let d = text.find('d').unwrap_or(0);
        assert_eq!(wide.position(d), Position::new(1, 3));
        for text in [&wide, &narrow] {
            for offset in [0, place, d, text.text.len()] {
                assert_eq!(text.offset(text.position(offset)), offset);
            }
        }
        assert_eq!(wide.offset(Position::new(0, 99)), 6, "the end of the line, before what ends it");
        assert_eq!(wide.offset(Position::new(1, 2)), text.find('𝄞').unwrap_or(0), "within a character");
        assert_eq!(wide.offset(Position::new(99, 0)), text.len());
    }

    #[test]
    fn changes_are_applied() {
        let text = Text::new("one\ntwo\n", Encoding::Utf16);
        let range = Some(Range::new(Position::new(0, 1), Position::new(1, 1)));
        let change = TextDocumentContentChangeEvent { range, range_length: None, text: "×".into() };
        assert_eq!(&*text.changed(&change).text, "o×wo\n");
        let whole = TextDocumentContentChangeEvent { range: None, range_length: None, text: "new".into() };
        assert_eq!(&*text.changed(&whole).text, "new");
    }
}
