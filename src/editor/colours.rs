//! What each word is, for colours.
//!
//! Types: `keyword`, `comment`, `string`, `number`, `operator`; `function` (a layer or a function), `class` (a block),
//! `struct` (a model), `parameter`, `variable` (a `let` or a loop variable), `label` (labels, inputs, outputs),
//! `property` (names of arguments, lines of recipes, sizes of `it`), `enumMember` (kinds of merges, words such as `global`).
//! Modifiers: `declaration`, `defaultLibrary` (what the language brings).

use super::context::{self, Place};
use super::index::{Role, SymbolKind};
use super::paths::path_of;
use super::state::State;
use super::text::Text;
use super::tokens::{KEYWORDS, Kind, Token, tokens as all_tokens};
use crate::elaborate::vocabulary;
use crate::ops;
use lsp_types::{
    SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokens, SemanticTokensLegend, SemanticTokensParams,
};
use std::collections::BTreeMap;

const TYPES: [SemanticTokenType; 13] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::COMMENT,
    SemanticTokenType::STRING,
    SemanticTokenType::NUMBER,
    SemanticTokenType::OPERATOR,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::CLASS,
    SemanticTokenType::STRUCT,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::new("label"),
    SemanticTokenType::PROPERTY,
    SemanticTokenType::ENUM_MEMBER,
];
/// Texts with more bytes do without what only the place of a word tells.
const LARGEST: usize = 64 << 10;
const DECLARATION: u32 = 1;
const LIBRARY: u32 = 2;

/// A type and modifiers.
type Colour = (SemanticTokenType, u32);

/// The types and modifiers, in the order of their numbers.
pub fn legend() -> SemanticTokensLegend {
    let token_modifiers = vec![SemanticTokenModifier::DECLARATION, SemanticTokenModifier::DEFAULT_LIBRARY];
    SemanticTokensLegend { token_types: TYPES.to_vec(), token_modifiers }
}

/// Every word of a document.
pub fn tokens(state: &mut State, params: &SemanticTokensParams) -> Option<SemanticTokens> {
    let path = path_of(&params.text_document.uri);
    let text = state.documents.get(&path)?.text.clone();
    let known = state.analysis(&path)?;
    let mut names: BTreeMap<usize, Colour> = BTreeMap::new();
    if let Some(file) = known.file(&path) {
        for place in known.index().of_file(file) {
            let kind = match known.index().symbols[place.symbol].kind {
                SymbolKind::Block => SemanticTokenType::CLASS,
                SymbolKind::Model => SemanticTokenType::STRUCT,
                SymbolKind::Param | SymbolKind::ValueParam => SemanticTokenType::PARAMETER,
                SymbolKind::Let | SymbolKind::Loop => SemanticTokenType::VARIABLE,
                SymbolKind::Label | SymbolKind::Input | SymbolKind::Output => SemanticTokenType::new("label"),
            };
            let modifiers = if place.role == Role::Definition { DECLARATION } else { 0 };
            names.insert(place.span.start as usize, (kind, modifiers));
        }
    }
    Some(SemanticTokens { result_id: None, data: encoded(&text, &names, state) })
}

fn encoded(text: &Text, names: &BTreeMap<usize, Colour>, state: &State) -> Vec<SemanticToken> {
    let all = all_tokens(&text.text);
    let mut data = Vec::new();
    let (mut line, mut column) = (0, 0);
    for (i, token) in all.iter().enumerate() {
        let Some((kind, modifiers)) = colour(text, &all, i, names) else { continue };
        let Some(number) = TYPES.iter().position(|known| *known == kind) else { continue };
        let start = text.position(token.range.start);
        let delta_line = start.line - line;
        let delta_start = if delta_line == 0 { start.character - column } else { start.character };
        (line, column) = (start.line, start.character);
        data.push(SemanticToken {
            delta_line,
            delta_start,
            length: state.encoding.width(token.text(&text.text)),
            token_type: number as u32,
            token_modifiers_bitset: modifiers,
        });
    }
    data
}

fn colour(text: &Text, all: &[Token], at: usize, names: &BTreeMap<usize, Colour>) -> Option<Colour> {
    let token = all.get(at)?;
    let word = token.text(&text.text);
    match token.kind {
        Kind::Comment => Some((SemanticTokenType::COMMENT, 0)),
        Kind::Text => Some((SemanticTokenType::STRING, 0)),
        Kind::Newline => None,
        Kind::Sign => {
            let operator = matches!(word, "->" | "+" | "-" | "*" | "/" | "%" | "==" | "!=" | "<" | "<=" | ">" | ">=");
            (operator || word.starts_with("..")).then_some((SemanticTokenType::OPERATOR, 0))
        }
        Kind::Number | Kind::Word if names.contains_key(&token.range.start) => names.get(&token.range.start).cloned(),
        Kind::Number => Some((SemanticTokenType::NUMBER, 0)),
        Kind::Word => plain(text, all, at),
    }
}

/// A word that is no name of the file.
fn plain(text: &Text, all: &[Token], at: usize) -> Option<Colour> {
    let source = &text.text;
    let near = |step: isize| {
        let token = at.checked_add_signed(step).and_then(|at| all.get(at));
        token.map_or("", |token| token.text(source))
    };
    let (word, before, after) = (near(0), near(-1), near(1));
    let library = |kind: SemanticTokenType| Some((kind, LIBRARY));
    if before == "." {
        return Some((SemanticTokenType::PROPERTY, if near(-2) == "it" { LIBRARY } else { 0 }));
    }
    if after == "=" && !matches!(before, "let" | "[") {
        return Some((SemanticTokenType::PROPERTY, 0));
    }
    if after == ":" {
        return Some((SemanticTokenType::new("label"), DECLARATION));
    }
    if matches!(before, "skip" | "parallel") && matches!(word, "add" | "concat" | "mul" | "gate")
        || before == "fit" && matches!(word, "crop" | "pad")
    {
        return library(SemanticTokenType::ENUM_MEMBER);
    }
    if KEYWORDS.contains(&word) {
        return Some((SemanticTokenType::KEYWORD, 0));
    }
    let layer = ops::layer(word).is_some() || matches!(word, "project" | "zero_pad");
    if layer || vocabulary::FUNCTIONS.contains(&word) && after == "(" {
        return library(SemanticTokenType::FUNCTION);
    }
    let start = all.get(at)?.range.start;
    if source.len() > LARGEST {
        return None;
    }
    match context::at(source, start).place {
        Place::RecipeValue { .. } => library(SemanticTokenType::FUNCTION),
        Place::Argument(_) | Place::SetArgument(_) | Place::SkipArgument(_) => library(SemanticTokenType::ENUM_MEMBER),
        _ => None,
    }
}
