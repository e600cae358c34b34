//! The tree as rows: what stands in one row, and what is broken over several.

use super::lex::Token;
use super::tree::{Body, Chain, Group, Node, Segment, flat, width};
use crate::tools::text::columns;

/// Columns that a row may take.
pub const WIDEST: usize = 110;

/// Columns of one step inwards.
pub const STEP: usize = 4;

/// Numbers in a list that is filled row by row instead of standing one a row.
const FILLED: usize = 8;

/// A row of the result.
#[derive(Debug, Default)]
pub struct Row {
    /// Steps inwards.
    pub indent: usize,
    /// What stands in it; empty where a comment stands alone.
    pub code: String,
    /// The comment at its end.
    pub comment: Option<String>,
    /// Whether a blank line stands before it.
    pub blank: bool,
    /// What lines up with the rows around it.
    pub marks: Marks,
}

/// Places in a row's code that line up with the same places of neighbours, in bytes.
#[derive(Debug, Default)]
pub struct Marks {
    /// Past the colon of the label that the row starts with.
    pub label: Option<usize>,
    /// Where each `->` between steps stands.
    pub arrows: Vec<usize>,
    /// The steps of the row without their numbers: rows line up where these are equal.
    pub steps: String,
    /// Where the braces of an item in one row open.
    pub braces: Option<usize>,
    /// The `=` of a field, and by which recipe it lines up.
    pub equals: Option<(usize, usize)>,
}

/// Writes rows.
pub struct Writer<'a, 's> {
    pub tokens: &'a [Token<'s>],
    pub rows: Vec<Row>,
    /// Whether the next row is the first of its braces, which no blank line precedes.
    first: bool,
}

impl<'a, 's> Writer<'a, 's> {
    /// A writer for these tokens.
    pub fn new(tokens: &'a [Token<'s>]) -> Self {
        Self { tokens, rows: Vec::new(), first: true }
    }

    /// The lines of a file, and the comments after them.
    pub fn file(mut self, lines: &[Chain]) -> Vec<Row> {
        let mut after = false;
        for line in lines {
            let start = self.rows.len();
            self.line(line, 0);
            let item = self.tokens[first_of(line)].text;
            let large = matches!(item, "block" | "model" | "train") && self.rows_of_item(start) > 1;
            let lead = self.tokens[first_of(line)].comments.iter().filter(|c| c.own).count();
            let rows = &mut self.rows[start..];
            if start > 0 && (after || large) && !rows[..=lead.min(rows.len() - 1)].iter().any(|row| row.blank) {
                rows[0].blank = true;
            }
            after = large;
        }
        if let Some(end) = self.tokens.len().checked_sub(1) {
            self.comments(end, 0);
        }
        self.rows
    }

    fn rows_of_item(&self, start: usize) -> usize {
        self.rows[start..].iter().filter(|row| !row.code.is_empty()).count()
    }

    fn lines(&mut self, lines: &[Chain], indent: usize) {
        lines.iter().for_each(|line| self.line(line, indent));
    }

    /// The comments before a token: at the end of the row before, or in rows of their own.
    fn comments(&mut self, token: usize, indent: usize) {
        for comment in &self.tokens[token].comments {
            let text = comment.text.clone();
            match self.rows.last_mut() {
                Some(row) if !comment.own && row.comment.is_none() => row.comment = Some(text),
                _ => {
                    self.row(indent, comment.blank);
                    if let Some(row) = self.rows.last_mut() {
                        row.comment = Some(text);
                    }
                }
            }
        }
    }

    fn row(&mut self, indent: usize, blank: bool) {
        let blank = blank && !std::mem::take(&mut self.first);
        self.first = false;
        self.rows.push(Row { indent, blank, ..Row::default() });
    }

    /// A row that starts with a token, after the comments before it.
    fn row_with(&mut self, token: usize, indent: usize, blank: bool) {
        self.comments(token, indent);
        self.row(indent, blank && self.tokens[token].blank);
    }

    /// The columns of the current row.
    fn column(&self) -> usize {
        self.rows.last().map_or(0, |row| row.indent * STEP + columns(&row.code))
    }

    /// The bytes of the current row's code.
    fn place(&self) -> usize {
        self.rows.last().map_or(0, |row| row.code.len())
    }

    fn put(&mut self, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.code.push_str(text);
        }
    }

    /// A token in the current row; a comment before it ends the row.
    fn token(&mut self, at: usize, base: usize) {
        let starts_row = self.rows.last().is_some_and(|row| row.code.is_empty() && row.comment.is_none());
        if !starts_row && !self.tokens[at].comments.is_empty() {
            self.row_with(at, base, false);
        }
        let token = &self.tokens[at];
        if token.gap && self.place() > 0 {
            self.put(" ");
        }
        self.put(token.text);
    }

    fn line(&mut self, line: &Chain, indent: usize) {
        self.row_with(first_of(line), indent, true);
        let row = self.rows.len();
        let mut base = indent;
        let mut marks = Marks::default();
        for segment in line {
            if let Some(arrow) = segment.arrow {
                let column = self.column() + STEP + self.head(segment);
                if segment.own_row || column > WIDEST {
                    base = indent + 1;
                    self.row_with(arrow, base, false);
                } else {
                    marks.arrows.push(self.place() + 1);
                }
                self.token(arrow, base);
            }
            self.segment(&segment.nodes, base);
        }
        if self.rows.len() == row {
            self.mark(line, marks);
        }
    }

    /// Columns of a step up to where its row is bound to end.
    fn head(&self, segment: &Segment) -> usize {
        let broken = breaks(&segment.nodes);
        let mut columns = 0;
        for (node, broken) in segment.nodes.iter().zip(broken) {
            let gap = usize::from(self.tokens[node.first()].gap);
            if broken {
                return columns + gap + 1;
            }
            columns += gap + width(node, self.tokens);
        }
        columns
    }

    fn mark(&mut self, line: &Chain, mut marks: Marks) {
        let Some(row) = self.rows.last_mut() else { return };
        let nodes = line.first().map_or(&[][..], |segment| &segment.nodes);
        let colon = nodes.iter().position(|node| matches!(node, Node::Word(at) if self.tokens[*at].text == ":"));
        marks.label = colon.map(|colon| flat(&nodes[..=colon], self.tokens));
        let is_item = matches!(self.tokens[first_of(line)].text, "block" | "model");
        let opens = nodes.iter().position(|node| matches!(node, Node::Body(_)));
        if let (true, 0, Some(body)) = (is_item, row.indent, opens) {
            marks.braces = Some(flat(&nodes[..body], self.tokens) + 1);
        }
        marks.steps = line.iter().map(|segment| steps(&segment.nodes, self.tokens)).collect();
        row.marks = marks;
    }

    /// A step, or an item between commas, from the current column on.
    fn segment(&mut self, nodes: &[Node], base: usize) {
        let broken = self.choose(nodes, base);
        for (node, broken) in nodes.iter().zip(broken) {
            self.node(node, base, broken);
        }
    }

    /// Which nodes are broken, so that every row fits: braces first, then the widest brackets.
    fn choose(&self, nodes: &[Node], base: usize) -> Vec<bool> {
        let mut broken = breaks(nodes);
        if self.widest(nodes, &broken, base) <= WIDEST {
            return broken;
        }
        for (node, broken) in nodes.iter().zip(&mut broken) {
            *broken |= matches!(node, Node::Body(body) if !body.lines.is_empty());
        }
        while self.widest(nodes, &broken, base) > WIDEST {
            let whole = nodes.iter().enumerate().filter_map(|(i, node)| match node {
                Node::Group(group) if !broken[i] && !group.items.is_empty() => Some((group.flat, i)),
                _ => None,
            });
            match whole.max() {
                Some((_, i)) => broken[i] = true,
                None => break,
            }
        }
        broken
    }

    /// Columns of the widest row outside the brackets that are broken.
    fn widest(&self, nodes: &[Node], broken: &[bool], base: usize) -> usize {
        let (mut column, mut widest) = (self.column(), 0);
        for (node, &broken) in nodes.iter().zip(broken) {
            column += usize::from(self.tokens[node.first()].gap && column > base * STEP);
            match node {
                _ if broken => {
                    widest = widest.max(column + 1);
                    column = base * STEP + 1;
                }
                // Something within is broken by the author; where, its own turn will tell.
                Node::Group(group) if group.rows => column = base * STEP + 1,
                _ => column += width(node, self.tokens),
            }
        }
        widest.max(column)
    }

    fn node(&mut self, node: &Node, base: usize, broken: bool) {
        match node {
            Node::Word(at) => self.token(*at, base),
            Node::Group(group) if broken => self.broken_group(group, base),
            Node::Group(group) => {
                self.token(group.open, base);
                for (i, item) in group.items.iter().enumerate() {
                    if i > 0 {
                        self.put(",");
                    }
                    self.whole(item, base);
                }
                self.token(group.close, base);
            }
            Node::Value { open, inner, close } => {
                self.token(*open, base);
                self.whole(inner, base);
                self.token(*close, base);
            }
            Node::Body(body) => self.body(body, base, broken),
        }
    }

    /// Nodes that are only broken where the author broke them.
    fn whole(&mut self, nodes: &[Node], base: usize) {
        for (node, broken) in nodes.iter().zip(breaks(nodes)) {
            self.node(node, base, broken);
        }
    }

    fn broken_group(&mut self, group: &Group, base: usize) {
        self.token(group.open, base);
        self.first = true;
        let numbers = group.items.len() > FILLED && group.items.iter().all(|item| item.len() <= 2);
        for (i, item) in group.items.iter().enumerate() {
            let token = item.first().map_or(group.close, Node::first);
            let wide = self.column() + 2 + flat(item, self.tokens) > WIDEST;
            let by_hand = self.tokens[token].newline || !self.tokens[token].comments.is_empty();
            if i == 0 || wide || by_hand || !(group.broken || numbers) {
                self.row_with(token, base + 1, i > 0);
            }
            self.segment(item, base + 1);
            if i + 1 < group.items.len() || group.commas {
                self.put(",");
            }
        }
        self.comments(group.close, base + 1);
        self.first = false;
        self.row(base, false);
        self.put(self.tokens[group.close].text);
    }

    fn body(&mut self, body: &Body, base: usize, broken: bool) {
        self.token(body.open, base);
        if !broken {
            for segment in body.lines.iter().flatten() {
                segment.arrow.iter().for_each(|&arrow| self.token(arrow, base));
                self.whole(&segment.nodes, base);
            }
            return self.token(body.close, base);
        }
        let start = self.rows.len();
        self.first = true;
        self.lines(&body.lines, base + 1);
        self.comments(body.close, base + 1);
        self.first = false;
        self.line_up_fields(body, start, base + 1);
        self.row(base, false);
        self.put(self.tokens[body.close].text);
    }

    /// Marks the `=` of a recipe's fields.
    fn line_up_fields(&mut self, body: &Body, start: usize, indent: usize) {
        let recipe = self.tokens[body.open].at;
        let is_field = |line: &Chain| {
            let nodes = line.first().map_or(&[][..], |segment| &segment.nodes);
            matches!(nodes.get(1), Some(Node::Word(at)) if self.tokens[*at].text == "=")
        };
        if !body.lines.iter().all(is_field) {
            return;
        }
        for row in self.rows.iter_mut().skip(start).filter(|row| row.indent == indent) {
            if let Some(at) = row.code.find(" = ").filter(|&at| !row.code[..at].contains(['(', '"'])) {
                row.marks.equals = Some((at + 1, recipe));
            }
        }
    }
}

fn first_of(line: &Chain) -> usize {
    line.iter().flat_map(|segment| &segment.nodes).next().map_or(0, Node::first)
}

/// Which nodes must be broken; of the braces of one `if`, all where one must.
fn breaks(nodes: &[Node]) -> Vec<bool> {
    let must = |node: &Node| match node {
        Node::Group(group) => group.broken,
        Node::Body(body) => body.broken,
        _ => false,
    };
    let mut broken: Vec<bool> = nodes.iter().map(must).collect();
    let is_body = |i: usize| matches!(nodes.get(i), Some(Node::Body(_)));
    // The braces of an `if` are followed by the word `else`, which no other braces are.
    let arms: Vec<usize> = (0..nodes.len()).filter(|&i| is_body(i)).collect();
    let chained = arms.windows(2).all(|pair| pair[1] > pair[0] + 1);
    if chained && arms.iter().any(|&i| broken[i]) {
        arms.iter()
            .for_each(|&i| broken[i] = !matches!(&nodes[i], Node::Body(body) if body.lines.is_empty() && !body.broken));
    }
    broken
}

/// A step as it compares to others: words as they are, arguments by their names alone.
fn steps(nodes: &[Node], tokens: &[Token]) -> String {
    let mut text = String::new();
    let mut before = "";
    for (i, node) in nodes.iter().enumerate() {
        let is_label = matches!(nodes.get(i + 1), Some(Node::Word(at)) if tokens[*at].text == ":");
        match node {
            Node::Word(at) if is_label || before == "from" || tokens[*at].text == "." => text.push('_'),
            Node::Word(at) => text.push_str(tokens[*at].text),
            Node::Group(group) => {
                text.push('(');
                group.items.iter().for_each(|item| text.push_str(&argument(item, tokens)));
                text.push(')');
            }
            Node::Value { .. } => text.push('_'),
            Node::Body(_) => text.push_str("{}"),
        }
        text.push(' ');
        before = if let Node::Word(at) = node { tokens[*at].text } else { "" };
    }
    text + "->"
}

fn argument(item: &[Node], tokens: &[Token]) -> String {
    match item {
        [Node::Word(name), Node::Word(equals), ..] if tokens[*equals].text == "=" => {
            format!("{}=,", tokens[*name].text)
        }
        _ => "_,".into(),
    }
}
