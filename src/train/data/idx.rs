//! IDX files (LeCun), plain or gzipped: MNIST, Fashion-MNIST, KMNIST, EMNIST.

use super::dataset::{Dataset, Pixels, TargetKind};
use super::elements::{Element, Header, Values, read_values};
use super::error::{DataError, Result};
use super::source::DataSpec;
use super::split::Split;
use super::stored::{Labels, Stored, fit};
use crate::base::command::quoted_path;
use crate::base::nearest::nearest;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where Debian's package puts Fashion-MNIST.
const FASHION: &str = "/usr/share/datasets/fashion-mnist";
const FASHION_CLASSES: [&str; 10] =
    ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];

/// `fashion-mnist`: Debian's copy.
pub fn fashion(want: &DataSpec) -> Result<Split> {
    let directory = Path::new(FASHION);
    if !directory.is_dir() {
        let (name, path) = ("fashion-mnist".to_string(), FASHION.to_string());
        return Err(DataError::NotInstalled { name, package: "dataset-fashion-mnist", path });
    }
    open(directory, FASHION_CLASSES.map(str::to_string).to_vec(), want)
}

/// Whether a directory's files look like IDX.
pub fn is_idx(files: &[String]) -> bool {
    files.iter().any(|f| plain_name(f).ends_with("train-images-idx3-ubyte"))
}

/// A directory of IDX files; `names` are the classes' where they are known.
pub fn open(directory: &Path, names: Vec<String>, want: &DataSpec) -> Result<Split> {
    let files = super::folder::names_in(directory)?;
    let train = part(directory, &files, "train", want)?.ok_or_else(|| {
        let found = "there is no `train-images-idx3-ubyte`".to_string();
        DataError::Layout { path: directory.display().to_string(), found, near: None }
    })?;
    let test = match (part(directory, &files, "t10k", want)?, part(directory, &files, "test", want)?) {
        (Some(test), Some(other)) => return Err(twice(directory, [&test.path, &other.path])),
        (test, other) => test.or(other),
    };
    let highest = train.labels.iter().copied().max().unwrap_or(0) as usize;
    let count = names.len().max(highest + 1);
    let kind = TargetKind::Class { count, names };
    let train = train.stored(want, kind.clone())?;
    let test = test.map(|part| part.stored(want, kind)).transpose()?;
    Ok(Split::new(train, test))
}

/// Images and labels, as read.
struct Part {
    path: PathBuf,
    dims: [usize; 3],
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Part {
    fn stored(self, want: &DataSpec, kind: TargetKind) -> Result<Arc<dyn Dataset>> {
        let labels = Labels::Classes(self.labels.into_iter().map(i32::from).collect());
        let name = self.path.display().to_string();
        let set = Stored::new(&name, self.dims, &want.shape, Pixels::Bytes(self.images), labels, kind)?;
        Ok(Arc::new(set))
    }
}

/// The images and labels of one part; `None` where it has neither.
///
/// # Errors
/// [`DataError::Meant`] where one of them is missing.
fn part(directory: &Path, files: &[String], part: &str, want: &DataSpec) -> Result<Option<Part>> {
    let [images, labels] = ["images-idx3", "labels-idx1"].map(|what| format!("{part}-{what}-ubyte"));
    let found = (find(directory, files, &images)?, find(directory, files, &labels)?);
    let (images, labels) = match found {
        (Some(images), Some(labels)) => (images, labels),
        (Some(there), None) => return Err(half(directory, &there, &labels, files)),
        (None, Some(there)) => return Err(half(directory, &there, &images, files)),
        (None, None) => return Ok(None),
    };
    let (shape, pixels) = read(&images, want.memory, |shape| match *shape {
        [_, h, w] => fit(&images.display().to_string(), [1, h, w], &want.shape).map(|_| ()),
        _ => Err(DataError::broken(images.display(), format!("images have 3 axes, and this has {}", shape.len()))),
    })?;
    let (_, classes) = read(&labels, want.memory, |shape| match shape {
        [_] => Ok(()),
        _ => Err(DataError::broken(labels.display(), format!("labels have 1 axis, and this has {}", shape.len()))),
    })?;
    Ok(Some(Part { path: images, dims: [1, shape[1], shape[2]], images: pixels, labels: classes }))
}

/// Images without labels, or labels without images; a file of a name like the missing one's may be meant.
fn half(directory: &Path, there: &Path, missing: &str, files: &[String]) -> DataError {
    let found = format!("there is `{}`, and no `{missing}`", name_of(there));
    let near = nearest(missing, files.iter().filter(|file| !is_known(file)).map(String::as_str));
    let help = match near {
        Some(near) => {
            let ending = if near.ends_with(".gz") { ".gz" } else { "" };
            let (from, to) = (directory.join(near), directory.join(format!("{missing}{ending}")));
            format!("is it `{near}`?  mv {} {}", quoted_path(&from), quoted_path(&to))
        }
        None => format!("add `{missing}`, plain or with `.gz`, or take the other out:  {}", put_aside(there)),
    };
    DataError::Meant { path: directory.display().to_string(), found, help }
}

/// Two parts to measure on.
fn twice(directory: &Path, [one, other]: [&Path; 2]) -> DataError {
    let found = format!("`{}` and `{}` are both named for the same part", name_of(one), name_of(other));
    let help = format!("keep one of them, and its labels:  {}", put_aside(other));
    DataError::Meant { path: directory.display().to_string(), found, help }
}

/// A command after which a file is none of a part's.
fn put_aside(file: &Path) -> String {
    let aside = PathBuf::from(format!("{}.unused", file.display()));
    format!("mv {} {}", quoted_path(file), quoted_path(&aside))
}

/// Whether a file's name is one that a part's files have.
fn is_known(file: &str) -> bool {
    ["images-idx3-ubyte", "labels-idx1-ubyte"].iter().any(|what| plain_name(file).ends_with(what))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The one file of this name, whatever stands before it (`emnist-digits-`) and with or without `.gz`.
fn find(directory: &Path, files: &[String], name: &str) -> Result<Option<PathBuf>> {
    let exact = files.iter().find(|f| plain_name(f) == name);
    let mut near = files.iter().filter(|f| plain_name(f).ends_with(name));
    let found = match (exact, near.next(), near.next()) {
        (Some(file), _, _) | (None, Some(file), None) => file,
        (None, Some(a), Some(b)) => {
            let found = format!("several sets lie in it (`{a}`, `{b}`): keep each in a directory of its own");
            return Err(DataError::Layout { path: directory.display().to_string(), found, near: None });
        }
        _ => return Ok(None),
    };
    Ok(Some(directory.join(found)))
}

/// `train-images.idx3-ubyte.gz` as `train-images-idx3-ubyte`.
fn plain_name(file: &str) -> String {
    file.strip_suffix(".gz").unwrap_or(file).replace(".idx", "-idx")
}

/// The shape and bytes of one file, its shape approved by `check` before anything large is read.
fn read(path: &Path, limit: u64, check: impl FnOnce(&[usize]) -> Result<()>) -> Result<(Vec<usize>, Vec<u8>)> {
    let name = path.display().to_string();
    let mut reader = unpacked(path)?;
    let short = |error: std::io::Error| DataError::broken(&name, format!("its header cannot be read: {error}"));
    let mut magic = [0u8; 4];
    reader.read_exact(&mut magic).map_err(short)?;
    let [0, 0, element, axes] = magic else {
        return Err(DataError::broken(&name, "it does not begin as an IDX file does"));
    };
    if element != 8 {
        return Err(DataError::broken(
            &name,
            format!("its values are of type 0x{element:02x}, and only bytes are read"),
        ));
    }
    let mut shape = Vec::new();
    for _ in 0..axes {
        let mut size = [0u8; 4];
        reader.read_exact(&mut size).map_err(short)?;
        shape.push(u32::from_be_bytes(size) as usize);
    }
    check(&shape)?;
    let header = Header { element: Element::U8, big_endian: true, shape };
    let Values::Bytes(values) = read_values(&mut reader, &header, &name, limit)? else {
        return Err(DataError::Internal("bytes were read as something else".into()));
    };
    match reader.read(&mut [0u8]) {
        Ok(0) => Ok((header.shape, values)),
        Ok(_) => Err(DataError::broken(&name, "it goes on after its last value")),
        Err(error) => Err(DataError::broken(&name, error.to_string())),
    }
}

/// A file's contents, unpacked where it is gzipped, whatever its name says.
fn unpacked(path: &Path) -> Result<Box<dyn Read>> {
    let open = || File::open(path).map_err(|error| DataError::io(path, &error));
    let mut magic = Vec::new();
    open()?.take(2).read_to_end(&mut magic).map_err(|error| DataError::io(path, &error))?;
    let file = BufReader::with_capacity(1 << 16, open()?);
    Ok(if magic == [0x1f, 0x8b] { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) })
}
