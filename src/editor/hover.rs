//! What is under the pointer: documentation, shapes, costs.

use super::analysis::{Analysis, Seen, Shapes};
use super::context::{self, Context, Place};
use super::index::{Place as NamePlace, Symbol, SymbolKind};
use super::manual;
use super::shapes;
use super::tokens::{KEYWORDS, word_at};
use crate::base::Span;
use crate::elaborate::{Program, vocabulary};
use crate::graph::ScopeKind;
use crate::ops;
use crate::syntax::ast::{Block, Item, Param};
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

/// Models that are shown each; more are counted.
const MODELS: usize = 5;
/// Values of a parameter that are shown.
const VALUES: usize = 8;

/// What is known at a byte, as Markdown, and the bytes it is about. The first of the analyses knows the names.
pub fn hover(known: &[Rc<Analysis>], path: &Path, text: &str, offset: usize) -> Option<(String, Range<usize>)> {
    let range = word_at(text, offset)?;
    let hover = Hover { known, path, text, range: range.clone(), context: context::at(text, range.start) };
    hover.explained().map(|text| (text, range))
}

struct Hover<'a> {
    known: &'a [Rc<Analysis>],
    path: &'a Path,
    text: &'a str,
    range: Range<usize>,
    context: Context,
}

impl Hover<'_> {
    fn word(&self) -> &str {
        self.text.get(self.range.clone()).unwrap_or("")
    }

    fn explained(&self) -> Option<String> {
        if self.context.dotted == ["it"] {
            return Some(self.size());
        }
        let own = self.known.first()?;
        let place = own.file(self.path).and_then(|file| own.index().at(file, self.range.start).into_iter().next());
        if let Some(place) = place.filter(|place| place.span.start as usize <= self.range.start) {
            return Some(self.symbol(own, place));
        }
        self.by_place().or_else(|| self.value())
    }

    /// Shapes of the file, of every open root that has it.
    fn shapes(&self) -> impl Iterator<Item = Shapes<'_>> {
        self.known.iter().filter_map(|known| known.shapes(self.path, self.text))
    }

    /// What steps come to, model by model.
    fn lines(&self, find: impl Fn(&Shapes<'_>) -> Vec<String>) -> String {
        let mut lines: Vec<String> = self.shapes().flat_map(|shapes| find(&shapes)).collect();
        let more = lines.len().saturating_sub(MODELS);
        lines.truncate(MODELS);
        if more > 0 {
            lines.push(format!("and in {more} more model{}", if more == 1 { "" } else { "s" }));
        }
        lines.iter().map(|line| format!("\n- {line}")).collect()
    }

    /// The step around the pointer.
    fn value(&self) -> Option<String> {
        let lines = self.lines(|shapes| said(shapes.around(self.range.start)));
        (!lines.is_empty()).then_some(lines.trim_start().to_string())
    }

    /// `it.channels`
    fn size(&self) -> String {
        let field = self.word().to_string();
        let lines = self.lines(|shapes| {
            let line = |seen: Seen<'_>| {
                let graph = seen.view.sketch.graph();
                let size = |node| {
                    let shape = graph.shape(node);
                    Some(match (field.as_str(), shape.spatial()) {
                        ("rank", _) => shape.rank(),
                        ("channels", _) | ("features", []) => shape.channels()?,
                        ("height", [height, _]) => *height,
                        ("width", [_, width]) => *width,
                        ("length", [length]) => *length,
                        _ => return None,
                    })
                };
                let values = seen.taken.iter().filter_map(|taken| size(taken.before?)).map(|n| n.to_string());
                Some(format!("{}: {}", seen.view.model, shapes::folded(values.collect())?))
            };
            shapes.around(self.range.start).into_iter().filter_map(line).collect()
        });
        format!("`it.{field}`: {}\n{lines}", manual::size(&field))
    }

    fn symbol(&self, own: &Analysis, place: NamePlace) -> String {
        let symbol = &own.index().symbols[place.symbol];
        match symbol.kind {
            SymbolKind::Block => self.block(own, symbol),
            SymbolKind::Model => model(own, symbol),
            SymbolKind::Param | SymbolKind::ValueParam => self.param(own, symbol),
            SymbolKind::Let | SymbolKind::Loop => {
                let text = own.program.sources.text(symbol.whole);
                let head = text.split('{').next().unwrap_or(text).trim_end();
                format!("```arch\n{}\n```", if symbol.kind == SymbolKind::Let { text } else { head })
            }
            SymbolKind::Label | SymbolKind::Input | SymbolKind::Output => self.labelled(own, symbol),
        }
    }

    /// A block: what it says of itself, and what its use here costs, or all of its uses.
    fn block(&self, own: &Analysis, symbol: &Symbol) -> String {
        let block = symbol.definitions.first().and_then(|span| block_at(&own.program, *span));
        let signature = block.map_or_else(|| symbol.name.clone(), |block| signature(&own.program, block));
        let mut text = format!("```arch\nblock {signature}\n```\n");
        if let Some(doc) = block.and_then(|block| block.doc.as_ref()) {
            text += &format!("{doc}\n");
        }
        let defined = symbol.definitions.iter().any(|span| span.start as usize == self.range.start);
        let here = own.file(self.path) == symbol.definitions.first().map(|span| span.file);
        match defined && here {
            true => text + &self.uses(&symbol.name),
            false => text + &self.lines(|shapes| said(shapes.around(self.range.start))),
        }
    }

    /// How often each model uses a block.
    fn uses(&self, block: &str) -> String {
        self.lines(|shapes| {
            let line = |view: &super::analysis::View| {
                let is_use = |kind: &ScopeKind| matches!(kind, ScopeKind::Block(used) if used.block == block);
                let count = view.sketch.graph().scopes.iter().filter(|(_, scope)| is_use(&scope.kind)).count();
                (count > 0).then(|| format!("{}: used {count} time{}", view.model, if count == 1 { "" } else { "s" }))
            };
            shapes.models().iter().filter_map(line).collect()
        })
    }

    /// A parameter, and what it is in the models.
    fn param(&self, own: &Analysis, symbol: &Symbol) -> String {
        let whole = own.program.sources.text(symbol.whole);
        let owner = symbol.owner.map(|id| &own.index().symbols[id]);
        let of = owner.map_or(String::new(), |owner| format!(" of `{}`", owner.name));
        if symbol.kind == SymbolKind::ValueParam {
            return format!("`{}: value`: takes the name of a labelled value; parameter{of}", symbol.name);
        }
        let values = owner.map_or(String::new(), |owner| self.values(owner, &symbol.name));
        format!("`{whole}`: parameter{of}\n{values}")
    }

    fn values(&self, owner: &Symbol, name: &str) -> String {
        self.lines(|shapes| {
            let line = |view: &super::analysis::View| {
                let network = view.sketch.network.as_ref();
                if owner.kind == SymbolKind::Model {
                    let value = network.filter(|n| n.name == owner.name)?.settings.get(name)?;
                    return Some(format!("{}: {value}", view.model));
                }
                let mut values: Vec<String> = Vec::new();
                for (_, scope) in view.sketch.graph().scopes.iter() {
                    let ScopeKind::Block(used) = &scope.kind else { continue };
                    let given = used.args.iter().find(|arg| used.block == owner.name && arg.name == name);
                    let value = given.map(|arg| arg.value.to_string());
                    values.extend(value.filter(|value| !values.contains(value)));
                }
                let more = if values.len() > VALUES { ", …" } else { "" };
                values.truncate(VALUES);
                (!values.is_empty()).then(|| format!("{}: {}{more}", view.model, values.join(", ")))
            };
            shapes.models().iter().filter_map(line).collect()
        })
    }

    /// A labelled value, by the step that makes it.
    fn labelled(&self, own: &Analysis, symbol: &Symbol) -> String {
        let mut text = format!("`{}`: {}", symbol.name, symbol.kind.words());
        let path = own.path(symbol.whole.file);
        let source = &own.program.sources.file(symbol.whole.file).text;
        let (start, end) = (symbol.whole.start as usize, symbol.whole.end as usize);
        let mut lines = Vec::new();
        for shapes in self.known.iter().filter_map(|known| known.shapes(&path, source)) {
            lines.extend(said(shapes.exactly(start, end)));
        }
        let more = lines.len().saturating_sub(MODELS);
        lines.truncate(MODELS);
        lines.iter().for_each(|line| text += &format!("\n- {line}"));
        if more > 0 {
            text += &format!("\n- and in {more} more");
        }
        text
    }

    /// Words that mean something by where they stand.
    fn by_place(&self) -> Option<String> {
        let word = self.word();
        let followed = self.text[self.range.end..].trim_start();
        let names_value = followed.starts_with('=') && !followed.starts_with("==");
        let merges = manual::merge(word).map(|text| format!("`{word}`: {text}"));
        match &self.context.place {
            Place::Step | Place::SideStep | Place::Layer => {
                if let Some(text) = manual::side_step(word) {
                    return Some(format!("`{word}`: {text}{}", self.lines(|s| said(s.around(self.range.start)))));
                }
                let spec = ops::layer(word);
                let values = || self.lines(|shapes| said(shapes.around(self.range.start)));
                spec.map(|spec| manual::layer(spec) + &values()).or_else(|| self.keyword())
            }
            Place::Argument(argument) | Place::SetArgument(argument) if names_value => {
                ops::layer(&argument.callee)?.arg(word).map(manual::argument)
            }
            Place::MergeKind { .. } => merges.or_else(|| self.keyword()),
            Place::RecipeLine => manual::recipe_line(word),
            Place::RecipeValue { line } => {
                let parts = vocabulary::parts(line);
                let part = parts.iter().find(|(name, _)| *name == word);
                part.map(|(name, args)| format!("```arch\n{}\n```", manual::part(name, args)))
            }
            Place::Expression if vocabulary::FUNCTIONS.contains(&word) => Some(manual::function(word).to_string()),
            _ => self.keyword(),
        }
    }

    fn keyword(&self) -> Option<String> {
        let word = self.word();
        KEYWORDS.contains(&word).then(|| manual::keyword(word)).flatten().map(|text| {
            let values = matches!(word, "skip" | "long" | "parallel" | "repeat" | "from");
            let lines = values.then(|| self.lines(|shapes| said(shapes.around(self.range.start))));
            format!("{text}\n{}", lines.unwrap_or_default())
        })
    }
}

/// A line for each model that takes a step.
fn said(seen: Vec<Seen<'_>>) -> Vec<String> {
    seen.iter().filter_map(|one| Some(format!("{}: {}", one.view.model, shapes::line(one)?))).collect()
}

fn model(own: &Analysis, symbol: &Symbol) -> String {
    let mut text = format!("```arch\nmodel {}\n```\n", symbol.name);
    let items = own.program.files().flat_map(|file| &file.items);
    let found = items.filter_map(|item| match item {
        Item::Model(model) if symbol.definitions.contains(&model.name.span) => Some(model),
        _ => None,
    });
    for model in found {
        text = format!("```arch\nmodel {}\n```\n", with_params(&own.program, &model.name.node, &model.params));
        model.doc.iter().for_each(|doc| text += &format!("{doc}\n"));
    }
    let view = own.views.models.iter().find(|view| view.model == symbol.name);
    if let Some(network) = view.and_then(|view| view.sketch.network.as_ref()) {
        text += &format!("\n{}", shapes::headline(network));
    }
    text
}

/// The block whose name stands at this place.
pub fn block_at(program: &Program, name: Span) -> Option<&Block> {
    program.files().flat_map(|file| &file.items).find_map(|item| match item {
        Item::Block(block) if block.name.span == name => Some(block),
        _ => None,
    })
}

/// `BasicBlock(width, stride=1)`
pub fn signature(program: &Program, block: &Block) -> String {
    with_params(program, &block.name.node, &block.params)
}

fn with_params(program: &Program, name: &str, params: &[Param]) -> String {
    let params: Vec<String> = params.iter().map(|param| parameter(program, param)).collect();
    format!("{name}({})", params.join(", "))
}

/// A parameter as it is written.
pub fn parameter(program: &Program, param: &Param) -> String {
    match (&param.default, param.value) {
        (_, true) => format!("{}: value", param.name.node),
        (Some(default), _) => format!("{}={}", param.name.node, program.sources.text(default.span)),
        (None, false) => param.name.node.clone(),
    }
}
