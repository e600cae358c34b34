//! Weights as people have them, through the commands that take them.

use super::cli::expect;
use std::path::{Path, PathBuf};

const NET: &str = "model Tiny(classes=3) {
    input image [N, 1, 4, 4]
    conv: conv(2, 3, stride=2, bias=false)
    bn: batch_norm
    flatten
    fc: linear(classes)
}
";

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/weights").join(name);
    path.display().to_string()
}

/// A folder with `tiny.arch` and an input in it.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tiny.arch"), NET).unwrap();
    // Sixteen numbers as numpy writes them.
    let mut header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 4, 4), }".to_string();
    header += &" ".repeat(117 - header.len());
    header.push('\n');
    let numbers = (0..16).flat_map(|i| (i as f32 / 8.0 - 1.0).to_le_bytes());
    let bytes = [b"\x93NUMPY\x01\0".as_slice(), &118u16.to_le_bytes(), header.as_bytes()].concat();
    std::fs::write(folder.path().join("x.npy"), bytes.into_iter().chain(numbers).collect::<Vec<u8>>()).unwrap();
    folder
}

/// The weights that `archc export` writes of a file.
fn exported(folder: &Path, weights: &str, more: &[&str]) -> Vec<u8> {
    let out = PathBuf::from("out.safetensors");
    let args = ["export", "tiny.arch", "--safetensors", "out.safetensors", "--weights", weights];
    expect(folder, &[&args[..], more].concat(), 0);
    std::fs::read(folder.join(out)).unwrap()
}

#[test]
fn every_command_reads_the_same_of_every_file() {
    let folder = workplace();
    let folder = folder.path();
    let want = exported(folder, &fixture("plain.pth"), &[]);
    let run = |weights: &str, more: &[&str]| {
        let args = ["run", "tiny.arch", "--input", "x.npy", "--weights", weights];
        expect(folder, &[&args[..], more].concat(), 0)
    };
    let answer = |engine| {
        let (answer, err) = run(&fixture("plain.pth"), &["--engine", engine]);
        assert!(!err.contains("note:"), "{err}");
        answer
    };
    let answers = [("plan", answer("plan")), ("candle", answer("candle"))];
    for (name, more, note) in [
        ("lightning.ckpt", &[][..], "note: `model.` was taken off the front of their names"),
        ("orig_mod.safetensors", &[], "note: passed over beside them: `n_averaged`"),
        ("legacy_nested.pth", &[], "note: the tensors are those under its key `model`"),
        ("twins.pth", &["--key", "student"], "note: the tensors are those under its key `student`"),
    ] {
        let weights = fixture(name);
        assert_eq!(exported(folder, &weights, more), want, "{name}");
        for &(engine, ref answer) in &answers {
            let (out, err) = run(&weights, &[&["--engine", engine][..], more].concat());
            assert_eq!(out, *answer, "{name}, {engine}");
            assert!(err.contains(note), "{name}, {engine}: {err}");
        }
        let export = ["export", "tiny.arch", "--onnx", "net.onnx", "--weights", weights.as_str()];
        expect(folder, &[&export[..], more].concat(), 0);
    }
    for command in ["run", "eval", "train", "export"] {
        let (out, _) = expect(folder, &[command, "--help"], 0);
        assert!(out.contains("--key"), "{command}");
    }
    let (_, err) = expect(folder, &["run", "tiny.arch", "--input", "x.npy", "--weights", &fixture("twins.pth")], 1);
    assert!(err.contains("say which is meant: `--key student` or `--key teacher`"), "{err}");
}

#[test]
fn what_is_loaded_in_part_is_a_note_and_no_error() {
    let folder = workplace();
    let args = ["run", "tiny.arch", "--input", "x.npy", "--set", "classes=5", "--weights"];
    let plain = fixture("plain.pth");
    let plain = plain.as_str();
    for engine in ["plan", "candle"] {
        let given = [&args[..], &[plain, "--partial", "--engine", engine]].concat();
        let (_, err) = expect(folder.path(), &given, 0);
        assert!(!err.contains("error") && !err.contains("--partial"), "{err}");
        assert!(err.contains("6 of the 8 tensors of `Tiny` were loaded; 2 keep their initial values"), "{err}");
        assert!(err.contains("mis-shaped  fc.weight  [3, 8], want [5, 8]"), "{err}");
        let (_, err) = expect(folder.path(), &[&given[..], &["-q"]].concat(), 0);
        assert_eq!(err, "");
    }
    let (_, err) = expect(folder.path(), &[&args[..], &[plain]].concat(), 1);
    assert!(err.contains("error[E0812]") && err.contains("--set classes=3"), "{err}");
}

#[test]
fn a_folder_that_is_no_run_names_the_file_in_it() {
    let folder = workplace();
    let hub = folder.path().join("hub");
    std::fs::create_dir(&hub).unwrap();
    std::fs::copy(fixture("plain.safetensors"), hub.join("model.safetensors")).unwrap();
    let (_, err) = expect(folder.path(), &["run", "tiny.arch", "--input", "x.npy", "--weights", "hub"], 1);
    assert!(err.contains("it is a folder") && err.contains("--weights hub/model.safetensors"), "{err}");
}
