//! Constants: initializers, and what is computed from constants alone.

use super::super::proto::{EXTERNAL, TensorProto, dtype};
use crate::weights::Element;
use prost::bytes::Bytes;
use std::borrow::Cow;
use std::path::{Component, Path};

/// The most elements of a constant that is computed with, rather than only handed on.
pub const SMALL: usize = 1 << 16;

/// A tensor whose numbers are known.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Sizes.
    pub dims: Vec<usize>,
    /// The initializer's name; empty for what was computed.
    pub name: String,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    Stored(Bytes, Element),
    Numbers(Vec<f64>),
    Floats(Vec<f32>),
    /// Sizes only, where somebody only asks for them.
    Whole(Vec<i64>),
}

impl Tensor {
    /// Numbers that were computed.
    pub fn of(dims: Vec<usize>, numbers: Vec<f64>) -> Self {
        Self { dims, name: String::new(), data: Data::Numbers(numbers) }
    }

    /// Whole numbers along one axis.
    pub fn whole(numbers: Vec<i64>) -> Self {
        Self { dims: vec![numbers.len()], name: String::new(), data: Data::Whole(numbers) }
    }

    /// Numbers of single precision.
    pub fn floats_of(dims: Vec<usize>, numbers: Vec<f32>, name: &str) -> Self {
        Self { dims, name: name.into(), data: Data::Floats(numbers) }
    }

    /// Elements.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// All numbers, in single precision.
    pub fn floats(&self) -> Cow<'_, [f32]> {
        match &self.data {
            Data::Stored(bytes, element) => Cow::Owned(element.floats(bytes)),
            Data::Numbers(numbers) => Cow::Owned(numbers.iter().map(|&n| n as f32).collect()),
            Data::Floats(floats) => Cow::Borrowed(floats),
            Data::Whole(numbers) => Cow::Owned(numbers.iter().map(|&n| n as f32).collect()),
        }
    }

    /// The numbers of a small constant; single precision as its shortest text says, so that 0.1 is 0.1.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        if self.len() > SMALL {
            return None;
        }
        Some(match &self.data {
            Data::Numbers(numbers) => numbers.clone(),
            Data::Whole(numbers) => numbers.iter().map(|&n| n as f64).collect(),
            Data::Floats(floats) => floats.iter().map(|&x| shortest(x)).collect(),
            Data::Stored(bytes, Element::I64) => {
                bytes.as_chunks().0.iter().map(|&b| i64::from_le_bytes(b) as f64).collect()
            }
            Data::Stored(bytes, Element::F64) => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
            Data::Stored(bytes, element) => element.floats(bytes).into_iter().map(shortest).collect(),
        })
    }

    /// The numbers of a small constant as whole ones.
    pub fn ints(&self) -> Option<Vec<i64>> {
        Some(self.numbers()?.into_iter().map(|n| n as i64).collect())
    }

    /// The one number of a constant.
    pub fn single(&self) -> Option<f64> {
        if self.len() == 1 { self.numbers()?.first().copied() } else { None }
    }

    /// The same numbers with other sizes.
    pub fn with_dims(&self, dims: Vec<usize>) -> Self {
        Self { dims, ..self.clone() }
    }

    /// The same numbers under another initializer's name.
    pub fn named(&self, name: &str) -> Self {
        Self { name: name.into(), ..self.clone() }
    }
}

/// ONNX's word for a type of numbers.
pub fn type_name(data_type: i32) -> String {
    const NAMES: [&str; 17] = [
        "UNDEFINED",
        "FLOAT",
        "UINT8",
        "INT8",
        "UINT16",
        "INT16",
        "INT32",
        "INT64",
        "STRING",
        "BOOL",
        "FLOAT16",
        "DOUBLE",
        "UINT32",
        "UINT64",
        "COMPLEX64",
        "COMPLEX128",
        "BFLOAT16",
    ];
    let name = usize::try_from(data_type).ok().and_then(|i| NAMES.get(i));
    name.map_or_else(|| format!("number {data_type}"), |name| (*name).into())
}

/// A number of single precision as half precision has it, or, where `brain`, as its upper half does; to the nearest, ties to
/// the even one.
pub fn rounded(x: f32, brain: bool) -> f32 {
    let cut =
        |bits: u32| f32::from_bits((x.to_bits() + (1 << (bits - 1)) - 1 + ((x.to_bits() >> bits) & 1)) >> bits << bits);
    match (x.is_finite(), brain) {
        (false, _) => x,
        (true, true) => cut(16),
        // Below 2⁻¹⁴, half precision counts in steps of 2⁻²⁴; from 65520 on it is infinite.
        (true, false) if x.abs() < 6.103_515_6e-5 => (x * 16_777_216.0).round_ties_even() / 16_777_216.0,
        (true, false) if x.abs() >= 65_520.0 => f32::INFINITY.copysign(x),
        (true, false) => cut(13),
    }
}

/// The number that the shortest text of a single-precision one says.
pub fn shortest(x: f32) -> f64 {
    if x.is_finite() { x.to_string().parse().unwrap_or(f64::from(x)) } else { f64::from(x) }
}

/// Reads a tensor; one whose numbers lie in another file is read from the model's folder.
///
/// # Errors
/// In words, where sizes and numbers disagree, the type is none that is read, or the other file cannot be.
pub fn read(proto: &TensorProto, folder: &Path) -> Result<Tensor, String> {
    let dims: Option<Vec<usize>> = proto.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims.ok_or_else(|| format!("`{}` has negative sizes", proto.name))?;
    let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= 1 << 40);
    let count = count.ok_or_else(|| format!("`{}` is too large: {dims:?}", proto.name))?;
    let data = data(proto, folder, count).map_err(|why| format!("`{}` {why}", proto.name))?;
    Ok(Tensor { dims, name: proto.name.clone(), data })
}

fn data(proto: &TensorProto, folder: &Path, count: usize) -> Result<Data, String> {
    let element = match proto.data_type {
        dtype::FLOAT => Element::F32,
        dtype::DOUBLE => Element::F64,
        dtype::FLOAT16 => Element::F16,
        dtype::BFLOAT16 => Element::Bf16,
        dtype::INT64 => Element::I64,
        dtype::INT32 => Element::I32,
        dtype::INT16 => Element::I16,
        dtype::INT8 => Element::I8,
        dtype::UINT8 => Element::U8,
        dtype::BOOL => Element::Bool,
        other => return Err(format!("is of type {}, which is not read", type_name(other))),
    };
    let bytes = match (&proto.raw_data, proto.data_location) {
        (_, EXTERNAL) => Some(external(proto, folder)?),
        (Some(raw), _) if !raw.is_empty() || count == 0 => Some(raw.clone()),
        _ => None,
    };
    if let Some(bytes) = bytes {
        let wanted = count.checked_mul(element.bytes());
        return match wanted == Some(bytes.len()) {
            true => Ok(Data::Stored(bytes, element)),
            false => Err(format!("has {} bytes for {count} numbers", bytes.len())),
        };
    }
    listed(proto, element, count)
}

/// The numbers that stand in a field of their type.
fn listed(proto: &TensorProto, element: Element, count: usize) -> Result<Data, String> {
    let numbers: Data = if !proto.float_data.is_empty() {
        Data::Floats(proto.float_data.clone())
    } else if !proto.int64_data.is_empty() {
        Data::Whole(proto.int64_data.clone())
    } else if !proto.double_data.is_empty() {
        Data::Numbers(proto.double_data.clone())
    } else {
        let half = matches!(element, Element::F16 | Element::Bf16);
        let bytes = |n: &i32| (*n as u16).to_le_bytes();
        match half {
            true => Data::Stored(proto.int32_data.iter().flat_map(bytes).collect::<Vec<u8>>().into(), element),
            false => Data::Whole(proto.int32_data.iter().map(|&n| i64::from(n)).collect()),
        }
    };
    let found = match &numbers {
        Data::Stored(bytes, element) => bytes.len() / element.bytes(),
        Data::Numbers(n) => n.len(),
        Data::Floats(n) => n.len(),
        Data::Whole(n) => n.len(),
    };
    if found == count { Ok(numbers) } else { Err(format!("has {found} numbers, and its sizes make {count}")) }
}

/// The bytes of a tensor in another file, which must lie in the model's folder or below it.
fn external(proto: &TensorProto, folder: &Path) -> Result<Bytes, String> {
    let entry = |key: &str| proto.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
    let location = entry("location").ok_or("lies in another file that is not named")?;
    let relative = Path::new(location);
    if !relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("lies in `{location}`, outside the model's folder"));
    }
    let path = folder.join(relative);
    let failed = |error: std::io::Error| format!("lies in `{}`, which cannot be read: {error}", path.display());
    let resolved = path.canonicalize().map_err(failed)?;
    let root = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !resolved.starts_with(root.canonicalize().map_err(failed)?) {
        return Err(format!("lies in `{location}`, outside the model's folder"));
    }
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| format!("has a broken {key}, `{text}`")),
    };
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    section(&resolved, offset, length).map_err(failed)
}

/// A part of a file; never more than the file has.
fn section(path: &Path, offset: u64, length: Option<u64>) -> std::io::Result<Bytes> {
    use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
    let kind = std::fs::metadata(path)?;
    if !kind.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    let rest = kind.len().checked_sub(offset).ok_or_else(|| Error::other("the offset lies beyond its end"))?;
    let length = length.unwrap_or(rest);
    if length > rest {
        return Err(Error::new(
            ErrorKind::UnexpectedEof,
            format!("it has {rest} bytes there, and {length} are wanted"),
        ));
    }
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

impl Tensor {
    /// Whether its type holds whole numbers.
    pub fn is_whole(&self) -> bool {
        match &self.data {
            Data::Whole(_) => true,
            Data::Stored(_, element) => {
                matches!(element, Element::I64 | Element::I32 | Element::I16 | Element::I8 | Element::U8)
            }
            Data::Numbers(_) | Data::Floats(_) => false,
        }
    }

    /// Whole numbers of any sizes.
    pub fn whole_of(dims: Vec<usize>, numbers: &[f64]) -> Self {
        Self { dims, name: String::new(), data: Data::Whole(numbers.iter().map(|&n| n as i64).collect()) }
    }
}
