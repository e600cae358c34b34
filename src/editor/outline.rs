//! What a file is made of: symbols as a tree, and stretches that fold.

use super::analysis::Analysis;
use super::paths::path_of;
use super::state::State;
use super::text::Text;
use super::tokens::{Kind, tokens};
use crate::base::Span;
use crate::syntax::ast::{Body, File, Ident, Item, Param, Skip, Step, StepKind};
use lsp_types::{
    DocumentSymbol, DocumentSymbolParams, FoldingRange, FoldingRangeKind, FoldingRangeParams, SymbolInformation,
    SymbolKind, WorkspaceSymbolParams,
};
use std::rc::Rc;

/// Symbols that a search gives at most.
const MOST: usize = 500;

/// Items, and in them labels, inputs and outputs.
pub fn symbols(state: &mut State, params: &DocumentSymbolParams) -> Option<Vec<DocumentSymbol>> {
    let path = path_of(&params.text_document.uri);
    let known = state.analysis(&path)?;
    let text = state.documents.get(&path)?.text.clone();
    let file = known.file(&path)?;
    let tree = known.program.files().find(|one| one.id == file)?;
    Some(Outline { text: &text }.file(tree))
}

struct Outline<'t> {
    text: &'t Text,
}

impl Outline<'_> {
    fn file(&self, file: &File) -> Vec<DocumentSymbol> {
        let item = |item: &Item| match item {
            Item::Block(b) => Some(self.item(&b.name, SymbolKind::CLASS, &b.params, &b.body, b.span)),
            Item::Model(m) => Some(self.item(&m.name, SymbolKind::MODULE, &m.params, &m.body, m.span)),
            Item::Train(train) => {
                let lines = train.fields.iter().map(|field| {
                    let whole = field.name.span.to(field.value.span);
                    self.symbol(field.name.node.clone(), SymbolKind::PROPERTY, "", whole, field.name.span, Vec::new())
                });
                let name = format!("train {}", train.model.node);
                let children = lines.collect();
                Some(self.symbol(name, SymbolKind::OBJECT, "recipe", train.span, train.model.span, children))
            }
            Item::Import(_) | Item::Set(_) => None,
        };
        file.items.iter().filter_map(item).collect()
    }

    fn item(&self, name: &Ident, kind: SymbolKind, params: &[Param], body: &Body, whole: Span) -> DocumentSymbol {
        let params: Vec<&str> = params.iter().map(|param| param.name.node.as_str()).collect();
        let detail = format!("({})", params.join(", "));
        let mut children = Vec::new();
        self.body(body, &mut children);
        self.symbol(name.node.clone(), kind, &detail, whole, name.span, children)
    }

    #[allow(deprecated, reason = "a field of the protocol that must be given")]
    fn symbol(
        &self,
        name: String,
        kind: SymbolKind,
        detail: &str,
        whole: Span,
        own: Span,
        children: Vec<DocumentSymbol>,
    ) -> DocumentSymbol {
        let range = |span: Span| self.text.range(span.start as usize, span.end as usize);
        DocumentSymbol {
            name,
            detail: Some(detail.to_string()).filter(|detail| !detail.is_empty()),
            kind,
            tags: None,
            deprecated: None,
            range: range(whole),
            selection_range: range(own),
            children: (!children.is_empty()).then_some(children),
        }
    }

    fn body(&self, body: &Body, found: &mut Vec<DocumentSymbol>) {
        body.lines.iter().flatten().for_each(|step| self.step(step, found));
    }

    /// A step with a label is a symbol, and holds those inside; one without gives its own to what is around.
    fn step(&self, step: &Step, found: &mut Vec<DocumentSymbol>) {
        let mut inside = Vec::new();
        self.inside(step, &mut inside);
        let text = |span: Span| self.text.text.get(span.start as usize..span.end as usize).unwrap_or("").to_string();
        match (&step.kind, &step.label) {
            (StepKind::Input { name, .. }, _) => {
                let whole = Span { start: name.span.end, ..step.span };
                let dims = text(whole).trim().to_string();
                found.push(self.symbol(name.node.clone(), SymbolKind::INTERFACE, &dims, step.span, name.span, inside));
            }
            (StepKind::Output(label), _) => {
                found.push(self.symbol(
                    text(label.span),
                    SymbolKind::INTERFACE,
                    "output",
                    step.span,
                    label.span,
                    inside,
                ));
            }
            (_, Some(label)) => {
                let detail = match &step.kind {
                    StepKind::Call(call) => text(call.span),
                    StepKind::Skip(skip) => text(skip.head),
                    _ => String::new(),
                };
                let detail = detail.split_whitespace().collect::<Vec<_>>().join(" ");
                found.push(self.symbol(text(label.span), SymbolKind::FIELD, &detail, step.span, label.span, inside));
            }
            _ => found.append(&mut inside),
        }
    }

    fn inside(&self, step: &Step, found: &mut Vec<DocumentSymbol>) {
        match &step.kind {
            StepKind::Group(body) | StepKind::Parallel { body, .. } => self.body(body, found),
            StepKind::Repeat { body, .. } | StepKind::For { body, .. } => self.body(body, found),
            StepKind::If { arms, otherwise } => {
                arms.iter().map(|(_, body)| body).chain(otherwise).for_each(|body| self.body(body, found));
            }
            StepKind::Skip(skip) => self.skip(skip, found),
            _ => {}
        }
    }

    fn skip(&self, skip: &Skip, found: &mut Vec<DocumentSymbol>) {
        let sides = skip.via.iter().chain(&skip.by).filter(|step| step.label.is_some());
        sides.for_each(|step| self.step(step, found));
        skip.body.iter().for_each(|body| self.body(body, found));
    }
}

/// Blocks, models and labels of the open files whose names hold the letters of the query, in order.
#[allow(deprecated, reason = "a field of the protocol that must be given")]
pub fn workspace(state: &mut State, params: &WorkspaceSymbolParams) -> Option<Vec<SymbolInformation>> {
    let mut found: Vec<SymbolInformation> = Vec::new();
    for known in all(state) {
        let places = super::diagnose::Places::of(&known, state.encoding);
        let index = known.index();
        for symbol in index.symbols.iter().filter(|symbol| holds(&symbol.name, &params.query)) {
            use super::index::SymbolKind as Named;
            let kind = match symbol.kind {
                Named::Block => SymbolKind::CLASS,
                Named::Model => SymbolKind::MODULE,
                Named::Label if !params.query.is_empty() => SymbolKind::FIELD,
                _ => continue,
            };
            let Some(location) = symbol.definitions.first().and_then(|span| places.location(*span)) else { continue };
            let known_already = |one: &SymbolInformation| one.location == location;
            if found.len() < MOST && !found.iter().any(known_already) {
                let container_name = symbol.owner.map(|id| index.symbols[id].name.clone());
                let name = symbol.name.clone();
                found.push(SymbolInformation { name, kind, tags: None, deprecated: None, location, container_name });
            }
        }
    }
    Some(found)
}

/// Every open file, and those of the open folders.
fn all(state: &mut State) -> Vec<Rc<Analysis>> {
    let open: Vec<_> = state.documents.paths().cloned().collect();
    let mut found: Vec<_> = open.iter().filter_map(|path| state.analysis(path)).collect();
    found.extend(state.closed());
    found
}

/// Whether the letters of a query stand in a name in their order.
fn holds(name: &str, query: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    query.chars().flat_map(char::to_lowercase).all(|wanted| letters.any(|letter| letter == wanted))
}

/// Braces and comments that span lines. Found in the words alone, so that broken texts fold, too.
pub fn folds(state: &mut State, params: &FoldingRangeParams) -> Option<Vec<FoldingRange>> {
    let text = state.documents.get(&path_of(&params.text_document.uri))?.text.clone();
    let fold = |start: usize, end: usize, kind: FoldingRangeKind| FoldingRange {
        start_line: start as u32,
        start_character: None,
        end_line: end as u32,
        end_character: None,
        kind: Some(kind),
        collapsed_text: None,
    };
    let (mut found, mut open, mut comment): (Vec<FoldingRange>, Vec<usize>, Option<(usize, usize)>) =
        Default::default();
    let close_comment = |found: &mut Vec<FoldingRange>, run: Option<(usize, usize)>| {
        found.extend(run.filter(|(a, b)| a < b).map(|(a, b)| fold(a, b, FoldingRangeKind::Comment)));
    };
    for token in tokens(&text.text) {
        let line = text.line_of(token.range.start);
        match (token.kind, token.text(&text.text)) {
            (Kind::Newline, _) => continue,
            (Kind::Comment, _) => {
                comment = match comment {
                    Some((first, last)) if last + 1 == line => Some((first, line)),
                    other => {
                        close_comment(&mut found, other);
                        Some((line, line))
                    }
                };
                continue;
            }
            (_, "{" | "(" | "[") => open.push(line),
            (_, "}" | ")" | "]") => {
                let start = open.pop().filter(|start| start + 1 < line);
                found.extend(start.map(|start| fold(start, line - 1, FoldingRangeKind::Region)));
            }
            _ => {}
        }
        close_comment(&mut found, comment.take());
    }
    close_comment(&mut found, comment);
    found.sort_by_key(|fold| (fold.start_line, fold.end_line));
    found.dedup_by_key(|fold| fold.start_line);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn queries_are_letters_in_order() {
        assert!(holds("BasicBlock", "bb") && holds("BasicBlock", "") && !holds("BasicBlock", "kb "));
    }
}
