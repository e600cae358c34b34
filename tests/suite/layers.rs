//! The house rules that the compiler does not hold by itself: who may use whom, where `unsafe` and
//! printing may stand, and how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms of `src/`; each may use those to its left.
const ORDER: [&str; 19] = [
    "base",
    "syntax",
    "shape",
    "ops",
    "graph",
    "elaborate",
    "analysis",
    "opt",
    "kernels",
    "plan",
    "weights",
    "engine",
    "lower",
    "train",
    "tools",
    "exchange",
    "study",
    "editor",
    "cli",
];

/// Rooms that must build without candle: the compiler front, the kernels, and what runs plans.
const WITHOUT_CANDLE: [&str; 12] =
    ["base", "syntax", "shape", "ops", "graph", "elaborate", "analysis", "opt", "kernels", "plan", "weights", "engine"];

/// Where sources stand: the compiler with its command line, and the kernels, a crate that knows nothing of it.
const ROOTS: [&str; 2] = ["src", "kernels/src"];

/// Lines that a file may have.
const LONGEST: usize = 450;

/// A line of a source file outside comments and tests.
struct SourceLine {
    file: PathBuf,
    room: String,
    number: usize,
    text: String,
}

impl SourceLine {
    fn place(&self) -> String {
        format!("{}:{}: {}", self.file.display(), self.number, self.text.trim())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file under `dir`, sorted.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The room of a file: `plan` for `src/plan/svg.rs`, `kernels` for all of its crate, empty for `src/lib.rs` and `src/main.rs`.
fn room(file: &Path) -> String {
    let Ok(inside) = file.strip_prefix(root().join("src")) else { return "kernels".into() };
    let mut parts = inside.components();
    let first = parts.next().unwrap().as_os_str().to_string_lossy().into_owned();
    let stem = first.trim_end_matches(".rs");
    let top = parts.next().is_none() && ["lib", "main"].contains(&stem);
    if top { String::new() } else { stem.to_string() }
}

/// The lines of the sources that the rules speak about: a file's unit tests, which come last, and its comments do not count.
fn lines() -> Vec<SourceLine> {
    let mut lines = Vec::new();
    for file in ROOTS.iter().flat_map(|dir| sources(&root().join(dir))) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for (i, line) in code.lines().enumerate() {
            let text = line.split("//").next().unwrap();
            match lines.last_mut() {
                Some(last) if in_use_list(last) => last.text.push_str(text.trim()),
                _ => lines.push(SourceLine {
                    room: room(&file),
                    file: file.strip_prefix(root()).unwrap().to_path_buf(),
                    number: i + 1,
                    text: text.to_string(),
                }),
            }
        }
    }
    assert!(lines.len() > 1000, "the rules read {} lines only", lines.len());
    lines
}

/// Whether a line opens the list of a `use` that later lines close.
fn in_use_list(line: &SourceLine) -> bool {
    let count = |c| line.text.matches(c).count();
    line.text.contains("use ") && line.text.trim_end().ends_with(['{', ',', '}']) && count('{') > count('}')
}

/// The rooms that a line names: `crate::ops::Op` and `crate::{ops::Op, shape::Shape}`.
fn named_rooms(line: &str) -> Vec<String> {
    let ident = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut rooms = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            rooms.push(ident(rest));
            continue;
        };
        let mut depth = 0;
        let top_level = |c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        };
        rooms.extend(list.split(top_level).map(|item| ident(item.trim())));
    }
    rooms.retain(|name| !name.is_empty() && !name.starts_with(char::is_uppercase));
    rooms
}

fn position(room: &str) -> usize {
    ORDER.iter().position(|&r| r == room).unwrap_or_else(|| panic!("`{room}` has no place in the order of rooms"))
}

fn assert_none(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn lists_are_read_across_lines() {
    let open = |text: &str| {
        in_use_list(&SourceLine { file: PathBuf::new(), room: String::new(), number: 1, text: text.to_string() })
    };
    assert!(open("use crate::{") && open("use crate::{ops::{Op,"));
    assert!(!open("use crate::{ops::Op};") && !open("fn main() {"));
}

#[test]
fn rooms_are_found_in_paths_and_lists() {
    assert_eq!(named_rooms("use crate::ops::Op;"), ["ops"]);
    assert_eq!(named_rooms("use crate::{ops::{Op, Layer}, shape::Shape};"), ["ops", "shape"]);
    assert_eq!(named_rooms("fn f(a: crate::plan::Plan, b: &crate::graph::Graph)"), ["plan", "graph"]);
    assert!(named_rooms("use crate::Options; use super::x;").is_empty());
}

#[test]
fn each_room_uses_only_what_stands_to_its_left() {
    let mut broken = Vec::new();
    for line in lines().iter().filter(|l| !l.room.is_empty()) {
        let own = position(&line.room);
        if line.file.starts_with("kernels") {
            continue;
        }
        for named in named_rooms(&line.text) {
            if ORDER.contains(&named.as_str()) && position(&named) > own {
                broken.push(format!("{} (`{}` comes before `{named}`)", line.place(), line.room));
            }
        }
    }
    assert_none("a room uses what stands to its right", broken);
}

#[test]
fn kernels_depend_on_no_compiler() {
    let manifest = fs::read_to_string(root().join("kernels/Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("[dependencies]").unwrap();
    let dependencies = rest.lines().take_while(|line| !line.starts_with('['));
    let names: Vec<_> = dependencies.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["gemm", "memmap2", "rayon"], "a kernel uses more than slices");
}

#[test]
fn the_front_and_the_kernels_know_no_candle() {
    let named = |line: &SourceLine| line.text.contains("candle_core") || line.text.contains("candle_nn");
    let held = |line: &SourceLine| WITHOUT_CANDLE.contains(&line.room.as_str());
    let broken = lines().iter().filter(|l| held(l) && named(l)).map(SourceLine::place).collect();
    assert_none("candle is used where the compiler must stand without it", broken);
}

#[test]
fn unsafe_stands_in_kernels_only() {
    let is_unsafe =
        |line: &SourceLine| line.text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == "unsafe");
    let broken =
        lines().iter().filter(|l| !l.file.starts_with("kernels") && is_unsafe(l)).map(SourceLine::place).collect();
    assert_none("`unsafe` outside kernels", broken);
}

#[test]
fn only_the_command_line_prints_and_exits() {
    const WORDS: [&str; 6] = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!(", "process::exit"];
    let speaks = |line: &SourceLine| WORDS.iter().any(|word| line.text.contains(word));
    let free = |line: &SourceLine| line.room == "cli" || line.file.ends_with("src/main.rs");
    let broken = lines().iter().filter(|l| !free(l) && speaks(l)).map(SourceLine::place).collect();
    assert_none("printing or leaving the process below `cli`", broken);
}

#[test]
fn files_are_short() {
    let mut broken = Vec::new();
    for dir in ROOTS.iter().chain(&["tests"]) {
        for file in sources(&root().join(dir)) {
            let count = fs::read_to_string(&file).unwrap().lines().count();
            if count > LONGEST {
                broken.push(format!("{}: {count} lines", file.display()));
            }
        }
    }
    assert_none("a file has grown too long", broken);
}
