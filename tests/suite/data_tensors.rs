//! Files of tensors as data.

use super::data::{class, refusal, sample, text, write};
use archc::train::data::{DataSpec, Loader, LoaderOptions, Pixels, Target, TargetKind, Targets, open};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use std::io::Write;
use std::path::Path;

/// `.npy` bytes, as `numpy.save` writes them.
pub fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

pub fn npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn longs(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn npz_holds_classes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    let x: Vec<u8> = (0..24).collect();
    npz(
        &path,
        &[
            ("x", npy("|u1", "(4, 2, 3)", &x)),
            ("y", npy("<i8", "(4, 1)", &longs(&[0, 2, 1, 0]))),
            ("x_test", npy("|u1", "(1, 2, 3)", &x[..6])),
            ("y_test", npy("|u1", "(1,)", &[3])),
        ],
    );
    let split = open(text(&path), &DataSpec::new(&[1, 2, 3])).unwrap();
    assert_eq!(split.train.target(), &TargetKind::Class { count: 4, names: vec![] });
    assert_eq!((class(&sample(split.train.as_ref(), 1)), split.test.unwrap().len()), (2, 1));
    let batch = Loader::new(split.train, LoaderOptions::evaluation(4, 0)).unwrap().epoch(0).next().unwrap().unwrap();
    assert_eq!((batch.dims.as_slice(), batch.inputs[23]), (&[4, 1, 2, 3][..], 23.0 / 255.0));
}

#[test]
fn safetensors_hold_numbers_and_masks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.safetensors");
    let (x, y) = (floats(&[1.5, -2.0, 3.0, 4.0]), floats(&[0.5, 7.0]));
    let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
    serialize_to_file([("x", view(Dtype::F32, &[2, 2], &x)), ("y", view(Dtype::F32, &[2], &y))], None, &path).unwrap();
    let split = open(text(&path), &DataSpec::new(&[2])).unwrap();
    assert!(split.test.is_none() && split.evaluation().len() == 2);
    let batch = Loader::new(split.train, LoaderOptions::evaluation(2, 0)).unwrap().epoch(0).next().unwrap().unwrap();
    assert_eq!((batch.dims, batch.inputs), (vec![2, 2], vec![1.5, -2.0, 3.0, 4.0]));
    assert_eq!(batch.targets, Targets::Tensor(vec![0.5, 7.0], vec![2, 1]));

    let (x, y) = (floats(&[0.0; 8]), longs(&[0, 5, -100, 1, 2, 2, 2, 2]));
    let arrays = [("x", view(Dtype::F32, &[2, 1, 2, 2], &x)), ("y", view(Dtype::I64, &[2, 2, 2], &y))];
    serialize_to_file(arrays, None, &path).unwrap();
    let split = open(text(&path), &DataSpec::new(&[1, 2, 2])).unwrap();
    assert_eq!(split.train.target(), &TargetKind::Mask { classes: 6 });
    let first = sample(split.train.as_ref(), 0);
    assert!(matches!(&first.target, Target::Mask(m) if m == &[0, 5, -100, 1]));
    assert!(matches!(&first.pixels, Pixels::Floats(v) if v.len() == 4));
}

#[test]
fn broken_tensor_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    let y = || ("y", npy("<i8", "(2,)", &longs(&[0, 1])));
    let x = |shape: &str, data: &[u8]| ("x", npy("<f4", shape, data));
    let eight = floats(&[1.0; 8]);
    let check = |arrays: &[(&str, Vec<u8>)], expected: &str| {
        npz(&path, arrays);
        assert_eq!(refusal(&path, &[1, 2, 2]), expected, "{:?}", arrays[0].0);
    };
    check(&[y()], "E0802");
    check(&[x("(3, 1, 2, 2)", &floats(&[1.0; 12])), y()], "E0804");
    check(&[x("(2, 1, 2, 2)", &floats(&[1.0; 7])), y()], "E0804");
    check(&[x("(2, 1, 2, 2)", &floats(&[f32::NAN; 8])), y()], "E0804");
    check(&[x("(2, 2, 2, 1)", &eight), y()], "E0805");
    check(&[x("(4294967296, 4294967296, 2, 2)", &eight), y()], "E0809");
    check(&[x("(2, 1, 2, 2)", &eight), ("y", npy("<i8", "(2,)", &longs(&[0, i64::MAX])))], "E0804");
    check(&[x("(2, 1, 2, 2)", &eight), ("y", npy("|O", "(2,)", &[0; 16]))], "E0804");
    check(&[x("(2, 1, 2, 2)", &eight), ("y", npy("<f4", "()", &floats(&[f32::NAN])))], "E0804");
    check(&[("x", npy("<f4", "(0, 1, 2, 2)", &[])), ("y", npy("<i8", "(0,)", &[]))], "E0807");

    for (name, bytes) in
        [("b.npz", &b"PK\x03\x04 and then nothing"[..]), ("c.safetensors", &[255; 64]), ("d.safetensors", b"")]
    {
        write(dir.path(), name, bytes);
        assert_eq!(refusal(&dir.path().join(name), &[1, 2, 2]), "E0804", "{name}");
    }
    write(dir.path(), "e.txt", b"x");
    assert_eq!(refusal(&dir.path().join("e.txt"), &[1, 2, 2]), "E0802");
}

#[test]
fn labels_that_are_words_are_numbered_by_python_and_places_read_well() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    let x = || npy("|u1", "(2, 2, 3)", &[0; 12]);
    for (descr, kind) in [("<U3", "texts"), ("|S3", "texts"), ("|O", "Python objects")] {
        npz(&path, &[("x", x()), ("y", npy(descr, "(2,)", &[0; 24]))]);
        let fault = open(text(&path), &DataSpec::new(&[1, 2, 3])).err().unwrap().fault();
        assert!(fault.message.starts_with(&format!("`y` in `{}` holds {kind}", text(&path))), "{}", fault.message);
        assert!(fault.help.as_deref().unwrap().contains("np.unique(y.astype(str), return_inverse=True)"));
    }
    npz(&path, &[("x", x()), ("y", npy("|u1", "(2,)", &[0; 1]))]);
    let error = open(text(&path), &DataSpec::new(&[1, 2, 3])).err().unwrap().to_string();
    assert!(error.starts_with(&format!("`y` in `{}` is broken", text(&path))), "{error}");
    npz(&path, &[("x", npy("|u1", "(2, 3, 2, 2)", &[0; 24])), ("y", npy("|u1", "(2,)", &[0, 1]))]);
    let split = open(text(&path), &DataSpec::new(&[1, 2, 2])).unwrap();
    assert!(split.notes[0].ends_with("has 3 channels, and the model wants 1: RGB → grey"), "{:?}", split.notes);
}

#[test]
fn channels_last_is_told_how_to_change() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    npz(&path, &[("x", npy("|u1", "(1, 4, 5, 3)", &[0; 60])), ("y", npy("|u1", "(1,)", &[0]))]);
    let error = open(text(&path), &DataSpec::new(&[3, 4, 5])).err().unwrap();
    assert!(error.fault().help.clone().unwrap().contains("x.transpose(0, 3, 1, 2)"));
}

#[test]
fn arrays_come_in_three_parts_and_none_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    let part = |suffix: &str, count: usize| {
        let x = npy("|u1", &format!("({count}, 2, 3)"), &vec![7; 6 * count]);
        let y: Vec<u8> = (0..count as u8).collect();
        [(format!("x{suffix}"), x), (format!("y{suffix}"), npy("|u1", &format!("({count},)"), &y))]
    };
    let save = |arrays: &[(String, Vec<u8>)]| {
        npz(&path, &arrays.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect::<Vec<_>>());
    };
    for val in ["_val", "_valid", "_validation"] {
        save(&[part("_train", 5), part(val, 3), part("_test", 2)].concat());
        let split = open(text(&path), &DataSpec::new(&[1, 2, 3])).unwrap();
        assert_eq!((split.train.len(), split.choosing().len(), split.evaluation().len()), (5, 3, 2), "{val}");
        assert_eq!((split.once().map(|part| part.len()), split.warnings.len()), (Some(2), 0));
        assert_eq!((split.choosing_name(), split.evaluation_name()), ("the validation part", "the test part"));
    }
    save(&[part("", 5), part("_val", 3)].concat());
    let split = open(text(&path), &DataSpec::new(&[1, 2, 3])).unwrap();
    assert_eq!((split.choosing().len(), split.evaluation().len(), split.once().is_some()), (3, 3, false));

    let [x_test, y_test] = part("_test", 2);
    save(
        &[&part("", 5)[..], &[x_test, ("ytest".into(), y_test.1), ("names".into(), npy("|u1", "(1,)", &[0]))]].concat(),
    );
    let error = open(text(&path), &DataSpec::new(&[1, 2, 3])).err().unwrap();
    assert!(error.to_string().contains("it has `x_test`, and no `y_test`"), "{error}");
    assert!(error.fault().help.clone().unwrap().contains("d['y_test'] = d.pop('ytest')"));
    save(&[&part("", 5)[..], &[("names".into(), npy("|u1", "(1,)", &[0]))]].concat());
    let split = open(text(&path), &DataSpec::new(&[1, 2, 3])).unwrap();
    assert_eq!(split.warnings[0].code.0, "W0802");
    assert!(
        split.warnings[0].message.contains("1 array of") && split.warnings[0].message.ends_with("not read: `names`")
    );
}
