//! Damaged files never crash the compiler: examples with random changes, and random tokens, from fixed seeds.

use archc::base::render::{self, Style};
use archc::base::{FileId, Report, Rng, codes};
use archc::elaborate::{Options, compile_text};
use archc::tools::format::format;

/// Pieces of the language, to be put where they do not belong.
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

fn sources() -> Vec<String> {
    let mut paths: Vec<_> = ["examples", "tests/ui"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(dir).expect("a directory"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "arch"))
        .collect();
    paths.sort();
    let texts = paths.iter().map(|path| std::fs::read_to_string(path).expect("readable"));
    texts.filter(|text| text.len() < 3000).collect()
}

/// A place in a text where a character starts.
fn place(text: &str, rng: &mut Rng) -> usize {
    let at = rng.below(text.len() + 1);
    (at..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

/// A text with one change: a piece added, a stretch removed, or a stretch repeated.
fn changed(text: &str, rng: &mut Rng) -> String {
    let (a, b) = (place(text, rng), place(text, rng));
    let (start, end) = (a.min(b), a.max(b).min(a.min(b) + 40));
    let end = (end..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    match rng.below(3) {
        0 => format!("{}{}{}", &text[..start], PIECES[rng.below(PIECES.len())], &text[start..]),
        1 => format!("{}{}", &text[..start], &text[end..]),
        _ => format!("{}{}{}", &text[..end], &text[start..end], &text[end..]),
    }
}

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
fn changed_files_never_crash() {
    let sources = sources();
    let mut rng = Rng::new(20);
    for _ in 0..400 {
        let mut text = sources[rng.below(sources.len())].clone();
        for _ in 0..1 + rng.below(4) {
            text = changed(&text, &mut rng);
        }
        survives(&text);
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
