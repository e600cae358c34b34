//! Shapes at the ends of lines.

use super::analysis::{Analysis, Seen};
use super::shapes;
use super::text::Text;
use lsp_types::{InlayHint, InlayHintLabel, InlayHintTooltip, MarkupContent, MarkupKind, Range};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// Models that a tooltip names.
const MODELS: usize = 12;

/// The shape after the last step of each line. Where several models share a line, the first speaks, and the tooltip
/// names the others.
pub fn hints(known: &[Rc<Analysis>], path: &Path, text: &Text, range: Range) -> Vec<InlayHint> {
    let bytes = text.offset(range.start)..text.offset(range.end) + 1;
    // The last step on each line, of the first analysis that knows it.
    let mut lines: BTreeMap<usize, (usize, Vec<Seen<'_>>)> = BTreeMap::new();
    for shapes in known.iter().filter_map(|known| known.shapes(path, &text.text)) {
        for (end, seen) in shapes.ends(bytes.clone()) {
            let line = text.line_of(end);
            match lines.get_mut(&line) {
                Some((known_end, list)) if *known_end == end => list.extend(seen),
                Some((known_end, _)) if *known_end > end => {}
                _ => drop(lines.insert(line, (end, seen))),
            }
        }
    }
    lines.into_values().filter_map(|(end, seen)| hint(text, end, &seen)).collect()
}

fn hint(text: &Text, end: usize, seen: &[Seen<'_>]) -> Option<InlayHint> {
    let first = seen.iter().find_map(shapes::outputs)?;
    let word = text.text.get(..end)?.rsplit('\n').next().unwrap_or("").trim_start();
    // Declarations say their own shape, and the end of a loop has that of its last line.
    let silent = ["input ", "let ", "set ", "output "].iter().any(|head| word.starts_with(head));
    if silent && !word.contains("->") || word == "}" && !merges(text, end, seen) {
        return None;
    }
    let each = |seen: &Seen<'_>| Some(format!("{}: {}", seen.view.model, shapes::line(seen)?));
    let mut lines: Vec<String> = seen.iter().filter_map(each).collect();
    let more = lines.len().saturating_sub(MODELS);
    lines.truncate(MODELS);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let tooltip = MarkupContent { kind: MarkupKind::Markdown, value: format!("- {}", lines.join("\n- ")) };
    Some(InlayHint {
        position: text.position(end),
        label: InlayHintLabel::String(first),
        kind: None,
        text_edits: None,
        tooltip: Some(InlayHintTooltip::MarkupContent(tooltip)),
        padding_left: Some(true),
        padding_right: None,
        data: None,
    })
}

/// Whether the step that ends here is a skip or a `parallel`, whose value is not that of its last line.
fn merges(text: &Text, end: usize, seen: &[Seen<'_>]) -> bool {
    let length = seen.first().and_then(|one| one.taken.first()).map_or(0, |taken| taken.span.len());
    let step = end.checked_sub(length).and_then(|start| text.text.get(start..end)).unwrap_or("");
    step.lines().next().unwrap_or("").split_whitespace().any(|word| matches!(word, "skip" | "parallel"))
}
