//! Graphs of one or a few operators (`tests/exchange/make_operators.py`): those that the language can say compute what ONNX
//! Runtime computes, and every other one is refused with its node, its operator and what of it was not understood.

use super::errors::shown;
use super::fixtures::{off, outputs};
use super::root;
use archc::exchange::onnx::import::{ImportOptions, import};
use archc::weights::WeightFile;
use std::path::PathBuf;

fn folder() -> PathBuf {
    root().join("tests/exchange/onnx/operators")
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    let mut names: Vec<String> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into()).collect();
    names.sort();
    names
}

fn tensors(file: &WeightFile, name: &str) -> Vec<(Vec<usize>, Vec<f32>)> {
    let stored = (0..).map_while(|i| file.get(&format!("{name}.{i}")));
    stored.map(|s| (s.dims.clone(), file.floats(s).unwrap().into_owned())).collect()
}

#[test]
fn operators_are_read_as_they_are_or_refused_by_name() {
    let numbers = WeightFile::open(&folder().join("numbers.safetensors")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let (mut read, mut refused) = (String::new(), String::new());
    for name in names() {
        let imported = import(&folder().join(format!("{name}.onnx")), &ImportOptions::default());
        let (given, wanted) = (tensors(&numbers, &format!("{name}.in")), tensors(&numbers, &format!("{name}.out")));
        match imported {
            Ok(imported) => {
                assert!(!wanted.is_empty(), "{name} should be refused:\n{}", imported.text);
                let got = outputs(&imported, &given, scratch.path());
                assert_eq!(got.len(), wanted.len(), "{name}");
                for (got, (_, want)) in got.iter().zip(&wanted) {
                    assert!(off(got, want) < 1e-5, "{name}: {:e}\n{}", off(got, want), imported.text);
                }
                let body: Vec<&str> = imported.text.lines().skip(1).collect();
                let notes: String = imported.notes.iter().map(|note| format!("# {note}\n")).collect();
                read += &format!("## {name}\n{notes}{}\n", body.join("\n").trim());
            }
            Err(error) => {
                assert!(wanted.is_empty(), "{name}: {} {:?}", error.message, error.notes);
                refused += &format!("## {name}\n{}", shown(&error, &folder()));
            }
        }
    }
    insta::assert_snapshot!("onnx_operators_read", read);
    insta::assert_snapshot!("onnx_operators_refused", refused);
}
