//! What braces, `=` and `-` stand for, and where blanks belong between tokens.

use super::lex::Token;
use crate::syntax::ast::{Block, Body, File, Item, Label, Model, Param};
use crate::syntax::walk::{Walk, walk_label};
use std::collections::BTreeMap;

/// What a pair of braces holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Braces {
    /// Lines of steps, or of a recipe.
    Body,
    /// The expression in a label.
    Label,
    /// A value of an `if`.
    Value,
}

/// What the braces that open at a byte hold; those that are not there give a value.
pub type Roles = BTreeMap<usize, Braces>;

/// The roles of a file's braces, from its tree.
pub fn roles(file: &File, tokens: &[Token]) -> Roles {
    let mut walk = Finder { tokens, roles: Roles::new() };
    for item in &file.items {
        match item {
            Item::Import(_) => {}
            Item::Set(set) => walk.args(&set.args),
            Item::Block(Block { params, body, .. }) | Item::Model(Model { params, body, .. }) => {
                walk.params(params);
                walk.body(body);
            }
            Item::Train(train) => {
                let head = train.model.span.end as usize;
                if let Some(open) = tokens.get(walk.token(head)) {
                    walk.roles.insert(open.at, Braces::Body);
                }
                train.fields.iter().for_each(|field| walk.expr(&field.value));
            }
        }
    }
    walk.roles
}

struct Finder<'a> {
    tokens: &'a [Token<'a>],
    roles: Roles,
}

impl Finder<'_> {
    /// The first token at or after a byte.
    fn token(&self, at: usize) -> usize {
        self.tokens.partition_point(|token| token.at < at)
    }

    fn params(&mut self, params: &[Param]) {
        params.iter().filter_map(|p| p.default.as_ref()).for_each(|value| self.expr(value));
    }
}

impl<'t> Walk<'t> for Finder<'_> {
    fn body(&mut self, body: &'t Body) {
        self.roles.insert(body.span.start as usize, Braces::Body);
        body.lines.iter().flatten().for_each(|step| self.step(step));
    }

    /// The outermost braces in a label are its own; those inside belong to its expressions.
    fn label(&mut self, label: &'t Label) {
        let end = label.span.end as usize;
        let mut depth = 0;
        for token in self.tokens[self.token(label.span.start as usize)..].iter().take_while(|t| t.at < end) {
            match token.text {
                "{" if depth == 0 => {
                    self.roles.insert(token.at, Braces::Label);
                    depth = 1;
                }
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
        }
        walk_label(self, label);
    }
}

/// Words after which an operand stands.
const OPERATORS: [&str; 6] = ["and", "or", "not", "if", "in", "repeat"];

/// Says of every token whether a blank stands before it.
pub fn set_gaps(tokens: &mut [Token], roles: &Roles) {
    let mut open: Vec<Open> = Vec::new();
    let mut before = Before::default();
    for i in 0..tokens.len() {
        let role = roles.get(&tokens[i].at).copied().unwrap_or(Braces::Value);
        let closed = match tokens[i].text {
            ")" | "]" | "}" => open.pop(),
            _ => None,
        };
        let next_is_if = tokens.get(i + 1).is_some_and(|next| next.text == "if");
        let dotted = i > 0 && tokens[i - 1].text == ".";
        let token = &tokens[i];
        let this = Before {
            glued: is_glued(token, role, &before, open.last() == Some(&Open::Parenthesis) && !next_is_if),
            operand: ends_operand(token, dotted, closed),
            callable: token.is_word() && (dotted || !OPERATORS.contains(&token.text)),
            label_end: token.is_word() || closed == Some(Open::Braces(Braces::Label)),
            end: token.end(),
        };
        tokens[i].gap = gap(&tokens[i], role, &before, &this, closed);
        before = this;
        match tokens[i].text {
            "(" | "[" => open.push(Open::Parenthesis),
            "{" => open.push(Open::Braces(role)),
            _ => {}
        }
    }
}

/// An open bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Parenthesis,
    Braces(Braces),
}

/// What the next token must know about the one before.
#[derive(Default)]
struct Before {
    /// No blank stands after it.
    glued: bool,
    /// An operand ends with it, so a `-` after it subtracts.
    operand: bool,
    /// Parentheses after it hold arguments.
    callable: bool,
    /// A label may go on after it.
    label_end: bool,
    end: usize,
}

fn ends_operand(token: &Token, dotted: bool, closed: Option<Open>) -> bool {
    match token.text {
        ")" | "]" => true,
        "}" => closed != Some(Open::Braces(Braces::Body)),
        text => text.starts_with('"') || (token.is_word() && (dotted || !OPERATORS.contains(&text))),
    }
}

fn is_glued(token: &Token, role: Braces, before: &Before, tight_equals: bool) -> bool {
    match token.text {
        "(" | "[" | "." | ".." | "..=" => true,
        "{" => role == Braces::Label,
        "-" => !before.operand,
        "=" => tight_equals,
        _ => false,
    }
}

fn gap(token: &Token, role: Braces, before: &Before, this: &Before, closed: Option<Open>) -> bool {
    let adjacent = before.label_end && before.end == token.at;
    let tight = match token.text {
        "," | ")" | "]" | ":" | "." | ".." | "..=" => true,
        "=" => this.glued,
        "(" => before.callable,
        "{" => role == Braces::Label && adjacent,
        "}" => closed == Some(Open::Braces(Braces::Label)),
        _ => token.is_word() && adjacent,
    };
    !tight && !before.glued
}
