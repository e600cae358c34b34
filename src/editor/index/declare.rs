//! The first walk: every name that is given, and the labels of every scope.

use super::tables::{Entry, Inner, Pattern, Table, TableId, Tables};
use super::{Index, Symbol, SymbolId, SymbolKind};
use crate::base::{FileId, Span};
use crate::elaborate::Program;
use crate::syntax::ast::{Block, Body, Call, Ident, Item, Label, Model, Param, Skip, Step, StepKind};
use std::collections::BTreeMap;

/// What the first walk found.
pub(super) struct Declared {
    pub index: Index,
    pub tables: Tables,
    /// The scope that braces or a label open, by where they stand.
    pub opened: BTreeMap<(FileId, u32), TableId>,
    /// The outputs of each model, by the model's symbol.
    pub outputs: BTreeMap<SymbolId, Vec<(String, SymbolId)>>,
}

/// Enters every name of a program.
pub(super) fn declare(program: &Program) -> Declared {
    let declared = Declared {
        index: Index::default(),
        tables: Tables::default(),
        opened: BTreeMap::new(),
        outputs: BTreeMap::new(),
    };
    let mut walk = Walk { program, declared, file: FileId(0), owner: 0, table: 0 };
    for file in program.files() {
        walk.file = file.id;
        for item in &file.items {
            match item {
                Item::Block(block) => walk.block(block),
                Item::Model(model) => walk.model(model),
                _ => {}
            }
        }
    }
    walk.declared
}

struct Walk<'p> {
    program: &'p Program,
    declared: Declared,
    file: FileId,
    owner: SymbolId,
    table: TableId,
}

impl Walk<'_> {
    fn block(&mut self, block: &Block) {
        self.owner = self.name(SymbolKind::Block, &block.name, block.span, None);
        self.item(&block.name, &block.params, &block.body);
    }

    fn model(&mut self, model: &Model) {
        self.owner = self.name(SymbolKind::Model, &model.name, model.span, None);
        self.item(&model.name, &model.params, &model.body);
        // The last step's label names the output.
        let last = model.body.lines.last().and_then(|line| line.last()).and_then(|step| step.label.as_ref());
        let named = last.and_then(|label| self.declared.index.defined_at(label.span));
        let outputs = self.declared.outputs.entry(self.owner).or_default();
        if let Some(symbol) = named.filter(|_| outputs.is_empty()) {
            let name = self.declared.index.symbols[symbol].name.clone();
            outputs.push((name, symbol));
        }
    }

    fn item(&mut self, name: &Ident, params: &[Param], body: &Body) {
        self.table = self.open(None);
        self.declared.tables.blocks.insert((self.file, name.span.start), self.table);
        for param in params {
            let kind = if param.value { SymbolKind::ValueParam } else { SymbolKind::Param };
            let whole = param.default.as_ref().map_or(param.name.span, |value| param.name.span.to(value.span));
            self.name(kind, &param.name, whole, Some(self.owner));
        }
        self.body(body);
    }

    fn name(&mut self, kind: SymbolKind, name: &Ident, whole: Span, owner: Option<SymbolId>) -> SymbolId {
        let definitions = vec![name.span];
        self.declared.index.define(Symbol { kind, name: name.node.clone(), pattern: false, owner, definitions, whole })
    }

    fn open(&mut self, parent: Option<TableId>) -> TableId {
        self.declared.tables.list.push(Table { parent, ..Table::default() });
        self.declared.tables.list.len() - 1
    }

    fn here(&mut self) -> &mut Table {
        &mut self.declared.tables.list[self.table]
    }

    fn body(&mut self, body: &Body) {
        body.lines.iter().flatten().for_each(|step| self.step(step));
    }

    fn step(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Call(call) => self.call(call, step),
            StepKind::Let { name, .. } => drop(self.name(SymbolKind::Let, name, step.span, Some(self.owner))),
            StepKind::Input { name, .. } => {
                let symbol = self.name(SymbolKind::Input, name, step.span, Some(self.owner));
                let entry = Entry { text: Pattern::plain(&name.node), symbol, inner: None };
                self.here().entries.push(entry);
            }
            StepKind::Output(label) => self.output(label, step.span),
            StepKind::From(_) | StepKind::Set(_) => {}
            _ => self.braced(step),
        }
    }

    fn output(&mut self, label: &Label, whole: Span) {
        if let Some(text) = Pattern::of(label).text() {
            let (owner, name) = (self.owner, text.to_string());
            let symbol = self.name(SymbolKind::Output, &Ident::new(name.clone(), label.span), whole, Some(owner));
            self.declared.outputs.entry(owner).or_default().push((name, symbol));
        }
    }

    fn call(&mut self, call: &Call, step: &Step) {
        let block = match self.program.named(self.file, &call.name.node) {
            Some((file, Item::Block(block))) => Some((file, block.name.span.start)),
            _ => None,
        };
        match (&step.label, block) {
            (Some(label), Some(key)) if Pattern::of(label).text() == Some("_") => self.here().blank.push(key),
            (Some(label), block) => self.label(label, step.span, block.map(Inner::Block)),
            (None, Some(key)) => {
                let name = call.name.node.to_lowercase();
                self.here().counted.push((name, Inner::Block(key)));
            }
            (None, None) => {}
        }
    }

    /// Enters a label; the same label in another arm of an `if` is the same symbol.
    fn label(&mut self, label: &Label, whole: Span, inner: Option<Inner>) {
        let text = Pattern::of(label);
        if text.text() == Some("_") {
            return;
        }
        if let Some(known) = self.here().entries.iter_mut().find(|entry| entry.text == text && entry.inner == inner) {
            let symbol = known.symbol;
            return self.again(symbol, label);
        }
        let same = self.here().entries.iter().find(|entry| entry.text == text).map(|entry| entry.symbol);
        let symbol = match same {
            Some(symbol) => {
                self.again(symbol, label);
                symbol
            }
            None => self.declared.index.define(Symbol {
                kind: SymbolKind::Label,
                name: self.program.sources.text(label.span).to_string(),
                pattern: text.text().is_none(),
                owner: Some(self.owner),
                definitions: vec![label.span],
                whole,
            }),
        };
        self.here().entries.push(Entry { text, symbol, inner });
    }

    fn again(&mut self, symbol: SymbolId, label: &Label) {
        self.declared.index.symbols[symbol].definitions.push(label.span);
        self.declared.index.add_place(label.span, symbol, super::Role::Definition);
    }

    /// Steps with braces, in the scope that their label opens.
    fn braced(&mut self, step: &Step) {
        let outer = self.table;
        if let Some(label) = step.label.as_ref().filter(|label| Pattern::of(label).text() != Some("_")) {
            let inner = self.open(Some(outer));
            self.label(label, step.span, Some(Inner::Table(inner)));
            self.declared.opened.insert((self.file, label.span.start), inner);
            self.table = inner;
        }
        match &step.kind {
            StepKind::Group(body) | StepKind::Parallel { body, .. } => self.body(body),
            StepKind::Skip(skip) => self.skip(skip),
            StepKind::Repeat { body, .. } => self.iterations(body),
            StepKind::For { var, body, .. } => {
                self.name(SymbolKind::Loop, var, step.span, Some(self.owner));
                self.body(body);
            }
            StepKind::If { arms, otherwise } => {
                arms.iter().map(|(_, body)| body).chain(otherwise).for_each(|body| self.body(body));
            }
            _ => {}
        }
        self.table = outer;
    }

    fn iterations(&mut self, body: &Body) {
        let outer = self.table;
        let iteration = self.open(Some(outer));
        self.here().iterations.push(iteration);
        self.declared.opened.insert((self.file, body.span.start), iteration);
        self.table = iteration;
        self.body(body);
        self.table = outer;
    }

    fn skip(&mut self, skip: &Skip) {
        skip.body.iter().for_each(|body| self.body(body));
        skip.via.iter().chain(&skip.by).for_each(|step| self.step(step));
    }
}
