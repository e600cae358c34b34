//! Names that were given: labels, numbers, blocks, models, files.

use super::steps::size;
use super::{Offer, Request, expression_words};
use crate::editor::analysis::Analysis;
use crate::editor::context::Context;
use crate::editor::index::{Index, Symbol, SymbolKind};
use crate::editor::paths::plain;
use crate::editor::{hover, shapes};
use crate::elaborate::{Program, vocabulary};
use crate::syntax::ast::Item;
use lsp_types::CompletionItemKind as Kind;
use std::path::Path;

/// `it.channels` and so on.
pub fn sizes(request: &Request<'_>, context: &Context) -> Vec<Offer> {
    vocabulary::SIZES.iter().map(|field| size(request, context, field)).collect()
}

/// Numbers with names, functions, and `it`.
pub fn expressions(request: &Request<'_>, context: &Context) -> Vec<Offer> {
    if !context.dotted.is_empty() {
        return Vec::new();
    }
    let mut offers = expression_words();
    for (known, symbol) in visible(request, context) {
        if matches!(symbol.kind, SymbolKind::Param | SymbolKind::Let | SymbolKind::Loop) {
            let text = known.program.sources.text(symbol.whole).lines().next().unwrap_or("");
            let detail = if symbol.kind == SymbolKind::Loop { "loop variable" } else { text };
            offers.push(Offer::new(&symbol.name, Kind::VARIABLE, detail).rank(0));
        }
    }
    offers
}

/// The symbols of the block or model around the place, as far as their names can be seen there.
fn visible<'a>(request: &'a Request<'_>, context: &Context) -> Vec<(&'a Analysis, &'a Symbol)> {
    let Some(known) = request.known.first() else { return Vec::new() };
    let Some(file) = known.file(request.path) else { return Vec::new() };
    let offset = context.word.start as u32;
    let index = known.index();
    let owner = owner(index, request, context);
    let seen = |symbol: &&Symbol| {
        let place = symbol.definitions.first().is_some_and(|span| span.file == file && span.start < offset);
        let inside = symbol.kind != SymbolKind::Loop || symbol.whole.end >= offset || symbol.whole.end == 0;
        place && inside && symbol.owner.map(|id| index.symbols[id].name.as_str()) == owner.as_deref()
    };
    index.symbols.iter().filter(seen).map(|symbol| (&**known, symbol)).collect()
}

/// The block or model around the place, by the last head before it.
fn owner(index: &Index, request: &Request<'_>, context: &Context) -> Option<String> {
    let known = request.known.first()?;
    let file = known.file(request.path)?;
    let items = index.symbols.iter().filter(|s| matches!(s.kind, SymbolKind::Block | SymbolKind::Model));
    let before = items.filter(|s| s.whole.file == file && (s.whole.start as usize) < context.word.start);
    before.max_by_key(|s| s.whole.start).map(|s| s.name.clone())
}

/// Labelled values, or what stands inside one.
pub fn paths(request: &Request<'_>, context: &Context) -> Vec<Offer> {
    let Some(known) = request.known.first() else { return Vec::new() };
    if !context.dotted.is_empty() {
        return inside(known, request, context);
    }
    let mut offers = Vec::new();
    for (known, symbol) in visible(request, context) {
        let is_value = matches!(symbol.kind, SymbolKind::Label | SymbolKind::Input | SymbolKind::ValueParam);
        if is_value && top(known, symbol, context) {
            let rank = if symbol.kind == SymbolKind::ValueParam { 0 } else { 1 };
            let offer = Offer::new(&symbol.name, Kind::VALUE, detail(known, request, symbol)).rank(rank);
            offers.push(if symbol.pattern { offer.snippet(escaped(&symbol.name)) } else { offer });
        }
    }
    offers
}

/// Whether a label is not inside another one whose braces are closed.
fn top(known: &Analysis, symbol: &Symbol, context: &Context) -> bool {
    let offset = context.word.start as u32;
    let around = known.index().symbols.iter().filter(|other| other.kind == SymbolKind::Label);
    let mut around = around.filter(|other| {
        let outer = other.whole.file == symbol.whole.file && other.whole.start < symbol.whole.start;
        outer && symbol.whole.end <= other.whole.end
    });
    // A label of a layer or a block holds nothing of this text.
    around.all(|other| other.whole.end >= offset)
}

/// `stage{i}` as it is, in a snippet.
fn escaped(text: &str) -> String {
    text.replace('$', "\\$").replace('}', "\\}")
}

fn detail(known: &Analysis, request: &Request<'_>, symbol: &Symbol) -> String {
    if symbol.kind == SymbolKind::ValueParam {
        return "value parameter".into();
    }
    let source = &known.program.sources.file(symbol.whole.file).text;
    let shapes = request.known.iter().filter_map(|k| k.shapes(&known.path(symbol.whole.file), source));
    let (start, end) = (symbol.whole.start as usize, symbol.whole.end as usize);
    shapes.flat_map(|s| s.exactly(start, end)).find_map(|seen| shapes::outputs(&seen)).unwrap_or_default()
}

/// Labels inside the scope that the names before the dot lead to, from the models that know it.
fn inside(known: &Analysis, request: &Request<'_>, context: &Context) -> Vec<Offer> {
    let wanted = context.dotted.join(".");
    let mut offers: Vec<Offer> = Vec::new();
    for view in known.views.models.iter() {
        let graph = view.sketch.graph();
        let leads = |path: &str| path == wanted || path.ends_with(&format!(".{wanted}"));
        for node in graph.order().map(|id| graph.node(id)) {
            let Some((before, after)) = split_after(&node.path, &leads) else { continue };
            let name = after.split('.').next().unwrap_or(after);
            let whole = format!("{before}.{name}");
            let shape = if node.path == whole { shapes::brief(&node.shape) } else { "…".into() };
            if !offers.iter().any(|offer| offer.label == name) && is_written(known, request, name) {
                offers.push(Offer::new(name, Kind::VALUE, shape).rank(1));
            }
        }
    }
    offers
}

/// Whether a label of this text stands in the file, or may: names given by counting are no values.
fn is_written(known: &Analysis, _: &Request<'_>, name: &str) -> bool {
    let digits = name.bytes().all(|b| b.is_ascii_digit());
    digits || known.index().symbols.iter().any(|symbol| symbol.name == name || symbol.pattern)
}

fn split_after<'t>(path: &'t str, leads: &impl Fn(&str) -> bool) -> Option<(&'t str, &'t str)> {
    let dots = path.match_indices('.').map(|(at, _)| at);
    dots.into_iter().find(|at| leads(&path[..*at])).map(|at| (&path[..at], &path[at + 1..]))
}

/// Models of the file.
pub fn models(request: &Request<'_>) -> Vec<Offer> {
    let Some(known) = request.known.first() else { return Vec::new() };
    known.program.models().into_iter().map(|name| Offer::new(name, Kind::MODULE, "model")).collect()
}

/// Blocks and models of the file that an import names.
pub fn imported(request: &Request<'_>, path: Option<&str>) -> Vec<Offer> {
    let (Some(known), Some(written)) = (request.known.first(), path) else { return Vec::new() };
    let path = plain(&request.path.parent().unwrap_or(Path::new("")).join(written));
    let program: &Program = &known.program;
    let Some(file) = program.files().find(|file| known.path(file.id) == path) else { return Vec::new() };
    let offer = |item: &Item| match item {
        Item::Block(block) => Some(Offer::new(&block.name.node, Kind::CLASS, hover::signature(program, block))),
        Item::Model(model) => Some(Offer::new(&model.name.node, Kind::MODULE, "model")),
        _ => None,
    };
    file.items.iter().filter_map(offer).collect()
}

/// Files next to this one.
pub fn files(request: &Request<'_>, context: &Context) -> Vec<Offer> {
    let text = &request.text.text;
    let folder = request.path.parent().unwrap_or(Path::new(""));
    let start = text.get(..context.word.start).and_then(|t| t.rfind('"')).map_or(context.word.start, |at| at + 1);
    let written = text.get(start..context.word.end).unwrap_or("");
    let below = written.rsplit_once('/').map_or("", |(below, _)| below);
    let Ok(entries) = std::fs::read_dir(folder.join(below)) else { return Vec::new() };
    let mut offers = Vec::new();
    for entry in entries.flatten().take(1000) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let own = folder.join(&path) == request.path;
        if name.ends_with(".arch") && !own {
            offers.push(Offer::new(path, Kind::FILE, ""));
        } else if entry.path().is_dir() && !name.starts_with('.') {
            offers.push(Offer::new(format!("{path}/"), Kind::FOLDER, ""));
        }
    }
    offers
}
