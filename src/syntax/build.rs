//! From matched text to items. What the grammar accepts and the language does not is reported here.

use super::ast::{Arg, Block, Body, Field, File, Import, Item, Label, LabelPart, Model, Param, Path, Set, Train};
use super::grammar::{Pair, Pairs, Rule};
use super::literal;
use crate::base::{Diagnostic, Diagnostics, FileId, Limits, Span, Spanned, codes};

/// Builds the tree of one segment of a file.
pub struct Builder<'a> {
    /// The file.
    pub id: FileId,
    /// Where the segment starts in the file.
    pub offset: usize,
    /// Where it ends; closing brackets that were made up stand beyond.
    pub end: usize,
    /// What it may use.
    pub limits: &'a Limits,
    /// Where problems go.
    pub out: &'a mut Diagnostics,
    /// Whether this segment's errors were reported already, so that `stray` braces are no news.
    pub broken: bool,
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

impl Builder<'_> {
    /// Where a piece stands in the file, without blanks after it.
    pub fn span(&self, pair: &Pair) -> Span {
        let start = self.offset + pair.as_span().start();
        let end = start + pair.as_str().trim_end().len();
        Span::new(self.id, start.min(self.end), end.min(self.end))
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
        let blank = || Spanned::new(String::new(), Span::new(self.id, self.offset, self.offset));
        parts.next().map_or_else(blank, |p| self.ident(&p))
    }

    /// Adds the segment's items to a file.
    pub fn items(&mut self, file: Pair, into: &mut File) {
        let mut doc: Vec<String> = Vec::new();
        for pair in file.into_inner() {
            let item = match pair.as_rule() {
                Rule::doc => {
                    doc.push(doc_line(pair.as_str()).to_owned());
                    continue;
                }
                Rule::import => Some(Item::Import(self.import(pair))),
                Rule::set => Some(Item::Set(self.set(pair))),
                Rule::block => Some(self.block(pair, &mut doc)),
                Rule::model => Some(self.model(pair, &mut doc)),
                Rule::train => Some(Item::Train(self.train(pair))),
                Rule::stray => {
                    self.stray(pair);
                    None
                }
                _ => None,
            };
            doc.clear();
            into.items.extend(item);
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
        parts.accept(Rule::kw_set);
        let layer = self.next_ident(&mut parts);
        let args = parts.next().map_or_else(Vec::new, |p| self.args(p));
        Set { layer, args, span }
    }

    /// Name, parameters and body of a block or a model.
    fn head(&mut self, pair: Pair) -> (Spanned<String>, Vec<Param>, Body) {
        let blank = Body { lines: Vec::new(), span: self.span(&pair) };
        let mut parts = Parts::of(pair);
        parts.next();
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
        parts.accept(Rule::kw_train);
        let model = self.next_ident(&mut parts);
        parts.accept(Rule::open_brace);
        let fields = parts.map(|p| self.field(p)).collect();
        Train { model, fields, span }
    }

    fn field(&mut self, pair: Pair) -> Field {
        let mut parts = Parts::of(pair);
        let name = self.next_ident(&mut parts);
        parts.accept(Rule::equals);
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
        let default = parts.accept(Rule::equals).map(|_| self.next_expr(&mut parts, name.span));
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
        parts.accept(Rule::equals);
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
        for line in pair.into_inner() {
            match line.as_rule() {
                Rule::field => drop(self.field(line)),
                _ => drop(self.chain(line)),
            }
        }
        if !self.broken {
            let brace = Span { end: span.start + 1, ..span };
            let message = "these braces belong to no block, model or train";
            let diagnostic = Diagnostic::new(codes::SYNTAX, message).label(brace, "nothing stands before this brace");
            self.report(diagnostic.help("name what they hold, as in `model Net {`"));
        }
    }
}

/// A doc line without its slashes and the blank after them.
fn doc_line(text: &str) -> &str {
    let text = text.trim_start_matches("///");
    text.strip_prefix(' ').unwrap_or(text).trim_end()
}

fn joined(doc: &mut Vec<String>) -> Option<String> {
    (!doc.is_empty()).then(|| doc.drain(..).collect::<Vec<_>>().join("\n"))
}
