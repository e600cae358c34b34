//! Fixes. What a diagnostic says to write instead is offered only where the text with it was checked again: the diagnostic is
//! gone, and no error is new, unless it stands behind what was fixed.

use super::analysis::Analysis;
use super::diagnose::{Places, shown};
use super::documents::Document;
use super::format::smallest;
use super::paths::{path_of, uri_of};
use super::state::State;
use super::text::Text;
use crate::base::{Diagnostic, FileId, Fix, Severity, Span};
use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, TextEdit, WorkspaceEdit};
use std::cell::Cell;
use std::path::Path;

/// Fixes that are tried for one request, since each is checked.
const MOST: usize = 12;

/// Steps that all of these may unroll.
const STEPS: usize = 80_000;

/// How often what a fix brought to light is fixed, too.
const ROUNDS: usize = 8;

/// The fixes of the diagnostics in a range, and one for all of the file.
pub fn actions(state: &mut State, params: &CodeActionParams) -> Option<Vec<CodeActionOrCommand>> {
    let path = path_of(&params.text_document.uri);
    let known = state.analysis(&path)?;
    let file = known.file(&path)?;
    let mut actions = Vec::new();
    let trials = Trials { state, left: Cell::new(STEPS) };
    if wants(params, &CodeActionKind::QUICKFIX) {
        actions.extend(quick(&trials, &known, file, params));
    }
    if wants(params, &CodeActionKind::SOURCE_FIX_ALL)
        && let Some((count, edit)) = all(&trials, &known, &path, file)
        && (count > 1 || params.context.only.is_some())
    {
        let kind = CodeActionKind::SOURCE_FIX_ALL;
        let edit = changes(&known, file, edit);
        let title = format!("fix all of this file ({count})");
        actions.push(CodeAction { title, kind: Some(kind), edit, ..CodeAction::default() });
    }
    Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect())
}

/// Whether the client asks for a kind: kinds are words joined by dots, and one stands for those that begin with it.
fn wants(params: &CodeActionParams, kind: &CodeActionKind) -> bool {
    let is = |asked: &CodeActionKind| {
        kind.as_str().strip_prefix(asked.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    params.context.only.as_ref().is_none_or(|only| only.iter().any(is))
}

fn changes(known: &Analysis, file: FileId, edit: TextEdit) -> Option<WorkspaceEdit> {
    let uri = uri_of(&known.path(file))?;
    Some(WorkspaceEdit { changes: Some([(uri, vec![edit])].into()), ..WorkspaceEdit::default() })
}

fn quick(trials: &Trials<'_>, known: &Analysis, file: FileId, params: &CodeActionParams) -> Vec<CodeAction> {
    let places = Places::of(known, trials.state.encoding);
    let touches = |span: Span| {
        let range = places.range(span);
        span.file == file && range.start <= params.range.end && params.range.start <= range.end
    };
    let wanted = known.diagnostics.iter().filter(|d| d.labels.first().is_some_and(|label| touches(label.span)));
    let fixes = wanted.filter_map(|diagnostic| Some((diagnostic, diagnostic.fix.as_deref()?)));
    let helpful = fixes.take(MOST).filter(|(diagnostic, fix)| trials.helps(known, diagnostic, fix));
    let action = |(diagnostic, fix): (&Diagnostic, &Fix)| CodeAction {
        title: fix.title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![shown(diagnostic, &places)]),
        edit: changes(known, fix.span.file, TextEdit { range: places.range(fix.span), new_text: fix.text.clone() }),
        is_preferred: Some(true),
        ..CodeAction::default()
    };
    helpful.map(action).collect()
}

/// Texts with fixes that are tried, as many as one request may look at.
struct Trials<'a> {
    state: &'a State,
    /// Steps that may still be unrolled.
    left: Cell<usize>,
}

impl Trials<'_> {
    /// Whether the text with the fix no longer has the diagnostic, and no more errors than before.
    fn helps(&self, known: &Analysis, diagnostic: &Diagnostic, fix: &Fix) -> bool {
        let source = &known.program.sources.file(fix.span.file).text;
        let then = with(source, &[fix]).and_then(|text| self.checked(known, fix.span.file, text));
        let Some(then) = then else { return false };
        let like = |all: &Analysis| {
            all.diagnostics.iter().filter(|d| d.code == diagnostic.code && d.message == diagnostic.message).count()
        };
        let worse = errors(&then) > errors(known) && !uncovers(known, &then);
        like(&then) < like(known)
            && (!worse || diagnostic.severity == Severity::Error && reaches_on(known, &then, fix.span))
    }

    /// What would be known if a file had another text; `None` where enough was looked at.
    fn checked(&self, known: &Analysis, file: FileId, text: String) -> Option<Analysis> {
        if self.left.get() == 0 {
            return None;
        }
        let mut documents = self.state.documents.clone();
        documents.set(known.path(file), Document { text: Text::new(text, self.state.encoding), version: 0 });
        let root = known.path(known.program.root().id);
        let then = Analysis::of(&documents, Path::new(&root), &self.state.options, None);
        self.left.set(self.left.get().saturating_sub(then.steps()));
        Some(then)
    }
}

/// Whether all errors that are new stand behind a fix: an error keeps what comes after it silent.
fn reaches_on(known: &Analysis, then: &Analysis, fix: Span) -> bool {
    let is_old = |d: &Diagnostic| known.diagnostics.iter().any(|old| old.code == d.code && old.message == d.message);
    let mut new = then.diagnostics.iter().filter(|d| d.severity == Severity::Error && !is_old(d));
    let behind = |span: Span| span.file == fix.file && span.start > fix.start;
    new.all(|d| d.labels.first().is_some_and(|label| behind(label.span)))
}

fn errors(known: &Analysis) -> usize {
    known.diagnostics.count(Severity::Error)
}

/// An error in the text hides those behind it.
fn uncovers(known: &Analysis, then: &Analysis) -> bool {
    known.program.diagnostics.has_errors() && !then.program.diagnostics.has_errors()
}

/// A text with fixes, which are in order and apart.
fn with(source: &str, fixes: &[&Fix]) -> Option<String> {
    let mut text = String::new();
    let mut at = 0;
    for fix in fixes {
        text += source.get(at..fix.span.start as usize)?;
        text += &fix.text;
        at = fix.span.end as usize;
    }
    Some(text + source.get(at..)?)
}

/// The fixes of a file, in order and apart.
fn apart(known: &Analysis, file: FileId) -> Vec<(&Diagnostic, &Fix)> {
    let fixes = known.diagnostics.iter().filter_map(|diagnostic| Some((diagnostic, diagnostic.fix.as_deref()?)));
    let mut fixes: Vec<_> = fixes.filter(|(_, fix)| fix.span.file == file).collect();
    fixes.sort_by_key(|(_, fix)| (fix.span.start, fix.span.end));
    let mut end = None;
    fixes.retain(|(_, fix)| {
        let fits = end.is_none_or(|end| fix.span.start > end);
        if fits {
            end = Some(fix.span.end);
        }
        fits
    });
    fixes
}

/// All that can be fixed in a file, and what then comes to light: how many fixes, and the edit. Where they do not help
/// together, those are left that help alone.
fn all(trials: &Trials<'_>, known: &Analysis, path: &Path, file: FileId) -> Option<(usize, TextEdit)> {
    let mut count = 0;
    let mut last: Option<Analysis> = None;
    for _ in 0..ROUNDS {
        let now = last.as_ref().unwrap_or(known);
        let source = &now.program.sources.file(file).text;
        let fixes = apart(now, file);
        let together: Vec<&Fix> = fixes.iter().map(|(_, fix)| *fix).collect();
        let alone = || {
            let helpful = fixes.iter().take(MOST).filter(|(diagnostic, fix)| trials.helps(now, diagnostic, fix));
            helpful.map(|(_, fix)| *fix).collect::<Vec<_>>()
        };
        let tried = |fixes: Vec<&Fix>, help: bool| {
            let then = trials.checked(now, file, with(source, &fixes).filter(|_| !fixes.is_empty())?)?;
            let fewer = (errors(&then), then.diagnostics.len()) < (errors(now), now.diagnostics.len());
            let parses = !then.program.diagnostics.has_errors() || now.program.diagnostics.has_errors();
            (fewer || uncovers(now, &then) || help && parses).then_some((fixes.len(), then))
        };
        let Some((more, then)) = tried(together, false).or_else(|| tried(alone(), true)) else { break };
        count += more;
        last = Some(then);
    }
    let text = &last?.program.sources.file(file).text.clone();
    Some((count, smallest(&trials.state.documents.get(path)?.text, text)))
}
