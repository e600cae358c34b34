//! Names changed wherever they are used, or not at all.

use super::analysis::Analysis;
use super::index::{Role, Symbol, SymbolKind};
use super::navigate::{Found, everywhere, key, places, text_of};
use super::paths::uri_of;
use super::requests::spot;
use super::state::State;
use super::tokens::KEYWORDS;
use crate::ops;
use lsp_types::{PrepareRenameResponse, RenameParams, TextDocumentPositionParams, TextEdit, Uri, WorkspaceEdit};
use std::collections::HashMap;
use std::rc::Rc;

/// The name that may be changed.
///
/// # Errors
/// Where what stands there has no name that can be changed, and why.
pub fn prepare(
    state: &mut State,
    params: &TextDocumentPositionParams,
) -> Result<Option<PrepareRenameResponse>, String> {
    let Some(spot) = spot(state, params) else { return Ok(None) };
    let Some(known) = state.analysis(&spot.path) else { return Ok(None) };
    let Some(place) = places(&known, &spot).into_iter().next() else {
        let word = super::tokens::word_at(&spot.text.text, spot.offset).and_then(|range| spot.text.text.get(range));
        return Err(match word {
            Some(word) if ops::layer(word).is_some() => format!("`{word}` is a layer of the language"),
            Some(word) if KEYWORDS.contains(&word) => format!("`{word}` is a word of the language"),
            _ => "no name that is given in a file stands here".into(),
        });
    };
    let symbol = &known.index().symbols[place.symbol];
    may_change(symbol, place.role)?;
    let range = spot.text.range(place.span.start as usize, place.span.end as usize);
    Ok(Some(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder: symbol.name.clone() }))
}

fn may_change(symbol: &Symbol, role: Role) -> Result<(), String> {
    if symbol.pattern {
        return Err(format!("`{}` holds an expression: change its text by hand", symbol.name));
    }
    if role == Role::Loose {
        return Err(format!(
            "this means `{}` by an expression or by counting: rename it where it is given",
            symbol.name
        ));
    }
    Ok(())
}

/// The edits that give the name under the pointer another text.
///
/// # Errors
/// Where the new name cannot stand there, is taken, or not every use could be changed.
pub fn rename(state: &mut State, params: &RenameParams) -> Result<Option<WorkspaceEdit>, String> {
    let Some(spot) = spot(state, &params.text_document_position) else { return Ok(None) };
    let Some(known) = state.analysis(&spot.path) else { return Ok(None) };
    let Some(place) = places(&known, &spot).into_iter().next() else {
        return Err("no name that is given in a file stands here".into());
    };
    let symbol = &known.index().symbols[place.symbol];
    may_change(symbol, place.role)?;
    let name = params.new_name.trim();
    valid(name, symbol.kind)?;
    let Some(key) = key(&known, place.symbol) else { return Ok(None) };
    let mut programs = vec![Rc::clone(&known)];
    programs.extend(state.analyses_everywhere(&key.0));
    if let Some(broken) = programs.iter().find(|known| known.has_broken_text()) {
        let file = broken.path(crate::base::FileId(0));
        return Err(format!("{} or a file that it imports has errors in its text: mend them first", file.display()));
    }
    let found = everywhere(&programs, &key);
    if let Some(loose) = found.iter().find(|one| one.role == Role::Loose) {
        let text = text_of(state, &programs, &loose.path);
        let line = text.map_or(0, |text| text.line_of(loose.range.start) + 1);
        let file = loose.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(format!("`{}` may be meant on line {line} of {file}: change that by hand first", symbol.name));
    }
    for known in &programs {
        clash(known, symbol, name)?;
    }
    Ok(Some(edits(state, &programs, found, name)))
}

fn edits(state: &State, programs: &[Rc<Analysis>], found: Vec<Found>, name: &str) -> WorkspaceEdit {
    #[allow(clippy::mutable_key_type, reason = "the protocol's own type")]
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for one in found {
        let (Some(text), Some(uri)) = (text_of(state, programs, &one.path), uri_of(&one.path)) else { continue };
        let range = text.range(one.range.start, one.range.end);
        changes.entry(uri).or_default().push(TextEdit { range, new_text: name.to_string() });
    }
    WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
}

/// Whether a name may be given to a symbol of this kind.
fn valid(name: &str, kind: SymbolKind) -> Result<(), String> {
    let letters = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !letters {
        return Err(format!("`{name}` is no name: names are made of letters, digits and `_`"));
    }
    let free = matches!(kind, SymbolKind::Label | SymbolKind::Output);
    if free && name == "_" {
        return Err("`_` names nothing".into());
    }
    if !free && name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("`{name}` starts with a digit, which only a label may"));
    }
    if !free && kind != SymbolKind::ValueParam && KEYWORDS.contains(&name) {
        return Err(format!("`{name}` is a word of the language"));
    }
    let item = matches!(kind, SymbolKind::Block | SymbolKind::Model);
    if item && (ops::layer(name).is_some() || matches!(name, "project" | "zero_pad")) {
        return Err(format!("`{name}` is a layer of the language"));
    }
    Ok(())
}

/// Refuses a name that means something else already where the symbol can be seen.
fn clash(known: &Analysis, symbol: &Symbol, name: &str) -> Result<(), String> {
    if symbol.name == name {
        return Ok(());
    }
    let taken = |other: &Symbol| Err(format!("`{name}` is a {} already", other.kind.words()));
    let index = known.index();
    if matches!(symbol.kind, SymbolKind::Block | SymbolKind::Model) {
        let items = |other: &&Symbol| matches!(other.kind, SymbolKind::Block | SymbolKind::Model);
        return match index.symbols.iter().filter(items).find(|other| other.name == name) {
            Some(other) => taken(other),
            None => Ok(()),
        };
    }
    let owner = |one: &Symbol| one.owner.map(|id| index.symbols[id].definitions.clone());
    let class = |kind: SymbolKind| match kind {
        SymbolKind::Param | SymbolKind::Let | SymbolKind::Loop => 0,
        SymbolKind::Label | SymbolKind::Input => 1,
        SymbolKind::Output => 2,
        _ => 3,
    };
    let (mine, owned) = (class(symbol.kind), symbol.owner);
    // A value parameter stands beside numbers and beside labels.
    let meets = |other: &Symbol| class(other.kind) == mine || (class(other.kind) == 3) != (mine == 3);
    let same = |other: &&Symbol| other.name == name && meets(other) && owned.is_some() && owner(other).is_some();
    let mut others = index.symbols.iter().filter(same).filter(|other| {
        let (a, b) = (other.whole, symbol.whole);
        let around = |id: Option<usize>| id.map(|id| index.symbols[id].name.as_str());
        a.file == b.file && around(other.owner) == around(symbol.owner)
    });
    others.next().map_or(Ok(()), taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_be_names() {
        assert!(valid("0", SymbolKind::Label).is_ok());
        assert!(valid("0", SymbolKind::Block).is_err());
        assert!(valid("skip", SymbolKind::ValueParam).is_ok());
        assert!(valid("skip", SymbolKind::Param).is_err());
        assert!(valid("conv", SymbolKind::Block).is_err());
        assert!(valid("a-b", SymbolKind::Label).is_err());
        assert!(valid("", SymbolKind::Let).is_err());
    }
}
