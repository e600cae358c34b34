//! What `archc run` reads and writes: tensors in files.

use super::arrays::ArrayFile;
use super::elements::{Array, Values};
use super::error::{DataError, Result};
use super::npy;
use super::photo::normalize;
use crate::base::atomic;
use crate::elaborate::recipe::Normalize;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Numbers with a shape, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorData {
    /// The shape, the batch included.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<f32>,
}

/// How an input is read.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The input's name, which an array in a file of several may have.
    pub name: &'a str,
    /// Its shape without the batch.
    pub shape: &'a [usize],
    /// The recipe's normalisation, for bytes.
    pub normalize: Option<&'a Normalize>,
    /// Bytes of memory it may take up.
    pub memory: u64,
}

/// Reads an input for a model.
///
/// Arrays (`.safetensors`, `.npy`, `.npz`) of bytes are scaled to 0–1 and normalised; of other numbers they are taken as
/// they are. An array without a batch axis gets one of size 1. Pictures are [`Photo`](super::photo::Photo)s.
///
/// # Errors
/// [`DataError::Format`] for another kind of file, or one that does not say which of its arrays is meant; what reading
/// reports.
pub fn read_input(path: &Path, reading: &Reading) -> Result<TensorData> {
    if !ArrayFile::knows(path) {
        let reason = "an input is a picture, or ends in `.safetensors`, `.npy` or `.npz`";
        return Err(format_error(path, reason));
    }
    let mut file = ArrayFile::open(path, reading.memory)?;
    let names = file.names();
    let name = match names.as_slice() {
        [one] => one,
        _ => {
            names.iter().find(|n| *n == reading.name).or_else(|| names.iter().find(|n| *n == "x")).ok_or_else(|| {
                let found = names.iter().take(6).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                format_error(path, format!("none of its arrays is named `{}` or `x`, but {found}", reading.name))
            })?
        }
    };
    let array = file.read(name)?;
    Ok(from_array(array, reading))
}

fn format_error(path: &Path, reason: impl Into<String>) -> DataError {
    DataError::Format { path: path.display().to_string(), reason: reason.into() }
}

fn from_array(array: Array, reading: &Reading) -> TensorData {
    let mut shape = array.shape;
    if shape.len() == reading.shape.len() {
        shape.insert(0, 1);
    }
    let bytes = matches!(array.values, Values::Bytes(_));
    let mut values = array.values.floats();
    if bytes {
        values.iter_mut().for_each(|v| *v /= 255.0);
        if let [_, channels, rest @ ..] = shape.as_slice() {
            normalize(&mut values, *channels, rest.iter().product(), reading.normalize);
        }
    }
    TensorData { shape, values }
}

/// Writes one tensor as `.npy`, `<f4`. The file is the old one or the new one at any moment.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_npy(path: &Path, tensor: &TensorData) -> Result<()> {
    let write = |file: &mut io::BufWriter<std::fs::File>| npy::write(file, &tensor.shape, &tensor.values);
    atomic::write_with(path, write).map_err(|error| DataError::io(path, &error))
}

/// Writes tensors by their names as `.safetensors`. The file is the old one or the new one at any moment.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_safetensors(path: &Path, tensors: &[(String, TensorData)]) -> Result<()> {
    use safetensors::tensor::{Dtype, TensorView, serialize};
    let refused = |error: safetensors::SafeTensorError| format_error(path, error.to_string());
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, t)| t.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, tensor), bytes)| {
        TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<std::result::Result<BTreeMap<_, _>, _>>().map_err(refused)?;
    let file = serialize(views, None).map_err(refused)?;
    atomic::write_bytes(path, &file).map_err(|error| DataError::io(path, &error))
}
