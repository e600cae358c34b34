//! The canonical style, as the smallest edit.

use super::paths::path_of;
use super::state::State;
use super::text::Text;
use crate::base::{FileId, Limits};
use crate::tools;
use lsp_types::{DocumentFormattingParams, TextEdit};

/// What makes a document canonical: nothing, or one edit of the lines that differ.
///
/// # Errors
/// Where the text does not parse, the first reason why.
pub fn edits(state: &State, params: &DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>, String> {
    let Some(document) = state.documents.get(&path_of(&params.text_document.uri)) else { return Ok(None) };
    let before: &str = &document.text.text;
    let after = tools::format::format(FileId(0), before, &Limits::default()).map_err(|found| {
        let first = found.iter().next().map_or_else(String::new, |d| format!(": {}", d.message));
        format!("a text with errors is not formatted{first}")
    })?;
    Ok(Some(if before == after { Vec::new() } else { vec![smallest(&document.text, &after)] }))
}

/// The edit of the lines that differ.
pub fn smallest(text: &Text, after: &str) -> TextEdit {
    let before: &str = &text.text;
    let lines = |text: &str| text.split_inclusive('\n').map(str::len).collect::<Vec<_>>();
    let same = |(a, b): &(&str, &str)| a == b;
    let heads = before.split_inclusive('\n').zip(after.split_inclusive('\n')).take_while(same);
    let start: usize = heads.map(|(line, _)| line.len()).sum();
    let rest = (before.get(start..).unwrap_or(""), after.get(start..).unwrap_or(""));
    let most = lines(rest.0).len().min(lines(rest.1).len());
    let tails = rest.0.split_inclusive('\n').rev().zip(rest.1.split_inclusive('\n').rev()).take(most);
    let tail: usize = tails.take_while(same).map(|(line, _)| line.len()).sum();
    let new_text = after[start..after.len() - tail].to_string();
    TextEdit { range: text.range(start, before.len() - tail), new_text }
}
