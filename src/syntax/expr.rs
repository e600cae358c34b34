//! Expressions: operands and operators in a row, given their precedence with an explicit stack, so
//! that neither a long row nor many prefixes recurse. Loosest first: `or`, `and`, `not`, comparisons,
//! sums, products, `-`. The depth of the tree is bounded like the nesting of brackets.

use super::ast::{BinaryOp, Expr, ExprKind, Label, LabelPart, Path, UnaryOp};
use super::build::{Builder, Parts};
use super::grammar::{Pair, Rule};
use super::literal;
use crate::base::{Diagnostic, Span, Spanned, codes};

/// An operator that waits for its right operand.
#[derive(Clone, Copy)]
enum Waiting {
    Prefix(UnaryOp, Span),
    Infix(BinaryOp, Span),
}

/// An expression and how deep its operators nest.
struct Operand {
    expr: Expr,
    depth: usize,
}

impl Builder<'_> {
    /// The expression that stands next; `span` stands in for one that was not understood.
    pub fn next_expr(&mut self, parts: &mut Parts, span: Span) -> Expr {
        parts.next().map_or(Spanned::new(ExprKind::Int(0), span), |p| self.expr(p))
    }

    /// An expression or, as a whole argument, a path.
    pub fn expr(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::path {
            return Spanned::new(ExprKind::Dotted(self.path(pair)), span);
        }
        let mut operands: Vec<Operand> = Vec::new();
        let mut waiting: Vec<Waiting> = Vec::new();
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::unary => waiting.push(Waiting::Prefix(unary(part.as_str()), place)),
                Rule::binary => {
                    let op = binary(part.as_str());
                    self.settle(&mut operands, &mut waiting, binding(op), Some((op, place)));
                    waiting.push(Waiting::Infix(op, place));
                }
                _ => {
                    let outer = std::mem::take(&mut self.deepest);
                    let expr = self.primary(part);
                    let depth = std::mem::replace(&mut self.deepest, outer);
                    operands.push(Operand { expr, depth });
                }
            }
        }
        self.settle(&mut operands, &mut waiting, 0, None);
        let Some(Operand { expr, depth }) = operands.pop() else { return Spanned::new(ExprKind::Int(0), span) };
        self.deepest = self.deepest.max(depth);
        expr
    }

    /// Applies the operators that bind at least as tightly as `floor`.
    fn settle(
        &mut self,
        operands: &mut Vec<Operand>,
        waiting: &mut Vec<Waiting>,
        floor: u8,
        next: Option<(BinaryOp, Span)>,
    ) {
        while let Some(&top) = waiting.last() {
            let tight = match top {
                Waiting::Prefix(UnaryOp::Not, _) => 3,
                Waiting::Prefix(UnaryOp::Neg, _) => 7,
                Waiting::Infix(op, _) => binding(op),
            };
            if tight < floor {
                break;
            }
            waiting.pop();
            if let (Waiting::Infix(op, place), Some((following, at))) = (top, next)
                && binding(op) == 4
                && binding(following) == 4
            {
                self.chained(op, place, following, at);
            }
            let Some(right) = operands.pop() else { return };
            let joined = match top {
                Waiting::Prefix(op, place) => {
                    let span = place.to(right.expr.span);
                    self.deepen(right.depth, span, || ExprKind::Unary(op, Box::new(right.expr)))
                }
                Waiting::Infix(op, _) => {
                    let Some(left) = operands.pop() else { return };
                    let span = left.expr.span.to(right.expr.span);
                    let depth = left.depth.max(right.depth);
                    self.deepen(depth, span, || ExprKind::Binary(op, Box::new(left.expr), Box::new(right.expr)))
                }
            };
            operands.push(joined);
        }
    }

    /// An expression one deeper, or an error where that is too deep.
    fn deepen(&mut self, depth: usize, span: Span, make: impl FnOnce() -> ExprKind) -> Operand {
        if depth < self.limits.nesting {
            return Operand { expr: Spanned::new(make(), span), depth: depth + 1 };
        }
        let limit = self.limits.nesting;
        let message = format!("an expression with more than {limit} operators inside one another");
        let diagnostic = Diagnostic::new(codes::TOO_DEEP, message).label(span, "this much is too deep");
        self.report(
            diagnostic
                .help(format!("name parts of it with `let`, or raise the limit: `--limit nesting={}`", limit * 2)),
        );
        Operand { expr: Spanned::new(ExprKind::Int(0), span), depth: 0 }
    }

    fn chained(&mut self, first: BinaryOp, place: Span, second: BinaryOp, at: Span) {
        let message = format!("`{}` and `{}` do not chain", first.symbol(), second.symbol());
        let diagnostic = Diagnostic::new(codes::CHAINED, message)
            .label(at, "a second comparison of the same value")
            .label(place, "the first one")
            .help("join two comparisons with `and`: `a < b and b < c`");
        self.report(diagnostic);
    }

    fn primary(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::number => literal::number(self, &pair),
            Rule::boolean => ExprKind::Bool(pair.as_str().starts_with("true")),
            Rule::string => ExprKind::Str(literal::string(self, &pair)),
            Rule::reference => self.reference(pair),
            Rule::list => ExprKind::List(pair.into_inner().map(|p| self.expr(p)).collect()),
            Rule::record => {
                ExprKind::Record(pair.into_inner().filter(|p| p.as_rule() == Rule::arg).map(|p| self.arg(p)).collect())
            }
            Rule::paren => return self.next_expr(&mut Parts::of(pair), span),
            _ => self.if_expr(pair),
        };
        Spanned::new(kind, span)
    }

    fn if_expr(&mut self, pair: Pair) -> ExprKind {
        let mut arms = Vec::new();
        let mut otherwise = Spanned::new(ExprKind::Int(0), self.span(&pair));
        for part in pair.into_inner() {
            let place = self.span(&part);
            let last = part.as_rule() == Rule::value_else;
            let mut parts = Parts::of(part);
            let first = self.next_expr(&mut parts, place);
            if last {
                otherwise = first;
            } else {
                arms.push((first, self.next_expr(&mut parts, place)));
            }
        }
        ExprKind::If(arms, Box::new(otherwise))
    }

    /// A name, a dotted path, or a call.
    fn reference(&mut self, pair: Pair) -> ExprKind {
        let mut parts = Parts::of(pair.clone());
        let name = self.next_ident(&mut parts);
        match parts.next() {
            Some(args) if !name.node.contains('.') => {
                ExprKind::Call(super::ast::Call { span: self.span(&pair), name, args: self.args(args) })
            }
            Some(_) => {
                let message = format!("`{}` cannot be called", name.node);
                let label = "a dotted path names a value or a size";
                self.report(Diagnostic::new(codes::SYNTAX, message).label(name.span, label));
                ExprKind::Int(0)
            }
            None if name.node.contains('.') => ExprKind::Dotted(dotted(&name)),
            None => literal::name(self, name),
        }
    }
}

fn dotted(name: &Spanned<String>) -> Path {
    let mut start = name.span.start;
    let segments = name.node.split('.').map(|text| {
        let span = Span { start, end: start + text.len() as u32, ..name.span };
        start = span.end + 1;
        Label { parts: vec![LabelPart::Text(text.to_owned())], span }
    });
    Path { segments: segments.collect(), span: name.span }
}

fn unary(text: &str) -> UnaryOp {
    if text.starts_with('-') { UnaryOp::Neg } else { UnaryOp::Not }
}

fn binary(text: &str) -> BinaryOp {
    match text.trim_end() {
        "or" => BinaryOp::Or,
        "and" => BinaryOp::And,
        "==" => BinaryOp::Eq,
        "!=" => BinaryOp::Ne,
        "<" => BinaryOp::Lt,
        "<=" => BinaryOp::Le,
        ">" => BinaryOp::Gt,
        ">=" => BinaryOp::Ge,
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Sub,
        "*" => BinaryOp::Mul,
        "/" => BinaryOp::Div,
        _ => BinaryOp::Rem,
    }
}

/// How tightly an operator binds; `not` is 3 and `-` before an operand 7.
fn binding(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => 4,
        BinaryOp::Add | BinaryOp::Sub => 5,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => 6,
    }
}
