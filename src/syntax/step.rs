//! From matched text to steps.

use super::ast::{Body, Call, Chain, DimDecl, Fit, Label, MergeKind, Skip, Step, StepKind};
use super::build::{Builder, Parts};
use super::grammar::{Pair, Rule};
use crate::base::{Diagnostic, Span, Spanned, codes};

impl Builder<'_> {
    /// Braces around steps.
    pub fn body(&mut self, pair: Pair) -> Body {
        let span = self.span(&pair);
        let lines = match self.lines_of(span) {
            Some(lines) => lines.into_iter().filter_map(|line| self.chain_line(line)).collect(),
            None => pair.into_inner().filter(|p| p.as_rule() == Rule::chain).map(|p| self.chain(p)).collect(),
        };
        Body { lines, span }
    }

    /// Steps joined by `->`.
    pub fn chain(&mut self, pair: Pair) -> Chain {
        let mut steps: Chain = pair.into_inner().filter(|p| p.as_rule() == Rule::step).map(|p| self.step(p)).collect();
        // Most lines have one step, and a vector begins with room for four.
        steps.shrink_to_fit();
        steps
    }

    fn step(&mut self, pair: Pair) -> Step {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let label = parts.accept(Rule::label).map(|p| self.label(p));
        let kind = parts.next().map_or_else(|| StepKind::Group(Body { lines: Vec::new(), span }), |p| self.kind(p));
        Step { label, kind, span }
    }

    fn kind(&mut self, pair: Pair) -> StepKind {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::call => StepKind::Call(self.call(pair)),
            Rule::skip => StepKind::Skip(Box::new(self.skip(pair))),
            Rule::set => StepKind::Set(self.set(pair)),
            Rule::if_step => self.if_step(pair),
            Rule::for_step => self.for_step(pair),
            Rule::input => self.input(pair),
            Rule::body => StepKind::Group(self.body(pair)),
            rule => {
                let mut parts = Parts::of(pair);
                match rule {
                    Rule::parallel => self.parallel(&mut parts, span),
                    Rule::repeat => {
                        let count = self.next_expr(&mut parts, span);
                        StepKind::Repeat { count, body: self.next_body(&mut parts, span) }
                    }
                    Rule::let_step => {
                        let name = self.next_ident(&mut parts);
                        StepKind::Let { name, value: self.next_expr(&mut parts, span) }
                    }
                    Rule::from_step => StepKind::From(self.next_path(&mut parts, span)),
                    _ => StepKind::Output(parts.next().map_or_else(|| no_label(span), |p| self.label(p))),
                }
            }
        }
    }

    /// A call of a layer or a block.
    pub fn call(&mut self, pair: Pair) -> Call {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let name = self.next_ident(&mut parts);
        let args = parts.next().map_or_else(Vec::new, |p| self.args(p));
        Call { name, args, span }
    }

    fn next_body(&mut self, parts: &mut Parts, span: Span) -> Body {
        parts.next().map_or(Body { lines: Vec::new(), span }, |p| self.body(p))
    }

    fn next_path(&mut self, parts: &mut Parts, span: Span) -> super::ast::Path {
        parts.next().map_or(super::ast::Path { segments: Vec::new(), span }, |p| self.path(p))
    }

    fn next_merge(&self, parts: &mut Parts, span: Span) -> Spanned<MergeKind> {
        parts.next().map_or(Spanned::new(MergeKind::Add, span), |p| Spanned::new(merge_kind(p.as_str()), self.span(&p)))
    }

    fn parallel(&mut self, parts: &mut Parts, span: Span) -> StepKind {
        let kind = self.next_merge(parts, span);
        let args = parts.accept(Rule::args).map_or_else(Vec::new, |p| self.args(p));
        StepKind::Parallel { kind, args, body: self.next_body(parts, span) }
    }

    fn for_step(&mut self, pair: Pair) -> StepKind {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let var = self.next_ident(&mut parts);
        let from = self.next_expr(&mut parts, span);
        let inclusive = parts.accept(Rule::range).is_some_and(|p| p.as_str().trim_end() == "..=");
        let to = self.next_expr(&mut parts, span);
        StepKind::For { var, from, to, inclusive, body: self.next_body(&mut parts, span) }
    }

    fn if_step(&mut self, pair: Pair) -> StepKind {
        let span = self.span(&pair);
        let mut arms = Vec::new();
        let mut otherwise = None;
        for part in pair.into_inner() {
            let last = part.as_rule() == Rule::otherwise;
            let mut parts = Parts::of(part);
            if last {
                otherwise = Some(self.next_body(&mut parts, span));
            } else {
                arms.push((self.next_expr(&mut parts, span), self.next_body(&mut parts, span)));
            }
        }
        StepKind::If { arms, otherwise }
    }

    fn input(&mut self, pair: Pair) -> StepKind {
        let mut parts = Parts::of(pair);
        let name = self.next_ident(&mut parts);
        let dims = parts.flat_map(Pair::into_inner).map(|p| self.dim(p)).collect();
        StepKind::Input { name, dims }
    }

    fn dim(&mut self, pair: Pair) -> DimDecl {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let name = parts.accept(Rule::name).map(|p| self.ident(&p));
        let size = parts.next().map(|p| self.expr(p));
        DimDecl { name, size, span }
    }

    fn skip(&mut self, pair: Pair) -> Skip {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let long = parts.accept(Rule::long).map(|p| self.span(&p));
        let keyword = parts.next().map_or(span, |p| self.span(&p));
        let kind = self.next_merge(&mut parts, span);
        let mut head = long.unwrap_or(keyword).to(kind.span);
        let mut skip = Skip {
            long,
            keyword,
            kind,
            args: Vec::new(),
            from: None,
            via: None,
            by: None,
            fit: None,
            body: None,
            head,
        };
        for part in parts {
            let place = self.span(&part);
            if part.as_rule() == Rule::body {
                skip.body = Some(self.body(part));
                continue;
            }
            head = head.to(place);
            self.clause(part, place, &mut skip);
        }
        skip.head = head;
        skip
    }

    /// One clause of a skip's head; a second of its kind is refused.
    fn clause(&mut self, part: Pair, place: Span, skip: &mut Skip) {
        let rule = part.as_rule();
        if rule == Rule::args {
            skip.args = self.args(part);
            return;
        }
        let mut parts = Parts::of(part);
        let (word, twice) = match rule {
            Rule::from_clause => ("from", skip.from.replace(self.next_path(&mut parts, place)).is_some()),
            Rule::via => ("via", skip.via.replace(self.side_step(&mut parts, place)).is_some()),
            Rule::by => ("by", skip.by.replace(self.side_step(&mut parts, place)).is_some()),
            _ => {
                let fit =
                    if parts.next().is_some_and(|p| p.as_str().starts_with("crop")) { Fit::Crop } else { Fit::Pad };
                ("fit", skip.fit.replace(Spanned::new(fit, place)).is_some())
            }
        };
        if twice {
            let message = format!("this skip says `{word}` twice");
            self.report(Diagnostic::new(codes::SYNTAX, message).label(place, "the second one"));
        }
    }

    fn side_step(&mut self, parts: &mut Parts, span: Span) -> Step {
        parts.next().map_or(Step { label: None, kind: StepKind::Group(Body { lines: Vec::new(), span }), span }, |p| {
            self.step(p)
        })
    }
}

fn merge_kind(word: &str) -> MergeKind {
    match word.trim_end() {
        "concat" => MergeKind::Concat,
        "mul" => MergeKind::Mul,
        "gate" => MergeKind::Gate,
        _ => MergeKind::Add,
    }
}

fn no_label(span: Span) -> Label {
    Label { parts: Vec::new(), span }
}
