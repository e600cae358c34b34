//! `archc fmt`: one text for one meaning, whatever blanks and lines it was written with.

use crate::random::random;
use archc::base::{FileId, Limits, Rng};
use archc::elaborate::{Options, check_program};
use archc::graph::dump::dump;
use archc::tools::format::format;
use archc::{Program, elaborate};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const HARD: &str = include_str!("../format/hard.arch");

fn formatted(text: &str) -> String {
    format(FileId(0), text, &Limits::default()).unwrap_or_else(|found| panic!("{found:?}\n{text}"))
}

fn parses(text: &str) -> bool {
    format(FileId(0), text, &Limits::default()).is_ok()
}

/// Every `.arch` file of the examples and the tests.
fn files() -> Vec<PathBuf> {
    let folders = ["examples", "tests/ui", "tests/ui/lib", "tests/corpus"].map(Path::new);
    let entries = folders.into_iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "arch"));
    files.sort();
    files
}

fn texts() -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| Some((path.clone(), std::fs::read_to_string(path).ok()?));
    files().into_iter().filter_map(read).filter(|(_, text)| parses(text)).collect()
}

/// Every comment, without the blanks after `///`, which are the formatter's.
fn comments(text: &str) -> Vec<String> {
    let comment = |line: &str| {
        let mut quoted = false;
        let start = line.char_indices().find(|&(i, c)| {
            quoted ^= c == '"' && !line[..i].ends_with('\\');
            !quoted && line[i..].starts_with("//")
        });
        start.map(|(i, _)| line[i..].trim_end().replacen("/// ", "///", 1))
    };
    text.lines().filter_map(comment).collect()
}

/// The graphs that a file gives.
fn graphs(path: &Path, text: &str) -> Vec<String> {
    let options = Options::default();
    let program = Program::from_text(&elaborate::FileLoader, path, text, &options.limits);
    let compiled = check_program(Arc::new(program), &options);
    compiled.iter().filter_map(|c| c.network.as_ref()).map(|n| format!("{}\n{}", n.name, dump(&n.graph))).collect()
}

#[test]
fn examples_are_in_canonical_style() {
    for (path, text) in texts().iter().filter(|(path, _)| path.starts_with("examples")) {
        assert!(formatted(text) == *text, "run `archc fmt {}`", path.display());
    }
}

#[test]
fn nothing_but_blanks_changes() {
    let texts = texts();
    assert!(texts.len() > 60, "{}", texts.len());
    for (path, text) in texts {
        let new = formatted(&text);
        assert_eq!(formatted(&new), new, "{} changes when formatted again", path.display());
        assert_eq!(comments(&new), comments(&text), "{}", path.display());
        assert_eq!(graphs(&path, &new), graphs(&path, &text), "{}", path.display());
    }
}

/// The text with other blanks where blanks are.
fn mangled(text: &str, rng: &mut Rng) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or("");
        let quoted = code.contains('"');
        out.push_str(&"\t ".repeat(rng.below(4)));
        for (i, c) in line.trim().char_indices() {
            let inside = line.trim().get(..i).is_some_and(|head| head.contains("//"));
            match c {
                ' ' if !quoted && !inside => out.push_str([" ", "  ", "\t", "   "][rng.below(4)]),
                ',' | '(' if !quoted && !inside => out.push_str(&format!("{c}{}", " ".repeat(rng.below(3)))),
                c => out.push(c),
            }
        }
        out.push_str(&" ".repeat(rng.below(3)));
        out.push_str(["\n", "\r\n"][rng.below(2)]);
    }
    out
}

#[test]
fn blanks_do_not_matter() {
    let mut rng = Rng::new(41);
    for (path, text) in texts() {
        let canonical = formatted(&text);
        for _ in 0..4 {
            assert_eq!(formatted(&mangled(&text, &mut rng)), canonical, "{}", path.display());
        }
    }
}

/// The text with newlines and comments where the language takes them: within parentheses, around `->`, in braces.
fn torn(text: &str, rng: &mut Rng) -> String {
    let (mut out, mut depth, mut skip) = (String::new(), 0usize, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") || c == '"' {
            let end = if c == '"' {
                rest[1..].find('"').map_or(rest.len(), |n| n + 2)
            } else {
                rest.find('\n').unwrap_or(rest.len())
            };
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let arrow = rest.starts_with("->");
        let token = if arrow { "->" } else { &rest[..c.len_utf8()] };
        let tear = [" ", "\n", " // torn\n", "\n\n  // torn, alone\n", "\n\n\n"][rng.below(5)];
        depth = depth.saturating_sub(usize::from(matches!(c, ')' | ']')));
        let after = if depth > 0 { matches!(c, ',' | ' ') } else { arrow && !skip };
        skip = false;
        out.push_str(token);
        depth += usize::from(matches!(c, '(' | '['));
        if after && rng.below(3) == 0 {
            out.push_str(tear);
            skip = true;
        }
        rest = &rest[token.len()..];
    }
    out
}

#[test]
fn torn_texts_mean_the_same_and_settle_at_once() {
    let mut rng = Rng::new(42);
    for (path, text) in texts().iter().filter(|(path, _)| !path.starts_with("tests/ui")) {
        let graph = graphs(path, text);
        for _ in 0..8 {
            let torn = torn(text, &mut rng);
            let new = formatted(&torn);
            assert_eq!(formatted(&new), new, "{}:\n{torn}", path.display());
            assert_eq!(comments(&new), comments(&torn), "{}:\n{torn}", path.display());
            assert!(new.lines().all(|line| line == line.trim_end()), "{new}");
            assert!(!new.contains("\n\n\n") && new.ends_with('\n'), "{new}");
            assert_eq!(graphs(path, &new), graph, "{}:\n{torn}", path.display());
        }
    }
}

#[test]
fn hard_places_have_their_form() {
    let new = formatted(HARD);
    assert_eq!(formatted(&new), new);
    assert_eq!(comments(&new), comments(HARD));
    insta::assert_snapshot!(new);
}

#[test]
fn what_does_not_parse_is_refused() {
    let found = format(FileId(0), "model Net {\n  conv(1, \n}\n", &Limits::default()).unwrap_err();
    assert!(found.has_errors());
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("\u{feff}// only a comment  \r\n\r\n\r\n"), "// only a comment\n");
}

/// Programs that a machine wrote, of random networks.
#[test]
fn generated_programs_keep_their_graphs() {
    let mut rng = Rng::new(43);
    let mut written = 0;
    for seed in 0..120 {
        let network = random(seed);
        let Ok(text) = archc::exchange::arch::flat(&network) else { continue };
        written += 1;
        let path = Path::new("generated.arch");
        let graph = graphs(path, &text);
        assert_eq!(graph.len(), 1, "{text}");
        for text in [text.clone(), mangled(&text, &mut rng), torn(&text, &mut rng)] {
            let new = formatted(&text);
            assert_eq!(formatted(&new), new, "{text}");
            assert_eq!(graphs(path, &new), graph, "{text}");
        }
    }
    assert!(written > 30, "{written}");
}

/// A block of a page in canonical style; a fragment stands in a model.
fn block_formatted(info: &str, text: &str) -> String {
    if info.trim() != "fragment" {
        return formatted(text);
    }
    let whole = formatted(&format!("model Fragment() {{\n{text}}}\n"));
    let lines: Vec<&str> = whole.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    lines[1..lines.len() - 1].iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn documentation_is_in_canonical_style() {
    for page in ["README.md", "docs/language.md"] {
        let text = std::fs::read_to_string(page).unwrap();
        let blocks = text.split("```arch").skip(1).filter_map(|rest| rest.split("```").next()?.split_once('\n'));
        // One block shows where `->` may stand.
        for (info, text) in blocks.filter(|(_, text)| !text.contains("->\n")) {
            assert_eq!(block_formatted(info, text), text, "{page}");
        }
    }
}
