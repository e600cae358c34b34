//! What may stand at a place, from the tokens before it: texts need not parse while they are written.

use super::tokens::{Kind, Token, tokens};
use std::ops::Range;

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Nothing that could be known: a new name, a comment.
    Nothing,
    /// An item of the file.
    Item,
    /// A step.
    Step,
    /// The step after `via` or `by`.
    SideStep,
    /// The kind of a `skip`, or of a `parallel`.
    MergeKind { parallel: bool },
    /// A clause of a skip, after its kind.
    Clause,
    /// After `fit`.
    Fit,
    /// A path to a labelled value.
    Path,
    /// An expression.
    Expression,
    /// In the parentheses of a layer or a block.
    Argument(Argument),
    /// In the parentheses of `set LAYER`.
    SetArgument(Argument),
    /// In the parentheses of a skip of this kind.
    SkipArgument(Argument),
    /// The name of a layer.
    Layer,
    /// The name of a model.
    Model,
    /// Names of an `import`, and the path after them where it is written already.
    Imported { path: Option<String> },
    /// The path of an import.
    ImportPath,
    /// A line of a recipe.
    RecipeLine,
    /// The value of a line of a recipe.
    RecipeValue { line: String },
    /// In the parentheses of a part of a recipe.
    RecipeArgument { line: String, argument: Argument },
}

/// A place in parentheses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Argument {
    /// What is called.
    pub callee: String,
    /// Names given before.
    pub given: Vec<String>,
    /// Arguments before, by position.
    pub position: usize,
    /// The name before `=`, where the place is its value.
    pub name: Option<String>,
    /// Whether an argument starts here, so that a name and `=` may follow.
    pub starts: bool,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// What may stand there.
    pub place: Place,
    /// The part of a word before the place.
    pub word: Range<usize>,
    /// Names before it, joined by dots: `["it"]` in `it.chan`.
    pub dotted: Vec<String>,
    /// Within quotes.
    pub quoted: bool,
    /// Whether it is the first step of its line.
    pub first: bool,
    /// The steps that the place stands in, the innermost first.
    pub steps: Vec<Within>,
}

/// A step that is being written, and the braces that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// Its first byte.
    pub step: usize,
    /// The byte of the brace before it.
    pub brace: usize,
    /// Whether it begins a path of a `parallel`.
    pub path: bool,
}

/// What opened a bracket.
#[derive(Clone, Debug, PartialEq)]
enum Opened {
    Body,
    Train,
    /// The braces of a value's `if`, or of a label's `{expr}`.
    Value,
    Parenthesis {
        callee: String,
    },
    Bracket,
}

/// An open bracket and the tokens since the last separator in it.
#[derive(Clone, Debug)]
struct Frame {
    opened: Opened,
    /// Tokens of the current step, line or argument.
    line: Vec<Token>,
    given: Vec<String>,
    position: usize,
    /// Whether the current step is the first of its line.
    first: bool,
    /// The first byte of the current step.
    start: Option<usize>,
    /// The byte of the bracket.
    bracket: usize,
    /// Whether each line is a path.
    paths: bool,
}

impl Frame {
    fn new(opened: Opened, bracket: usize) -> Self {
        let (line, given) = (Vec::new(), Vec::new());
        Self { opened, line, given, position: 0, first: true, start: None, bracket, paths: false }
    }

    fn word<'t>(&self, text: &'t str, at: usize) -> &'t str {
        self.line.get(at).map_or("", |token| token.text(text))
    }

    fn holds(&self, text: &str, word: &str) -> bool {
        self.line.iter().any(|token| token.text(text) == word)
    }
}

/// What may stand at a byte of a text.
pub fn at(text: &str, offset: usize) -> Context {
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let all = tokens(text);
    let before = all.partition_point(|token| token.range.start < offset);
    let (mut read, mut word, mut quoted) = (&all[..before], offset..offset, false);
    let nothing = |word| Context {
        place: Place::Nothing,
        word,
        dotted: Vec::new(),
        quoted: false,
        first: false,
        steps: Vec::new(),
    };
    if let Some((last, rest)) = read.split_last().filter(|(last, _)| last.range.end >= offset) {
        let closed = last.range.end == offset && last.range.len() > 1 && text[..offset].ends_with('"');
        match last.kind {
            Kind::Comment => return nothing(word),
            Kind::Text if !closed => (read, word, quoted) = (rest, last.range.start + 1..offset, true),
            Kind::Word => (read, word) = (rest, last.range.start..offset),
            Kind::Number => (read, word) = (rest, last.range.start..offset),
            _ => {}
        }
    }
    let mut walk = Walk { text, rest: &all[before..], frames: Vec::new(), top: Frame::new(Opened::Body, 0) };
    read.iter().filter(|token| token.kind != Kind::Comment).for_each(|token| walk.token(token));
    let dotted = walk.dotted();
    let (first, steps) = (walk.here().first, walk.steps(word.start));
    Context { place: walk.place(quoted), word, dotted, quoted, first, steps }
}

struct Walk<'t> {
    text: &'t str,
    /// Tokens after the place.
    rest: &'t [Token],
    frames: Vec<Frame>,
    /// The file itself.
    top: Frame,
}

impl Walk<'_> {
    fn here(&mut self) -> &mut Frame {
        self.frames.last_mut().unwrap_or(&mut self.top)
    }

    fn token(&mut self, token: &Token) {
        let text = self.text;
        let word = token.text(text);
        if token.kind != Kind::Newline && !matches!(word, "->" | ")" | "]" | "}") {
            self.here().start.get_or_insert(token.range.start);
        }
        match (token.kind, word) {
            (Kind::Newline, _) => self.newline(token),
            (Kind::Sign, "(") => {
                let callee = self.here().line.last().map_or("", |last| last.text(text)).to_string();
                self.frames.push(Frame::new(Opened::Parenthesis { callee }, token.range.start));
            }
            (Kind::Sign, "[") => self.frames.push(Frame::new(Opened::Bracket, token.range.start)),
            (Kind::Sign, "{") => {
                let opened = self.brace(token);
                let paths = self.here().holds(text, "parallel");
                self.frames.push(Frame { paths, ..Frame::new(opened, token.range.start) });
            }
            (Kind::Sign, ")" | "]" | "}") => self.close(word, token),
            (Kind::Sign, ",") => self.comma(),
            (Kind::Sign, "->") => self.next_step(),
            (Kind::Sign, ":") if self.in_body() && !self.here().holds(text, "let") => {
                let frame = self.here();
                let side = ["via", "by"].iter().find_map(|w| frame.line.iter().rposition(|t| t.text(text) == *w));
                frame.line.truncate(side.map_or(0, |at| at + 1));
            }
            _ => self.here().line.push(token.clone()),
        }
    }

    /// The steps around the place; one that is not begun begins with the word there.
    fn steps(&self, word: usize) -> Vec<Within> {
        let bodies = self.frames.iter().rev().filter(|frame| frame.opened == Opened::Body);
        let within = |frame: &Frame| {
            let step = frame.start.unwrap_or(word);
            Within { step, brace: frame.bracket, path: frame.paths && frame.first }
        };
        bodies.map(within).collect()
    }

    fn in_body(&mut self) -> bool {
        !self.frames.is_empty() && self.here().opened == Opened::Body
    }

    fn newline(&mut self, token: &Token) {
        let rest = self.text[token.range.end..].trim_start_matches([' ', '\t', '\r']);
        let at_margin = self.text[token.range.end..].len() == rest.len();
        let item = ["block ", "model ", "train ", "import ", "///"].iter().any(|word| rest.starts_with(word));
        if item && at_margin {
            self.frames.clear();
        }
        while rest.starts_with('}') && matches!(self.here().opened, Opened::Parenthesis { .. } | Opened::Bracket) {
            self.frames.pop();
        }
        let text = self.text;
        let frame = self.here();
        if matches!(frame.opened, Opened::Body | Opened::Train) && !rest.starts_with("->") {
            frame.line.clear();
            frame.start = None;
            frame.first = !text[..token.range.start].trim_end().ends_with("->");
        }
    }

    fn next_step(&mut self) {
        let frame = self.here();
        frame.line.clear();
        frame.start = None;
        frame.first = false;
    }

    fn comma(&mut self) {
        let text = self.text;
        let frame = self.here();
        if let Opened::Parenthesis { .. } = frame.opened {
            match frame.line.get(1).map(|token| token.text(text)) {
                Some("=") => frame.given.push(frame.word(text, 0).to_string()),
                _ => frame.position += 1,
            }
            frame.line.clear();
        } else if frame.opened == Opened::Bracket {
            frame.line.clear();
        } else {
            // `import A, B`
            let comma = frame.line.len().saturating_sub(1);
            frame.line.truncate(comma.max(1));
        }
    }

    /// What a brace opens.
    fn brace(&mut self, token: &Token) -> Opened {
        let text = self.text;
        let touches = text[..token.range.start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '}');
        let top = self.frames.is_empty();
        let labels = self.is_label(token);
        let frame = self.here();
        match &frame.opened {
            Opened::Parenthesis { .. } | Opened::Bracket | Opened::Value => Opened::Value,
            _ if top && frame.word(text, 0) == "train" => Opened::Train,
            _ if top => Opened::Body,
            Opened::Train => Opened::Value,
            Opened::Body => {
                let value_if =
                    frame.line.iter().skip(1).any(|token| token.text(text) == "if") && !is_else_if(frame, text);
                if touches && !frame.line.is_empty() || labels || value_if { Opened::Value } else { Opened::Body }
            }
        }
    }

    /// Whether a brace at the start of a step is `{i}:`.
    fn is_label(&mut self, token: &Token) -> bool {
        let after = &self.text[token.range.end..];
        let line = after.lines().next().unwrap_or("");
        let starts = self.here().line.is_empty();
        let Some(close) = line.find('}').filter(|_| starts) else { return false };
        let next = line[close + 1..].trim_start();
        next.starts_with(':') || line[close + 1..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    }

    fn close(&mut self, sign: &str, token: &Token) {
        let pairs = |opened: &Opened| match opened {
            Opened::Parenthesis { .. } => ")",
            Opened::Bracket => "]",
            Opened::Body | Opened::Train | Opened::Value => "}",
        };
        let meant = |frame: &Frame| pairs(&frame.opened) == sign;
        let Some(at) = self.frames.iter().rposition(meant) else { return };
        let body = self.frames[at].opened == Opened::Body;
        self.frames.truncate(at);
        let frame = self.here();
        if body {
            frame.line.clear();
        }
        frame.line.push(token.clone());
    }

    /// The names before a dot before the place.
    fn dotted(&mut self) -> Vec<String> {
        let text = self.text;
        let line = &mut self.here().line;
        let mut names = Vec::new();
        while line.last().is_some_and(|token| token.text(text) == ".") {
            line.pop();
            let Some(name) = line.pop_if(|token| matches!(token.kind, Kind::Word | Kind::Number)) else { break };
            names.insert(0, name.text(text).to_string());
        }
        names
    }

    fn place(&mut self, quoted: bool) -> Place {
        let text = self.text;
        let train = self.frames.iter().find(|f| f.opened == Opened::Train).map(|f| f.word(text, 0).to_string());
        let opened = self.here().opened.clone();
        match (opened, train) {
            (Opened::Train, _) => match self.here().line.len() {
                0 => Place::RecipeLine,
                1 => Place::Nothing,
                _ => Place::RecipeValue { line: self.here().word(text, 0).to_string() },
            },
            (Opened::Parenthesis { callee }, Some(line)) if callee.is_empty() || callee == "=" => {
                Place::RecipeValue { line }
            }
            (Opened::Parenthesis { callee }, Some(line)) => {
                Place::RecipeArgument { line, argument: self.argument(callee) }
            }
            (Opened::Parenthesis { callee }, None) => self.parenthesis(callee),
            (Opened::Bracket, Some(line)) => Place::RecipeValue { line },
            (Opened::Bracket, None) => self.bracket(),
            (Opened::Value, _) => Place::Expression,
            (Opened::Body, _) if self.frames.is_empty() => self.item(quoted),
            (Opened::Body, _) => self.step(),
        }
    }

    fn argument(&mut self, callee: String) -> Argument {
        let text = self.text;
        let frame = self.here();
        let named = frame.line.get(1).is_some_and(|token| token.text(text) == "=");
        Argument {
            callee,
            given: frame.given.clone(),
            position: frame.position,
            name: named.then(|| frame.word(text, 0).to_string()),
            starts: frame.line.is_empty(),
        }
    }

    fn parenthesis(&mut self, callee: String) -> Place {
        let text = self.text;
        let around = self.frames.len().checked_sub(2).and_then(|at| self.frames.get(at)).unwrap_or(&self.top);
        let words: Vec<&str> = around.line.iter().map(|token| token.text(text)).collect();
        let nested = matches!(around.opened, Opened::Parenthesis { .. } | Opened::Bracket | Opened::Value);
        match words.as_slice() {
            ["block" | "model", _] if self.frames.len() == 1 => match self.here().line.is_empty() {
                true => Place::Nothing,
                false => Place::Expression,
            },
            _ if nested => Place::Expression,
            ["set", _] => Place::SetArgument(self.argument(callee)),
            [.., "skip", _] => Place::SkipArgument(self.argument(callee)),
            ["let" | "if" | "repeat" | "for", ..] => Place::Expression,
            _ => Place::Argument(self.argument(callee)),
        }
    }

    fn bracket(&mut self) -> Place {
        let text = self.text;
        let around = self.frames.len().checked_sub(2).and_then(|at| self.frames.get(at)).unwrap_or(&self.top);
        match around.word(text, 0) {
            "input" => Place::Nothing,
            _ => Place::Expression,
        }
    }

    fn item(&mut self, quoted: bool) -> Place {
        let text = self.text;
        let path = self.rest.iter().take_while(|t| t.kind != Kind::Newline).find(|t| t.kind == Kind::Text);
        let path = path.map(|token| token.text(text).trim_matches('"').to_string());
        let frame = self.here();
        match (frame.word(text, 0), frame.line.len()) {
            ("", 0) => Place::Item,
            ("import", _) if frame.holds(text, "from") => {
                if quoted {
                    Place::ImportPath
                } else {
                    Place::Nothing
                }
            }
            ("import", 1) => Place::Imported { path },
            ("train", 1) => Place::Model,
            ("set", 1) => Place::Layer,
            _ => Place::Nothing,
        }
    }

    fn step(&mut self) -> Place {
        let text = self.text;
        let words: Vec<&str> = self.here().line.iter().map(|token| token.text(text)).collect();
        match words.as_slice() {
            [] => Place::Step,
            [.., "via" | "by"] if words.contains(&"skip") => Place::SideStep,
            [.., "fit"] if words.contains(&"skip") => Place::Fit,
            ["from"] | [.., "from"] => Place::Path,
            ["from", ..] => Place::Path,
            [.., "skip"] => Place::MergeKind { parallel: false },
            [.., "parallel"] => Place::MergeKind { parallel: true },
            ["set"] => Place::Layer,
            ["let", _, "=", ..] | ["if" | "repeat", ..] | ["for", _, "in", ..] | ["}", "else", "if", ..] => {
                Place::Expression
            }
            _ if words.contains(&"skip") => Place::Clause,
            _ => Place::Nothing,
        }
    }
}

fn is_else_if(frame: &Frame, text: &str) -> bool {
    let last = frame.line.iter().rposition(|token| token.text(text) == "if");
    last.and_then(|at| at.checked_sub(1)).is_some_and(|at| frame.word(text, at) == "else" && frame.word(text, 0) == "}")
}

#[cfg(test)]
mod tests;
