//! Fixes. A diagnostic says in words what to write instead; here that becomes an edit, which is offered only where the
//! text with it was checked again: the diagnostic is gone, and no error is new.

use super::analysis::Analysis;
use super::diagnose::{Places, shown};
use super::documents::Document;
use super::paths::{path_of, uri_of};
use super::state::State;
use crate::base::{Diagnostic, Severity, Span, codes};
use crate::syntax::ast::Item;
use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, TextEdit, WorkspaceEdit};
use std::path::Path;

/// Fixes that are tried for one request, since each is checked.
const MOST: usize = 12;

/// What to write instead of which bytes.
struct Fix {
    title: String,
    span: Span,
    text: String,
}

/// The fixes of the diagnostics in a range.
pub fn actions(state: &mut State, params: &CodeActionParams) -> Option<Vec<CodeActionOrCommand>> {
    let path = path_of(&params.text_document.uri);
    let known = state.analysis(&path)?;
    let places = Places::of(&known, state.encoding);
    let file = known.file(&path)?;
    let touches = |span: Span| {
        let range = places.range(span);
        span.file == file && range.start <= params.range.end && params.range.start <= range.end
    };
    let mut actions = Vec::new();
    let wanted = known.diagnostics.iter().filter(|d| d.labels.first().is_some_and(|label| touches(label.span)));
    for diagnostic in wanted.take(MOST) {
        for fix in fixes(&known, diagnostic) {
            if !helps(state, &known, &path, diagnostic, &fix) {
                continue;
            }
            let edit = TextEdit { range: places.range(fix.span), new_text: fix.text };
            let Some(uri) = uri_of(&known.path(fix.span.file)) else { continue };
            actions.push(CodeActionOrCommand::CodeAction(CodeAction {
                title: fix.title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![shown(diagnostic, &places)]),
                edit: Some(WorkspaceEdit { changes: Some([(uri, vec![edit])].into()), ..WorkspaceEdit::default() }),
                is_preferred: Some(true),
                ..CodeAction::default()
            }));
        }
    }
    Some(actions)
}

/// Whether the text with the fix no longer has the diagnostic, and no more errors than before.
fn helps(state: &State, known: &Analysis, root: &Path, diagnostic: &Diagnostic, fix: &Fix) -> bool {
    let source = &known.program.sources.file(fix.span.file).text;
    let (Some(before), Some(after)) = (source.get(..fix.span.start as usize), source.get(fix.span.end as usize..))
    else {
        return false;
    };
    let text = super::text::Text::new([before, &fix.text, after].concat(), state.encoding);
    let mut documents = state.documents.clone();
    documents.set(known.path(fix.span.file), Document { text, version: 0 });
    let then = Analysis::of(&documents, root, &state.options, None);
    let like = |all: &Analysis| {
        all.diagnostics.iter().filter(|d| d.code == diagnostic.code && d.message == diagnostic.message).count()
    };
    let errors = |all: &Analysis| all.diagnostics.count(Severity::Error);
    // An error in the text hides those behind it.
    let uncovers = known.program.diagnostics.has_errors() && !then.program.diagnostics.has_errors();
    like(&then) < like(known) && (uncovers || errors(&then) <= errors(known))
}

fn fixes(known: &Analysis, diagnostic: &Diagnostic) -> Vec<Fix> {
    let Some(first) = diagnostic.labels.first() else { return Vec::new() };
    let sources = &known.program.sources;
    let text = sources.text(first.span);
    let help = diagnostic.help.as_deref().unwrap_or("");
    let fix = |title: String, span: Span, text: String| vec![Fix { title, span, text }];
    if let Some(meant) = quoted_after(&first.text, "did you mean ") {
        let text = if text.starts_with('"') { format!("\"{meant}\"") } else { meant.to_string() };
        return fix(format!("write `{text}`"), first.span, text);
    }
    match diagnostic.code {
        codes::IS_LONG => {
            let start = Span { end: first.span.start, ..first.span };
            fix("say `long skip`".into(), start, "long ".into())
        }
        codes::NOT_LONG => fix("leave `long` out".into(), with_blanks(known, first.span), String::new()),
        codes::BIAS_BEFORE_NORM => {
            let end = Span { start: first.span.end, ..first.span };
            match text.strip_suffix(')') {
                Some(_) => {
                    let before = Span { start: end.start - 1, end: end.start - 1, ..end };
                    fix("write `bias=false`".into(), before, ", bias=false".into())
                }
                None => fix("write `bias=false`".into(), end, "(bias=false)".into()),
            }
        }
        codes::UNUSED_LABEL => {
            fix(format!("leave the label `{text}` out"), with_colon(known, first.span), String::new())
        }
        codes::UNUSED_IMPORT => import(known, first.span).into_iter().collect(),
        codes::RESERVED => quoted_after(help, "such as ")
            .map_or_else(Vec::new, |name| fix(format!("name it `{name}`"), first.span, name.to_string())),
        codes::INEXACT => {
            let rounded = help.find("floor(").map(|at| help[at..].trim_end_matches('`').to_string());
            rounded.map_or_else(Vec::new, |rounded| fix(format!("round down: `{rounded}`"), first.span, rounded))
        }
        codes::ENDS_DISAGREE => skip_head(known, diagnostic, help).into_iter().collect(),
        _ => syntax(first.span, text, help).into_iter().collect(),
    }
}

/// Single signs in the wrong place, as the help says.
fn syntax(span: Span, text: &str, help: &str) -> Option<Fix> {
    let title = help.split(", or").next().unwrap_or(help).to_string();
    if help.starts_with(&format!("remove the `{text}`")) && !text.is_empty() {
        return Some(Fix { title, span, text: String::new() });
    }
    let swapped = matches!((text, help), ("=", "write `==`") | ("==", "write `=`"));
    swapped.then(|| Fix { title, span, text: if text == "=" { "==".into() } else { "=".into() } })
}

/// The head of a skip, as the help writes it after a colon.
fn skip_head(known: &Analysis, diagnostic: &Diagnostic, help: &str) -> Option<Fix> {
    let (what, words) = help.split_once(":  ")?;
    let words = words.strip_suffix('{').unwrap_or(words).trim_end();
    let sources = &known.program.sources;
    let is_head = |span: &Span| {
        let text = sources.text(*span);
        text.starts_with("skip") || text.starts_with("long")
    };
    let head = diagnostic.labels.iter().map(|label| label.span).find(is_head)?;
    // A label may cover the head's first words alone: the kind is where what is added begins.
    let source = &sources.file(head.file).text;
    let rest = source.get(head.start as usize..)?.lines().next()?;
    let old = rest.split('{').next()?.split("->").next()?.trim_end();
    let shared = words.split_whitespace().take(2).eq(old.split_whitespace().take(2));
    let span = Span { end: head.start + old.len() as u32, ..head };
    shared.then(|| Fix { title: what.to_string(), span, text: words.to_string() })
}

/// A name of an import that nobody uses: the name with its comma, or the whole line.
fn import(known: &Analysis, name: Span) -> Option<Fix> {
    let file = known.program.files().find(|file| file.id == name.file)?;
    let import = file.items.iter().find_map(|item| match item {
        Item::Import(import) if import.names.iter().any(|one| one.span == name) => Some(import),
        _ => None,
    })?;
    let at = import.names.iter().position(|one| one.span == name)?;
    let title = format!("leave `{}` out", import.names[at].node);
    let span = match (import.names.get(at + 1), at.checked_sub(1).and_then(|before| import.names.get(before))) {
        (Some(next), _) => Span { end: next.span.start, ..name },
        (None, Some(before)) => Span { start: before.span.end, ..name },
        (None, None) => {
            let source = &known.program.sources.file(name.file).text;
            let breaks = source.get(import.span.end as usize..).is_some_and(|rest| rest.starts_with('\n'));
            Span { end: import.span.end + u32::from(breaks), ..import.span }
        }
    };
    Some(Fix { title, span, text: String::new() })
}

/// A span with the blanks after it.
fn with_blanks(known: &Analysis, span: Span) -> Span {
    let rest = known.program.sources.file(span.file).text.get(span.end as usize..).unwrap_or("");
    let blanks = rest.len() - rest.trim_start_matches(' ').len();
    Span { end: span.end + blanks as u32, ..span }
}

/// A label with its colon and the blanks after it.
fn with_colon(known: &Analysis, span: Span) -> Span {
    let rest = known.program.sources.file(span.file).text.get(span.end as usize..).unwrap_or("");
    match rest.find(':') {
        Some(at) => with_blanks(known, Span { end: span.end + at as u32 + 1, ..span }),
        None => span,
    }
}

/// The text in backticks after some words.
fn quoted_after<'t>(text: &'t str, words: &str) -> Option<&'t str> {
    let rest = text.split_once(words)?.1.strip_prefix('`')?;
    Some(rest.split_once('`')?.0)
}

#[cfg(test)]
mod tests {
    use super::quoted_after;

    #[test]
    fn texts_in_backticks_are_found() {
        assert_eq!(quoted_after("did you mean `conv`?", "did you mean "), Some("conv"));
        assert_eq!(quoted_after("no such thing", "did you mean "), None);
    }
}
