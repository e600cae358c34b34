//! Help, completions and manual pages: examples that parse, for every command there is.

use crate::cli::{archc, expect, text};
use archc::cli::help::{GROUPS, examples, tree};
use std::io::Write;
use std::process::{Command, Stdio};

/// The words of a command line as a shell would part them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote, mut open) = (vec![String::new()], None, false);
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => (quote, open) = (Some(c), true),
            (Some(q), c) if c == q => quote = None,
            (None, ' ') => {
                if open || !words.last().unwrap().is_empty() {
                    words.push(String::new());
                }
                open = false;
            }
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The calls of archc in a line of an example: pipes lead to others, `>` and `<` to files.
fn calls(line: &str) -> Vec<Vec<String>> {
    let parts = line.split(" | ").flat_map(|part| part.split(" && ")).map(str::trim);
    let bare = parts.map(|part| part.split(" > ").next().unwrap().split(" < ").next().unwrap());
    bare.filter(|part| part.starts_with("archc ")).map(words).collect()
}

#[test]
fn every_command_has_examples_that_parse() {
    let mut wrong = Vec::new();
    for command in tree().get_subcommands() {
        let name = command.get_name();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<_> = examples(&help).collect();
        let all: Vec<_> = lines.iter().flat_map(|line| calls(line)).collect();
        // What is typed before or after it, such as another command or an editor, is shown beside its own calls.
        if lines.len() < 2 || !all.iter().any(|call| call[1] == name) {
            wrong.push(format!("{name}: {} examples after its help, want two or more", lines.len()));
        }
        let errors = all.iter().filter_map(|call| Some((call, tree().try_get_matches_from(call).err()?)));
        wrong.extend(errors.map(|(call, error)| format!("{}\n{error}", call.join(" "))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_has_a_place_in_the_help() {
    let tree = tree();
    let grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter()).collect();
    for command in tree.get_subcommands().filter(|command| !command.is_hide_set()) {
        assert!(grouped.contains(&&command.get_name()), "`{}` is in no group of cli/help.rs", command.get_name());
        assert!(command.get_about().is_some(), "`{}` does not say what it is for", command.get_name());
    }
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = expect(folder.path(), &["--help"], 0);
    for command in tree.get_subcommands() {
        assert!(out.contains(&format!("\n  {} ", command.get_name())), "{out}");
    }
    for line in examples(&tree.get_after_help().unwrap().to_string()) {
        for call in calls(line).into_iter().filter(|call| call[1] != "help") {
            tree.clone().try_get_matches_from(call).unwrap();
        }
    }
    assert_eq!(expect(folder.path(), &["help", "train"], 0), expect(folder.path(), &["train", "--help"], 0));
}

#[test]
fn a_command_mistyped_is_guessed() {
    let folder = tempfile::tempdir().unwrap();
    for (typed, meant) in [("chekc", "check"), ("sumary", "summary"), ("trian", "train")] {
        let (_, err) = expect(folder.path(), &[typed], 2);
        assert!(err.contains(&format!("'{meant}'")), "{err}");
    }
    let (_, err) = expect(folder.path(), &["train", "a.arch", "--epoch", "3"], 2);
    assert!(err.contains("'--epochs'"), "{err}");
}

/// Whether a shell finds no fault with a script; `None` where the shell is not installed.
fn sound(shell: &str, script: &str) -> Option<bool> {
    let mut child = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    child.stdin.take()?.write_all(script.as_bytes()).ok()?;
    Some(child.wait().ok()?.success())
}

#[test]
fn completions_name_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (out, err) = expect(folder.path(), &["completions", shell], 0);
        assert_eq!(err, "");
        for word in ["train", "summary", "weights", "no-shuffle"] {
            assert!(out.contains(word), "{shell}: {word}");
        }
        if ["bash", "zsh", "fish"].contains(&shell) {
            assert_ne!(sound(shell, &out), Some(false), "{shell}");
        }
    }
    let (_, err) = expect(folder.path(), &["completions", "tcsh"], 2);
    assert!(err.contains("bash"), "{err}");
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let (top, _) = expect(folder.path(), &["man"], 0);
    expect(folder.path(), &["man", "pages/man1"], 0);
    let page = |name: &str| std::fs::read_to_string(folder.path().join("pages/man1").join(name)).unwrap();
    assert_eq!(page("archc.1").trim_end(), top.trim_end());
    for command in tree().get_subcommands() {
        let name = format!("archc-{}", command.get_name());
        let page = page(&format!("{name}.1"));
        for part in [".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLES", ".SH \"EXIT STATUS\"", ".SH \"SEE ALSO\""] {
            assert!(page.contains(part), "{name}: {part}\n{page}");
        }
        assert!(page.contains(&format!("{} \\-", name.replace('-', "\\-"))) && !page.contains('\u{1b}'), "{page}");
        assert!(top.contains(&name.replace('-', "\\-")), "{name}");
    }
    let broken = folder.path().join("file");
    std::fs::write(&broken, "").unwrap();
    let (_, err) = expect(folder.path(), &["man", "file/pages"], 1);
    assert!(err.contains("error[E0905]"), "{err}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["completions", "bash"][..], &["--help"], &["explain"], &["man"]] {
        let mut child = archc(folder.path()).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = text(&output.stderr);
        assert!(!err.contains("panicked") && err.is_empty(), "{args:?}: {err}");
    }
}
