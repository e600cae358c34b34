//! `archc fmt` and `archc diff` as they are typed: exit status, streams, revisions.

use crate::cli::{archc, examples, expect};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const UGLY: &str = "model Net( ) {\n  input x [N,4]  // in\n  linear( 3 )\n}\n";
const NICE: &str = "model Net() {\n    input x [N, 4]  // in\n    linear(3)\n}\n";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn files_are_formatted_in_place_and_left_alone_where_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "ugly.arch", UGLY);
    write(at, "nice.arch", NICE);
    write(at, "broken.arch", "model Net( {\n");
    let stamp = || std::fs::metadata(at.join("nice.arch")).unwrap().modified().unwrap();
    let before = stamp();
    let (out, err) = expect(at, &["fmt", "--check"], 1);
    assert_eq!(out, "ugly.arch\n".replace("ugly", "./ugly"));
    assert!(err.contains("1 of 3 files would change") && err.contains("broken.arch"), "{err}");
    let (out, _) = expect(at, &["fmt", "--diff", "ugly.arch"], 0);
    assert!(out.contains("-  linear( 3 )\n") && out.contains("+    linear(3)\n"), "{out}");
    assert_eq!(read(at, "ugly.arch"), UGLY);
    expect(at, &["fmt", "."], 1);
    assert_eq!((read(at, "ugly.arch"), read(at, "broken.arch")), (NICE.into(), "model Net( {\n".into()));
    assert_eq!(stamp(), before);
    expect(at, &["fmt", "--check", "ugly.arch", "nice.arch"], 0);
    expect(at, &["fmt", "missing.arch"], 1);
    std::fs::create_dir(at.join("empty")).unwrap();
    expect(at, &["fmt", "empty"], 2);
    assert_eq!(std::fs::read_dir(at).unwrap().count(), 4, "nothing is left beside the files");
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = archc(folder.path());
    let mut child = command.args(["fmt", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(UGLY.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap().as_str()), (Some(0), NICE));
}

/// Runs git where there is one, on nobody's settings but its own.
fn git(folder: &Path, args: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command.args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]).args(args);
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn revisions_are_compared_with_their_own_imports() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::create_dir(at.join("nets")).unwrap();
    write(at, "nets/unit.arch", "block Unit(width) { conv(width, 3) -> relu }\n");
    let net = "import Unit from \"unit.arch\"\n\nmodel Net() {\n    input x [N, 3, 8, 8]\n    a: Unit(8)\n}\n";
    write(at, "nets/net.arch", net);
    if !(git(at, &["init", "-q"]) && git(at, &["add", "."]) && git(at, &["commit", "-qm", "first"])) {
        return;
    }
    expect(at, &["diff", "nets/net.arch"], 0);
    write(at, "nets/unit.arch", "block Unit(width) { conv(width, 5) -> relu }\n");
    for args in [&["diff", "nets/net.arch"][..], &["diff", "nets/net.arch@HEAD", "nets/net.arch"], &["diff", "--rev", "HEAD", "nets/net.arch"]] {
        let (out, err) = expect(at, args, 1);
        assert!(out.contains("kernel 3 → 5"), "{out}\n{err}");
    }
    let (_, err) = expect(at, &["diff", "nets/net.arch@nowhere", "nets/net.arch"], 2);
    assert!(err.contains("there is no revision `nowhere`"), "{err}");
    let (_, err) = expect(at, &["diff", "nets/other.arch"], 2);
    assert!(err.contains("there is no such file"), "{err}");
}

#[test]
fn models_of_one_file_are_compared() {
    let (out, _) = expect(&examples(), &["diff", "resnet.arch@ResNet18", "resnet.arch@ResNet34", "--json"], 1);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["before"], &json["after"]), (&"ResNet18".into(), &"ResNet34".into()));
    let (out, _) = expect(&examples(), &["diff", "resnet.arch", "--model", "ResNet20", "--plain-b"], 1);
    assert!(out.contains("ResNet20 → ResNet20 without skips"), "{out}");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "net.arch", NICE);
    let (_, err) = expect(folder.path(), &["diff", "net.arch"], 2);
    assert!(err.contains("git"), "{err}");
}
