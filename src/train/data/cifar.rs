//! CIFAR-10 and CIFAR-100, binary version (Krizhevsky 2009): records of one or two label bytes and 3 × 32 × 32 pixels.

use super::dataset::{Dataset, Pixels, TargetKind};
use super::error::{DataError, Result};
use super::folder::names_in;
use super::source::DataSpec;
use super::split::Split;
use super::stored::{Labels, Stored, fit};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

const DIMS: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;

/// How one of the two sets is laid out.
struct Format {
    /// Label bytes of a record; the last is the class.
    labels: usize,
    classes: usize,
    names: &'static str,
}

const CIFAR10: Format = Format { labels: 1, classes: 10, names: "batches.meta.txt" };
const CIFAR100: Format = Format { labels: 2, classes: 100, names: "fine_label_names.txt" };

/// Whether a directory's files look like CIFAR's.
pub fn is_cifar(files: &[String]) -> bool {
    let has = |name: &str| files.iter().any(|f| f == name);
    files.iter().any(|f| is_batch(f)) || (has("train.bin") && has("test.bin"))
}

/// What to say of CIFAR's Python version, which cannot be read: a pickle can run code.
pub fn pickled(files: &[String]) -> Option<&'static str> {
    let has = |name: &str| files.iter().any(|f| f == name);
    if has("data_batch_1") && has("batches.meta") {
        return Some("these are CIFAR-10's Python pickles; the binary version, `cifar-10-binary.tar.gz`, is read");
    }
    let hundred = has("train") && has("test") && has("meta");
    hundred.then_some("these are CIFAR-100's Python pickles; the binary version, `cifar-100-binary.tar.gz`, is read")
}

fn is_batch(file: &str) -> bool {
    file.starts_with("data_batch_") && file.ends_with(".bin")
}

/// A directory of CIFAR-10 or CIFAR-100 binaries.
pub fn open(directory: &Path, want: &DataSpec) -> Result<Split> {
    fit(&directory.display().to_string(), DIMS, &want.shape)?;
    let files = names_in(directory)?;
    let batches: Vec<&str> = files.iter().map(String::as_str).filter(|f| is_batch(f)).collect();
    let (format, train, test) = if batches.is_empty() {
        (CIFAR100, vec!["train.bin"], "test.bin")
    } else {
        (CIFAR10, batches, "test_batch.bin")
    };
    let names = class_names(&directory.join(format.names), format.classes);
    let kind = TargetKind::Class { count: format.classes, names };
    let part = |files: &[&str]| -> Result<Arc<dyn Dataset>> {
        let (mut pixels, mut classes) = (Vec::new(), Vec::new());
        for file in files {
            read(&directory.join(file), &format, want, &mut pixels, &mut classes)?;
        }
        let name = directory.display().to_string();
        let (values, labels) = (Pixels::Bytes(pixels), Labels::Classes(classes));
        Ok(Arc::new(Stored::new(&name, DIMS, &want.shape, values, labels, kind.clone())?))
    };
    let test = files.iter().any(|f| f == test).then(|| part(&[test])).transpose()?;
    Ok(Split::new(part(&train)?, test))
}

/// Appends the records of one file.
fn read(path: &Path, format: &Format, want: &DataSpec, pixels: &mut Vec<u8>, classes: &mut Vec<i32>) -> Result<()> {
    let file = File::open(path).map_err(|error| DataError::io(path, &error))?;
    let bytes = file.metadata().map_err(|error| DataError::io(path, &error))?.len();
    let record = format.labels + PIXELS;
    if bytes % record as u64 != 0 {
        let reason = format!("its {bytes} bytes are no whole number of records of {record} bytes");
        return Err(DataError::broken(path.display(), reason));
    }
    if pixels.len() as u64 + bytes > want.memory {
        return Err(DataError::TooLarge { path: path.display().to_string(), bytes, limit: want.memory });
    }
    let mut reader = BufReader::new(file);
    let mut buffer = vec![0u8; record];
    for row in 0..bytes / record as u64 {
        reader.read_exact(&mut buffer).map_err(|error| DataError::io(path, &error))?;
        let label = buffer[format.labels - 1] as i32;
        if label as usize >= format.classes {
            let place = format!("{}, record {row}", path.display());
            return Err(DataError::Label { place, label: label as i64, classes: format.classes });
        }
        classes.push(label);
        pixels.extend_from_slice(&buffer[format.labels..]);
    }
    Ok(())
}

/// The names in a text file, one a line; none where the file is missing or has another number of them.
fn class_names(path: &Path, count: usize) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let names: Vec<String> = text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_string).collect();
    if names.len() == count { names } else { Vec::new() }
}
