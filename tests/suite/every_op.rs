//! A `match` over ops names every op: a catch-all would answer for the op that is added next, and be wrong in silence. What is
//! asked of one op alone is asked by `if let`; what is asked of a kind of op, the op tells itself (`ops::Nature`).

use std::fs;
use std::path::{Path, PathBuf};

/// A word or a sign of a source file, and its line.
struct Token {
    text: String,
    line: usize,
}

/// The words and signs of a source, without comments, texts and characters.
fn tokens(source: &str) -> Vec<Token> {
    let all: Vec<char> = source.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < all.len() {
        let end = match all[at] {
            '/' if all.get(at + 1) == Some(&'/') => (at..all.len()).find(|&i| all[i] == '\n').unwrap_or(all.len()),
            'r' if matches!(all.get(at + 1), Some('"' | '#')) => after_raw(&all, at).unwrap_or(at + 1),
            '"' => after_quoted(&all, at),
            '\'' => after_character(&all, at),
            c if c.is_alphanumeric() || c == '_' => {
                let end = (at..all.len()).find(|&i| !all[i].is_alphanumeric() && all[i] != '_').unwrap_or(all.len());
                found.push(Token { text: all[at..end].iter().collect(), line });
                end
            }
            c if c.is_whitespace() => at + 1,
            c => {
                let next = all.get(at + 1).copied().unwrap_or(' ');
                let end = if [(':', ':'), ('=', '>')].contains(&(c, next)) { at + 2 } else { at + 1 };
                found.push(Token { text: all[at..end].iter().collect(), line });
                end
            }
        };
        line += all[at..end].iter().filter(|&&c| c == '\n').count();
        at = end;
    }
    found
}

fn after_quoted(all: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < all.len() && all[i] != '"' {
        i += if all[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(all.len())
}

/// Past `r"…"` or `r#"…"#`; `None` where it is none.
fn after_raw(all: &[char], at: usize) -> Option<usize> {
    let marks = all[at + 1..].iter().take_while(|&&c| c == '#').count();
    let open = at + 1 + marks;
    let closes = |&i: &usize| all[i] == '"' && all[i + 1..].iter().take_while(|&&c| c == '#').count() >= marks;
    (all.get(open) == Some(&'"')).then(|| (open + 1..all.len()).find(closes).map_or(all.len(), |i| i + 1 + marks))
}

/// Past a character; of a lifetime, past its mark.
fn after_character(all: &[char], at: usize) -> usize {
    match (all.get(at + 1), all.get(at + 2)) {
        (Some('\\'), _) => (at + 3..all.len()).find(|&i| all[i] == '\'').map_or(all.len(), |i| i + 1),
        (_, Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// The place after what begins at `at`: brackets with all that is in them, or one token.
fn after(tokens: &[Token], at: usize) -> usize {
    let (mut depth, mut i) = (0usize, at);
    while i < tokens.len() {
        match tokens[i].text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        i += 1;
        if depth == 0 {
            break;
        }
    }
    i
}

/// The patterns of the `match` whose word stands at `at`, their guards with them.
fn patterns(tokens: &[Token], at: usize) -> Vec<&[Token]> {
    let (mut found, mut i) = (Vec::new(), at + 1);
    while i < tokens.len() && tokens[i].text != "{" {
        i = after(tokens, i);
    }
    let end = after(tokens, i).saturating_sub(1);
    i += 1;
    while i < end {
        let start = i;
        while i < end && tokens[i].text != "=>" {
            i = after(tokens, i);
        }
        found.push(&tokens[start..i.min(end)]);
        i += 1;
        if i < end && tokens[i].text == "{" {
            i = after(tokens, i);
            i += usize::from(i < end && tokens[i].text == ",");
        } else {
            i = after_expression(tokens, i, end);
        }
    }
    found
}

/// Past the comma that ends an arm's expression.
fn after_expression(tokens: &[Token], mut i: usize, end: usize) -> usize {
    while i < end && tokens[i].text != "," {
        let generic = tokens[i].text == "::" && tokens[i + 1].text == "<";
        i = after(tokens, i);
        let mut open = usize::from(generic);
        while generic && i + 1 < end && open > 0 {
            i += 1;
            match tokens[i].text.as_str() {
                "<" => open += 1,
                ">" => open -= 1,
                _ => {}
            }
        }
    }
    i + 1
}

/// Whether a pattern names an op.
fn names_op(pattern: &[Token]) -> bool {
    unguarded(pattern).windows(2).any(|pair| pair[0].text == "Op" && pair[1].text == "::")
}

fn unguarded(pattern: &[Token]) -> &[Token] {
    let guard = pattern.iter().position(|token| token.text == "if").unwrap_or(pattern.len());
    &pattern[..guard]
}

/// Whether a pattern takes every op: it names nothing, and no guard limits it.
fn is_catch_all(pattern: &[Token]) -> bool {
    let open = |token: &Token| {
        let name = token.text.starts_with(|c: char| c.is_lowercase() || c == '_');
        let number = token.text.starts_with(|c: char| c.is_ascii_digit());
        let literal = number || matches!(token.text.as_str(), "true" | "false" | "[");
        !literal && (name || !token.text.starts_with(char::is_alphabetic) || token.text == "Some")
    };
    unguarded(pattern).len() == pattern.len() && !pattern.is_empty() && pattern.iter().all(open)
}

/// The lines of matches over ops that have a catch-all.
fn broken(source: &str) -> Vec<usize> {
    let tokens = tokens(source);
    let matches = (0..tokens.len()).filter(|&at| tokens[at].text == "match");
    let bad = matches.filter(|&at| {
        let patterns = patterns(&tokens, at);
        patterns.iter().any(|pattern| names_op(pattern)) && patterns.iter().any(|pattern| is_catch_all(pattern))
    });
    bad.map(|at| tokens[at].line).collect()
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_match_over_ops_names_every_op() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    files.sort();
    let mut bad = Vec::new();
    for file in files {
        let lines = broken(&fs::read_to_string(&file).unwrap());
        bad.extend(lines.into_iter().map(|line| format!("{}:{line}", file.strip_prefix(root).unwrap().display())));
    }
    let help = "name every op, ask by `if let`, or let the op tell it (`ops::Nature`)";
    assert!(bad.is_empty(), "matches over ops with a catch-all: {help}\n{}", bad.join("\n"));
}

#[test]
fn catch_alls_are_found() {
    for bad in [
        "match op { Op::Conv(_) => 1, _ => 0 }",
        "match &node.op {\n    // A comment: _ => 0\n    Op::Conv(op) if op.bias => { 1 }\n    other => panic!(\"{other:?} => {{\"),\n}",
        "match (a, b) { (Op::Crop(_), Op::Crop(_)) => true, _ => a == b }",
        "match item.op() { Some(Op::Mul(_)) => x::<A, B>(1, 2), Some(_) => y, None => z }",
        "match op { Op::Add(_) => match k { 'a' => r#\"}\"#, _ => \"{\" }, (_, all) => 2 }",
    ] {
        assert_eq!(broken(bad), [1], "{bad}");
    }
    for good in [
        "match op { Op::Conv(_) | Op::Linear(_) => 1, Op::Add(_) => 0 }",
        "match op { Op::Conv(_) => 1, _ if wide => 2, Op::Add(_) => 0 }",
        "match words { [one] => Op::Conv(one), _ => Op::Add(0) }",
        "match item.op() { Some(Op::Mul(_)) => 1, None => 0 }",
        "match kind { Kind::A => matches!(op, Op::Add(_)), _ => false }",
    ] {
        assert_eq!(broken(good), [0; 0], "{good}");
    }
}
