//! What a syntax error says: what stands there, what was expected, and what was probably meant.

use super::grammar::Rule;
use super::hint;
use crate::base::{Diagnostic, Span, codes};

/// A place in a line that the grammar did not understand.
pub struct Unparsed<'a> {
    /// The line.
    pub text: &'a str,
    /// What the line should have been.
    pub line: Rule,
    /// Where the grammar stopped.
    pub at: usize,
    /// The token there; empty at the end.
    pub found: &'a str,
    /// The token before it; empty at the start.
    pub before: &'a str,
    /// The first word of the step or item.
    pub head: &'a str,
    /// The innermost bracket that is open.
    pub bracket: Option<char>,
    /// The rules that would have fitted.
    pub rules: &'a [Rule],
}

impl<'a> Unparsed<'a> {
    fn new((text, line): (&'a str, Rule), at: usize, rules: &'a [Rule]) -> Self {
        let rest = &text[at..];
        let rest = rest.trim_start_matches(' ');
        let at = text.len() - rest.len();
        let head = text[..at].trim_end();
        let before = last_token(head);
        let start = statement_start(head);
        let first = token(text[start..].trim_start());
        Self { text, line, at, found: token(rest), before, head: first, bracket: innermost(head), rules }
    }

    /// Whether one of these would have fitted.
    pub fn expects(&self, rules: &[Rule]) -> bool {
        self.rules.iter().any(|rule| rules.contains(rule))
    }

    /// What follows the token that was found.
    pub fn after(&self) -> &'a str {
        self.text[self.at + self.found.len()..].trim_start_matches(' ')
    }

    /// Whether the line ends here.
    pub fn at_end(&self) -> bool {
        self.found.is_empty() || self.found == "\n"
    }

    /// The token that was found, in words.
    pub fn shown(&self) -> String {
        if self.at_end() { "the end of the line".to_owned() } else { format!("`{}`", clipped(self.found)) }
    }
}

/// The grammar's error at byte `at` of a line that should have matched a rule; `place` gives its place
/// in the file.
pub fn unexpected(line: (&str, Rule), at: usize, rules: &[Rule], place: impl Fn(usize, usize) -> Span) -> Diagnostic {
    let spot = Unparsed::new(line, at, rules);
    let span = place(spot.at, spot.at + if spot.at_end() { 0 } else { spot.found.len() });
    if let Some(diagnostic) = hint::hint(&spot, span) {
        return diagnostic;
    }
    let message = if spot.at_end() {
        "the line ends too early".to_owned()
    } else {
        format!("{} is not expected here", spot.shown())
    };
    Diagnostic::new(codes::SYNTAX, message).label(span, format!("expected {}", expected(&spot)))
}

/// A character that means nothing in the language.
pub fn stranger(c: char, place: Span) -> Diagnostic {
    let name = if c.is_control() || c.is_whitespace() || c == '\u{feff}' {
        format!("the character U+{:04X}", c as u32)
    } else {
        format!("`{c}`")
    };
    let label =
        if c.is_alphabetic() { "names are made of a–z, A–Z, 0–9 and `_`" } else { "not part of the language" };
    let diagnostic = Diagnostic::new(codes::CHARACTER, format!("{name} has no meaning here")).label(place, label);
    let Some(help) = instead(c) else { return diagnostic };
    // `&&` and `||` are one word, not two.
    let other = help.strip_prefix("write `").and_then(|rest| rest.strip_suffix('`')).filter(|_| !c.is_ascii());
    match other {
        Some(other) => diagnostic.help(help).fix(help, place, other),
        None => diagnostic.help(help),
    }
}

/// What to write instead of a character.
fn instead(c: char) -> Option<&'static str> {
    Some(match c {
        '#' => "comments start with `//`",
        ';' => "a newline ends a step; no `;` is needed",
        '\'' | '‘' | '’' | '“' | '”' => "strings stand in `\"`",
        '&' => "write `and`",
        '|' => "write `or`",
        '!' => "write `not`, or `!=` for unequal",
        '×' => "write `*`",
        '÷' => "write `/`",
        '→' | '⟶' => "write `->`",
        '−' | '–' | '—' => "write `-`",
        '≤' => "write `<=`",
        '≥' => "write `>=`",
        '≠' => "write `!=`",
        '…' => "write `..`",
        '\u{a0}' => "this is a no-break space: write a plain one",
        '\u{feff}' => "a byte order mark may stand only at the start of a file",
        _ => return None,
    })
}

/// The token at the start of a text.
pub fn token(text: &str) -> &str {
    let Some(first) = text.chars().next() else { return "" };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = if word(first) {
        text.find(|c| !word(c)).unwrap_or(text.len())
    } else if first == '"' {
        text[1..].find(['"', '\n']).map_or(text.len(), |n| n + 2)
    } else {
        let two = ["->", "..", "==", "!=", "<=", ">="].iter().any(|t| text.starts_with(t));
        if two { 2 } else { first.len_utf8() }
    };
    &text[..end]
}

/// The token at the end of a text.
fn last_token(text: &str) -> &str {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let start = text.rfind(|c| !word(c)).map_or(0, |n| n + text[n..].chars().next().map_or(1, char::len_utf8));
    match text.chars().next_back() {
        Some(last) if start == text.len() => &text[text.len() - last.len_utf8()..],
        _ => &text[start..],
    }
}

/// Where the step or item that ends a text starts: after the last `{`, `}`, newline or `->` outside
/// parentheses, and after its label.
fn statement_start(text: &str) -> usize {
    let mut depth = 0usize;
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' | b'}' | b'\n' | b':' if depth == 0 => start = at + 1,
            b'>' if depth == 0 && at > 0 && text.as_bytes()[at - 1] == b'-' => start = at + 1,
            _ => {}
        }
    }
    start
}

/// The innermost bracket that a text leaves open.
fn innermost(text: &str) -> Option<char> {
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// A token that fits on a line.
fn clipped(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(39).chain(['…']).collect() }
}

/// What would have fitted, in words.
fn expected(spot: &Unparsed) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in spot.rules.iter().filter_map(|rule| in_words(*rule)).chain(brackets(spot)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.split_last() {
        None => "something else".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// What may follow an operand or a step, which the grammar does not name.
fn brackets(spot: &Unparsed) -> Vec<&'static str> {
    let after_operand = spot.expects(&[Rule::binary, Rule::args]);
    match spot.bracket {
        Some('(') if after_operand => vec!["`,`", "`)`"],
        Some('[') if after_operand => vec!["`,`", "`]`"],
        Some('{') if after_operand => vec!["`->`", "the end of the line", "`}`"],
        None if after_operand => vec!["`->`", "the end of the line"],
        _ => Vec::new(),
    }
}

/// A rule as the reader knows it; `None` where it goes without saying.
fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::body_line | Rule::stray_line | Rule::chain | Rule::step | Rule::call => "a step",
        Rule::label | Rule::label_text => "a label",
        Rule::side_step => "a layer, a block or a group",
        Rule::expr | Rule::number | Rule::reference | Rule::dotted | Rule::arg => "a value",
        Rule::binary => "an operator",
        Rule::args | Rule::params => "`(`",
        Rule::name | Rule::word => "a name",
        Rule::param | Rule::value_param => "a parameter",
        Rule::body | Rule::fields => "`{`",
        Rule::merge_kind => "`add`, `concat`, `mul` or `gate`",
        Rule::fit_kind => "`crop` or `pad`",
        Rule::skip_word => "`skip`",
        Rule::item_line | Rule::block | Rule::model | Rule::train | Rule::import => {
            "`block`, `model`, `train`, `import` or `set`"
        }
        Rule::dims => "`[`",
        Rule::value_else => "`else`",
        Rule::string => "a text in quotes",
        Rule::range => "`..` or `..=`",
        Rule::path => "the label of a value",
        Rule::field | Rule::field_line => "a line such as `batch = 32`",
        Rule::dim => "a size",
        Rule::from_clause => "`from`",
        Rule::via => "`via`",
        Rule::by => "`by`",
        Rule::fit => "`fit`",
        Rule::EOI => "the end of the line",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_tokens_and_statements() {
        assert_eq!(token("conv(3)"), "conv");
        assert_eq!(token("-> x"), "->");
        assert_eq!(last_token("a: conv"), "conv");
        assert_eq!(last_token("conv(3)"), ")");
        let text = "a: conv(3, 4) -> b: if x";
        assert_eq!(text[statement_start(text)..].trim(), "if x");
        assert_eq!(innermost("skip add { conv(3, ["), Some('['));
    }
}
