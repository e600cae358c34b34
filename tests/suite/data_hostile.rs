//! Files changed at random: each opens or is refused, and nothing panics or grows.

use super::data::{code, text};
use archc::base::Rng;
use archc::train::data::{Loader, LoaderOptions, Want, open};
use std::io::Write;
use std::path::Path;

/// A change of a file: bytes overwritten, cut off, or repeated.
fn change(bytes: &mut Vec<u8>, rng: &mut Rng) {
    match rng.below(4) {
        0 => bytes.truncate(rng.below(bytes.len() + 1)),
        1 => bytes.extend_from_within(rng.below(bytes.len())..),
        _ => {
            // Headers come first, so half of the changes are there.
            let reach = if rng.below(2) == 0 { bytes.len().min(64) } else { bytes.len() };
            for _ in 0..1 + rng.below(4) {
                let at = rng.below(reach);
                bytes[at] = [0, 255, 128, rng.below(256) as u8][rng.below(4)];
            }
        }
    }
}

/// Changes `file` below `directory` many times and reads the data at `spec` each time.
fn survive(directory: &Path, file: &str, spec: &Path, shape: &[usize]) {
    let path = directory.join(file);
    let whole = std::fs::read(&path).unwrap();
    let want = Want { memory: 1 << 22, ..Want::new(shape) };
    assert!(open(text(spec), &want).is_ok(), "{file} does not open even unchanged");
    let mut rng = Rng::derive(7, file);
    for _ in 0..150 {
        let mut bytes = whole.clone();
        change(&mut bytes, &mut rng);
        std::fs::write(&path, bytes).unwrap();
        let result = open(text(spec), &want).and_then(|split| {
            let loader = Loader::new(split.train, LoaderOptions::training(4, 1))?;
            loader.epoch(0).try_for_each(|batch| batch.map(|_| ()))
        });
        if let Err(error) = result {
            assert!(code(error.clone()).starts_with("E08"), "{file}: {error}");
        }
    }
    std::fs::write(&path, whole).unwrap();
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn changed_idx_and_cifar_files_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 4][..], &[7; 96]].concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 0, 1, 2];
    std::fs::write(dir.path().join("train-images-idx3-ubyte.gz"), gz(&images)).unwrap();
    std::fs::write(dir.path().join("train-labels-idx1-ubyte"), labels).unwrap();
    survive(dir.path(), "train-images-idx3-ubyte.gz", dir.path(), &[1, 4, 4]);
    survive(dir.path(), "train-labels-idx1-ubyte", dir.path(), &[1, 4, 4]);

    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("data_batch_1.bin"), [3; 3073 * 2]).unwrap();
    survive(dir.path(), "data_batch_1.bin", dir.path(), &[3, 32, 32]);
}

#[test]
fn changed_images_and_masks_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let picture = image::RgbImage::from_fn(9, 7, |x, y| image::Rgb([(x * 20) as u8, (y * 30) as u8, (x ^ y) as u8]));
    for part in ["cat", "dog"] {
        std::fs::create_dir(dir.path().join(part)).unwrap();
        for name in ["0.png", "1.jpg", "2.png"] {
            picture.save(dir.path().join(part).join(name)).unwrap();
        }
    }
    survive(dir.path(), "cat/0.png", dir.path(), &[3, 5, 5]);
    survive(dir.path(), "dog/1.jpg", dir.path(), &[3, 5, 5]);

    let dir = tempfile::tempdir().unwrap();
    for part in ["images", "masks"] {
        std::fs::create_dir(dir.path().join(part)).unwrap();
        for i in 0..3 {
            let grey = image::GrayImage::from_fn(9, 7, |x, y| image::Luma([((x + y) % 3) as u8]));
            grey.save(dir.path().join(part).join(format!("{i}.png"))).unwrap();
        }
    }
    survive(dir.path(), "masks/1.png", dir.path(), &[1, 7, 9]);
}

#[test]
fn changed_tensor_files_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let npy = |shape: &str, data: &[u8]| {
        let header = format!("{{'descr': '|u1', 'fortran_order': True, 'shape': {shape}, }}\n");
        [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
    };
    let path = dir.path().join("a.npz");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (name, bytes) in [("x.npy", npy("(6, 1, 2, 2)", &[5; 24])), ("y.npy", npy("(6,)", &[0, 1, 2, 3, 4, 5]))] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap();
    survive(dir.path(), "a.npz", &path, &[1, 2, 2]);

    use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
    let path = dir.path().join("a.safetensors");
    let view = |shape: &[usize], bytes| TensorView::new(Dtype::U8, shape.to_vec(), bytes).unwrap();
    let arrays = [("x", view(&[6, 1, 2, 2], &[5; 24])), ("y", view(&[6], &[0, 1, 2, 3, 4, 5]))];
    serialize_to_file(arrays, None, &path).unwrap();
    survive(dir.path(), "a.safetensors", &path, &[1, 2, 2]);
}
