//! Requests, each answered from what is known.

use super::state::State;
use super::text::Encoding;
use super::{actions, colours, complete, format, hints, hover, navigate, outline, paths, rename, signature};
use lsp_server::{ErrorCode, Request};
use lsp_types::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A value, or why there is none.
pub type Answer = Result<Value, (ErrorCode, String)>;

/// What the server can do.
pub fn capabilities(encoding: Encoding) -> Value {
    json!({
        "positionEncoding": encoding.kind(),
        "textDocumentSync": { "openClose": true, "change": TextDocumentSyncKind::INCREMENTAL, "save": true },
        "hoverProvider": true,
        "completionProvider": { "triggerCharacters": [".", "(", ",", "=", ">", ":", "\"", " "] },
        "signatureHelpProvider": { "triggerCharacters": ["(", ","] },
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "codeActionProvider": { "codeActionKinds": [CodeActionKind::QUICKFIX, CodeActionKind::SOURCE_FIX_ALL] },
        "documentFormattingProvider": true,
        "renameProvider": { "prepareProvider": true },
        "foldingRangeProvider": true,
        "inlayHintProvider": true,
        "semanticTokensProvider": { "legend": colours::legend(), "full": true },
    })
}

/// Answers a request.
pub fn answer(state: &mut State, request: Request) -> Answer {
    let method = request.method.as_str();
    match method {
        "textDocument/hover" => with(request, |p: HoverParams| hover(state, &p)),
        "textDocument/completion" => with(request, |p: CompletionParams| completion(state, &p)),
        "textDocument/signatureHelp" => with(request, |p: SignatureHelpParams| signature(state, &p)),
        "textDocument/definition" => with(request, |p: GotoDefinitionParams| navigate::definition(state, &p)),
        "textDocument/references" => with(request, |p: ReferenceParams| navigate::references(state, &p)),
        "textDocument/documentHighlight" => with(request, |p: DocumentHighlightParams| navigate::highlight(state, &p)),
        "textDocument/documentSymbol" => with(request, |p: DocumentSymbolParams| outline::symbols(state, &p)),
        "workspace/symbol" => with(request, |p: WorkspaceSymbolParams| outline::workspace(state, &p)),
        "textDocument/codeAction" => with(request, |p: CodeActionParams| actions::actions(state, &p)),
        "textDocument/foldingRange" => with(request, |p: FoldingRangeParams| outline::folds(state, &p)),
        "textDocument/inlayHint" => with(request, |p: InlayHintParams| inlay(state, &p)),
        "textDocument/semanticTokens/full" => with(request, |p: SemanticTokensParams| colours::tokens(state, &p)),
        "textDocument/formatting" => with_errors(request, |p: DocumentFormattingParams| format::edits(state, &p)),
        "textDocument/prepareRename" => {
            with_errors(request, |p: TextDocumentPositionParams| rename::prepare(state, &p))
        }
        "textDocument/rename" => with_errors(request, |p: RenameParams| rename::rename(state, &p)),
        _ => Err((ErrorCode::MethodNotFound, format!("`{method}` is not known"))),
    }
}

fn with<P: DeserializeOwned, R: Serialize>(request: Request, answer: impl FnOnce(P) -> Option<R>) -> Answer {
    with_errors(request, |params| Ok(answer(params)))
}

fn with_errors<P: DeserializeOwned, R: Serialize>(
    request: Request,
    answer: impl FnOnce(P) -> Result<Option<R>, String>,
) -> Answer {
    let params = serde_json::from_value(request.params);
    let params = params.map_err(|error| (ErrorCode::InvalidParams, format!("`{}`: {error}", request.method)))?;
    let value = answer(params).map_err(|why| (ErrorCode::RequestFailed, why))?;
    serde_json::to_value(value).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

/// A document, its text, and a byte of it.
pub struct Cursor {
    /// The document.
    pub path: PathBuf,
    /// Its text now.
    pub text: super::text::Text,
    /// The byte.
    pub offset: usize,
}

/// The place that a request is about; `None` where the document is not open.
pub fn spot(state: &State, at: &TextDocumentPositionParams) -> Option<Cursor> {
    let path = paths::path_of(&at.text_document.uri);
    let text = state.documents.get(&path)?.text.clone();
    let offset = text.offset(at.position);
    Some(Cursor { path, text, offset })
}

fn hover(state: &mut State, params: &HoverParams) -> Option<Hover> {
    let spot = spot(state, &params.text_document_position_params)?;
    let known = state.analyses_with(&spot.path);
    let (value, range) = hover::hover(&known, &spot.path, &spot.text.text, spot.offset)?;
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
    Some(Hover { contents, range: Some(spot.text.range(range.start, range.end)) })
}

fn completion(state: &mut State, params: &CompletionParams) -> Option<CompletionList> {
    let spot = spot(state, &params.text_document_position)?;
    let known = state.analyses_with(&spot.path);
    let request = complete::Request {
        known: &known,
        path: &spot.path,
        text: &spot.text,
        offset: spot.offset,
        snippets: state.client.snippets,
    };
    Some(CompletionList { is_incomplete: false, items: complete::complete(&request) })
}

fn signature(state: &mut State, params: &SignatureHelpParams) -> Option<SignatureHelp> {
    let spot = spot(state, &params.text_document_position_params)?;
    let known = state.analysis(&spot.path)?;
    signature::help(&known, &spot.path, &spot.text.text, spot.offset)
}

fn inlay(state: &mut State, params: &InlayHintParams) -> Option<Vec<InlayHint>> {
    let path = paths::path_of(&params.text_document.uri);
    let text = state.documents.get(&path)?.text.clone();
    let known = state.analyses_with(&path);
    Some(hints::hints(&known, &path, &text, params.range))
}
