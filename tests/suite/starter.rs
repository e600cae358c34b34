//! `archc new`: what it writes checks, trains, and is never written over something.

use crate::cli::expect;
use std::path::Path;

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn every_template_checks_and_learns() {
    for template in ["residual", "unet", "dense", "plain"] {
        let folder = tempfile::tempdir().unwrap();
        let (out, err) = expect(folder.path(), &["new", "my-net", "--template", template], 0);
        assert!(out.is_empty() && err.contains("archc train my-net.arch"), "{out}{err}");
        let text = read(folder.path(), "my-net.arch");
        assert!(text.contains("model MyNet(") && text.contains("train MyNet {") && !text.contains("tarter"), "{text}");
        let (out, err) = expect(folder.path(), &["check", "my-net.arch"], 0);
        assert!(out.starts_with("MyNet ") && err.is_empty(), "{out}{err}");
        let steps = ["train", "my-net.arch", "--steps", "2", "--threads", "1", "--set", "batch=4", "-q"];
        expect(folder.path(), &steps, 0);
    }
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.arch"), "mine").unwrap();
    for name in ["mine", "mine.arch", "./mine"] {
        let (_, err) = expect(folder.path(), &["new", name], 1);
        assert!(err.contains("`") && err.contains("archc new ") && err.contains("mine-2"), "{err}");
        assert_eq!(read(folder.path(), "mine.arch"), "mine");
    }
    let (_, err) = expect(folder.path(), &["new", "no/such/net"], 1);
    assert!(err.contains("mkdir -p no/such"), "{err}");
    let (_, err) = expect(folder.path(), &["new", ".."], 2);
    assert!(err.contains("archc new my-net"), "{err}");
}

#[test]
fn names_are_made_fit_for_the_language() {
    let folder = tempfile::tempdir().unwrap();
    for (typed, file, model) in [
        ("3d scans", "3d-scans.arch", "Net3dScans"),
        ("residual", "residual.arch", "ResidualNet"),
        ("model", "model.arch", "Model"),
        ("网络", "网络.arch", "Net"),
    ] {
        let (out, _) = expect(folder.path(), &["new", typed, "--format", "json"], 0);
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&answer["file"], &answer["model"]), (&file.into(), &model.into()));
        expect(folder.path(), &["check", file], 0);
    }
}
