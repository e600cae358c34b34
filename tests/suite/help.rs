//! Help, completions and manual pages, of every command there is.

use crate::cli::{archc, expect, text};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The commands that the help names.
pub fn commands(folder: &Path) -> Vec<String> {
    let (out, _) = expect(folder, &["--help"], 0);
    let listed = out.lines().take_while(|line| !line.starts_with("Options:"));
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split_once("  ")).map(|(name, _)| name.to_string());
    let names: Vec<String> = names.filter(|name| name != "help").collect();
    assert!(names.len() > 15, "{out}");
    names
}

#[test]
fn help_of_a_command_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for name in commands(folder.path()) {
        assert_eq!(expect(folder.path(), &["help", &name], 0), expect(folder.path(), &[&name, "--help"], 0));
    }
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
    for command in commands(folder.path()) {
        let name = format!("archc-{command}");
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
