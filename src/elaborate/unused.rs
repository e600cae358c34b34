//! Names that nothing uses.

use super::names::plain;
use super::program::Program;
use crate::base::{Diagnostic, SourceFile, Span, codes};
use crate::ops;
use crate::syntax::ast::*;
use crate::syntax::walk::{Walk, walk_expr, walk_step};
use std::collections::{BTreeMap, BTreeSet};

/// Warnings about the texts: the root file's blocks, and every file's imports, parameters, `let`s and labels.
pub(super) fn check(program: &Program) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let all = program.files().flat_map(|file| &file.items).fold(Mentions::default(), |mut all, item| {
        all.item(item);
        all
    });
    blocks(program, &mut found);
    for file in program.files() {
        imports(program, file, &mut found);
        for item in &file.items {
            match item {
                Item::Block(block) => names(&block.params, &block.body, &all, &mut found),
                Item::Model(model) => names(&model.params, &model.body, &all, &mut found),
                _ => {}
            }
        }
    }
    found
}

/// Blocks of a file with models that no model reaches. A file of blocks alone is there to be imported.
fn blocks(program: &Program, found: &mut Vec<Diagnostic>) {
    let items = &program.root().items;
    let mut calls: BTreeMap<&str, Mentions<'_>> = BTreeMap::new();
    let mut open: Vec<&str> = Vec::new();
    for item in items {
        let mut mentions = Mentions::default();
        mentions.item(item);
        match item {
            Item::Block(block) => drop(calls.insert(&block.name.node, mentions)),
            Item::Model(_) => open.extend(mentions.calls),
            _ => {}
        }
    }
    if !items.iter().any(|item| matches!(item, Item::Model(_))) {
        return;
    }
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(calls.get(name).into_iter().flat_map(|m| m.calls.iter().copied()));
        }
    }
    for item in items {
        if let Item::Block(block) = item
            && !reached.contains(block.name.node.as_str())
        {
            let message = format!("the block `{}` is never used", block.name.node);
            found.push(Diagnostic::new(codes::UNUSED_BLOCK, message).label(block.name.span, "no model reaches it"));
        }
    }
}

fn imports(program: &Program, file: &File, found: &mut Vec<Diagnostic>) {
    let mut used = Mentions::default();
    file.items.iter().for_each(|item| used.item(item));
    // A file without steps passes on what it imports.
    let passes_on = !file.items.iter().any(|item| matches!(item, Item::Block(_) | Item::Model(_) | Item::Train(_)));
    for item in &file.items {
        let Item::Import(import) = item else { continue };
        for name in import.names.iter().filter(|name| !used.calls.contains(name.node.as_str()) && !passes_on) {
            let message = format!("`{}` is imported and never used", name.node);
            let warning = Diagnostic::new(codes::UNUSED_IMPORT, message).label(name.span, "leave it out");
            let span = without(import, name, program.sources.file(name.span.file));
            found.push(warning.fix(format!("leave `{}` out", name.node), span, ""));
        }
    }
}

/// What to take away of an import for one of its names: the name with its comma, or the whole line.
fn without(import: &Import, name: &Ident, source: &SourceFile) -> Span {
    let at = import.names.iter().position(|one| one.span == name.span).unwrap_or(0);
    match (import.names.get(at + 1), at.checked_sub(1).and_then(|before| import.names.get(before))) {
        (Some(next), _) => Span { end: next.span.start, ..name.span },
        (None, Some(before)) => Span { start: before.span.end, ..name.span },
        (None, None) => {
            let breaks = source.text.get(import.span.end as usize..).is_some_and(|rest| rest.starts_with('\n'));
            Span { end: import.span.end + u32::from(breaks), ..import.span }
        }
    }
}

/// Parameters, `let`s and labels of one block or model.
fn names(params: &[Param], body: &Body, all: &Mentions<'_>, found: &mut Vec<Diagnostic>) {
    let mut used = Mentions::default();
    used.body(body);
    params.iter().filter_map(|p| p.default.as_ref()).for_each(|default| used.expr(default));
    let unused = |name: &Ident| !name.node.starts_with('_') && !used.names.contains(name.node.as_str());
    for param in params.iter().filter(|param| unused(&param.name)) {
        let message = format!("the parameter `{}` is never used", param.name.node);
        found.push(Diagnostic::new(codes::UNUSED_NAME, message).label(param.name.span, "nothing below reads it"));
    }
    for name in used.lets.iter().filter(|name| unused(name)) {
        let message = format!("`{}` is never used", name.node);
        found.push(Diagnostic::new(codes::UNUSED_NAME, message).label(name.span, "nothing below reads it"));
    }
    for (label, layer, end) in &used.labels {
        let read = |text: &str| all.names.contains(text) || all.patterns.iter().any(|pattern| may_be(pattern, text));
        let Some(text) = plain(label).filter(|text| !text.starts_with('_') && !read(text)) else {
            continue;
        };
        let message = format!("the label `{text}` names nothing that is used");
        let warning = Diagnostic::new(codes::UNUSED_LABEL, message)
            .label(label.span, format!("`{layer}` has no parameters, and nothing reads its value by name"));
        let title = format!("leave the label `{text}` out");
        found.push(warning.help("leave the label out").fix(title, Span { end: *end, ..label.span }, ""));
    }
}

/// Whether a label with `{expr}` in it may come out as a text: each stands for one letter, digit or `_` at least.
fn may_be(pattern: &Label, text: &str) -> bool {
    // How many bytes of the text may be told so far.
    let mut ends = BTreeSet::from([0]);
    for part in &pattern.parts {
        ends = match part {
            LabelPart::Text(piece) => ends
                .into_iter()
                .filter(|&at| text[at..].starts_with(piece.as_str()))
                .map(|at| at + piece.len())
                .collect(),
            LabelPart::Expr(_) => match ends.first() {
                Some(&least) => (least + 1..=text.len()).filter(|&at| text.is_char_boundary(at)).collect(),
                None => ends,
            },
        };
    }
    ends.contains(&text.len())
}

/// The names that steps mention.
#[derive(Default)]
struct Mentions<'a> {
    /// Layers, blocks and models.
    calls: BTreeSet<&'a str>,
    /// Numbers and labelled values.
    names: BTreeSet<&'a str>,
    /// Labels that are read with `{expr}` in them.
    patterns: Vec<&'a Label>,
    lets: Vec<&'a Ident>,
    /// Labels of layers without parameters, the layers, and where they start.
    labels: Vec<(&'a Label, &'a str, u32)>,
}

impl<'a> Mentions<'a> {
    fn item(&mut self, item: &'a Item) {
        match item {
            Item::Block(block) => {
                block.params.iter().filter_map(|p| p.default.as_ref()).for_each(|e| self.expr(e));
                self.body(&block.body);
            }
            Item::Model(model) => {
                model.params.iter().filter_map(|p| p.default.as_ref()).for_each(|e| self.expr(e));
                self.body(&model.body);
                // The last step's label names the output.
                let last = model.body.lines.last().and_then(|line| line.last()).and_then(|step| step.label.as_ref());
                self.names.extend(last.and_then(plain));
            }
            Item::Train(train) => drop(self.calls.insert(&train.model.node)),
            Item::Import(_) | Item::Set(_) => {}
        }
    }
}

impl<'a> Walk<'a> for Mentions<'a> {
    fn step(&mut self, step: &'a Step) {
        match &step.kind {
            StepKind::Call(call) => {
                self.calls.insert(&call.name.node);
                let plain_layer = ops::layer(&call.name.node).is_some() && !ops::has_parameters(&call.name.node);
                if let Some(label) = step.label.as_ref().filter(|_| plain_layer) {
                    self.labels.push((label, &call.name.node, call.name.span.start));
                }
            }
            StepKind::Let { name, .. } => self.lets.push(name),
            StepKind::Input { dims, .. } => {
                self.names.extend(dims.iter().filter_map(|dim| dim.name.as_ref()).map(|name| name.node.as_str()));
            }
            _ => {}
        }
        walk_step(self, step);
    }

    fn path(&mut self, path: &'a Path) {
        for label in &path.segments {
            self.names.extend(plain(label));
            if plain(label).is_none() {
                self.patterns.push(label);
            }
            self.label(label);
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        if let ExprKind::Name(name) = &expr.node {
            self.names.insert(name);
        }
        walk_expr(self, expr);
    }
}
