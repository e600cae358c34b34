//! Data sets in files: each format written here, read back, and broken.

use archc::elaborate::recipe::{Augment, Normalize};
use archc::train::data::{
    DataError, DataSpec, Dataset, Loader, LoaderOptions, Pixels, Sample, Target, TargetKind, Targets, open,
};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::Path;

fn idx(shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 8, shape.len() as u8];
    shape.iter().for_each(|&d| out.extend((d as u32).to_be_bytes()));
    out.extend_from_slice(bytes);
    out
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn write(directory: &Path, name: &str, bytes: &[u8]) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn code(error: DataError) -> &'static str {
    error.fault().code.0
}

/// Why the data at a path cannot be opened, as a code.
pub fn refusal(path: &Path, shape: &[usize]) -> &'static str {
    code(open(text(path), &DataSpec::new(shape)).err().expect("it opened"))
}

pub fn sample(data: &dyn Dataset, index: usize) -> Sample {
    let mut sample = Sample::default();
    data.get(index, &mut sample).unwrap();
    sample
}

pub fn bytes(sample: &Sample) -> &[u8] {
    match &sample.pixels {
        Pixels::Bytes(v) => v,
        Pixels::Floats(_) => panic!("floats"),
    }
}

pub fn class(sample: &Sample) -> i64 {
    match sample.target {
        Target::Class(class) => class,
        _ => panic!("no class"),
    }
}

/// Ten training images of 2 × 3 that count up, and four test images.
fn mnist_like(directory: &Path, pack: fn(&[u8]) -> Vec<u8>, suffix: &str) {
    let pixels: Vec<u8> = (0..60).collect();
    let part = |n: usize, name: &str| {
        let labels: Vec<u8> = (0..n as u8).map(|i| i % 3).collect();
        let images = pack(&idx(&[n, 2, 3], &pixels[..n * 6]));
        write(directory, &format!("{name}-images-idx3-ubyte{suffix}"), &images);
        write(directory, &format!("{name}-labels-idx1-ubyte{suffix}"), &pack(&idx(&[n], &labels)));
    };
    part(10, "train");
    part(4, "t10k");
}

#[test]
fn idx_files_are_read_plain_and_gzipped() {
    for (pack, suffix) in [((|b| b.to_vec()) as fn(&[u8]) -> Vec<u8>, ""), (gz, ".gz")] {
        let dir = tempfile::tempdir().unwrap();
        mnist_like(dir.path(), pack, suffix);
        let split = open(text(dir.path()), &DataSpec::new(&[1, 2, 3])).unwrap();
        assert_eq!((split.train.len(), split.test.as_ref().unwrap().len()), (10, 4));
        assert_eq!(split.train.target(), &TargetKind::Class { count: 3, names: vec![] });
        let third = sample(split.train.as_ref(), 2);
        assert_eq!((third.dims, bytes(&third), class(&third)), ([1, 2, 3], &[12, 13, 14, 15, 16, 17][..], 2));
    }
}

#[test]
fn broken_idx_files_are_refused() {
    type Change = (&'static str, fn(&mut Vec<u8>), &'static str);
    let changes: [Change; 7] = [
        ("train-images-idx3-ubyte", |b| b.truncate(40), "E0804"),
        ("train-images-idx3-ubyte", |b| b.push(0), "E0804"),
        ("train-images-idx3-ubyte", |b| b[0] = 9, "E0804"),
        ("train-images-idx3-ubyte", |b| b[2] = 13, "E0804"),
        ("train-images-idx3-ubyte", |b| b[4] = 255, "E0809"),
        ("train-labels-idx1-ubyte", |b| b.truncate(6), "E0804"),
        ("train-labels-idx1-ubyte", |b| *b = idx(&[9], &[0; 9]), "E0804"),
    ];
    for (file, change, expected) in changes {
        let dir = tempfile::tempdir().unwrap();
        mnist_like(dir.path(), |b| b.to_vec(), "");
        let mut bytes = std::fs::read(dir.path().join(file)).unwrap();
        change(&mut bytes);
        write(dir.path(), file, &bytes);
        let error = open(text(dir.path()), &DataSpec { memory: 1 << 20, ..DataSpec::new(&[1, 2, 3]) }).err().unwrap();
        assert_eq!(code(error), expected, "{file}");
    }
}

#[test]
fn idx_images_and_labels_come_together() {
    for (from, to, says) in [
        ("t10k-labels-idx1-ubyte", "t10k-label-idx1-ubyte", "there is `t10k-images-idx3-ubyte`, and no `t10k-labels"),
        ("t10k-images-idx3-ubyte", "t10k-images", "there is `t10k-labels-idx1-ubyte`, and no `t10k-images"),
        ("train-labels-idx1-ubyte", "labels", "there is `train-images-idx3-ubyte`, and no `train-labels"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        mnist_like(dir.path(), |b| b.to_vec(), "");
        std::fs::rename(dir.path().join(from), dir.path().join(to)).unwrap();
        let error = open(text(dir.path()), &DataSpec::new(&[1, 2, 3])).err().unwrap();
        assert!(error.to_string().contains(says), "{error}");
        let help = error.fault().help.clone().unwrap();
        assert!(
            help.contains("mv ") && (to != "t10k-label-idx1-ubyte" || help.contains("is it `t10k-label-")),
            "{help}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    mnist_like(dir.path(), |b| b.to_vec(), "");
    for what in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        std::fs::copy(dir.path().join(format!("t10k-{what}")), dir.path().join(format!("test-{what}"))).unwrap();
    }
    assert_eq!(refusal(dir.path(), &[1, 2, 3]), "E0802");
}

#[test]
fn a_gzip_bomb_is_refused_before_it_unpacks() {
    let dir = tempfile::tempdir().unwrap();
    mnist_like(dir.path(), gz, ".gz");
    write(dir.path(), "train-images-idx3-ubyte.gz", &gz(&idx(&[50_000_000, 2, 3], &[0; 1 << 20])));
    let want = DataSpec { memory: 64 << 20, ..DataSpec::new(&[1, 2, 3]) };
    assert_eq!(code(open(text(dir.path()), &want).err().unwrap()), "E0809");
}

#[test]
fn sizes_that_do_not_fit_say_so() {
    let dir = tempfile::tempdir().unwrap();
    mnist_like(dir.path(), |b| b.to_vec(), "");
    let error = open(text(dir.path()), &DataSpec::new(&[1, 28, 28])).err().unwrap();
    assert!(matches!(&error, DataError::Size { has, .. } if has == &[1, 2, 3]));
    assert!(error.fault().help.clone().unwrap().contains("--size 2x3"));
    assert_eq!(open(text(dir.path()), &DataSpec::new(&[6])).unwrap().train.input_shape(), [6]);
}

#[test]
fn fashion_mnist_is_found_where_debian_puts_it() {
    if !Path::new("/usr/share/datasets/fashion-mnist").is_dir() {
        let error = open("fashion-mnist", &DataSpec::new(&[1, 28, 28])).err().unwrap();
        assert!(error.fault().help.clone().unwrap().contains("dataset-fashion-mnist"));
        return;
    }
    let split = open("fashion-mnist", &DataSpec::new(&[1, 28, 28])).unwrap();
    assert_eq!((split.train.len(), split.test.as_ref().unwrap().len()), (60_000, 10_000));
    let TargetKind::Class { count, names } = split.train.target() else { panic!() };
    assert_eq!((*count, names[9].as_str()), (10, "ankle boot"));
    // The first training image is an ankle boot; torchvision gives the same sum of its bytes.
    let first = sample(split.train.as_ref(), 0);
    assert_eq!((class(&first), bytes(&first).iter().map(|&b| b as u32).sum::<u32>()), (9, 76_247));
}

fn cifar_record(labels: &[u8], first: u8) -> Vec<u8> {
    let mut record = labels.to_vec();
    record.extend((0..3072).map(|i| if i == 0 { first } else { (i % 251) as u8 }));
    record
}

#[test]
fn cifar_binaries_are_read() {
    let dir = tempfile::tempdir().unwrap();
    for batch in 1..=2u8 {
        let records = [cifar_record(&[batch], batch), cifar_record(&[9], 7)].concat();
        write(dir.path(), &format!("data_batch_{batch}.bin"), &records);
    }
    write(dir.path(), "test_batch.bin", &cifar_record(&[3], 1));
    let split = open(text(dir.path()), &DataSpec::new(&[3, 32, 32])).unwrap();
    assert_eq!((split.train.len(), split.test.as_ref().unwrap().len()), (4, 1));
    let third = sample(split.train.as_ref(), 2);
    assert_eq!((class(&third), bytes(&third)[0], bytes(&third)[1]), (2, 2, 1));

    write(dir.path(), "data_batch_1.bin", &cifar_record(&[10], 0));
    assert_eq!(refusal(dir.path(), &[3, 32, 32]), "E0806");
    write(dir.path(), "data_batch_1.bin", &[0; 3000]);
    assert_eq!(refusal(dir.path(), &[3, 32, 32]), "E0804");

    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "train.bin", &cifar_record(&[3, 77], 5));
    write(dir.path(), "test.bin", &cifar_record(&[3, 78], 5));
    let split = open(text(dir.path()), &DataSpec::new(&[1, 32, 32])).unwrap();
    assert_eq!(class(&sample(split.train.as_ref(), 0)), 77);
    assert_eq!(sample(split.train.as_ref(), 0).dims, [1, 32, 32]);
}

#[test]
fn names_that_are_nearly_right_are_recognised() {
    let error = open("builtin:digit", &DataSpec::new(&[1, 8, 8])).err().unwrap();
    assert_eq!(error.fault().help.as_deref(), Some("did you mean `builtin:digits`?"));
    let help = |spec: &str| open(spec, &DataSpec::new(&[1, 8, 8])).err().unwrap().fault().help.clone().unwrap();
    assert!(help("digits-canvas").contains("`builtin:digits-canvas`"));
    assert!(help("CIFAR-10").contains("cifar-10-binary.tar.gz"));
    assert_eq!(refusal(Path::new("/no/such/thing"), &[1, 8, 8]), "E0801");
    let dir = tempfile::tempdir().unwrap();
    mnist_like(&dir.path().join("mnist/raw"), |b| b.to_vec(), "");
    assert!(help(text(dir.path())).contains("mnist/raw"));
    assert!(help(&format!("{}/mnst", text(dir.path()))).contains("/mnist`"));
}

#[test]
fn batches_are_the_same_from_any_place_and_any_number_of_threads() {
    let data = open("builtin:digits", &DataSpec::new(&[1, 8, 8])).unwrap().train;
    let loader =
        |threads| Loader::new(data.clone(), LoaderOptions { threads, ..LoaderOptions::training(64, 5) }).unwrap();
    let count = loader(1).batches_per_epoch();
    assert_eq!(count, 1442usize.div_ceil(64));
    let all: Vec<_> = loader(1).stream(Default::default()).take(2 * count).map(|b| b.unwrap()).collect();
    assert!(all.iter().enumerate().all(|(i, b)| (b.epoch, b.index) == (i / count, i % count)));
    assert!(all[count - 1].last && !all[count].last);
    let from = archc::train::data::Position { epoch: 0, batch: 7 };
    let rest: Vec<_> = loader(3).stream(from).take(2 * count - 7).map(|b| b.unwrap()).collect();
    assert!(rest == all[7..]);
    let mut seen: Vec<usize> = all[..count].iter().flat_map(|b| b.samples.clone()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..1442).collect::<Vec<_>>());
    let Targets::Classes(classes) = &all[0].targets else { panic!() };
    assert_eq!((all[0].dims.as_slice(), classes.len()), (&[64, 1, 8, 8][..], 64));
}

#[test]
fn augmentation_differs_between_epochs_and_leaves_evaluation_alone() {
    let data = open("builtin:digits", &DataSpec::new(&[1, 8, 8])).unwrap().train;
    let options = LoaderOptions { augment: vec![Augment::Shift(2)], shuffle: false, ..LoaderOptions::training(64, 5) };
    let first = |options: &LoaderOptions, epoch| {
        Loader::new(data.clone(), options.clone()).unwrap().epoch(epoch).next().unwrap().unwrap().inputs
    };
    assert_ne!(first(&options, 0), first(&options, 1));
    assert_ne!(first(&options, 0), first(&LoaderOptions { seed: 6, ..options.clone() }, 0));
    let plain = LoaderOptions::evaluation(64, 5);
    assert_eq!(first(&plain, 0), first(&plain, 1));
    let normalize = Some(Normalize { mean: vec![0.25], std: vec![0.5] });
    let normal = first(&LoaderOptions { normalize, ..plain.clone() }, 0);
    assert!(normal.iter().zip(first(&plain, 0)).all(|(n, p)| (n - (p - 0.25) / 0.5).abs() < 1e-6));
}

#[test]
fn what_cannot_be_done_is_refused() {
    let data = open("builtin:digits", &DataSpec::new(&[1, 8, 8])).unwrap().train;
    let refused = |options: LoaderOptions| {
        let batch = Loader::new(data.clone(), options).and_then(|loader| loader.epoch(0).next().unwrap());
        code(batch.unwrap_err())
    };
    let augment = vec![Augment::Cutout(64)];
    assert_eq!(refused(LoaderOptions { augment, ..LoaderOptions::training(8, 1) }), "E0820");
    let normalize = Some(Normalize { mean: vec![0.5; 3], std: vec![0.5; 3] });
    assert_eq!(refused(LoaderOptions { normalize, ..LoaderOptions::training(8, 1) }), "E0821");
}

#[test]
fn mixup_mixes_inputs_and_names_both_targets() {
    let data = open("builtin:digits", &DataSpec::new(&[1, 8, 8])).unwrap().train;
    let options = LoaderOptions { augment: vec![Augment::Mixup(1.0)], ..LoaderOptions::training(32, 5) };
    let mixed = Loader::new(data.clone(), options.clone()).unwrap().epoch(0).next().unwrap().unwrap();
    let plain = LoaderOptions { augment: vec![], ..options };
    let plain = Loader::new(data, plain).unwrap().epoch(0).next().unwrap().unwrap();
    let mix = mixed.mix.unwrap();
    assert!((0.0..=1.0).contains(&mix.lambda) && mixed.targets == plain.targets);
    let (Targets::Classes(own), Targets::Classes(other)) = (&mixed.targets, &mix.other) else { panic!() };
    let mut sorted = [own.clone(), other.clone()];
    sorted.iter_mut().for_each(|list| list.sort_unstable());
    assert_eq!(sorted[0], sorted[1]);
    // Each mixed input is λ of its own and 1 − λ of an input with the other target.
    for (i, row) in mixed.inputs.chunks(64).enumerate() {
        let fits = |j: usize| {
            let pair = plain.inputs[i * 64..].iter().zip(&plain.inputs[j * 64..]);
            row.iter().zip(pair).all(|(m, (a, b))| (m - (mix.lambda * a + (1.0 - mix.lambda) * b)).abs() < 1e-5)
        };
        assert!((0..32).any(|j| own[j] == other[i] && fits(j)), "row {i}");
    }
}
