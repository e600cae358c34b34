//! What a syntax error says: what stands there, what was expected, and what was probably meant.

use super::grammar::Rule;
use crate::base::{Diagnostic, Span, codes};
use pest::error::ErrorVariant;

/// A character that means nothing in the language.
pub fn stranger(c: char, place: Span) -> Diagnostic {
    let help = match c {
        '#' => Some("comments start with `//`"),
        ';' => Some("a newline ends a step; no `;` is needed"),
        '\'' | '‘' | '’' | '“' | '”' => Some("strings stand in `\"`"),
        '&' => Some("write `and`"),
        '|' => Some("write `or`"),
        '!' => Some("write `not`, or `!=` for unequal"),
        '×' => Some("write `*`"),
        '÷' => Some("write `/`"),
        '→' | '⟶' => Some("write `->`"),
        '−' | '–' | '—' => Some("write `-`"),
        '≤' => Some("write `<=`"),
        '≥' => Some("write `>=`"),
        '≠' => Some("write `!=`"),
        '…' => Some("write `..`"),
        '\u{a0}' => Some("this is a no-break space: write a plain one"),
        '\u{feff}' => Some("a byte order mark may stand only at the start of a file"),
        _ => None,
    };
    let name = if c.is_control() || c.is_whitespace() || c == '\u{feff}' {
        format!("the character U+{:04X}", c as u32)
    } else {
        format!("`{c}`")
    };
    let message = format!("{name} has no meaning here");
    let label =
        if c.is_alphabetic() { "names are made of a–z, A–Z, 0–9 and `_`" } else { "not part of the language" };
    let diagnostic = Diagnostic::new(codes::CHARACTER, message).label(place, label);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The grammar's error at byte `at` of a line, which is `place` in the file.
pub fn unexpected(text: &str, at: usize, place: Span, variant: &ErrorVariant<Rule>) -> Diagnostic {
    let found = token(&text[at..]);
    let place = Span { end: place.start + found.len() as u32, ..place };
    let expected = match variant {
        ErrorVariant::ParsingError { positives, .. } => words(positives),
        ErrorVariant::CustomError { message } => message.clone(),
    };
    let shown = match found {
        "" | "\n" => "the end of the line".to_owned(),
        word => format!("`{word}`"),
    };
    Diagnostic::new(codes::SYNTAX, format!("{shown} is not expected here")).label(place, format!("expected {expected}"))
}

/// The token at the start of a text.
fn token(text: &str) -> &str {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else { return "" };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = if word(first) {
        text.find(|c| !word(c)).unwrap_or(text.len())
    } else {
        let two = ["->", "..", "==", "!=", "<=", ">=", "//"].iter().any(|t| text.starts_with(t));
        if two { 2 } else { first.len_utf8() }
    };
    &text[..end]
}

fn words(rules: &[Rule]) -> String {
    let mut words: Vec<String> = rules.iter().map(|rule| format!("{rule:?}")).collect();
    words.dedup();
    words.join(" or ")
}
