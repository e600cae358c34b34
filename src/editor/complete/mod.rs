//! What may be written next.

mod arguments;
mod names;
mod steps;

use super::analysis::Analysis;
use super::context::{self, Context, Place};
use super::manual;
use super::text::Text;
use crate::elaborate::vocabulary;
use crate::ops;
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, InsertTextFormat, MarkupContent, MarkupKind,
    TextEdit,
};
use std::path::Path;
use std::rc::Rc;

/// What is asked.
pub struct Request<'a> {
    /// What is known of the document; the first entry is its own.
    pub known: &'a [Rc<Analysis>],
    /// The document.
    pub path: &'a Path,
    /// Its text now.
    pub text: &'a Text,
    /// Where.
    pub offset: usize,
    /// Whether places to fill in may be offered.
    pub snippets: bool,
}

/// Something to write.
#[derive(Clone, Debug)]
pub struct Offer {
    label: String,
    kind: CompletionItemKind,
    /// Behind the label.
    detail: String,
    doc: Option<String>,
    /// With `${1:name}` where the writer fills in; the label where it is `None`.
    snippet: Option<String>,
    /// What sorts first.
    rank: u8,
}

impl Offer {
    fn new(label: impl Into<String>, kind: CompletionItemKind, detail: impl Into<String>) -> Self {
        Self { label: label.into(), kind, detail: detail.into(), doc: None, snippet: None, rank: 5 }
    }

    fn doc(mut self, text: impl Into<String>) -> Self {
        self.doc = Some(text.into());
        self
    }

    fn snippet(mut self, text: impl Into<String>) -> Self {
        self.snippet = Some(text.into());
        self
    }

    fn rank(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }

    fn keyword(word: &str, snippet: &str) -> Self {
        let offer = Self::new(word, CompletionItemKind::KEYWORD, "");
        let doc = manual::keyword(word).map(String::from);
        Self { doc, snippet: Some(snippet.to_string()).filter(|s| !s.is_empty()), rank: 7, ..offer }
    }
}

/// Everything that may stand at a place, the likeliest first. The client filters by what is typed.
pub fn complete(request: &Request<'_>) -> Vec<CompletionItem> {
    let context = context::at(&request.text.text, request.offset);
    let mut offers = offers(request, &context);
    offers.sort_by(|a, b| (a.rank, &a.label).cmp(&(b.rank, &b.label)));
    offers.dedup_by(|a, b| a.label == b.label);
    let range = request.text.range(context.word.start, context.word.end);
    let item = |offer: Offer| {
        let snippet = offer.snippet.filter(|_| request.snippets && !context.quoted);
        let format = snippet.as_ref().map(|_| InsertTextFormat::SNIPPET);
        let new_text = snippet.unwrap_or_else(|| bare(&offer.label));
        let markdown = |value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value });
        CompletionItem {
            sort_text: Some(format!("{} {}", offer.rank, offer.label)),
            filter_text: Some(bare(&offer.label)),
            label: offer.label,
            kind: Some(offer.kind),
            detail: Some(offer.detail).filter(|detail| !detail.is_empty()),
            documentation: offer.doc.map(markdown),
            insert_text_format: format,
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text })),
            ..CompletionItem::default()
        }
    };
    offers.into_iter().map(item).collect()
}

/// `normal(std)` without what only shows how it goes on.
fn bare(label: &str) -> String {
    let head = label.split('(').next().unwrap_or(label);
    if head.is_empty() { label.to_string() } else { head.to_string() }
}

fn offers(request: &Request<'_>, context: &Context) -> Vec<Offer> {
    let typed = request.text.text.get(context.word.clone()).unwrap_or("");
    if typed.starts_with(|c: char| c.is_ascii_digit()) && context.dotted.is_empty() {
        return Vec::new();
    }
    if context.quoted && !matches!(context.place, Place::ImportPath) {
        return arguments::quoted(&context.place);
    }
    match &context.place {
        Place::Nothing => Vec::new(),
        _ if context.dotted == ["it"] => names::sizes(request, context),
        Place::Item => steps::items(),
        Place::Step => steps::steps(request, context),
        Place::SideStep => steps::side_steps(request),
        Place::MergeKind { parallel } => steps::kinds(*parallel),
        Place::Clause => steps::clauses(request, context),
        Place::Fit => steps::fits(),
        Place::Path => names::paths(request, context),
        Place::Expression => names::expressions(request, context),
        Place::Argument(argument) => arguments::call(request, context, argument, false),
        Place::SetArgument(argument) => arguments::call(request, context, argument, true),
        Place::SkipArgument(argument) => arguments::skip(request, context, argument),
        Place::Layer => ops::layers().iter().map(|spec| steps::layer(spec, false)).collect(),
        Place::Model => names::models(request),
        Place::Imported { path } => names::imported(request, path.as_deref()),
        Place::ImportPath => names::files(request, context),
        Place::RecipeLine => arguments::recipe_lines(request, context),
        Place::RecipeValue { line } => arguments::recipe_values(line),
        Place::RecipeArgument { line, argument } => arguments::recipe_arguments(line, argument),
    }
}

/// Functions, truth values and `if`.
fn expression_words() -> Vec<Offer> {
    let function = |name: &&str| {
        let (detail, rank) = (manual::function(name), 6);
        Offer::new(*name, CompletionItemKind::FUNCTION, detail).snippet(format!("{name}($0)")).rank(rank)
    };
    let mut offers: Vec<Offer> = vocabulary::FUNCTIONS.iter().map(function).collect();
    offers.push(Offer::new("it", CompletionItemKind::VARIABLE, "the current value").snippet("it.$0").rank(4));
    offers.push(Offer::keyword("if", "if ${1:condition} { $2 } else { $3 }"));
    offers.extend(["true", "false", "and", "or", "not"].map(|word| Offer::keyword(word, "").rank(8)));
    offers
}
