//! Arguments matched with what a layer, a block or a recipe's part takes.

use super::eval::Words;
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, codes};
use crate::ops::ArgType;
use crate::syntax::ast::{Arg, Ident};

/// The argument for each name, and what is wrong with the others.
pub(super) struct Matched<'a> {
    /// In the order of the names.
    pub args: Vec<Option<&'a Arg>>,
    /// Unknown, surplus and repeated arguments.
    pub errors: Vec<Diagnostic>,
}

/// Matches arguments by position and by name; `callee` takes `names`, in that order.
pub(super) fn matched<'a>(callee: &str, names: &[&str], args: &'a [Arg]) -> Matched<'a> {
    let mut found: Vec<Option<&Arg>> = vec![None; names.len()];
    let mut errors = Vec::new();
    let mut position = 0;
    for arg in args {
        let index = match &arg.name {
            Some(name) => names.iter().position(|n| *n == name.node),
            None => Some(position),
        };
        position += usize::from(arg.name.is_none());
        let slot = index.and_then(|i| found.get_mut(i).map(|slot| (i, slot)));
        match (slot, &arg.name) {
            (Some((_, slot @ None)), _) => *slot = Some(arg),
            (Some((i, Some(first))), _) => errors.push(twice(callee, names[i], arg, first)),
            (None, Some(name)) => errors.push(unknown(callee, name, names)),
            (None, None) => errors.push(surplus(callee, names, arg)),
        }
        if errors.len() > 20 {
            break;
        }
    }
    Matched { args: found, errors }
}

/// The error for an argument that the callee does not take.
pub(super) fn unknown(callee: &str, name: &Ident, names: &[&str]) -> Diagnostic {
    let message = format!("`{callee}` has no argument `{}`", name.node);
    let error = Diagnostic::new(codes::UNKNOWN_ARGUMENT, message);
    error.meant(name.span, nearest(&name.node, names.iter().copied()), || takes(names))
}

/// The error for an argument that must be given and is not; `usage` shows a call.
pub(super) fn missing(callee: &str, name: &str, span: Span, usage: &str) -> Diagnostic {
    Diagnostic::new(codes::MISSING_ARGUMENT, format!("`{callee}` needs `{name}`"))
        .label(span, format!("`{name}` is not given"))
        .help(usage)
}

/// Where an argument's words are values rather than names.
pub(super) fn words(ty: ArgType) -> Words {
    match ty {
        ArgType::SizesOrSame | ArgType::SizesOrGlobal | ArgType::Init | ArgType::Choice(_) => Words::Allowed,
        _ => Words::Refused,
    }
}

fn twice(callee: &str, name: &str, arg: &Arg, first: &Arg) -> Diagnostic {
    let span = |arg: &Arg| arg.name.as_ref().map_or(arg.value.span, |n| n.span.to(arg.value.span));
    Diagnostic::new(codes::REPEATED_ARGUMENT, format!("`{name}` of `{callee}` is given twice"))
        .label(span(arg), "the second")
        .label(span(first), "the first")
}

fn surplus(callee: &str, names: &[&str], arg: &Arg) -> Diagnostic {
    let message = match names.len() {
        0 => format!("`{callee}` takes no arguments"),
        n => format!("`{callee}` takes no more than {n} argument{}", if n == 1 { "" } else { "s" }),
    };
    Diagnostic::new(codes::TOO_MANY, message).label(arg.value.span, takes(names))
}

fn takes(names: &[&str]) -> String {
    match names {
        [] => "leave this out".into(),
        _ => format!("it takes {}", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")),
    }
}
