//! The tree as text, for people and for snapshots: one step a line, what is inside it indented,
//! every operator in parentheses. The same tree always gives the same text.
//!
//! `-` starts a line of a body, `>` goes on with it.

use super::ast::{
    Arg, Body, Call, DimDecl, Expr, ExprKind, File, Fit, Import, Item, Label, LabelPart, Param, Path, Set, Skip, Step,
    StepKind, Train, UnaryOp,
};
use std::fmt::Write;

/// A file as text.
pub fn file(file: &File) -> String {
    let mut dump = Dump { out: String::new(), depth: 0 };
    file.items.iter().for_each(|item| dump.item(item));
    dump.out
}

/// An expression as text, with every operator in parentheses.
pub fn expr(value: &Expr) -> String {
    match &value.node {
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Float(value) => format!("{value:?}"),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Str(text) => format!("\"{}\"", text.escape_debug()),
        ExprKind::List(items) => format!("[{}]", joined(items, expr)),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Dotted(path) => path_text(path),
        ExprKind::Call(call) => call_text(call),
        ExprKind::Record(fields) => format!("record({})", joined(fields, arg)),
        ExprKind::Unary(UnaryOp::Neg, operand) => format!("(-{})", expr(operand)),
        ExprKind::Unary(UnaryOp::Not, operand) => format!("(not {})", expr(operand)),
        ExprKind::Binary(op, left, right) => format!("({} {} {})", expr(left), op.symbol(), expr(right)),
        ExprKind::If(arms, last) => {
            let arms: Vec<String> = arms.iter().map(|(c, v)| format!("if {} {{ {} }}", expr(c), expr(v))).collect();
            format!("{} else {{ {} }}", arms.join(" else "), expr(last))
        }
    }
}

fn joined<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn arg(arg: &Arg) -> String {
    match &arg.name {
        Some(name) => format!("{} = {}", name.node, expr(&arg.value)),
        None => expr(&arg.value),
    }
}

fn args(list: &[Arg]) -> String {
    if list.is_empty() { String::new() } else { format!("({})", joined(list, arg)) }
}

fn call_text(call: &Call) -> String {
    format!("{}({})", call.name.node, joined(&call.args, arg))
}

/// A label as it was written.
pub fn label(label: &Label) -> String {
    let part = |part: &LabelPart| match part {
        LabelPart::Text(text) => text.clone(),
        LabelPart::Expr(e) => format!("{{{}}}", expr(e)),
    };
    label.parts.iter().map(part).collect()
}

fn path_text(path: &Path) -> String {
    path.segments.iter().map(label).collect::<Vec<_>>().join(".")
}

fn param(param: &Param) -> String {
    match (&param.default, param.value) {
        (Some(default), _) => format!("{} = {}", param.name.node, expr(default)),
        (None, true) => format!("{}: value", param.name.node),
        (None, false) => param.name.node.clone(),
    }
}

fn dim(dim: &DimDecl) -> String {
    match (&dim.name, &dim.size) {
        (Some(name), Some(size)) => format!("{} = {}", name.node, expr(size)),
        (Some(name), None) => name.node.clone(),
        (None, Some(size)) => expr(size),
        (None, None) => String::new(),
    }
}

fn set(set: &Set) -> String {
    format!("set {}{}", set.layer.node, args(&set.args))
}

struct Dump {
    out: String,
    depth: usize,
}

impl Dump {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{:1$}{text}", "", 2 * self.depth);
    }

    fn within(&mut self, inner: impl FnOnce(&mut Self)) {
        self.depth += 1;
        inner(self);
        self.depth -= 1;
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Import(Import { names, path, .. }) => {
                self.line(&format!(
                    "import {} from \"{}\"",
                    joined(names, |n| n.node.clone()),
                    path.node.escape_debug()
                ));
            }
            Item::Set(item) => self.line(&set(item)),
            Item::Block(b) => self.definition("block", b.doc.as_deref(), &b.name.node, &b.params, &b.body),
            Item::Model(m) => self.definition("model", m.doc.as_deref(), &m.name.node, &m.params, &m.body),
            Item::Train(train) => self.train(train),
        }
    }

    fn definition(&mut self, word: &str, doc: Option<&str>, name: &str, params: &[Param], body: &Body) {
        doc.into_iter().flat_map(str::lines).for_each(|text| self.line(&format!("/// {text}")));
        self.line(&format!("{word} {name}({})", joined(params, param)));
        self.body(body);
    }

    fn train(&mut self, train: &Train) {
        self.line(&format!("train {}", train.model.node));
        self.within(|dump| {
            train.fields.iter().for_each(|field| dump.line(&format!("{} = {}", field.name.node, expr(&field.value))));
        });
    }

    fn body(&mut self, body: &Body) {
        self.within(|dump| {
            for chain in &body.lines {
                chain.iter().enumerate().for_each(|(i, step)| dump.step(if i == 0 { "- " } else { "> " }, step));
            }
        });
    }

    fn step(&mut self, mark: &str, step: &Step) {
        let head = match &step.label {
            Some(name) => format!("{mark}{}: ", label(name)),
            None => mark.to_owned(),
        };
        match &step.kind {
            StepKind::Call(call) => self.line(&format!("{head}{}", call_text(call))),
            StepKind::Group(body) => self.with_body(&format!("{head}group"), body),
            StepKind::Skip(skip) => self.skip(&head, skip),
            StepKind::Parallel { kind, args: list, body } => {
                self.with_body(&format!("{head}parallel {}{}", kind.node.name(), args(list)), body);
            }
            StepKind::Repeat { count, body } => self.with_body(&format!("{head}repeat {}", expr(count)), body),
            StepKind::For { var, from, to, inclusive, body } => {
                let range = if *inclusive { "..=" } else { ".." };
                let text = format!("{head}for {} in {}{range}{}", var.node, expr(from), expr(to));
                self.with_body(&text, body);
            }
            StepKind::If { arms, otherwise } => self.choice(&head, arms, otherwise.as_ref()),
            StepKind::Let { name, value } => self.line(&format!("{head}let {} = {}", name.node, expr(value))),
            StepKind::Set(item) => self.line(&format!("{head}{}", set(item))),
            StepKind::From(path) => self.line(&format!("{head}from {}", path_text(path))),
            StepKind::Output(name) => self.line(&format!("{head}output {}", label(name))),
            StepKind::Input { name, dims } => {
                self.line(&format!("{head}input {} [{}]", name.node, joined(dims, dim)));
            }
        }
    }

    fn with_body(&mut self, head: &str, body: &Body) {
        self.line(head);
        self.body(body);
    }

    fn choice(&mut self, head: &str, arms: &[(Expr, Body)], otherwise: Option<&Body>) {
        for (i, (condition, body)) in arms.iter().enumerate() {
            let word = if i == 0 { format!("{head}if") } else { "  else if".to_owned() };
            self.with_body(&format!("{word} {}", expr(condition)), body);
        }
        if let Some(body) = otherwise {
            self.with_body("  else", body);
        }
    }

    fn skip(&mut self, head: &str, skip: &Skip) {
        let long = if skip.long.is_some() { "long " } else { "" };
        self.line(&format!("{head}{long}skip {}{}", skip.kind.node.name(), args(&skip.args)));
        self.within(|dump| {
            if let Some(path) = &skip.from {
                dump.line(&format!("from {}", path_text(path)));
            }
            if let Some(step) = &skip.via {
                dump.step("via ", step);
            }
            if let Some(step) = &skip.by {
                dump.step("by ", step);
            }
            if let Some(fit) = &skip.fit {
                dump.line(if fit.node == Fit::Crop { "fit crop" } else { "fit pad" });
            }
        });
        if let Some(body) = &skip.body {
            self.body(body);
        }
    }
}
