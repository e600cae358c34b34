//! `archc study` as people and scripts meet it: one JSON object, files that are there, and nothing made where nothing is to be studied.

use crate::cli::{expect, text};
use serde_json::Value;
use std::fs;
use std::path::Path;

const RECIPE: &str = "
    data = \"builtin:digits\"
    loss = cross_entropy()
    optimizer = sgd(lr=0.05)
    batch = 512
    epochs = 1
    metrics = [accuracy]
    seed = 1
}";

const SKIPS: &str = "
model Net(n=1) {
    input image [N, 1, 8, 8]
    stem: conv(4, 3, bias=false) -> relu
    for i in 0..n {
        block{i}: {
            skip add { conv(4, 3, bias=false) -> relu -> conv(4, 3, bias=false) }
            relu
        }
    }
    avgpool(global) -> flatten
    fc: linear(10)
}
train Net {";

const DENSE: &str = "
model Net() {
    input image [N, 1, 8, 8]
    stem: conv(4, 3) -> relu
    a: { skip concat { conv(3, 3) } }
    b: { skip concat { conv(3, 3) } }
    avgpool(global) -> flatten
    fc: linear(10)
}
train Net {";

fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, net) in [("skips.arch", SKIPS), ("dense.arch", DENSE)] {
        fs::write(folder.path().join(name), format!("{net}{RECIPE}")).unwrap();
    }
    folder
}

/// The object with `#` for every number that computing gives: it may differ in the last figures from machine to machine.
fn masked(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(masked),
        Value::Object(map) => map.values_mut().for_each(masked),
        Value::Number(number) if number.is_f64() => *value = "#".into(),
        Value::String(said) => {
            let word = |word: &str| match word.contains(|c: char| c.is_ascii_digit()) && !word.contains(['`', '/']) {
                true => format!("#{}", word.trim_start_matches(|c: char| !c.is_alphabetic() && !",;:".contains(c))),
                false => word.to_string(),
            };
            let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
            *said = said.split('\n').map(line).collect::<Vec<_>>().join("\n");
        }
        _ => {}
    }
}

fn studied(folder: &Path, args: &[&str]) -> Value {
    let mut all = vec!["study"];
    all.extend(args);
    all.push("--json");
    let (out, err) = expect(folder, &all, 0);
    assert_eq!(err, "");
    let said: Value = serde_json::from_str(&out).unwrap();
    for file in said["files"].as_array().unwrap() {
        assert!(fs::metadata(folder.join(file.as_str().unwrap())).unwrap().len() > 100, "{file}");
    }
    said
}

#[test]
fn every_study_is_one_object() {
    let folder = workplace();
    for args in [
        &["gradients", "skips.arch", "--steps", "0,1", "--samples", "64"][..],
        &["degradation", "skips.arch", "--vary", "n", "--values", "1,2"],
        &["landscape", "skips.arch", "--grid", "3", "--samples", "64"],
        &["lesion", "skips.arch", "--samples", "64", "--repeats", "1"],
        &["features", "dense.arch"],
    ] {
        let mut said = studied(folder.path(), args);
        masked(&mut said);
        insta::assert_snapshot!(format!("study_{}", args[0]), serde_json::to_string_pretty(&said).unwrap());
    }
    let again = studied(folder.path(), &["features", "dense.arch"]);
    assert_eq!(again["resumed"], true);
}

#[test]
fn where_nothing_is_to_be_studied_nothing_is_made() {
    let folder = workplace();
    let plain = format!("{}{RECIPE}", SKIPS.replace("skip add {", "{"));
    fs::write(folder.path().join("plain.arch"), plain).unwrap();
    for args in [
        ["gradients", "plain.arch"],
        ["degradation", "plain.arch"],
        ["lesion", "plain.arch"],
        ["lesion", "dense.arch"],
        ["features", "skips.arch"],
    ] {
        let output = crate::cli::archc(folder.path()).arg("study").args(args).output().unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}\n{err}");
        assert!(err.contains("E0930") && err.contains("help") && !err.contains("results go"), "{args:?}\n{err}");
    }
    assert!(!folder.path().join("studies").exists());
}
