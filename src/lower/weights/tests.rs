//! Readers and writers of weights on the files that `tests/parity/make_weights.py` made, whole and broken.

use super::*;
use crate::base::Diagnostic;
use crate::lower::ParamStore;
use crate::lower::testing::network;
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/weights").join(name)
}

fn store() -> ParamStore {
    ParamStore::new(&network(), 1, DType::F32, &Device::Cpu).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn wanted() -> BTreeMap<String, Vec<f64>> {
    let text = std::fs::read_to_string(fixture("values.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(json["values"].clone()).unwrap()
}

fn assert_loaded(store: &ParamStore) {
    for (path, want) in wanted() {
        assert_eq!(numbers(&store.get(&path).unwrap().var), want, "{path}");
    }
}

fn refusal(file: &Path) -> Diagnostic {
    load(&store(), file, Fit::Strict).unwrap_err().into_diagnostic()
}

#[test]
fn every_way_of_saving_gives_the_same_numbers() {
    for name in ["plain.pth", "nested.pth", "parallel.pth", "legacy.pth", "swa.pth", "orig_mod.safetensors"] {
        let store = store();
        let report = load(&store, &fixture(name), Fit::Strict).unwrap();
        assert!(report.fits() && report.loaded == 8, "{name}: {report:?}");
        let plain = ["plain.pth", "legacy.pth"].contains(&name);
        assert_eq!(report.notes.is_empty(), plain, "{name}: {:?}", report.notes);
        assert_loaded(&store);
    }
}

#[test]
fn strided_shared_and_narrow_tensors_are_read() {
    let store = store();
    let report = load(&store, &fixture("odd.pth"), Fit::Partial).unwrap();
    assert_eq!(report.unexpected.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["extra.flags"]);
    assert_loaded(&store);
    let flags = Checkpoint::open(&fixture("odd.pth")).unwrap().read_all().unwrap().remove("extra.flags").unwrap();
    assert_eq!(numbers(&flags), [1.0, 0.0]);
}

#[test]
fn counters_may_be_absent() {
    let report = load(&store(), &fixture("old.pth"), Fit::Strict).unwrap();
    assert!(report.fits());
    assert_eq!(report.loaded, 7);
}

#[test]
fn objects_in_place_of_tensors_are_refused_with_help() {
    let object = refusal(&fixture("object.pth"));
    assert_eq!(object.code.0, "E0811");
    assert!(object.message.contains("`fractions.Fraction`"), "{}", object.message);
    assert!(object.help.unwrap().contains("torch.save"));
    assert_eq!(refusal(Path::new("/nowhere/x.pth")).code.0, "E0810");
    assert_eq!(refusal(Path::new("/")).code.0, "E0810");
}

#[test]
fn safetensors_come_back_as_they_went_and_the_same_bytes_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.safetensors"), dir.path().join("b.safetensors"));
    let (first, second) = (store(), store());
    load(&first, &fixture("plain.pth"), Fit::Strict).unwrap();
    let metadata = BTreeMap::from([("step".to_string(), "12".to_string())]);
    save(&first, &a, &metadata).unwrap();
    assert!(load(&second, &a, Fit::Strict).unwrap().fits());
    assert_loaded(&second);
    save(&second, &b, &metadata).unwrap();
    assert_eq!(std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());
    assert_eq!(Checkpoint::open(&a).unwrap().metadata, metadata);
    let foreign = ::safetensors::SafeTensors::deserialize(&std::fs::read(&a).unwrap()).unwrap().len();
    assert_eq!(foreign, 8);
    assert_eq!(save(&first, Path::new("/nowhere/x"), &metadata).unwrap_err().into_diagnostic().code.0, "E0813");
}

/// A `.safetensors` file with these tensors of zeros.
fn written(dir: &Path, tensors: &[(&str, &[usize])]) -> PathBuf {
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    let tensors = tensors.iter().map(|(name, dims)| (name.to_string(), zeros(dims))).collect();
    let path = dir.join("w.safetensors");
    safetensors::write(&path, &tensors, &BTreeMap::new()).unwrap();
    path
}

#[test]
fn what_does_not_fit_is_listed_and_the_store_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let norm = [("bn.weight", &[2][..]), ("bn.bias", &[2]), ("bn.running_mean", &[2]), ("bn.running_var", &[2])];
    let odd = [("stem.weight", &[2, 1, 3, 3][..]), ("fc.weight", &[10, 8]), ("fc.bias", &[10])];
    let path = written(dir.path(), &[&norm[..], &odd[..]].concat());
    let store = store();
    let before = store.snapshot().unwrap();
    let diagnostic = load(&store, &path, Fit::Strict).unwrap_err().into_diagnostic();
    assert_eq!(diagnostic.code.0, "E0812");
    assert!(diagnostic.message.ends_with("does not fit `Tiny` (3 of 8 tensors)"), "{}", diagnostic.message);
    let want = [
        "missing     conv.weight  [2, 1, 3, 3]",
        "unexpected  stem.weight  [2, 1, 3, 3]  same shape as the missing `conv.weight`: rename, or label it `stem`",
        "mis-shaped  fc.weight    [10, 8], want [3, 8]",
        "mis-shaped  fc.bias      [10], want [3]",
    ];
    assert_eq!(diagnostic.notes, want);
    let help = "`--partial` loads the other 4 and leaves these as initialised; `--set classes=10` makes `fc` fit";
    assert_eq!(diagnostic.help.as_deref(), Some(help));
    for (path, value) in &before {
        assert_eq!(numbers(value), numbers(&store.get(path).unwrap().var), "{path}");
    }
    let report = load(&store, &path, Fit::Partial).unwrap();
    assert_eq!(report.loaded, 4);
    assert_eq!(numbers(&store.get("bn.weight").unwrap().var), [0.0, 0.0]);
    assert_eq!(numbers(&store.get("conv.weight").unwrap().var), numbers(&before["conv.weight"]));
}

#[test]
fn a_file_of_another_network_is_refused_even_partially() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), &[("encoder.layer.weight", &[4, 4])]);
    assert_eq!(load(&store(), &path, Fit::Partial).unwrap_err().into_diagnostic().code.0, "E0812");
}

/// Every cut and every changed byte of a file gives an answer, never a panic.
fn mangle(original: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(original).unwrap();
    let path = dir.path().join("mangled");
    let target = store();
    for cut in (0..bytes.len()).step_by(1 + bytes.len() / 200) {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        assert!(load(&target, &path, Fit::Strict).is_err(), "cut at {cut}");
    }
    for at in (0..bytes.len()).step_by(1 + bytes.len() / 600) {
        for value in [0x00, 0xff, bytes[at] ^ 0x10] {
            let mut changed = bytes.clone();
            changed[at] = value;
            std::fs::write(&path, &changed).unwrap();
            let _ = load(&target, &path, Fit::Partial);
        }
    }
}

#[test]
fn mangled_files_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("whole.safetensors");
    save(&store(), &path, &BTreeMap::new()).unwrap();
    mangle(&path);
    mangle(&fixture("plain.pth"));
    mangle(&fixture("odd.pth"));
    mangle(&fixture("legacy.pth"));
    mangle(&fixture("extras.pth"));
    mangle(&fixture("model.pth"));
}

fn with_header(dir: &Path, length: u64, header: &str, data: usize) -> Diagnostic {
    let path = dir.join("hostile.safetensors");
    let bytes = [&length.to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat();
    std::fs::write(&path, bytes).unwrap();
    Checkpoint::open(&path).and_then(|c| c.read_all()).unwrap_err().into_diagnostic()
}

#[test]
fn hostile_headers_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let entry = |shape: &str, from: i64, to: i64| {
        format!(r#""a":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    let overlapping = format!("{{{},{}}}", entry("[2]", 0, 8), entry("[2]", 4, 12).replace("\"a\"", "\"b\""));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases = [
        (u64::MAX, "{}".to_string()),
        (1 << 40, "{}".into()),
        (2, "[]".into()),
        (3, "NaN".into()),
        (deep.len() as u64, deep),
        (0, format!("{{{}}}", entry("[4]", 0, 8))),
        (0, format!("{{{}}}", entry("[4]", 0, 16).replace("[4]", "[-4]"))),
        (0, format!("{{{}}}", entry("[18446744073709551615, 18446744073709551615]", 0, 4))),
        (0, format!("{{{}}}", entry("[100]", 0, 400))),
        (0, format!("{{{}}}", entry("[1]", 8, 4))),
        (0, overlapping),
    ];
    for (length, header) in cases {
        let length = if length == 0 { header.len() as u64 } else { length };
        let diagnostic = with_header(dir.path(), length, &header, 16);
        assert_eq!(diagnostic.code.0, "E0810", "{}", &header[..header.len().min(80)]);
    }
}

#[test]
fn zip_bombs_are_errors() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let original = std::fs::File::open(fixture("plain.pth")).unwrap();
    let names: Vec<String> = zip::ZipArchive::new(&original).unwrap().file_names().map(|n| n.unwrap().into()).collect();
    for bomb in ["plain/data.pkl", "plain/data/0"] {
        let path = dir.path().join("bomb.pth");
        let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for name in &names {
            archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
            let mut bytes = Vec::new();
            let mut source = zip::ZipArchive::new(&original).unwrap();
            std::io::copy(&mut source.by_name(name).unwrap(), &mut bytes).unwrap();
            archive.write_all(&if name == bomb { vec![b'('; 17 << 20] } else { bytes }).unwrap();
        }
        archive.finish().unwrap();
        assert_eq!(refusal(&path).code.0, "E0810", "{bomb}");
    }
}
