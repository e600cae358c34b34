//! Tokens as lines, steps, brackets and braces, with the widths that they take in one row.

use super::lex::Token;
use super::roles::{Braces, Roles};
use crate::tools::text::columns;

/// A token, or what stands between two brackets.
pub enum Node {
    /// A token, by its position.
    Word(usize),
    /// `( )` or `[ ]`: items between commas.
    Group(Group),
    /// `{ }` around an expression.
    Value { open: usize, inner: Vec<Node>, close: usize },
    /// `{ }` around lines.
    Body(Body),
}

/// `( )` or `[ ]`.
pub struct Group {
    pub open: usize,
    pub items: Vec<Vec<Node>>,
    pub close: usize,
    /// Whether a comma may stand after the last item.
    pub commas: bool,
    /// Whether the author broke it, or a comment does.
    pub broken: bool,
    /// Whether it takes several rows, although it may not be broken itself.
    pub rows: bool,
    pub flat: usize,
}

/// `{ }` around lines.
pub struct Body {
    pub open: usize,
    pub lines: Vec<Chain>,
    pub close: usize,
    /// Whether it takes several rows.
    pub broken: bool,
    pub flat: usize,
}

/// Steps joined by `->`.
pub type Chain = Vec<Segment>;

/// A step, with the `->` before it.
pub struct Segment {
    pub arrow: Option<usize>,
    pub nodes: Vec<Node>,
    /// Whether the author started a row with it.
    pub own_row: bool,
}

impl Node {
    /// Its first token.
    pub fn first(&self) -> usize {
        match self {
            Self::Word(at) => *at,
            Self::Group(group) => group.open,
            Self::Value { open, .. } => *open,
            Self::Body(body) => body.open,
        }
    }
}

/// Builds the tree of a text that parses.
pub struct Builder<'a, 's> {
    pub tokens: &'a mut [Token<'s>],
    pub roles: &'a Roles,
    at: usize,
}

impl<'a, 's> Builder<'a, 's> {
    /// The lines of a whole file.
    pub fn file(tokens: &'a mut [Token<'s>], roles: &'a Roles) -> Vec<Chain> {
        Builder { tokens, roles, at: 0 }.lines()
    }

    fn text(&self) -> &'s str {
        self.tokens.get(self.at).map_or("", |token| token.text)
    }

    /// Lines up to a closing brace or the end.
    fn lines(&mut self) -> Vec<Chain> {
        let mut lines = Vec::new();
        while !matches!(self.text(), "}" | "") {
            lines.push(self.line());
        }
        lines
    }

    fn line(&mut self) -> Chain {
        let mut line = Vec::new();
        let mut segment = Segment { arrow: None, nodes: Vec::new(), own_row: false };
        loop {
            let after_body = matches!(segment.nodes.last(), Some(Node::Body(_)));
            match self.text() {
                "}" | "" => break,
                "->" => {
                    let next = self.arrow();
                    line.push(std::mem::replace(&mut segment, next));
                }
                text => {
                    let joined = segment.nodes.is_empty() || (text == "else" && after_body);
                    if self.tokens[self.at].newline && !joined {
                        break;
                    }
                    let node = self.node();
                    segment.nodes.push(node);
                }
            }
        }
        line.push(segment);
        line
    }

    /// `->`: comments after it are moved before it, where the row will be broken.
    fn arrow(&mut self) -> Segment {
        let at = self.at;
        self.at += 1;
        let mut own_row = self.tokens[at].newline;
        if let Some(next) = self.tokens.get_mut(at + 1) {
            own_row |= next.newline;
            let moved = std::mem::take(&mut next.comments);
            self.tokens[at].comments.extend(moved);
        }
        Segment { arrow: Some(at), nodes: Vec::new(), own_row }
    }

    fn node(&mut self) -> Node {
        let open = self.at;
        self.at += 1;
        match self.tokens[open].text {
            "(" | "[" => Node::Group(self.group(open)),
            "{" => match self.roles.get(&self.tokens[open].at) {
                Some(Braces::Body) => Node::Body(self.body(open)),
                _ => {
                    let inner = self.nodes("}");
                    Node::Value { open, inner, close: self.close() }
                }
            },
            _ => Node::Word(open),
        }
    }

    /// Nodes up to a comma or a closing bracket.
    fn nodes(&mut self, close: &str) -> Vec<Node> {
        let mut nodes = Vec::new();
        while !matches!(self.text(), "" | ",") && self.text() != close {
            nodes.push(self.node());
        }
        nodes
    }

    /// Steps over a closing bracket.
    fn close(&mut self) -> usize {
        let at = self.at.min(self.tokens.len() - 1);
        self.at += 1;
        at
    }

    fn group(&mut self, open: usize) -> Group {
        let close = if self.tokens[open].text == "(" { ")" } else { "]" };
        let by_hand = self.tokens.get(open + 1).is_some_and(|first| first.newline && first.text != close);
        let mut items = Vec::new();
        while self.text() != close && !self.text().is_empty() {
            items.push(self.nodes(close));
            if self.text() == "," {
                self.comma();
            }
        }
        let close = self.close();
        let broken = by_hand || self.tokens[open + 1..=close].iter().any(|token| !token.comments.is_empty());
        let rows = broken || items.iter().flatten().any(takes_rows);
        let between: usize = items.iter().map(|item| self.flat(item) + 2).sum();
        let flat = 2 + between.saturating_sub(2);
        Group { open, commas: self.takes_comma(open), items, close, broken, rows, flat }
    }

    /// Steps over a comma: what stands before it moves behind it.
    fn comma(&mut self) {
        let comments = std::mem::take(&mut self.tokens[self.at].comments);
        let newline = self.tokens[self.at].newline;
        self.at += 1;
        if let Some(next) = self.tokens.get_mut(self.at) {
            next.comments.splice(0..0, comments);
            next.newline |= newline;
        }
    }

    /// Whether a comma may stand before the closing bracket: in lists, arguments and records, not in `(a + b)`.
    fn takes_comma(&self, open: usize) -> bool {
        let is_call = open > 0 && self.tokens[open - 1].is_word() && !self.tokens[open].gap;
        let is_record = self.tokens.get(open + 2).is_some_and(|token| token.text == "=");
        self.tokens[open].text == "[" || is_call || is_record
    }

    fn body(&mut self, open: usize) -> Body {
        let lines = self.lines();
        let close = self.close();
        let tokens = &self.tokens[open + 1..=close];
        let by_hand = !lines.is_empty() && tokens.iter().any(|token| token.newline);
        let broken = by_hand || tokens.iter().any(|token| !token.comments.is_empty());
        let flat: usize = lines.iter().map(|line| self.flat_line(line) + 2).sum();
        if lines.is_empty() {
            self.tokens[close].gap = false;
        }
        Body { open, lines, close, broken, flat: flat + 2 }
    }

    /// Columns of nodes in one row.
    fn flat(&self, nodes: &[Node]) -> usize {
        flat(nodes, self.tokens)
    }

    fn flat_line(&self, line: &Chain) -> usize {
        line.iter().map(|segment| self.flat(&segment.nodes) + 4).sum::<usize>().saturating_sub(4)
    }
}

fn takes_rows(node: &Node) -> bool {
    match node {
        Node::Word(_) => false,
        Node::Group(group) => group.rows,
        Node::Value { inner, .. } => inner.iter().any(takes_rows),
        Node::Body(body) => body.broken,
    }
}

/// Columns of nodes in one row, without the blank before the first.
pub fn flat(nodes: &[Node], tokens: &[Token]) -> usize {
    let gaps = nodes.iter().skip(1).filter(|node| tokens[node.first()].gap).count();
    gaps + nodes.iter().map(|node| width(node, tokens)).sum::<usize>()
}

/// Columns of a node in one row.
pub fn width(node: &Node, tokens: &[Token]) -> usize {
    match node {
        Node::Word(at) => columns(tokens[*at].text),
        Node::Group(group) => group.flat,
        Node::Value { inner, close, .. } => flat(inner, tokens) + if tokens[*close].gap { 4 } else { 2 },
        Node::Body(body) => body.flat,
    }
}
