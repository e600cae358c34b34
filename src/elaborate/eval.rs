//! Compile-time expressions.

use super::arith::{self, Refusal};
use super::vocabulary::FUNCTIONS;
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, codes};
use crate::ops::Value;
use crate::syntax::ast::{Arg, BinaryOp, Call, Expr, ExprKind, Path};

/// Why there is no value.
#[derive(Debug)]
pub(super) enum Fault {
    /// Something it depends on has failed and was reported.
    Silent,
    /// This.
    Said(Box<Diagnostic>),
}

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Said(Box::new(diagnostic))
    }
}

/// Whether bare words such as `global` are values here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// They are names that must be known.
    Refused,
    /// Unknown names are words, unknown calls are words with arguments.
    Allowed,
}

/// What an expression can see.
pub(super) trait Env {
    /// The value of a name; `None` where there is none.
    fn name(&self, name: &str, span: Span) -> Option<Result<Value, Fault>>;
    /// `it.field`
    fn it(&self, field: &str, span: Span) -> Result<Value, Fault>;
    /// The names that could have been meant.
    fn names(&self) -> Vec<String>;
    /// What was written in a place.
    fn text(&self, span: Span) -> &str;
    /// Takes units of work from the budget.
    fn charge(&self, work: usize, span: Span) -> Result<(), Fault>;
}

/// The value of an expression.
pub(super) fn eval(expr: &Expr, env: &dyn Env, words: Words) -> Result<Value, Fault> {
    Evaluator { env, words, inexact: false }.expr(expr)
}

/// A condition.
pub(super) fn condition(expr: &Expr, env: &dyn Env) -> Result<bool, Fault> {
    match eval(expr, env, Words::Refused)? {
        Value::Bool(b) => Ok(b),
        other => Err(kind(expr.span, format!("a condition must be `true` or `false`, not {}", other.describe()))),
    }
}

/// A whole number; `what` names it in the message.
pub(super) fn integer(expr: &Expr, env: &dyn Env, what: &str) -> Result<i64, Fault> {
    match eval(expr, env, Words::Refused)? {
        Value::Int(n) => Ok(n),
        other => Err(kind(expr.span, format!("{what} must be a whole number, not {}", other.describe()))),
    }
}

#[derive(Clone, Copy)]
struct Evaluator<'a> {
    env: &'a dyn Env,
    words: Words,
    /// Inside `floor(…)` and its like, where integers may divide into a float.
    inexact: bool,
}

impl Evaluator<'_> {
    fn expr(self, expr: &Expr) -> Result<Value, Fault> {
        self.env.charge(1, expr.span)?;
        match &expr.node {
            ExprKind::Int(n) => Ok(Value::Int(*n)),
            ExprKind::Float(x) if x.is_finite() => Ok(Value::Float(*x)),
            ExprKind::Float(_) => Err(range(expr.span, "this number is too large".into())),
            ExprKind::Bool(b) => Ok(Value::Bool(*b)),
            ExprKind::Str(s) => self.env.charge(s.len(), expr.span).map(|()| Value::Str(s.clone())),
            ExprKind::List(items) => items.iter().map(|e| self.expr(e)).collect::<Result<_, _>>().map(Value::List),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Dotted(path) => self.dotted(path),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Record(fields) => self.record(fields, expr.span),
            ExprKind::Unary(op, a) => {
                let a = self.expr(a)?;
                arith::unary(*op, &a).map_err(|refusal| plainly(refusal, expr.span))
            }
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), a, b) => self.logic(*op, a, b),
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (self.expr(a)?, self.expr(b)?);
                arith::binary(*op, &a, &b, self.inexact).map_err(|refusal| self.refused(refusal, expr))
            }
            ExprKind::If(arms, otherwise) => {
                for (test, value) in arms {
                    if condition(test, self.env)? {
                        return self.expr(value);
                    }
                }
                self.expr(otherwise)
            }
        }
    }

    fn logic(self, op: BinaryOp, a: &Expr, b: &Expr) -> Result<Value, Fault> {
        let side = |e: &Expr| match self.expr(e)? {
            Value::Bool(b) => Ok(b),
            other => {
                let wants = format!("`{}` wants `true` or `false`, not {}", op.symbol(), other.describe());
                Err(kind(e.span, wants))
            }
        };
        let decided = op == BinaryOp::Or;
        Ok(Value::Bool(if side(a)? == decided { decided } else { side(b)? }))
    }

    fn name(self, name: &str, span: Span) -> Result<Value, Fault> {
        if let Some(found) = self.env.name(name, span) {
            return found;
        }
        if self.words == Words::Allowed {
            return Ok(Value::Word(name.to_string()));
        }
        let message = format!("there is no number named `{name}` here");
        let known = self.env.names();
        let error = Diagnostic::new(codes::NO_SUCH_NAME, message);
        if name == "it" {
            return Err(error.label(span, "say which size: `it.channels`, `it.height`, …").into());
        }
        let neither = || "not a parameter, a `let` or a loop variable".to_string();
        Err(error.meant(span, nearest(name, known.iter().map(String::as_str)), neither).into())
    }

    fn dotted(self, path: &Path) -> Result<Value, Fault> {
        match (plain(path, 0), plain(path, 1)) {
            (Some("it"), Some(field)) if path.segments.len() == 2 => self.env.it(field, path.span),
            _ => Err(kind(path.span, "a labelled value is not a number".into())),
        }
    }

    fn call(self, call: &Call) -> Result<Value, Fault> {
        let name = call.name.node.as_str();
        let unnamed = call.args.iter().all(|arg| arg.name.is_none());
        if matches!(name, "floor" | "ceil" | "round") && unnamed && call.args.len() == 1 {
            return self.rounded(name, &call.args[0].value);
        }
        if FUNCTIONS.contains(&name) && unnamed {
            let args = call.args.iter().map(|arg| self.expr(&arg.value)).collect::<Result<Vec<_>, _>>()?;
            let result = arith::function(name, &args).unwrap_or(Err(Refusal::Kind(format!("no function `{name}`"))));
            return result.map_err(|refusal| plainly(refusal, call.span));
        }
        if self.words == Words::Allowed {
            let arg = |arg: &Arg| Ok((arg.name.as_ref().map(|n| n.node.clone()), self.expr(&arg.value)?));
            return Ok(Value::Call(name.into(), call.args.iter().map(arg).collect::<Result<_, Fault>>()?));
        }
        let message = format!("there is no function named `{name}`");
        let all = || "the functions are `min`, `max`, `floor`, `ceil`, `round` and `abs`".to_string();
        let near = nearest(name, FUNCTIONS.iter().copied());
        Err(Diagnostic::new(codes::NO_SUCH_NAME, message).meant(call.name.span, near, all).into())
    }

    fn rounded(self, name: &str, arg: &Expr) -> Result<Value, Fault> {
        let inner = Evaluator { inexact: true, ..self };
        let plain = |value: Value| {
            let result = arith::function(name, &[value]).unwrap_or(Err(Refusal::Kind(String::new())));
            result.map_err(|refusal| plainly(refusal, arg.span))
        };
        let ExprKind::Binary(BinaryOp::Div, a, b) = &arg.node else {
            return plain(inner.expr(arg)?);
        };
        match (inner.expr(a)?, inner.expr(b)?) {
            (Value::Int(a), Value::Int(b)) => arith::rounded_quotient(name, a, b).map_err(|r| plainly(r, arg.span)),
            (a, b) => plain(arith::binary(BinaryOp::Div, &a, &b, true).map_err(|r| plainly(r, arg.span))?),
        }
    }

    fn refused(self, refusal: Refusal, expr: &Expr) -> Fault {
        match (refusal, &expr.node) {
            (Refusal::Inexact(a, b), ExprKind::Binary(_, left, right)) => {
                let (left, right) = (left.span, right.span);
                let rounded = format!("floor({} / {})", self.env.text(left), self.env.text(right));
                Diagnostic::new(codes::INEXACT, format!("{a} / {b} is not a whole number"))
                    .label(left.to(right), "must divide without a rest")
                    .help(format!("say how to round: `{rounded}`"))
                    .fix(format!("round down: `{rounded}`"), left.to(right), rounded)
                    .into()
            }
            (refusal, _) => plainly(refusal, expr.span),
        }
    }

    fn record(self, fields: &[Arg], span: Span) -> Result<Value, Fault> {
        let field = |arg: &Arg| match &arg.name {
            Some(name) => Ok((name.node.clone(), self.expr(&arg.value)?)),
            None => Err(kind(arg.value.span, "every field of a record has a name: `mean=…`".into())),
        };
        if self.words == Words::Refused {
            return Err(kind(span, "a record cannot stand here".into()));
        }
        fields.iter().map(field).collect::<Result<_, _>>().map(Value::Record)
    }
}

/// A segment of a path that is plain text.
fn plain(path: &Path, index: usize) -> Option<&str> {
    path.segments.get(index).and_then(super::names::plain)
}

fn plainly(refusal: Refusal, span: Span) -> Fault {
    match refusal {
        Refusal::Kind(message) => kind(span, message),
        Refusal::Range(message) => range(span, message),
        Refusal::Inexact(a, b) => range(span, format!("{a} / {b} is not a whole number")),
    }
}

fn kind(span: Span, message: String) -> Fault {
    Diagnostic::new(codes::WRONG_KIND, message).label(span, "here").into()
}

fn range(span: Span, message: String) -> Fault {
    Diagnostic::new(codes::NO_NUMBER, message).label(span, "here").into()
}
