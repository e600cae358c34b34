//! The second walk: what each name means.

use super::declare::Declared;
use super::tables::{Found, Inner, Pattern, TableId};
use super::{Index, Role, SymbolId, SymbolKind};
use crate::base::{FileId, Span};
use crate::elaborate::Program;
use crate::ops::{self, ArgType};
use crate::syntax::ast::{
    Arg, Block, Body, Call, Expr, ExprKind, Ident, Item, Label, LabelPart, Model, Param, Path, Step, StepKind, Train,
};
use crate::syntax::walk::{Walk, walk_expr, walk_step};

/// Enters every use of a name.
pub(super) fn resolve(program: &Program, declared: Declared) -> Index {
    let mut walk = Resolver { program, declared, file: FileId(0), table: 0, vars: Vec::new() };
    for file in program.files() {
        walk.file = file.id;
        file.items.iter().for_each(|item| walk.item(item));
    }
    walk.declared.index
}

struct Resolver<'p> {
    program: &'p Program,
    declared: Declared,
    file: FileId,
    table: TableId,
    /// Parameters, `let`s and loop variables that can be seen, the innermost last.
    vars: Vec<(String, SymbolId)>,
}

/// Which arguments of a call name labelled values, and the parameters they are for.
struct Callee {
    names: Vec<(String, bool, Option<SymbolId>)>,
}

impl Callee {
    fn of(&self, arg: &Arg, position: usize) -> Option<&(String, bool, Option<SymbolId>)> {
        match &arg.name {
            Some(name) => self.names.iter().find(|(known, ..)| *known == name.node),
            None => self.names.get(position),
        }
    }
}

impl Resolver<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Import(import) => import.names.iter().for_each(|name| _ = self.named(name)),
            Item::Set(set) => self.args(&set.args),
            Item::Block(block) => self.definition(&block.name, &block.params, &block.body),
            Item::Model(model) => self.definition(&model.name, &model.params, &model.body),
            Item::Train(train) => self.train(train),
        }
    }

    fn reference(&mut self, span: Span, symbol: SymbolId) {
        self.declared.index.add_place(span, symbol, Role::Reference);
    }

    /// A block or a model by its name.
    fn named(&mut self, name: &Ident) -> Option<SymbolId> {
        let (_, item) = self.program.named(self.file, &name.node)?;
        let (Item::Block(Block { name: given, .. }) | Item::Model(Model { name: given, .. })) = item else {
            return None;
        };
        let symbol = self.declared.index.defined_at(given.span)?;
        self.reference(name.span, symbol);
        Some(symbol)
    }

    fn definition(&mut self, name: &Ident, params: &[Param], body: &Body) {
        let key = (self.file, name.span.start);
        self.table = self.declared.tables.blocks.get(&key).copied().unwrap_or(0);
        self.vars.clear();
        for param in params {
            param.default.iter().for_each(|default| self.expr(default));
            self.bind(&param.name);
        }
        self.body(body);
    }

    fn bind(&mut self, name: &Ident) {
        if let Some(symbol) = self.declared.index.defined_at(name.span) {
            self.vars.push((name.node.clone(), symbol));
        }
    }

    fn train(&mut self, train: &Train) {
        let model = self.named(&train.model);
        self.vars.clear();
        if let Some((file, Item::Model(found))) = self.program.named(self.file, &train.model.node) {
            let params = found.params.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
            debug_assert!(params.iter().all(|p| p.span.file == file));
            params.iter().for_each(|name| self.bind(name));
        }
        for field in &train.fields {
            self.expr(&field.value);
            if let Some(model) = model {
                self.outputs(&field.value, model);
            }
        }
    }

    /// `output="mask"` in a recipe names an output.
    fn outputs(&mut self, expr: &Expr, model: SymbolId) {
        match &expr.node {
            ExprKind::Call(call) => {
                for arg in &call.args {
                    let is_output = arg.name.as_ref().is_some_and(|name| name.node == "output");
                    let (ExprKind::Str(text), true) = (&arg.value.node, is_output) else { continue };
                    let known = self.declared.outputs.get(&model);
                    let found = known.and_then(|list| list.iter().find(|(name, _)| name == text)).map(|(_, id)| *id);
                    let span = Span { start: arg.value.span.start + 1, end: arg.value.span.end - 1, ..arg.value.span };
                    found.into_iter().for_each(|symbol| self.reference(span, symbol));
                }
            }
            ExprKind::Binary(_, a, b) => {
                self.outputs(a, model);
                self.outputs(b, model);
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &Call) {
        let callee = match ops::layer(&call.name.node) {
            Some(spec) => {
                let names = spec.args.iter().map(|arg| (arg.name.to_string(), arg.ty == ArgType::Operand, None));
                Callee { names: names.collect() }
            }
            None => {
                self.named(&call.name);
                self.callee(&call.name.node)
            }
        };
        let mut position = 0;
        for arg in &call.args {
            let (value, symbol) = callee.of(arg, position).map_or((false, None), |(_, value, id)| (*value, *id));
            position += usize::from(arg.name.is_none());
            if let (Some(name), Some(symbol)) = (&arg.name, symbol) {
                self.reference(name.span, symbol);
            }
            if value { self.value(&arg.value) } else { self.expr(&arg.value) }
        }
    }

    fn callee(&self, name: &str) -> Callee {
        let Some((_, Item::Block(block))) = self.program.named(self.file, name) else {
            return Callee { names: Vec::new() };
        };
        let param = |p: &Param| (p.name.node.clone(), p.value, self.declared.index.defined_at(p.name.span));
        Callee { names: block.params.iter().map(param).collect() }
    }

    /// An argument that names a labelled value.
    fn value(&mut self, expr: &Expr) {
        match &expr.node {
            ExprKind::Name(name) => {
                let label = Label { parts: vec![LabelPart::Text(name.clone())], span: expr.span };
                self.path(&Path { segments: vec![label], span: expr.span });
            }
            ExprKind::Dotted(path) => self.path(path),
            _ => self.expr(expr),
        }
    }

    fn enter(&mut self, span: Span, found: &[Found]) {
        for one in found {
            let role = if one.exact { Role::Reference } else { Role::Loose };
            if let Some(symbol) = one.symbol {
                self.declared.index.add_place(span, symbol, role);
            } else if let Some(Inner::Block((file, start))) = one.inner {
                // `double1` is the name of the block `Double` in other letters.
                let block = self.declared.index.defined_at(Span { file, start, end: start });
                block.into_iter().for_each(|symbol| self.declared.index.add_place(span, symbol, Role::Loose));
            }
        }
    }
}

/// Labels of its own are looked at, too, so it serves trees of any lifetime.
impl<'t> Walk<'t> for Resolver<'_> {
    fn body(&mut self, body: &'t Body) {
        let (outer, mark) = (self.table, self.vars.len());
        self.table = self.declared.opened.get(&(self.file, body.span.start)).copied().unwrap_or(outer);
        body.lines.iter().flatten().for_each(|step| self.step(step));
        self.vars.truncate(mark);
        self.table = outer;
    }

    fn step(&mut self, step: &'t Step) {
        let outer = self.table;
        let opened = step.label.as_ref().and_then(|label| self.declared.opened.get(&(self.file, label.span.start)));
        self.table = opened.copied().unwrap_or(outer);
        match &step.kind {
            StepKind::Call(call) => {
                step.label.iter().for_each(|label| self.label(label));
                self.call(call);
            }
            StepKind::For { var, from, to, body, .. } => {
                step.label.iter().for_each(|label| self.label(label));
                self.expr(from);
                self.expr(to);
                let mark = self.vars.len();
                self.bind(var);
                self.body(body);
                self.vars.truncate(mark);
            }
            StepKind::Let { name, .. } => {
                walk_step(self, step);
                self.bind(name);
            }
            _ => walk_step(self, step),
        }
        self.table = outer;
    }

    fn expr(&mut self, expr: &'t Expr) {
        match &expr.node {
            ExprKind::Name(name) => {
                let found = self.vars.iter().rev().find(|(known, _)| known == name).map(|(_, symbol)| *symbol);
                found.into_iter().for_each(|symbol| self.reference(expr.span, symbol));
            }
            // `it.channels` leads to no labelled value.
            ExprKind::Dotted(path) => path.segments.iter().for_each(|segment| self.label(segment)),
            _ => walk_expr(self, expr),
        }
    }

    /// A path to a labelled value, segment by segment.
    fn path(&mut self, path: &'t Path) {
        path.segments.iter().for_each(|segment| self.label(segment));
        let Some((first, rest)) = path.segments.split_first() else { return };
        let pattern = Pattern::of(first);
        if let (Some(text), true) = (pattern.text(), rest.is_empty()) {
            let bound = self.vars.iter().rev().find(|(known, _)| known == text).map(|(_, symbol)| *symbol);
            let is_value = |id: &SymbolId| self.declared.index.symbols[*id].kind == SymbolKind::ValueParam;
            if let Some(symbol) = bound.filter(is_value) {
                return self.reference(first.span, symbol);
            }
        }
        let mut found = self.declared.tables.around(self.table, &pattern);
        self.enter(first.span, &found);
        for segment in rest {
            let pattern = Pattern::of(segment);
            let inners: Vec<Inner> = found.iter().filter_map(|one| one.inner).collect();
            found = inners.into_iter().flat_map(|inner| self.declared.tables.inside(inner, &pattern, 0)).collect();
            self.enter(segment.span, &found);
        }
    }
}
