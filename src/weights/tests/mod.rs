//! Readers of weights on the files that `tests/parity/make_weights.py` made. What is broken is tried where tensors are
//! read, in `lower::weights`.

mod forms;
mod kinds;

use super::*;
use crate::elaborate::{Network, Options, compile_text};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const NETWORK: &str = "model Tiny(classes=3) {
    input image [N, 1, 4, 4]
    conv: conv(2, 3, stride=2, bias=false)
    bn: batch_norm
    flatten
    fc: linear(classes)
}";

fn network() -> Network {
    compile_text("tiny.arch", NETWORK, &Options::default()).network.unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/weights").join(name)
}

fn wanted() -> BTreeMap<String, Vec<f32>> {
    let text = std::fs::read_to_string(fixture("values.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(json["values"].clone()).unwrap()
}

/// A `.safetensors` file of these tensors, `F32`.
fn written(path: &Path, tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, (dims, values)) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        let entry = serde_json::json!({"dtype": "F32", "shape": dims, "data_offsets": [start, data.len()]});
        header.insert(name.clone(), entry);
    }
    let mut header = serde_json::to_vec(&header).unwrap();
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(path, [&length[..], &header, &data].concat()).unwrap();
}

#[test]
fn every_way_of_saving_gives_the_same_numbers() {
    let network = network();
    for name in ["plain.pth", "nested.pth", "parallel.pth", "odd.pth", "legacy.pth", "legacy_nested.pth", "model.pth"] {
        let (numbers, report) = Numbers::load(&network, &fixture(name), Fit::Partial, 0).unwrap();
        assert_eq!((report.loaded, report.total), (8, 8), "{name}: {report:?}");
        for (path, _) in network.graph.named_params() {
            assert_eq!(numbers.get(&path).unwrap()[..], wanted()[&path], "{name}: {path}");
        }
    }
}

#[test]
fn floats_are_read_where_they_lie_and_come_back_after_they_were_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let values: Vec<f32> = (0..5000).map(|i| i as f32).collect();
    written(&path, &[("a.weight".to_string(), (vec![50, 100], values.clone()))].into());
    for file in [WeightFile::open(&path).unwrap(), WeightFile::open(&fixture("plain.pth")).unwrap()] {
        let floats = file.tensors.iter().filter(|t| t.element == Element::F32);
        let held = |stored| matches!(file.floats(stored).unwrap(), Cow::Borrowed(_));
        assert!(floats.clone().count() > 0 && floats.clone().all(held));
        let before: Vec<Vec<f32>> = floats.clone().map(|t| file.floats(t).unwrap().into_owned()).collect();
        floats.clone().for_each(|stored| file.release(stored));
        assert!(floats.zip(before).all(|(t, want)| file.floats(t).unwrap()[..] == want));
    }
}

#[test]
fn what_a_file_lacks_is_drawn_as_without_a_file() {
    let (network, dir) = (network(), tempfile::tempdir().unwrap());
    let path = dir.path().join("w.safetensors");
    written(&path, &[("fc.bias".to_string(), (vec![3], vec![1.0, 2.0, 3.0]))].into());
    let refused = Numbers::load(&network, &path, Fit::Strict, 7).unwrap_err();
    assert_eq!(refused.code.0, "E0812");
    let (numbers, report) = Numbers::load(&network, &path, Fit::Partial, 7).unwrap();
    assert_eq!((report.loaded, report.missing.len()), (1, 6));
    assert!(numbers.get("fc.scale").is_none());
    numbers.release("fc.bias");
    numbers.release_all();
    let drawn = Numbers::seeded(&network, 7);
    for (path, _) in network.graph.named_params() {
        let value = numbers.get(&path).unwrap();
        match path.as_str() {
            "fc.bias" => assert_eq!(value[..], [1.0, 2.0, 3.0]),
            _ => assert_eq!(value, drawn.get(&path).unwrap(), "{path}"),
        }
    }
}

#[test]
fn numbers_of_every_type_become_floats() {
    let cases: [(Element, &[u8], f32); 10] = [
        (Element::F64, &0.25f64.to_le_bytes(), 0.25),
        (Element::F32, &(-1.5f32).to_le_bytes(), -1.5),
        (Element::F16, &[0x00, 0xc0], -2.0),
        (Element::Bf16, &[0x80, 0x3f], 1.0),
        (Element::I64, &(-3i64).to_le_bytes(), -3.0),
        (Element::I32, &70_000i32.to_le_bytes(), 70_000.0),
        (Element::I16, &(-300i16).to_le_bytes(), -300.0),
        (Element::I8, &[0xff], -1.0),
        (Element::U8, &[200], 200.0),
        (Element::Bool, &[1], 1.0),
    ];
    for (element, bytes, want) in cases {
        assert_eq!(element.floats(bytes), [want], "{element:?}");
    }
}

#[test]
fn what_is_no_file_of_weights_is_refused() {
    assert_eq!(WeightFile::open(&fixture("values.json")).unwrap_err().code.0, "E0810");
    for path in ["/nowhere/x.pth", "/", "/dev/null"] {
        assert_eq!(WeightFile::open(Path::new(path)).unwrap_err().code.0, "E0810", "{path}");
    }
}
