//! Texts, changed by tokens and by lines, so that many of them still mean something.

use super::{Seed, pick};
use archc::base::Rng;

/// Numbers at which arithmetic breaks, and what only looks like a number.
const NUMBERS: [&str; 34] = [
    "0",
    "-1",
    "1",
    "2",
    "3",
    "5",
    "7",
    "64",
    "255",
    "256",
    "65535",
    "65536",
    "1000000",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "1e308",
    "1e400",
    "-1e308",
    "1e-308",
    "0.0",
    "0.1",
    "-0.5",
    "0.999999",
    "nan",
    "inf",
    "00",
    "0x10",
    "1.",
    "3.5",
];

/// Pieces of the language.
const PIECES: [&str; 96] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "->",
    ":",
    "=",
    "==",
    "!=",
    "<=",
    ",",
    ".",
    "..",
    "..=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "<",
    "\n",
    " ",
    "\"",
    "//",
    "///",
    "//!",
    "skip",
    "add",
    "concat",
    "mul",
    "gate",
    "from",
    "via",
    "fit",
    "long",
    "by",
    "set",
    "if",
    "else",
    "for",
    "in",
    "repeat",
    "parallel",
    "import",
    "block",
    "model",
    "train",
    "input",
    "output",
    "let",
    "not",
    "and",
    "or",
    "true",
    "false",
    "it",
    "it.channels",
    "it.height",
    "it.width",
    "it.rank",
    "it.features",
    "min(",
    "max(",
    "floor(",
    "ceil(",
    "abs(",
    "N",
    "H",
    "W",
    "x",
    "conv",
    "up",
    "linear",
    "batch_norm",
    "layer_norm",
    "group_norm",
    "maxpool",
    "avgpool",
    "flatten",
    "reshape",
    "upsample",
    "pad",
    "crop",
    "dropout",
    "softmax",
    "global",
    "\"same\"",
    "project",
    "é",
    "\0",
    "\u{feff}",
    "\r",
    "\t",
    "𝄞",
];

/// Lines that ask for much of what stands around them.
const LINES: [&str; 26] = [
    "skip add {",
    "skip concat(order=after) {",
    "skip gate {",
    "parallel add {",
    "parallel concat {",
    "repeat 3 {",
    "repeat 0 {",
    "repeat i in 0..4 {",
    "for i in 1..=3 {",
    "if it.channels > 3 {",
    "} else {",
    "}",
    "relu",
    "flatten",
    "conv(it.channels, 3)",
    "conv(it.channels * 2, 3, stride=2)",
    "up(it.channels / 2, 2, stride=2)",
    "batch_norm",
    "maxpool(2)",
    "avgpool(global)",
    "linear(10)",
    "let k = it.channels % 7",
    "output mid",
    "a: relu",
    "add from a",
    "softmax",
];

/// A text with a few changes.
pub fn mutate(seeds: &[Seed], seed: usize, rng: &mut Rng) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(&seeds[seed].bytes).into_owned();
    let other = String::from_utf8_lossy(&seeds[rng.below(seeds.len())].bytes).into_owned();
    if rng.below(40) == 0 {
        return soup(rng).into_bytes();
    }
    for _ in 0..1 + rng.below(5) {
        text = match rng.below(16) {
            0..=8 => by_token(&text, &other, rng),
            9..=13 => by_line(&text, &other, rng),
            14 => around(&text, rng),
            _ => by_place(&text, rng),
        };
    }
    // What grew by doubling says nothing new.
    text.truncate(text.floor_char_boundary(20_000));
    if rng.below(60) == 0 {
        let mut bytes = text.into_bytes();
        super::bytes::change(&mut bytes, rng);
        return bytes;
    }
    text.into_bytes()
}

/// Pieces in no order, alone or in a model.
fn soup(rng: &mut Rng) -> String {
    let pieces: Vec<&str> = (0..rng.below(60)).map(|_| pick(&PIECES, rng)).collect();
    let text = pieces.join([" ", ""][rng.below(2)]);
    match rng.below(3) {
        0 => text,
        _ => format!("model Net {{\n    input x [N, 3, 8, 8]\n    {text}\n}}\n"),
    }
}

/// Words, numbers, blanks, and single signs.
pub fn tokens(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '_' | '0'..='9' => 1,
        ' ' | '\t' => 2,
        _ => 0,
    };
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match kind(first) {
            0 => first.len_utf8(),
            own => rest.find(|c| kind(c) != own).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after;
    }
    tokens
}

fn is_number(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_digit())
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// One of the tokens that are such.
fn one_of<'t>(tokens: &[&'t str], is: fn(&str) -> bool, rng: &mut Rng) -> Option<(usize, &'t str)> {
    let all: Vec<(usize, &str)> = tokens.iter().enumerate().filter(|(_, t)| is(t)).map(|(i, t)| (i, *t)).collect();
    (!all.is_empty()).then(|| all[rng.below(all.len())])
}

/// One token replaced, doubled, dropped, or exchanged with another.
pub fn by_token(text: &str, other: &str, rng: &mut Rng) -> String {
    let mut all = tokens(text);
    if all.is_empty() {
        return pick(&PIECES, rng).into();
    }
    let at = rng.below(all.len());
    match rng.below(10) {
        0 => drop(all.remove(at)),
        1 => all.insert(at, all[rng.below(all.len())]),
        2 => all.swap(at, rng.below(tokens(text).len())),
        3 | 4 => {
            if let Some((at, _)) = one_of(&all, is_number, rng) {
                all[at] = pick(&NUMBERS, rng);
            }
        }
        5 | 6 => {
            if let (Some((at, _)), Some((_, word))) = (one_of(&all, is_word, rng), one_of(&tokens(text), is_word, rng))
            {
                all[at] = word;
            }
        }
        7 => {
            let strange = tokens(other);
            if let (Some((at, _)), Some((_, word))) = (one_of(&all, is_word, rng), one_of(&strange, is_word, rng)) {
                all[at] = word;
                return all.concat();
            }
        }
        8 => all[at] = pick(&PIECES, rng),
        _ => all.insert(at, pick(&PIECES, rng)),
    }
    all.concat()
}

/// Lines dropped, doubled, exchanged, moved, or taken from elsewhere.
fn by_line(text: &str, other: &str, rng: &mut Rng) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let strange: Vec<&str> = other.split_inclusive('\n').collect();
    if lines.is_empty() {
        return other.into();
    }
    let (at, to) = (rng.below(lines.len()), rng.below(lines.len()));
    match rng.below(7) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at]),
        2 => lines.swap(at, to),
        3 => {
            let line = lines.remove(at);
            lines.insert(to.min(lines.len()), line);
        }
        4 if !strange.is_empty() => {
            let from = rng.below(strange.len());
            let end = (from + 1 + rng.below(12)).min(strange.len());
            lines.splice(at..at, strange[from..end].iter().copied());
        }
        5 => {
            let end = (at + 1 + rng.below(6)).min(lines.len());
            let part = lines[at..end].to_vec();
            lines.splice(to..to, part);
        }
        _ => {
            let line = pick(&LINES, rng);
            lines.splice(at..at, [line, "\n"]);
        }
    }
    lines.concat()
}

/// A stretch of lines put between braces, perhaps many times over.
fn around(text: &str, rng: &mut Rng) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let start = rng.below(lines.len().max(1));
    let end = (start + rng.below(4)).min(lines.len());
    let head = pick(&LINES[..10], rng);
    let deep = [1, 1, 1, 2, 5, 40, 140][rng.below(7)];
    let (open, close) = (format!("{head}\n").repeat(deep), "}\n".repeat(deep));
    let part = |range: std::ops::Range<usize>| lines.get(range).map(<[&str]>::concat).unwrap_or_default();
    format!("{}{open}{}{close}{}", part(0..start), part(start..end), part(end..lines.len()))
}

/// A stretch of characters doubled or dropped, or a character put in.
fn by_place(text: &str, rng: &mut Rng) -> String {
    let place = |rng: &mut Rng| text.floor_char_boundary(rng.below(text.len() + 1));
    let (a, b) = (place(rng), place(rng));
    let (start, end) = (a.min(b), text.floor_char_boundary(a.max(b).min(a.min(b) + 40)).max(a.min(b)));
    match rng.below(3) {
        0 => format!("{}{}{}", &text[..start], pick(&PIECES, rng), &text[start..]),
        1 => format!("{}{}", &text[..start], &text[end..]),
        _ => format!("{}{}{}", &text[..end], &text[start..end], &text[end..]),
    }
}

/// A JSON text with a few changes: of tokens, and of numbers above all.
pub fn json(text: &str, rng: &mut Rng) -> String {
    const JSON: [&str; 18] = [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "false", "\"\"", "[]", "{}", "\\u0000", "\\ud800", "\\",
        "-", "\"x\"",
    ];
    let mut text = text.to_string();
    for _ in 0..1 + rng.below(3) {
        let mut all = tokens(&text);
        if all.is_empty() {
            return pick(&JSON, rng).into();
        }
        let at = rng.below(all.len());
        match rng.below(6) {
            0 => drop(all.remove(at)),
            1 => all.insert(at, all[rng.below(all.len())]),
            2 => all[at] = pick(&JSON, rng),
            3 => {
                let from = rng.below(all.len());
                all[at] = all[from];
            }
            _ => {
                if let Some((at, _)) = one_of(&all, is_number, rng) {
                    all[at] = pick(&NUMBERS, rng);
                }
            }
        }
        text = all.concat();
    }
    text
}
