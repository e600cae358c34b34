//! What is no file at all never crashes the compiler: random tokens and random bytes, from fixed seeds. Sound files with random
//! changes are the campaign's (`hostile_kinds.rs`).

use archc::base::render::{self, Style};
use archc::base::{FileId, Report, Rng, codes};
use archc::elaborate::{Options, compile_text};
use archc::tools::format::format;

/// Pieces of the language, in any order.
const PIECES: [&str; 40] = [
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
    "skip",
    "add",
    "from",
    "via",
    "if",
    "else",
    "for",
    "in",
    "it.channels",
    "let",
    "0",
    "-1",
    "99999999999",
    "é",
    "\0",
];

/// Compiles and renders: neither may panic, and a text without a network must say why.
fn survives(text: &str) {
    let mut options = Options::default();
    options.limits.steps = 20_000;
    options.limits.layers = 5_000;
    let compiled = compile_text("damaged.arch", text, &options);
    let report = Report::new(compiled.diagnostics.iter(), &compiled.sources);
    let shown = render::fancy(&report, Style { color: false, width: 80 });
    let lines = render::json_lines(&report);
    assert_eq!(lines.lines().count(), compiled.diagnostics.len());
    let explained = compiled.network.is_some() || shown.contains("error[") || compiled.program.models().is_empty();
    assert!(explained, "no network and no error for:\n{text}");
    assert!(!shown.contains("[I0001]"), "{shown}\nfor:\n{text}");
    // What the formatter refuses is wrong: it never finds that it would have changed the meaning.
    match format(FileId(0), text, &options.limits) {
        Ok(new) => assert_eq!(format(FileId(0), &new, &options.limits).ok().as_ref(), Some(&new), "for:\n{text}"),
        Err(found) => assert!(found.iter().all(|d| d.code != codes::INTERNAL), "{found:?}\nfor:\n{text}"),
    }
}

#[test]
fn random_tokens_never_crash() {
    let mut rng = Rng::new(21);
    for _ in 0..1000 {
        let tokens: Vec<&str> = (0..rng.below(60)).map(|_| PIECES[rng.below(PIECES.len())]).collect();
        survives(&tokens.join(" "));
        survives(&format!("model Net {{\n    input x [N, 3, 8, 8]\n    {}\n}}\n", tokens.concat()));
    }
}

#[test]
fn random_bytes_never_crash() {
    let mut rng = Rng::new(22);
    for _ in 0..500 {
        let bytes: Vec<u8> = (0..rng.below(300)).map(|_| rng.below(256) as u8).collect();
        survives(&String::from_utf8_lossy(&bytes));
    }
}
