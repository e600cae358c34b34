//! What a build script tells cargo.

use archc::Options;
use archc::exchange::build::build;
use std::path::{Path, PathBuf};

fn embedded(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/embedded").join(file)
}

#[test]
fn the_source_is_written_and_every_file_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let built = build(&embedded("digits.arch"), &Options::default(), folder.path());
    let text = std::fs::read_to_string(built.result.unwrap()).unwrap();
    assert!(text.contains("pub struct Digits {"), "{text}");
    for file in ["digits.arch", "blocks.arch"] {
        let watched = |line: &String| line.starts_with("cargo::rerun-if-changed=") && line.ends_with(file);
        assert!(built.lines.iter().any(watched), "{:?}", built.lines);
    }
}

#[test]
fn errors_are_lines_for_cargo_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.arch");
    std::fs::write(&path, "model Net() {\n    input x [N, 4]\n    linaer(2)\n}\n").unwrap();
    let built = build(&path, &Options::default(), folder.path());
    let error = built.lines.iter().find(|line| line.starts_with("cargo::error=")).unwrap();
    assert!(error.contains("net.arch:3: E0203"), "{error}");
    assert!(built.result.unwrap_err().contains("did you mean `linear`?"));
}

#[test]
fn a_missing_file_and_an_unwritable_folder_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let built = build(&folder.path().join("no.arch"), &Options::default(), folder.path());
    assert!(built.lines.iter().any(|line| line.starts_with("cargo::error=")), "{:?}", built.lines);
    let nowhere = folder.path().join("not/there");
    let built = build(&embedded("digits.arch"), &Options::default(), &nowhere);
    assert!(built.result.unwrap_err().contains("cannot be written"));
}
