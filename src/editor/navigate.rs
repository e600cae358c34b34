//! Where a name is given, and where it is used.

use super::analysis::Analysis;
use super::index::{Place, Role, SymbolId};
use super::paths::{plain, uri_of};
use super::requests::{Cursor, spot};
use super::state::State;
use super::text::Text;
use crate::base::Span;
use crate::syntax::ast::Item;
use lsp_types::{
    DocumentHighlight, DocumentHighlightKind, DocumentHighlightParams, GotoDefinitionParams, GotoDefinitionResponse,
    Location, Range, ReferenceParams,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A place in some file.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// The bytes there.
    pub range: std::ops::Range<usize>,
    /// What it has to do with the name.
    pub role: Role,
}

/// Where a symbol is given: the same in every program that has the file.
pub type Key = (PathBuf, u32);

/// The places of names under the pointer, the exact ones first.
pub fn places(known: &Analysis, spot: &Cursor) -> Vec<Place> {
    known.file(&spot.path).map_or_else(Vec::new, |file| known.index().at(file, spot.offset))
}

/// What identifies a symbol in other programs.
pub fn key(known: &Analysis, symbol: SymbolId) -> Option<Key> {
    let span = known.index().symbols.get(symbol)?.definitions.first()?;
    Some((known.path(span.file), span.start))
}

/// The symbol that another program knows by this key.
fn symbol_of(known: &Analysis, key: &Key) -> Option<SymbolId> {
    let file = known.file(&key.0)?;
    known.index().defined_at(Span { file, start: key.1, end: key.1 })
}

/// Every place of a symbol in some programs, in order of files and bytes.
pub fn everywhere(programs: &[Rc<Analysis>], key: &Key) -> Vec<Found> {
    let mut found: BTreeMap<(PathBuf, usize), Found> = BTreeMap::new();
    for known in programs {
        let Some(symbol) = symbol_of(known, key) else { continue };
        for place in known.index().places_of(symbol) {
            let path = plain(&known.path(place.span.file));
            let range = place.span.start as usize..place.span.end as usize;
            found.entry((path.clone(), range.start)).or_insert(Found { path, range, role: place.role });
        }
    }
    found.into_values().collect()
}

/// The text of a file as it was read.
pub fn text_of(state: &State, programs: &[Rc<Analysis>], path: &Path) -> Option<Text> {
    if let Some(document) = state.documents.get(path) {
        return Some(document.text.clone());
    }
    let source = programs.iter().find_map(|known| Some(&known.program.sources.file(known.file(path)?).text))?;
    Some(Text::new(std::sync::Arc::clone(source), state.encoding))
}

fn location(state: &State, programs: &[Rc<Analysis>], found: &Found) -> Option<Location> {
    let text = text_of(state, programs, &found.path)?;
    Some(Location { uri: uri_of(&found.path)?, range: text.range(found.range.start, found.range.end) })
}

/// Where the name under the pointer is given; for the path of an import, the file.
pub fn definition(state: &mut State, params: &GotoDefinitionParams) -> Option<GotoDefinitionResponse> {
    let spot = spot(state, &params.text_document_position_params)?;
    let known = state.analysis(&spot.path)?;
    if let Some(path) = imported(&known, &spot) {
        let start = Location { uri: uri_of(&path)?, range: Range::default() };
        return Some(GotoDefinitionResponse::Scalar(start));
    }
    let programs = [Rc::clone(&known)];
    let mut found = Vec::new();
    for place in places(&known, &spot) {
        for span in &known.index().symbols[place.symbol].definitions {
            let path = plain(&known.path(span.file));
            let range = span.start as usize..span.end as usize;
            let one = Found { path, range, role: Role::Definition };
            found.extend(location(state, &programs, &one).filter(|one| !found.contains(one)));
        }
    }
    (!found.is_empty()).then_some(GotoDefinitionResponse::Array(found))
}

/// The file that the import under the pointer names.
fn imported(known: &Analysis, spot: &Cursor) -> Option<PathBuf> {
    let file = known.file(&spot.path)?;
    let items = &known.program.files().find(|one| one.id == file)?.items;
    let offset = spot.offset as u32;
    let written = items.iter().find_map(|item| match item {
        Item::Import(import) if (import.path.span.start..=import.path.span.end).contains(&offset) => {
            Some(&import.path.node)
        }
        _ => None,
    })?;
    let path = plain(&spot.path.parent().unwrap_or(Path::new("")).join(written));
    known.file(&path).map(|_| path)
}

/// Every use of the name under the pointer, in all files of the open folders.
pub fn references(state: &mut State, params: &ReferenceParams) -> Option<Vec<Location>> {
    let spot = spot(state, &params.text_document_position)?;
    let known = state.analysis(&spot.path)?;
    let place = places(&known, &spot).into_iter().next()?;
    let key = key(&known, place.symbol)?;
    let mut programs = vec![known];
    programs.extend(state.analyses_everywhere(&key.0));
    let wanted = |found: &Found| params.context.include_declaration || found.role != Role::Definition;
    let found = everywhere(&programs, &key).into_iter().filter(wanted);
    Some(found.filter_map(|one| location(state, &programs, &one)).collect())
}

/// The places of the name under the pointer in its document.
pub fn highlight(state: &mut State, params: &DocumentHighlightParams) -> Option<Vec<DocumentHighlight>> {
    let spot = spot(state, &params.text_document_position_params)?;
    let known = state.analysis(&spot.path)?;
    let file = known.file(&spot.path)?;
    let symbol = places(&known, &spot).first()?.symbol;
    let shown = |place: Place| DocumentHighlight {
        range: spot.text.range(place.span.start as usize, place.span.end as usize),
        kind: Some(match place.role {
            Role::Definition => DocumentHighlightKind::WRITE,
            _ => DocumentHighlightKind::READ,
        }),
    };
    Some(known.index().of_file(file).filter(|place| place.symbol == symbol).map(shown).collect())
}
