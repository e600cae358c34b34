//! Parts of a recipe: a name with arguments, `sgd(lr=0.1)`, matched with what there is.

use super::bind;
use super::eval::{self, Env, Fault, Words};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, codes};
use crate::ops::Value;
use crate::syntax::ast::{Arg, Expr, ExprKind};
use std::collections::BTreeMap;

/// One kind of part and the names of its arguments, in positional order.
pub type PartSpec = (&'static str, &'static [&'static str]);

/// A part with its arguments' values.
pub(super) struct Part {
    /// Its name, one of the table's.
    pub name: &'static str,
    /// Where it was written.
    pub span: Span,
    args: BTreeMap<&'static str, (Value, Span)>,
}

/// The first thing that is wrong with an argument.
type Read<T> = Result<T, Fault>;

impl Part {
    /// Reads `name` or `name(args)`; `what` says what the table holds: `loss`, `optimizer`.
    pub(super) fn read(expr: &Expr, what: &str, table: &[PartSpec], env: &dyn Env) -> Read<Self> {
        let none: &[Arg] = &[];
        let (written, at, args) = match &expr.node {
            ExprKind::Name(name) => (name.as_str(), expr.span, none),
            ExprKind::Call(call) => (call.name.node.as_str(), call.name.span, call.args.as_slice()),
            _ => {
                let message = format!("{} is wanted here, such as `{}`", article(what), table[0].0);
                return Err(Diagnostic::new(codes::RECIPE_VALUE, message)
                    .label(expr.span, format!("not {}", article(what)))
                    .into());
            }
        };
        let Some((name, names)) = table.iter().find(|(name, _)| *name == written) else {
            return Err(unknown_part(written, at, what, table).into());
        };
        let matched = bind::matched(name, names, args);
        if let Some(mut error) = matched.errors.into_iter().next() {
            error.code = codes::RECIPE_ARGUMENT;
            return Err(error.into());
        }
        let mut part = Self { name, span: expr.span, args: BTreeMap::new() };
        for (name, arg) in names.iter().zip(matched.args) {
            if let Some(arg) = arg {
                let value = eval::eval(&arg.value, env, Words::Allowed)?;
                part.args.insert(name, (value, arg.value.span));
            }
        }
        Ok(part)
    }

    /// Whether an argument was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.args.contains_key(name)
    }

    /// A number within bounds, or the default. `wants` says the bounds in words.
    pub(super) fn number(&self, name: &str, default: f64, wants: &str, holds: impl Fn(f64) -> bool) -> Read<f64> {
        match self.args.get(name) {
            None => Ok(default),
            Some((value, span)) => match real(value).filter(|&x| holds(x)) {
                Some(x) => Ok(x),
                None => Err(refused(name, wants, value, *span)),
            },
        }
    }

    /// A whole number of at least `least`, or the default; an argument without a default must be given.
    pub(super) fn whole(&self, name: &str, default: Option<usize>, least: usize) -> Read<usize> {
        match (self.args.get(name), default) {
            (None, Some(default)) => Ok(default),
            (None, None) => Err(self.missing(name)),
            (Some((value, span)), _) => whole(value)
                .filter(|&n| n >= least)
                .ok_or_else(|| refused(name, &format!("a whole number, at least {least}"), value, *span)),
        }
    }

    /// `true` or `false`; `false` where it was not given.
    pub(super) fn flag(&self, name: &str) -> Read<bool> {
        match self.args.get(name) {
            None => Ok(false),
            Some((Value::Bool(b), _)) => Ok(*b),
            Some((value, span)) => Err(refused(name, "`true` or `false`", value, *span)),
        }
    }

    /// A text, where one was given, and its place.
    pub(super) fn text(&self, name: &str) -> Read<Option<(String, Span)>> {
        match self.args.get(name) {
            None => Ok(None),
            Some((Value::Str(text) | Value::Word(text), span)) => Ok(Some((text.clone(), *span))),
            Some((value, span)) => Err(refused(name, "a text", value, *span)),
        }
    }

    /// Numbers within bounds, where they were given.
    pub(super) fn numbers(&self, name: &str, wants: &str, holds: impl Fn(f64) -> bool) -> Read<Option<Vec<f64>>> {
        let Some((value, span)) = self.args.get(name) else { return Ok(None) };
        match numbers(value).filter(|list| list.iter().all(|&x| holds(x))) {
            Some(list) => Ok(Some(list)),
            None => Err(refused(name, wants, value, *span)),
        }
    }

    /// The value as it was given, and its place.
    pub(super) fn value(&self, name: &str) -> Option<&(Value, Span)> {
        self.args.get(name)
    }

    /// The error for an argument that must be given.
    pub(super) fn missing(&self, name: &str) -> Fault {
        let mut error = bind::missing(self.name, name, self.span, &format!("{}({name}=…)", self.name));
        error.code = codes::RECIPE_ARGUMENT;
        error.into()
    }
}

fn unknown_part(written: &str, at: Span, what: &str, table: &[PartSpec]) -> Diagnostic {
    let error = Diagnostic::new(codes::RECIPE_PART, format!("there is no {what} named `{written}`"));
    let all = || {
        let known = table.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        format!("there are {known}")
    };
    let known = |name: &&str| table.iter().any(|(known, _)| known == name);
    let near = elsewhere(written).filter(known).or_else(|| nearest(written, table.iter().map(|(name, _)| *name)));
    error.meant(at, near, all)
}

/// What a part is called here that other libraries call so.
fn elsewhere(written: &str) -> Option<&'static str> {
    Some(match written.to_lowercase().replace('_', "").trim_end_matches("loss") {
        "bce" | "bcewithlogits" | "binarycrossentropy" => "bce_with_logits",
        "ce" | "crossentropy" | "nll" | "categoricalcrossentropy" | "sparsecategoricalcrossentropy" => "cross_entropy",
        "l2" | "meansquarederror" => "mse",
        "mae" | "meanabsoluteerror" => "l1",
        "softdice" => "dice",
        "multistep" | "multisteplr" => "step",
        "cosineannealing" | "cosineannealinglr" => "cosine",
        _ => return None,
    })
}

/// The error for a value that is refused.
pub(super) fn refused(name: &str, wants: &str, value: &Value, span: Span) -> Fault {
    let message = format!("`{name}` must be {wants}, not {value}");
    Diagnostic::new(codes::RECIPE_VALUE, message).label(span, "here").into()
}

/// `a loss`, `an optimizer`
fn article(what: &str) -> String {
    let vowel = what.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {what}", if vowel { "an" } else { "a" })
}

/// A finite number.
pub(super) fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}

/// A whole number that is not negative.
pub(super) fn whole(value: &Value) -> Option<usize> {
    match value {
        Value::Int(n) => usize::try_from(*n).ok(),
        _ => None,
    }
}

/// A list of numbers.
pub(super) fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::List(items) => items.iter().map(real).collect(),
        _ => None,
    }
}
