//! Text to tree. Each item is parsed by itself; a line with an error is reported, blanked, and its
//! item parsed again, so that one run finds many errors.

use super::ast::File;
use super::build::Builder;
use super::grammar::{ArchParser, Rule};
use super::layout::{self, Layout, Segment};
use super::message;
use crate::base::{Diagnostics, FileId, Limits, Span};
use pest::Parser;
use pest::error::InputLocation;

/// Bytes that may be read again after errors, besides every item's first reading.
const REREAD: usize = 4 << 20;

/// Parses one file. What was understood comes back; problems go to `out`.
pub fn parse(id: FileId, text: &str, limits: &Limits, out: &mut Diagnostics) -> File {
    let mut file = File { id, items: Vec::new() };
    let Some(mut layout) = layout::lay_out(id, text, limits, out) else { return file };
    let segments = std::mem::take(&mut layout.segments);
    let mut reader = Reader { id, layout, limits, out, budget: REREAD };
    for segment in segments {
        if reader.out.len() >= limits.errors {
            break;
        }
        reader.segment(&segment, &mut file);
    }
    file
}

struct Reader<'a> {
    id: FileId,
    layout: Layout,
    limits: &'a Limits,
    out: &'a mut Diagnostics,
    budget: usize,
}

impl Reader<'_> {
    /// Parses a segment until it has no errors left, and adds what it says to the file.
    fn segment(&mut self, segment: &Segment, file: &mut File) {
        let mut text = String::from_utf8_lossy(&self.layout.text[segment.range.clone()]).into_owned();
        text.extend(std::iter::repeat_n("\n}", segment.missing));
        let offset = segment.range.start;
        let mut broken = segment.missing > 0;
        loop {
            match ArchParser::parse(Rule::file, &text) {
                Ok(mut pairs) => {
                    let end = segment.range.end;
                    let (id, limits) = (self.id, self.limits);
                    let mut builder = Builder { id, offset, end, limits, out: self.out, broken, deepest: 0 };
                    if let Some(pair) = pairs.next() {
                        builder.items(pair, file);
                    }
                    return;
                }
                Err(error) => {
                    broken = true;
                    let at = match error.location {
                        InputLocation::Pos(at) => at,
                        InputLocation::Span((at, _)) => at,
                    };
                    if !self.is_tainted(offset + at) {
                        let place = Span::new(self.id, offset, segment.range.end);
                        self.out.push(message::unexpected(&text, at, place, &error.variant));
                    }
                    let spent = self.budget < at || self.out.len() >= self.limits.errors;
                    if spent || !blank_line(&mut text, at) {
                        return;
                    }
                    self.budget -= at;
                }
            }
        }
    }

    /// Whether the line around a byte had an error of its own.
    fn is_tainted(&self, at: usize) -> bool {
        let after = self.layout.tainted.partition_point(|line| line.start <= at);
        after > 0 && self.layout.tainted[after - 1].end >= at
    }
}

/// Blanks the line with byte `at`, or the last one before it that is not blank already; braces that
/// are not closed on it stay. `false` where there was nothing to blank.
fn blank_line(text: &mut String, at: usize) -> bool {
    let mut end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    loop {
        let start = text[..end].rfind('\n').map_or(0, |n| n + 1);
        let line = &text[start..end];
        let kept = skeleton(line);
        if kept.trim_end() != line.trim_end() {
            text.replace_range(start..end, &kept);
            return true;
        }
        if start == 0 {
            return false;
        }
        end = start - 1;
    }
}

/// A line's unmatched braces, in their places; spaces elsewhere.
fn skeleton(line: &str) -> String {
    let mut kept = vec![b' '; line.len()];
    let mut open: Vec<usize> = Vec::new();
    let mut closing: Vec<usize> = Vec::new();
    let mut inside_string = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => inside_string = !inside_string,
            b'{' if !inside_string => open.push(at),
            b'}' if !inside_string && open.pop().is_none() => closing.push(at),
            _ => {}
        }
    }
    let net = open.len() as isize - closing.len() as isize;
    let (places, brace) = if net > 0 { (&open[closing.len()..], b'{') } else { (&closing[open.len()..], b'}') };
    places.iter().for_each(|&at| kept[at] = brace);
    String::from_utf8(kept).unwrap_or_default()
}
