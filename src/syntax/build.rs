//! From matched text to items. What the grammar accepts and the language does not is reported here.

use super::ast::{
    Arg, Block, Body, Chain, Field, File, Import, Item, Label, LabelPart, Model, Param, Path, Set, Train,
};
use super::grammar::{ArchParser, Pair, Pairs, Rule};
use super::layout::{Braces, Layout, LogicalLine, Shown};
use super::{literal, message};
use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Span, Spanned, codes};
use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

/// Builds the tree of a file, line by line.
pub struct Builder<'a> {
    id: FileId,
    layout: &'a Layout,
    /// The line that is being built.
    shown: Shown<'a>,
    /// Its braces that span lines, from the last to the first.
    braces: Vec<Braces>,
    /// What the text may use.
    pub limits: &'a Limits,
    out: &'a mut Diagnostics,
    /// Whether the item before was not understood, so that braces after it are no news.
    broken: bool,
    /// How deep operators nest in the expressions built since this was last taken.
    pub deepest: usize,
}

/// The pairs of a rule with a fixed head: `next` of a grammar that matched is never absent.
pub struct Parts<'i> {
    pairs: std::iter::Peekable<Pairs<'i>>,
}

impl<'i> Parts<'i> {
    /// The pieces of a rule.
    pub fn of(pair: Pair<'i>) -> Self {
        Self { pairs: pair.into_inner().peekable() }
    }

    /// The next piece, if it is of this rule.
    pub fn accept(&mut self, rule: Rule) -> Option<Pair<'i>> {
        self.pairs.next_if(|p| p.as_rule() == rule)
    }
}

impl<'i> Iterator for Parts<'i> {
    type Item = Pair<'i>;
    fn next(&mut self) -> Option<Pair<'i>> {
        self.pairs.next()
    }
}

impl<'a> Builder<'a> {
    /// A builder for a file that was laid out.
    pub fn new(id: FileId, layout: &'a Layout, limits: &'a Limits, out: &'a mut Diagnostics) -> Self {
        let shown = Shown::default();
        Self { id, layout, shown, braces: Vec::new(), limits, out, broken: false, deepest: 0 }
    }

    /// Reads one line by a rule of the grammar and builds from it; its braces are at hand meanwhile.
    fn line<T>(&mut self, line: LogicalLine, rule: Rule, build: impl FnOnce(&mut Self, Pair) -> T) -> Option<T> {
        if self.out.len() >= self.limits.errors {
            return None;
        }
        let shown = line.shown(&self.layout.text);
        let text = shown.text.clone();
        let mut braces = line.braces;
        braces.reverse();
        let outer = (std::mem::replace(&mut self.shown, shown), std::mem::replace(&mut self.braces, braces));
        let built = match ArchParser::parse(rule, &text) {
            Ok(mut pairs) => pairs.next().map(|pair| build(self, pair)),
            Err(error) => {
                self.unexpected(&text, rule, &error);
                self.unread();
                None
            }
        };
        (self.shown, self.braces) = outer;
        built
    }

    /// Reports what the grammar did not expect, unless the line has an error already.
    fn unexpected(&mut self, text: &str, line: Rule, error: &pest::error::Error<Rule>) {
        let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
        let rules: &[Rule] = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives,
            ErrorVariant::CustomError { .. } => &[],
        };
        let place = self.shown.place(at);
        if !self.layout.is_tainted(place) && !self.layout.is_tainted(self.shown.place(0)) {
            let id = self.id;
            let spot = |start, end| Span::new(id, self.shown.place(start), self.shown.place(start) + (end - start));
            self.report(message::unexpected((text, line), at, rules, spot));
        }
    }

    /// Reads the lines of braces whose head was not understood, for their errors only.
    fn unread(&mut self) {
        for braces in std::mem::take(&mut self.braces) {
            for line in braces.lines {
                self.line(line, Rule::stray_line, |builder, pair| builder.stray_line(pair));
            }
        }
    }

    /// The lines of the next braces that span lines, if these are the ones.
    pub fn lines_of(&mut self, span: Span) -> Option<Vec<LogicalLine>> {
        let at = self.braces.iter().rposition(|braces| braces.open == span.start as usize)?;
        Some(self.braces.remove(at).lines)
    }

    /// Where a piece stands in the file, without blanks after it.
    pub fn span(&self, pair: &Pair) -> Span {
        let start = pair.as_span().start();
        let end = start + pair.as_str().trim_end().len();
        let place = self.shown.place(start);
        let last = if end > start { self.shown.place(end - 1) + 1 } else { place };
        Span::new(self.id, place, last.min(self.layout.text.len()))
    }

    /// Reports a problem.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        if self.out.len() < self.limits.errors {
            self.out.push(diagnostic);
        }
    }

    /// A name with its place.
    pub fn ident(&self, pair: &Pair) -> Spanned<String> {
        Spanned::new(pair.as_str().trim_end().to_owned(), self.span(pair))
    }

    /// The name that stands next.
    pub fn next_ident(&self, parts: &mut Parts) -> Spanned<String> {
        let blank = || Spanned::new(String::new(), Span::new(self.id, 0, 0));
        parts.next().map_or_else(blank, |p| self.ident(&p))
    }

    /// Adds the item of a line to a file.
    pub fn item_line(&mut self, line: LogicalLine, file: &mut File) {
        let understood = self.line(line, Rule::item_line, |builder, pair| builder.items(pair, file)).is_some();
        self.broken = !understood;
    }

    fn items(&mut self, pair: Pair, file: &mut File) {
        let mut doc: Vec<String> = Vec::new();
        for pair in pair.into_inner() {
            match pair.as_rule() {
                Rule::doc => doc.push(doc_line(pair.as_str()).to_owned()),
                Rule::import => file.items.push(Item::Import(self.import(pair))),
                Rule::set => file.items.push(Item::Set(self.set(pair))),
                Rule::block => file.items.push(self.block(pair, &mut doc)),
                Rule::model => file.items.push(self.model(pair, &mut doc)),
                Rule::train => file.items.push(Item::Train(self.train(pair))),
                Rule::stray => self.stray(pair),
                _ => {}
            }
        }
    }

    fn import(&mut self, pair: Pair) -> Import {
        let span = self.span(&pair);
        let mut names = Vec::new();
        let mut path = Spanned::new(String::new(), span);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => names.push(self.ident(&part)),
                Rule::string => path = Spanned::new(literal::string(self, &part), self.span(&part)),
                _ => {}
            }
        }
        Import { names, path, span }
    }

    /// `set LAYER(…)`, at the top or among steps.
    pub fn set(&mut self, pair: Pair) -> Set {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let layer = self.next_ident(&mut parts);
        let args = parts.next().map_or_else(Vec::new, |p| self.args(p));
        Set { layer, args, span }
    }

    /// Name, parameters and body of a block or a model.
    fn head(&mut self, pair: Pair) -> (Spanned<String>, Vec<Param>, Body) {
        let blank = Body { lines: Vec::new(), span: self.span(&pair) };
        let mut parts = Parts::of(pair);
        let name = self.next_ident(&mut parts);
        let params = parts.accept(Rule::params).map_or_else(Vec::new, |p| self.params(p));
        let body = parts.next().map_or(blank, |p| self.body(p));
        (name, params, body)
    }

    fn block(&mut self, pair: Pair, doc: &mut Vec<String>) -> Item {
        let span = self.span(&pair);
        let (name, params, body) = self.head(pair);
        Item::Block(Block { doc: joined(doc), name, params, body, span })
    }

    fn model(&mut self, pair: Pair, doc: &mut Vec<String>) -> Item {
        let span = self.span(&pair);
        let (name, params, body) = self.head(pair);
        Item::Model(Model { doc: joined(doc), name, params, body, span })
    }

    fn train(&mut self, pair: Pair) -> Train {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let model = self.next_ident(&mut parts);
        let fields = parts.next().map_or_else(Vec::new, |p| self.fields(p));
        Train { model, fields, span }
    }

    fn fields(&mut self, pair: Pair) -> Vec<Field> {
        match self.lines_of(self.span(&pair)) {
            Some(lines) => lines.into_iter().filter_map(|line| self.field_line(line)).collect(),
            None => pair.into_inner().map(|p| self.field(p)).collect(),
        }
    }

    fn field_line(&mut self, line: LogicalLine) -> Option<Field> {
        let field = |builder: &mut Self, pair: Pair| pair.into_inner().next().map(|field| builder.field(field));
        self.line(line, Rule::field_line, field).flatten()
    }

    fn field(&mut self, pair: Pair) -> Field {
        let mut parts = Parts::of(pair);
        let name = self.next_ident(&mut parts);
        let value = self.next_expr(&mut parts, name.span);
        Field { name, value }
    }

    fn params(&mut self, pair: Pair) -> Vec<Param> {
        pair.into_inner().map(|p| self.param(p)).collect()
    }

    fn param(&mut self, pair: Pair) -> Param {
        let mut parts = Parts::of(pair);
        if let Some(value) = parts.accept(Rule::value_param) {
            let name = self.next_ident(&mut Parts::of(value));
            return Param { name, value: true, default: None };
        }
        let name = self.next_ident(&mut parts);
        let default = parts.next().map(|p| self.expr(p));
        Param { name, value: false, default }
    }

    /// Arguments in parentheses.
    pub fn args(&mut self, pair: Pair) -> Vec<Arg> {
        pair.into_inner().map(|p| self.arg(p)).collect()
    }

    /// One argument.
    pub fn arg(&mut self, pair: Pair) -> Arg {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let name = parts.accept(Rule::word).map(|p| self.ident(&p));
        Arg { name, value: self.next_expr(&mut parts, span) }
    }

    /// A label with its `{expr}` parts.
    pub fn label(&mut self, pair: Pair) -> Label {
        let span = self.span(&pair);
        let parts = pair.into_inner().map(|p| match p.as_rule() {
            Rule::label_expr => LabelPart::Expr(self.next_expr(&mut Parts::of(p), span)),
            _ => LabelPart::Text(p.as_str().to_owned()),
        });
        Label { parts: parts.collect(), span }
    }

    /// Labels joined by dots.
    pub fn path(&mut self, pair: Pair) -> Path {
        let span = self.span(&pair);
        Path { segments: pair.into_inner().map(|p| self.label(p)).collect(), span }
    }

    /// Braces without a head: their steps are built for their errors only.
    fn stray(&mut self, pair: Pair) {
        let span = self.span(&pair);
        let brace = Span { end: span.start + 1, ..span };
        for line in self.lines_of(brace).unwrap_or_default() {
            self.line(line, Rule::stray_line, |builder, pair| builder.stray_line(pair));
        }
        self.stray_line(pair);
        if !self.broken {
            let message = "these braces belong to no block, model or train";
            let diagnostic = Diagnostic::new(codes::SYNTAX, message).label(brace, "nothing stands before this brace");
            self.report(diagnostic.help("name what they hold, as in `model Net {`"));
        }
    }

    fn stray_line(&mut self, pair: Pair) {
        for line in pair.into_inner() {
            match line.as_rule() {
                Rule::field => drop(self.field(line)),
                Rule::chain => drop(self.chain(line)),
                _ => {}
            }
        }
    }

    /// The chain of a line within braces that span lines.
    pub fn chain_line(&mut self, line: LogicalLine) -> Option<Chain> {
        let chain = |builder: &mut Self, pair: Pair| pair.into_inner().next().map(|chain| builder.chain(chain));
        self.line(line, Rule::body_line, chain).flatten()
    }
}

/// A doc line without its slashes and the blank after them.
fn doc_line(text: &str) -> &str {
    let text = text.trim_start_matches("///");
    text.strip_prefix(' ').unwrap_or(text).trim_end()
}

fn joined(doc: &mut Vec<String>) -> Option<String> {
    (!doc.is_empty()).then(|| std::mem::take(doc).join("\n"))
}
