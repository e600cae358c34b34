//! Numbers, strings and names as values.

use super::ast::ExprKind;
use super::build::Builder;
use super::grammar::Pair;
use crate::base::{Diagnostic, Span, Spanned, codes};

/// A number: whole, unless it has a point or an exponent.
pub fn number(builder: &mut Builder, pair: &Pair) -> ExprKind {
    if pair.as_str().contains(['.', 'e', 'E']) { float(builder, pair) } else { int(builder, pair) }
}

fn int(builder: &mut Builder, pair: &Pair) -> ExprKind {
    let text = digits(pair);
    match text.parse() {
        Ok(value) => ExprKind::Int(value),
        Err(_) => {
            let message = format!("`{}` is too large for a whole number", shortened(&text));
            let label = format!("the largest is {}", i64::MAX);
            builder.report(Diagnostic::new(codes::NUMBER, message).label(builder.span(pair), label));
            ExprKind::Int(0)
        }
    }
}

fn float(builder: &mut Builder, pair: &Pair) -> ExprKind {
    let text = digits(pair);
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => ExprKind::Float(value),
        _ => {
            let message = format!("`{}` is too large for a number", shortened(&text));
            builder.report(
                Diagnostic::new(codes::NUMBER, message).label(builder.span(pair), "the largest is about 1.8e308"),
            );
            ExprKind::Float(0.0)
        }
    }
}

/// A bare name; the spellings of what is no number are refused.
pub fn name(builder: &mut Builder, name: Spanned<String>) -> ExprKind {
    let plain = name.node.to_lowercase();
    if ["nan", "inf", "infinity"].contains(&plain.as_str()) {
        let message = format!("`{}` is not a number that can be written", name.node);
        let label = "numbers are finite";
        builder.report(Diagnostic::new(codes::NUMBER, message).label(name.span, label));
        return ExprKind::Float(0.0);
    }
    ExprKind::Name(name.node)
}

/// The text of a string, escapes resolved.
pub fn string(builder: &mut Builder, pair: &Pair) -> String {
    let text = pair.as_str().trim_end();
    let inner = text.get(1..text.len().max(2) - 1).unwrap_or("");
    let start = builder.span(pair).start + 1;
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some((_, 'n')) => value.push('\n'),
            Some((_, 't')) => value.push('\t'),
            Some((_, c @ ('"' | '\\'))) => value.push(c),
            Some((_, c)) => {
                let from = start + at as u32;
                let span = Span { start: from, end: from + 1 + c.len_utf8() as u32, ..builder.span(pair) };
                let diagnostic = Diagnostic::new(codes::STRING, format!("`\\{c}` is no escape"))
                    .label(span, "a `\\` in a string starts an escape")
                    .help("write `\\\\` for a backslash; the escapes are `\\\"`, `\\\\`, `\\n` and `\\t`");
                builder.report(diagnostic);
            }
            None => {}
        }
    }
    value
}

fn digits(pair: &Pair) -> String {
    pair.as_str().trim_end().replace('_', "")
}

/// A literal that fits on a line.
fn shortened(text: &str) -> String {
    if text.len() <= 40 { text.to_owned() } else { format!("{}…", &text[..40]) }
}
