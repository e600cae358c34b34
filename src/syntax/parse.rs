//! Text to tree. Each line of the language is read by itself, so one run finds the errors of many
//! lines, and none of them is told twice.

use super::ast::File;
use super::build::Builder;
use super::layout;
use crate::base::{Diagnostics, FileId, Limits};

/// Parses one file. What was understood comes back; problems go to `out`, at most as many as
/// `limits.errors`.
pub fn parse(id: FileId, text: &str, limits: &Limits, out: &mut Diagnostics) -> File {
    let mut file = File { id, items: Vec::new() };
    let mut found = Diagnostics::default();
    if let Some(mut layout) = layout::lay_out(id, text, limits, &mut found) {
        let lines = std::mem::take(&mut layout.lines);
        let mut builder = Builder::new(id, &layout, limits, &mut found);
        for line in lines {
            builder.item_line(line, &mut file);
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span.start));
    out.extend(found);
    file
}
