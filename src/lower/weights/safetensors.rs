//! Tensors into `.safetensors` files.
//!
//! Format: <https://github.com/huggingface/safetensors#format>. The same tensors always give the same bytes.

use crate::base::unwritable::unwritable;
use crate::base::{Diagnostic, codes};
use crate::lower::atomic;
use crate::lower::error::Result;
use candle_core::{DType, Tensor};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Writes tensors to a file, whole or not at all (see [`atomic`]). `metadata` are texts that travel along.
///
/// # Errors
/// `E0813` where the file cannot be written, or a tensor is of a type that has no name in the format.
pub fn write(path: &Path, tensors: &BTreeMap<String, Tensor>, metadata: &BTreeMap<String, String>) -> Result<()> {
    let unfit = |why: String| {
        Diagnostic::new(codes::WEIGHTS_UNWRITABLE, format!("`{}` cannot be written: {why}", path.display()))
    };
    let header = header(tensors, metadata).map_err(unfit)?;
    let fill = |file: &mut io::BufWriter<File>| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        tensors.values().try_for_each(|tensor| write_numbers(file, tensor))
    };
    Ok(atomic::write_with(path, fill).map_err(|error| unwritable(codes::WEIGHTS_UNWRITABLE, path, &error))?)
}

/// The JSON header, filled with spaces so that the numbers start at a multiple of eight bytes.
fn header(
    tensors: &BTreeMap<String, Tensor>,
    metadata: &BTreeMap<String, String>,
) -> std::result::Result<Vec<u8>, String> {
    let mut map = serde_json::Map::new();
    map.insert("__metadata__".into(), serde_json::json!(metadata));
    let mut at = 0;
    for (name, tensor) in tensors {
        let dtype =
            type_name(tensor.dtype()).ok_or_else(|| format!("`{name}` is of type {}", tensor.dtype().as_str()))?;
        let end = at + tensor.elem_count() * tensor.dtype().size_in_bytes();
        map.insert(
            name.clone(),
            serde_json::json!({"dtype": dtype, "shape": tensor.dims(), "data_offsets": [at, end]}),
        );
        at = end;
    }
    let mut bytes = serde_json::to_vec(&map).map_err(|e| e.to_string())?;
    bytes.resize(bytes.len().next_multiple_of(8), b' ');
    Ok(bytes)
}

fn type_name(dtype: DType) -> Option<&'static str> {
    Some(match dtype {
        DType::F64 => "F64",
        DType::F32 => "F32",
        DType::I64 => "I64",
        DType::I32 => "I32",
        DType::I16 => "I16",
        DType::U8 => "U8",
        _ => return None,
    })
}

fn write_numbers(file: &mut impl Write, tensor: &Tensor) -> io::Result<()> {
    macro_rules! numbers {
        ($ty:ty) => {{
            let list = tensor.flatten_all().and_then(|t| t.to_vec1::<$ty>()).map_err(io::Error::other)?;
            list.chunks(1 << 14).try_for_each(|part| {
                file.write_all(&part.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
            })
        }};
    }
    match tensor.dtype() {
        DType::F64 => numbers!(f64),
        DType::F32 => numbers!(f32),
        DType::I64 => numbers!(i64),
        DType::I32 => numbers!(i32),
        DType::I16 => numbers!(i16),
        DType::U8 => numbers!(u8),
        other => Err(io::Error::other(format!("numbers of type {} are not written", other.as_str()))),
    }
}
