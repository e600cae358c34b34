//! `archc study` as people and scripts meet it: one JSON object, files that are there, and nothing made where nothing is to be studied.

use crate::cli::{expect, text};
use crate::data_images::save_grey;
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

/// `count` grey pictures of 8×8 of each of two classes in a part.
fn pictures(folder: &Path, part: &str, count: usize) {
    for (class, level) in [("dark", 40), ("light", 200)] {
        (0..count).for_each(|i| save_grey(folder, &format!("{part}/{class}/{i}.png"), [8, 8], |_, _| level + i as u8));
    }
}

#[test]
fn a_twin_that_was_taught_something_else_is_refused() {
    let folder = workplace();
    let at = folder.path();
    for args in [&["--out", "run"][..], &["--out", "twin", "--plain"]] {
        expect(at, &[&["train", "skips.arch", "--no-report", "--steps", "1"][..], args].concat(), 0);
    }
    let study = |status| {
        let small = ["study", "lesion", "skips.arch", "--samples", "8", "--repeats", "1", "--out", "found"];
        expect(at, &[&small[..], &["--weights", "run", "--plain-weights", "twin"]].concat(), status).1
    };
    let path = at.join("twin/recipe.json");
    let sound = fs::read_to_string(&path).unwrap();
    for (key, value, says) in [
        ("classes", serde_json::json!(["owl"]), "has other classes"),
        ("levels", serde_json::json!({ "white": 255 }), "reads masks in another way"),
        (
            "recipe",
            serde_json::json!({ "normalize": { "mean": [0.5], "std": [0.5] } }),
            "normalises pixels in another way",
        ),
    ] {
        let mut other: Value = serde_json::from_str(&sound).unwrap();
        other[key] = value;
        fs::write(&path, other.to_string()).unwrap();
        let err = study(2);
        assert!(err.contains(says) && err.contains("archc train skips.arch --plain --data builtin:digits"), "{err}");
    }
    fs::write(&path, sound).unwrap();
    study(0);
}

#[test]
fn what_is_studied_is_called_by_its_name() {
    let folder = workplace();
    let at = folder.path();
    pictures(at, "d/train", 6);
    pictures(at, "d/val", 2);
    let small = ["--data", "d", "--set", "batch=4", "-q"];
    let degradation = ["study", "degradation", "skips.arch", "--vary", "n", "--values", "1,2", "--out", "deeper"];
    expect(at, &[&degradation[..], &small].concat(), 0);
    let table = fs::read_to_string(at.join("deeper/degradation.csv")).unwrap();
    assert!(table.lines().next().unwrap().ends_with("val_loss,val_error"), "{table}");
    let weights = "deeper/runs/skip-n-1-seed-1/best.safetensors";
    fs::copy(at.join(weights), at.join("bare.safetensors")).unwrap();
    let lesion = ["study", "lesion", "skips.arch", "--weights", "bare.safetensors", "--data", "d", "--repeats", "1"];
    let (_, err) = expect(at, &[&lesion[..], &["--out", "removed"]].concat(), 0);
    assert!(err.contains("are taken in order, `dark` as 0 to `light` as 1"), "{err}");
    let figure = fs::read_to_string(at.join("removed/lesion.svg")).unwrap();
    assert!(figure.contains("validation") && !figure.contains("test"));
}

#[test]
fn pixels_are_normalised_as_the_run_did_that_is_studied() {
    let folder = workplace();
    let at = folder.path();
    let file = fs::read_to_string(at.join("skips.arch")).unwrap();
    fs::write(at.join("skips.arch"), file.replace("seed = 1", "seed = 1\n normalize = (mean=[0.3], std=[0.4])"))
        .unwrap();
    expect(at, &["train", "skips.arch", "--no-report", "--steps", "8", "--out", "run"], 0);
    let study = |out: &str| {
        let args =
            ["study", "lesion", "skips.arch", "--weights", "run", "--samples", "64", "--repeats", "1", "--out", out];
        let (_, err) = expect(at, &args, 0);
        (fs::read_to_string(at.join(out).join("lesion.csv")).unwrap(), err)
    };
    let (before, said) = study("a");
    assert!(!said.contains("normalised"), "{said}");
    fs::write(at.join("skips.arch"), file).unwrap();
    let (after, said) = study("b");
    assert!(said.contains("pixels are normalised as the weights were learnt"), "{said}");
    assert_eq!(before, after);
}
