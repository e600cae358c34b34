//! `.safetensors`: eight bytes of length, a JSON header, and the numbers.
//!
//! Format: <https://github.com/huggingface/safetensors#format>. The same tensors always give the same bytes.

use super::checkpoint::{Contents, Stored, unreadable};
use super::element::Element;
use crate::base::{Diagnostic, codes};
use crate::lower::atomic;
use crate::lower::error::Result;
use candle_core::{DType, Tensor};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// The longest header that is read, in bytes; the format's own limit.
const MAX_HEADER: u64 = 100_000_000;

/// One tensor as the header has it.
#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// The header of a file, checked: every tensor lies in the file, has as many bytes as its sizes say, and
/// shares none with another.
pub(super) fn contents(path: &Path, file: &mut File) -> Result<Contents> {
    let damaged = |why: String| unreadable(path, why);
    let total = file.metadata().map_err(|e| damaged(e.to_string()))?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|_| damaged("it is no .safetensors file and no zip".into()))?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER || length > total - 8 {
        return Err(damaged(format!("its header would be {length} bytes long")).into());
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(|e| damaged(e.to_string()))?;
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&header).map_err(|e| damaged(format!("its header is no JSON object ({e})")))?;
    let data_at = 8 + length;
    let mut found = Contents::default();
    for (name, value) in header {
        if name == "__metadata__" {
            found.metadata = serde_json::from_value(value).map_err(|e| damaged(format!("its metadata: {e}")))?;
            continue;
        }
        let stored = tensor(name.clone(), value, data_at, total).map_err(|why| damaged(format!("`{name}` {why}")))?;
        found.tensors.push(stored);
    }
    refuse_overlaps(&found.tensors).map_err(damaged)?;
    Ok(found)
}

fn tensor(name: String, value: serde_json::Value, data_at: u64, total: u64) -> std::result::Result<Stored, String> {
    let info: Info = serde_json::from_value(value).map_err(|e| format!("has a damaged entry ({e})"))?;
    let element =
        Element::from_header(&info.dtype).ok_or_else(|| format!("is of type {}, which is not read", info.dtype))?;
    let (start, end) = info.data_offsets;
    let bytes = info.shape.iter().try_fold(element.bytes() as u64, |n, &d| n.checked_mul(d as u64));
    if end < start || bytes != Some(end - start) {
        return Err(format!("is {:?}, but has offsets {start} to {end}", info.shape));
    }
    if end > total - data_at {
        return Err("lies beyond the end of the file".into());
    }
    let (storage_at, storage_bytes) = (data_at + start, end - start);
    Ok(Stored { name, element, dims: info.shape, strides: None, start: 0, storage_at, storage_bytes })
}

fn refuse_overlaps(tensors: &[Stored]) -> std::result::Result<(), String> {
    let mut ranges: Vec<_> = tensors.iter().filter(|t| t.storage_bytes > 0).collect();
    ranges.sort_by_key(|t| t.storage_at);
    match ranges.windows(2).find(|pair| pair[0].storage_at + pair[0].storage_bytes > pair[1].storage_at) {
        Some(pair) => Err(format!("`{}` and `{}` overlap", pair[0].name, pair[1].name)),
        None => Ok(()),
    }
}

/// Writes tensors to a file, whole or not at all (see [`atomic`]). `metadata` are texts that travel along.
///
/// # Errors
/// `E0813` where the file cannot be written, or a tensor is of a type that has no name in the format.
pub fn write(path: &Path, tensors: &BTreeMap<String, Tensor>, metadata: &BTreeMap<String, String>) -> Result<()> {
    let unwritable = |why: String| {
        Diagnostic::new(codes::WEIGHTS_UNWRITABLE, format!("`{}` cannot be written: {why}", path.display()))
    };
    let header = header(tensors, metadata).map_err(unwritable)?;
    let fill = |file: &mut io::BufWriter<File>| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        tensors.values().try_for_each(|tensor| write_numbers(file, tensor))
    };
    Ok(atomic::write_with(path, fill).map_err(|e| unwritable(e.to_string()))?)
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
