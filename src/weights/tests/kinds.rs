//! What is no file of weights is called what it is; a model in several files is read whole.

use super::*;

fn refused(name: &str, bytes: &[u8]) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let error = WeightFile::open(&path).unwrap_err();
    assert_eq!(error.code.0, "E0810", "{name}");
    (error.message, error.help.map(String::from).unwrap_or_default())
}

#[test]
fn other_files_are_called_what_they_are() {
    let cases: [(&str, &[u8], &str, &str); 11] = [
        (
            "lfs.safetensors",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
            "git-lfs pointer",
            "git lfs pull",
        ),
        ("page.pth", b"\n<!DOCTYPE html><html></html>", "a web page", "browser"),
        ("none.pth", b"", "is empty", "fetch it again"),
        ("keras.h5", b"\x89HDF\r\n\x1a\n....", "HDF5", "h5py"),
        ("net.onnx", b"\x08\x08\x12\x07pytorch", "ONNX", "archc import"),
        ("net.pth", b"\x08\x08\x12\x07pytorch\x1a\x05", "ONNX", "archc import"),
        ("net.tflite", b"\x1c\0\0\0TFL3\0\0", "TensorFlow Lite", "tf2onnx"),
        ("one.npy", b"\x93NUMPY\x01\0", "one numpy array", "save_file"),
        ("packed.pth", b"\x1f\x8b\x08\0", "compressed", "unpack"),
        ("config.json", b"{\"hidden\": 3}", "without a `weight_map`", "model.safetensors"),
        ("said.pth", b"Access denied\n", "a text", "fetch the file"),
    ];
    for (name, bytes, what, remedy) in cases {
        let (message, help) = refused(name, bytes);
        assert!(message.contains(what), "{name}: {message}");
        assert!(help.contains(remedy), "{name}: {help}");
    }
    // The fix can be pasted: it has the file's own path.
    let (_, help) = refused("net.onnx", b"\x08\x08\x12\x07pytorch");
    assert!(help.ends_with("/net.onnx") && !help.contains("FILE"), "{help}");
    let (message, help) = refused("bare.pkl", b"\x80\x04}.");
    assert!(message.contains("bare pickle") && help.contains("torch.save"), "{message}");
    let error = WeightFile::open(&fixture("script.pt")).unwrap_err();
    assert!(error.message.contains("TorchScript") && error.help.unwrap().contains("state_dict()"), "{}", error.message);
}

#[test]
fn files_that_are_cut_short_say_so() {
    for name in ["plain.pth", "plain.safetensors", "legacy.pth"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let (message, help) = refused(name, &bytes[..bytes.len() - 7]);
        assert!(message.contains("cut short") && help.contains("fetch it again"), "{name}: {message}");
    }
}

#[test]
fn a_file_of_another_machine_is_not_fetched_again() {
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    let facts = b"\x80\x02}X\x0d\x00\x00\x00little_endian\x89s.";
    let (message, help) = refused("old.pth", &[&magic[..], facts].concat());
    assert!(message.ends_with("its numbers are big-endian") && help.contains("little-endian machine"), "{message}");
    let (message, help) = refused("odd.pth", &[&magic[..], b"\x80\x02\xff"].concat());
    assert!(message.contains("instruction") && help.is_empty(), "{message}: {help}");
}

#[test]
fn a_folder_names_the_file_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let error = WeightFile::open(dir.path()).unwrap_err();
    assert!(error.message.ends_with("it is a folder"), "{}", error.message);
    for name in ["model.safetensors", "config.json", "other.bin"] {
        std::fs::write(dir.path().join(name), b"x").unwrap();
    }
    let help = WeightFile::open(dir.path()).unwrap_err().help.unwrap();
    assert!(help.ends_with("model.safetensors"), "{help}");
    assert_eq!(in_folder(dir.path()).unwrap().file_name().unwrap(), "model.safetensors");
    std::fs::remove_file(dir.path().join("model.safetensors")).unwrap();
    std::fs::remove_file(dir.path().join("other.bin")).unwrap();
    for name in ["optimizer.pt", "rng_state.pth", "scheduler.pt", "training_args.bin"] {
        std::fs::write(dir.path().join(name), b"x").unwrap();
    }
    assert_eq!(in_folder(dir.path()), None);
}

#[test]
fn a_model_in_several_files_is_read_by_its_list() {
    let (network, dir) = (network(), tempfile::tempdir().unwrap());
    let mut map = serde_json::Map::new();
    for shard in 0..2 {
        let name = format!("model-{:05}-of-00002.safetensors", shard + 1);
        let mut tensors = BTreeMap::new();
        for (i, (path, spec)) in network.graph.named_params().into_iter().enumerate() {
            if i % 2 == shard {
                let count = spec.dims.iter().product();
                map.insert(path.clone(), name.clone().into());
                tensors.insert(path, (spec.dims, vec![i as f32; count]));
            }
        }
        written(&dir.path().join(name), &tensors);
    }
    let list = dir.path().join("model.safetensors.index.json");
    std::fs::write(&list, serde_json::json!({"metadata": {}, "weight_map": map}).to_string()).unwrap();
    let (numbers, report) = Numbers::load(&network, &list, Fit::Strict, 0).unwrap();
    assert_eq!(report.notes, ["it is a list of 2 files, which were read together"]);
    for (i, (path, _)) in network.graph.named_params().into_iter().enumerate() {
        assert_eq!(numbers.get(&path).unwrap()[0], i as f32, "{path}");
    }
    let outside = serde_json::json!({"weight_map": {"a": "../secret.safetensors"}});
    std::fs::write(&list, outside.to_string()).unwrap();
    assert!(WeightFile::open(&list).unwrap_err().message.contains("no file beside it"));
}

#[test]
fn a_file_without_tensors_says_what_it_has() {
    // {"epoch": 3}
    let pickle = b"\x80\x02}X\x05\x00\x00\x00epochK\x03s.";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.pth");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    archive.start_file("none/data.pkl", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, pickle).unwrap();
    archive.finish().unwrap();
    let error = Numbers::load(&network(), &path, Fit::Strict, 0).unwrap_err();
    assert_eq!(error.code.0, "E0810");
    assert!(error.message.ends_with("it holds no tensor; its keys are `epoch` (a number)"), "{}", error.message);
}
