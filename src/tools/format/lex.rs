//! A text as tokens, each with the comments before it.

/// A comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// With its slashes, without blanks at its end.
    pub text: String,
    /// Whether it stands alone on its line.
    pub own: bool,
    /// Whether a blank line stands before it.
    pub blank: bool,
}

/// A word, a number, a string or a sign.
#[derive(Clone, Debug)]
pub struct Token<'s> {
    /// As written; empty for the end of the file.
    pub text: &'s str,
    /// Its first byte in the file.
    pub at: usize,
    /// Whether a line ends between it and the token before.
    pub newline: bool,
    /// Whether a blank line stands right before it.
    pub blank: bool,
    /// The comments between it and the token before.
    pub comments: Vec<Comment>,
    /// Whether a blank keeps it from the token before, where both stand in one line.
    pub gap: bool,
}

impl Token<'_> {
    /// Whether it is made of letters and digits.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    }

    /// One past its last byte.
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// Signs of more than one character, the longer first.
const LONG_SIGNS: [&str; 7] = ["..=", "->", "==", "!=", "<=", ">=", ".."];

/// The tokens of a text that parses; the last one is the end of the file.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 }, newlines: 0, seen: false };
    let mut all = Vec::new();
    loop {
        let token = lexer.token();
        let last = token.text.is_empty();
        all.push(token);
        if last {
            return all;
        }
    }
}

struct Lexer<'s> {
    text: &'s str,
    at: usize,
    /// Newlines since the last token or comment.
    newlines: usize,
    /// Whether a token or comment was met.
    seen: bool,
}

impl<'s> Lexer<'s> {
    fn token(&mut self) -> Token<'s> {
        let mut comments = Vec::new();
        let mut newline = false;
        loop {
            let rest = &self.text[self.at..];
            match rest.chars().next() {
                Some('\n') => {
                    (self.newlines, newline) = (self.newlines + 1, true);
                    self.at += 1;
                }
                Some(c) if c.is_whitespace() => self.at += c.len_utf8(),
                Some('/') if rest.starts_with("//") => comments.push(self.comment(rest)),
                _ => break,
            }
        }
        let length = length(&self.text[self.at..]);
        let text = &self.text[self.at..self.at + length];
        let token = Token { text, at: self.at, newline, blank: self.take_blank(), comments, gap: true };
        self.at += length;
        token
    }

    fn comment(&mut self, rest: &str) -> Comment {
        let line = rest.split('\n').next().unwrap_or(rest);
        let own = self.newlines > 0 || !self.seen;
        self.at += line.len();
        Comment { text: tidy(line.trim_end()), own, blank: self.take_blank() }
    }

    /// Whether a blank line was met, forgetting it.
    fn take_blank(&mut self) -> bool {
        self.seen = true;
        std::mem::take(&mut self.newlines) > 1
    }
}

/// A doc comment with a blank after its slashes; other comments as they are.
fn tidy(comment: &str) -> String {
    match comment.strip_prefix("///") {
        Some(text) if text.starts_with(|c: char| c != '/' && !c.is_whitespace()) => format!("/// {text}"),
        _ => comment.into(),
    }
}

/// Bytes of the token at the start of a text.
fn length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    match bytes.first() {
        None => 0,
        Some(b'"') => string(bytes),
        Some(b) if is_letter(b) => word(bytes),
        Some(_) => {
            let sign = LONG_SIGNS.iter().find(|sign| rest.starts_with(**sign));
            sign.map_or_else(|| rest.chars().next().map_or(0, char::len_utf8), |sign| sign.len())
        }
    }
}

fn string(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn is_letter(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// A word, or a number with its point and exponent.
fn word(bytes: &[u8]) -> usize {
    let run = |from: usize| bytes.iter().skip(from).take_while(|b| is_letter(b)).count();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = run(0);
    if !digit(0) {
        return end;
    }
    if bytes.get(end) == Some(&b'.') && digit(end + 1) {
        end += 1 + run(end + 1);
    }
    let exponent = matches!(bytes.get(end.wrapping_sub(1)), Some(b'e' | b'E'));
    if exponent && matches!(bytes.get(end), Some(b'+' | b'-')) && digit(end + 1) {
        end += 1 + run(end + 1);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|t| t.text).collect()
    }

    #[test]
    fn numbers_ranges_and_signs_are_told_apart() {
        assert_eq!(
            texts("0..n 1..=2 1e-4 0.5e+3 a-1"),
            "0 .. n 1 ..= 2 1e-4 0.5e+3 a - 1 ".split(' ').collect::<Vec<_>>()
        );
        assert_eq!(texts("a->b==\"x \\\" -> // y\""), ["a", "->", "b", "==", "\"x \\\" -> // y\"", ""]);
    }

    #[test]
    fn comments_know_where_they_stand() {
        let tokens = tokens("// a\r\n\r\nx // b\n\n\n///c\ny");
        let of = |i: usize| tokens[i].comments.iter().map(|c| (c.text.as_str(), c.own, c.blank)).collect::<Vec<_>>();
        assert_eq!(of(0), [("// a", true, false)]);
        assert_eq!(of(1), [("// b", false, false), ("/// c", true, true)]);
        assert!(tokens[0].blank && !tokens[1].blank);
    }
}
