//! Escape codes: none in pipes, none under NO_COLOR, some where they are asked for; of every command.

use crate::cli::{archc, workplace};
use crate::help::commands;
use std::path::Path;

/// A call of every kind whose output can have colours or bars.
const CALLS: [&[&str]; 12] = [
    &["check", "tiny.arch", "bad.arch", "--sizes"],
    &["summary", "tiny.arch"],
    &["graph", "tiny.arch"],
    &["plan", "tiny.arch", "--explain"],
    &["train", "tiny.arch", "--steps", "2", "--threads", "1", "--out", "run"],
    &["eval", "tiny.arch", "--weights", "run"],
    &["run", "tiny.arch", "--input", "none.png"],
    &["bench", "tiny.arch", "--repeat", "1", "--threads", "1", "--profile"],
    &["explain", "E0501"],
    &["explain", "E0001"],
    &["new", "tiny"],
    &["--help"],
];

/// Whether a call wrote an escape code anywhere.
fn escapes(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> bool {
    let variables = ["CLICOLOR", "CLICOLOR_FORCE", "NO_COLOR"];
    let mut command = archc(folder);
    variables.iter().for_each(|name| _ = command.env_remove(name));
    let output = command.args(args).envs(environment.iter().copied()).output().unwrap();
    let _ = std::fs::remove_dir_all(folder.join("run"));
    output.stdout.contains(&0x1b) || output.stderr.contains(&0x1b)
}

/// What every command does when it is asked for help, or for nothing.
fn of_every_command(folder: &Path) -> Vec<Vec<String>> {
    let names = commands(folder);
    names.iter().flat_map(|name| [vec![name.clone(), "--help".into()], vec!["help".into(), name.clone()]]).collect()
}

#[test]
fn pipes_get_no_escape_codes() {
    let folder = workplace();
    std::fs::write(folder.path().join("bad.arch"), "model M {\n  input x [N, 4]\n  linaer(3)\n}\n").unwrap();
    for args in CALLS {
        assert!(!escapes(folder.path(), args, &[]), "{args:?} in a pipe");
        let forced = [args, &["--color", "never"]].concat();
        assert!(!escapes(folder.path(), &forced, &[("CLICOLOR_FORCE", "1")]), "{forced:?}");
    }
    for args in of_every_command(folder.path()) {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        assert!(!escapes(folder.path(), &args, &[]), "{args:?} in a pipe");
    }
}

#[test]
fn colours_come_where_they_are_asked_for() {
    let folder = workplace();
    for args in [&["summary", "tiny.arch"][..], &["check", "none.arch"], &["check", "--help"], &["--help"]] {
        let forced =
            |extra: &[&str], environment: &[(&str, &str)]| escapes(folder.path(), &[args, extra].concat(), environment);
        assert!(forced(&[], &[("CLICOLOR_FORCE", "1")]), "{args:?}");
        assert!(forced(&["--color=always"], &[("NO_COLOR", "1")]), "{args:?}");
        assert!(!forced(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "{args:?}");
    }
}
