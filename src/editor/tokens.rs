//! The words and signs of a text, whether or not it parses.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters, digits and `_`, not starting with a digit.
    Word,
    /// Starts with a digit.
    Number,
    /// `"text"`, closed or not.
    Text,
    /// `// …` and `/// …`, to the end of the line.
    Comment,
    /// The end of a line outside `( )` and `[ ]`.
    Newline,
    /// Any other sign; `->`, `..`, `..=`, `==`, `!=`, `<=` and `>=` are one.
    Sign,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte, and one past its last.
    pub range: Range<usize>,
}

impl Token {
    /// The token's text.
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range.clone()).unwrap_or("")
    }
}

/// The words of the language, which are no names.
pub const KEYWORDS: &[&str] = &[
    "and", "block", "by", "else", "false", "fit", "for", "from", "if", "import", "in", "input", "it", "let", "long",
    "model", "not", "or", "output", "parallel", "repeat", "set", "skip", "train", "true", "via",
];

/// Every token of a text, in order.
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let run = |holds: fn(&u8) -> bool| rest.iter().position(|b| !holds(b)).unwrap_or(rest.len());
        let (kind, length) = match byte {
            b'\n' => (Kind::Newline, 1),
            b' ' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => (Kind::Word, run(is_word)),
            b'0'..=b'9' => (Kind::Number, number(rest)),
            b'"' => (Kind::Text, quoted(rest)),
            b'/' if rest.get(1) == Some(&b'/') => (Kind::Comment, run(|b| *b != b'\n' && *b != b'\r')),
            _ => (Kind::Sign, sign(&text[at..])),
        };
        found.push(Token { kind, range: at..at + length });
        at += length;
    }
    found
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// `1..=n` is a number, a range and a name.
fn number(rest: &[u8]) -> usize {
    let run = |from: usize| from + rest[from..].iter().position(|b| !is_word(b)).unwrap_or(rest.len() - from);
    let mut end = run(0);
    if rest.get(end) == Some(&b'.') && rest.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = run(end + 1);
    }
    let exponent = matches!(rest.get(end - 1), Some(b'e' | b'E')) && rest[..end].iter().all(|b| *b != b'_');
    if exponent && matches!(rest.get(end), Some(b'+' | b'-')) && rest.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = run(end + 1);
    }
    end
}

/// To the closing quote, or to the end of the line.
fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            b'\\' if rest.get(at + 1).is_some_and(|b| *b != b'\n') => at += 2,
            _ => at += 1,
        }
    }
    rest.len().min(at)
}

fn sign(rest: &str) -> usize {
    const LONG: [&str; 7] = ["..=", "->", "..", "==", "!=", "<=", ">="];
    let long = LONG.iter().find(|sign| rest.starts_with(**sign)).map(|sign| sign.len());
    long.unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8))
}

/// The word, with its range, that touches a byte: a name, a keyword or a number of a path.
pub fn word_at(text: &str, offset: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let offset = offset.min(bytes.len());
    let start = bytes[..offset].iter().rposition(|b| !is_word(b)).map_or(0, |at| at + 1);
    let end = bytes[offset..].iter().position(|b| !is_word(b)).map_or(bytes.len(), |n| offset + n);
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).iter().filter(|t| t.kind != Kind::Comment).map(|token| token.text(text)).collect()
    }

    #[test]
    fn texts_fall_into_tokens() {
        assert_eq!(
            texts("a{i}: conv(64, 1e-5)->b // c"),
            ["a", "{", "i", "}", ":", "conv", "(", "64", ",", "1e-5", ")", "->", "b"]
        );
        assert_eq!(texts("for i in 1..=n {\n"), ["for", "i", "in", "1", "..=", "n", "{", "\n"]);
        assert_eq!(texts("x = \"a\\\"b\" \"open\n×"), ["x", "=", "\"a\\\"b\"", "\"open", "\n", "×"]);
    }

    #[test]
    fn noise_falls_into_tokens() {
        for text in ["", "\"", "\"\\", "1.", "1e", "é\u{0}\r", "/", "//", "..", "-"] {
            let all = tokens(text);
            assert!(all.iter().all(|t| text.get(t.range.clone()).is_some_and(|t| !t.is_empty())), "{text:?}");
        }
    }

    #[test]
    fn words_are_found_from_either_end() {
        assert_eq!(word_at("a conv(", 2), Some(2..6));
        assert_eq!(word_at("a conv(", 6), Some(2..6));
        assert_eq!(word_at("a  b", 2), None);
        assert_eq!(word_at("é", 1), None);
    }
}
