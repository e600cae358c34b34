//! One canonical style. `docs/language.md` describes it.
//!
//! The line breaks between steps are the author's; blanks, indentation, and what lines up are not. The text
//! becomes tokens with the comments before them (`lex`), the syntax tree says what each brace is
//! (`roles`), the tokens become lines and brackets again (`tree`), these rows (`rows`), and rows
//! that say the same kind of thing line up (`align`).

mod align;
mod lex;
mod roles;
mod rows;
mod tree;

use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Span, codes};
use crate::syntax::{ast, dump, parse};

/// The text in canonical style. Only syntax counts: names and shapes are not looked at. The result parses to the same
/// tree and holds the same comments in the same order; formatting it again changes nothing.
///
/// `id` is where diagnostics point.
///
/// # Errors
/// Why the text does not parse.
pub fn format(id: FileId, text: &str, limits: &Limits) -> Result<String, Diagnostics> {
    let file = parsed(id, text, limits)?;
    let mut tokens = lex::tokens(text);
    let comments = comments(&tokens);
    let roles = roles::roles(&file, &tokens);
    roles::set_gaps(&mut tokens, &roles);
    let lines = tree::Builder::file(&mut tokens, &roles);
    let mut rows = rows::Writer::new(&tokens).file(&lines);
    align::align(&mut rows);
    let result = joined(&rows);
    let same = parsed(id, &result, limits).is_ok_and(|again| dump::file(&again) == dump::file(&file));
    if same && self::comments(&lex::tokens(&result)) == comments {
        return Ok(result);
    }
    let message = "formatting would have changed what this file says; it is left as it is";
    Err([Diagnostic::new(codes::INTERNAL, message).label(Span::new(id, 0, 0), "this file")].into_iter().collect())
}

/// A text that archc wrote itself, in canonical style; as it is where it does not parse, which checking it will tell.
pub fn styled(text: String) -> String {
    format(FileId(0), &text, &Limits::default()).unwrap_or(text)
}

fn parsed(id: FileId, text: &str, limits: &Limits) -> Result<ast::File, Diagnostics> {
    let mut found = Diagnostics::default();
    let file = parse(id, text, limits, &mut found);
    if found.has_errors() { Err(found) } else { Ok(file) }
}

/// The comments of a text, in order.
fn comments(tokens: &[lex::Token]) -> Vec<String> {
    tokens.iter().flat_map(|token| &token.comments).map(|comment| comment.text.clone()).collect()
}

fn joined(rows: &[rows::Row]) -> String {
    let mut text = String::new();
    for row in rows {
        if row.blank {
            text.push('\n');
        }
        let start = text.len();
        text.push_str(&" ".repeat(row.indent * rows::STEP));
        text.push_str(&row.code);
        if let Some(comment) = &row.comment {
            text.push_str(if row.code.is_empty() { "" } else { "  " });
            text.push_str(comment);
        }
        text.truncate(start + text[start..].trim_end().len());
        text.push('\n');
    }
    text
}
