//! `.safetensors`: eight bytes of length, a JSON header, and the numbers.
//!
//! Format: <https://github.com/huggingface/safetensors#format>. The same tensors always give the same bytes.

use super::Result;
use super::contents::{Contents, Other};
use super::element::Element;
use super::file::unreadable;
use super::kind;
use super::stored::Stored;
use serde::Deserialize;
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
pub(super) fn contents(path: &Path, bytes: &[u8]) -> Result<Contents> {
    let damaged = |why: String| Box::new(unreadable(path, why));
    let short = |why: String| Box::new(unreadable(path, why).help(kind::AGAIN));
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return Err(damaged("it is neither a .safetensors file nor one that `torch.save` wrote".into()));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER {
        return Err(damaged("it is neither a .safetensors file nor one that `torch.save` wrote".into()));
    }
    let header = usize::try_from(length).ok().and_then(|n| rest.get(..n));
    let header = header.ok_or_else(|| short(format!("it is cut short: its header is {length} bytes long")))?;
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|e| damaged(format!("its header is no JSON object ({e})")))?;
    let (data_at, total) = (8 + length, bytes.len() as u64);
    let mut found = Contents::default();
    for (name, value) in header {
        if name == "__metadata__" {
            found.metadata = serde_json::from_value(value).map_err(|e| damaged(format!("its metadata: {e}")))?;
            continue;
        }
        let info: Info =
            serde_json::from_value(value).map_err(|e| damaged(format!("`{name}` has a damaged entry ({e})")))?;
        let Some(element) = Element::from_header(&info.dtype) else {
            found.others.push(Other { name, dict: 0, class: info.dtype });
            continue;
        };
        if info.data_offsets.1 > total - data_at {
            let (has, want) = (total, data_at.saturating_add(info.data_offsets.1));
            return Err(short(format!("it is cut short: it has {has} bytes, and `{name}` would end at {want}")));
        }
        let stored = tensor(name.clone(), element, info, data_at);
        found.tensors.push(stored.map_err(|why| damaged(format!("`{name}` {why}")))?);
    }
    refuse_overlaps(&found.tensors).map_err(damaged)?;
    Ok(found)
}

fn tensor(name: String, element: Element, info: Info, data_at: u64) -> std::result::Result<Stored, String> {
    let (start, end) = info.data_offsets;
    let bytes = info.shape.iter().try_fold(element.bytes() as u64, |n, &d| n.checked_mul(d as u64));
    if end < start || bytes != Some(end - start) {
        return Err(format!("is {:?}, but has offsets {start} to {end}", info.shape));
    }
    let (storage_at, storage_bytes) = (data_at + start, end - start);
    Ok(Stored {
        name,
        dict: 0,
        element,
        dims: info.shape,
        strides: None,
        start: 0,
        shard: 0,
        storage_at,
        storage_bytes,
    })
}

fn refuse_overlaps(tensors: &[Stored]) -> std::result::Result<(), String> {
    let mut ranges: Vec<_> = tensors.iter().filter(|t| t.storage_bytes > 0).collect();
    ranges.sort_by_key(|t| t.storage_at);
    match ranges.windows(2).find(|pair| pair[0].storage_at + pair[0].storage_bytes > pair[1].storage_at) {
        Some(pair) => Err(format!("`{}` and `{}` overlap", pair[0].name, pair[1].name)),
        None => Ok(()),
    }
}
