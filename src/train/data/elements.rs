//! Numbers in files: their types, and how they are read without trusting what a header says of their count.

use super::error::{DataError, Result};
use crate::base::half::{from_bf16, half};
use std::io::Read;

/// The type of a number in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Element {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    Bf16,
    F32,
    F64,
}

impl Element {
    /// Bytes of one.
    pub fn size(self) -> usize {
        match self {
            Element::Bool | Element::U8 | Element::I8 => 1,
            Element::U16 | Element::I16 | Element::F16 | Element::Bf16 => 2,
            Element::U32 | Element::I32 | Element::F32 => 4,
            Element::U64 | Element::I64 | Element::F64 => 8,
        }
    }

    /// Bytes of one in memory, where all are [`Values`].
    fn held(self) -> usize {
        if self == Element::U8 { 1 } else { 4 }
    }
}

/// Numbers in memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Bytes, which are grey levels or classes.
    Bytes(Vec<u8>),
    /// Other integers, and truth values.
    Ints(Vec<i32>),
    /// Every kind of float.
    Floats(Vec<f32>),
}

impl Values {
    /// All as floats; bytes keep their values.
    pub fn floats(self) -> Vec<f32> {
        match self {
            Values::Bytes(v) => v.into_iter().map(f32::from).collect(),
            Values::Ints(v) => v.into_iter().map(|x| x as f32).collect(),
            Values::Floats(v) => v,
        }
    }
}

/// An array as a file holds it, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub values: Values,
}

/// The header of an array: what follows it in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The type of its numbers.
    pub element: Element,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl Header {
    /// How many numbers there are.
    ///
    /// # Errors
    /// [`DataError::TooLarge`] where they would take up more than `limit` bytes of memory.
    pub fn count(&self, path: &str, limit: u64) -> Result<usize> {
        let count = self.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let bytes = count.and_then(|n| n.checked_mul(self.element.held())).map_or(u64::MAX, |n| n as u64);
        match count {
            Some(n) if bytes <= limit => Ok(n),
            _ => Err(DataError::TooLarge { path: path.to_string(), bytes, limit }),
        }
    }
}

/// Reads the numbers that a header announces. Memory grows with what is really there.
///
/// # Errors
/// [`DataError::Broken`] where the file ends early or holds an integer beyond 32 bits, [`DataError::TooLarge`] as
/// [`Header::count`].
pub fn read_values(reader: &mut dyn Read, header: &Header, path: &str, limit: u64) -> Result<Values> {
    let count = header.count(path, limit)?;
    let mut values = match header.element {
        Element::U8 => Values::Bytes(Vec::new()),
        Element::F16 | Element::Bf16 | Element::F32 | Element::F64 => Values::Floats(Vec::new()),
        _ => Values::Ints(Vec::new()),
    };
    let size = header.element.size();
    let mut chunk = vec![0u8; (64 << 10) / size * size];
    let mut left = count;
    while left > 0 {
        let take = left.min(chunk.len() / size);
        let bytes = &mut chunk[..take * size];
        reader.read_exact(bytes).map_err(|error| ends_early(path, &error, count - left, count))?;
        if header.big_endian && size > 1 {
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        append(&mut values, header.element, bytes).map_err(|reason| DataError::broken(path, reason))?;
        left -= take;
    }
    Ok(values)
}

fn ends_early(path: &str, error: &std::io::Error, got: usize, count: usize) -> DataError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            DataError::broken(path, format!("it ends after about {got} of {count} values"))
        }
        _ => DataError::broken(path, error.to_string()),
    }
}

/// Appends little-endian numbers.
fn append(values: &mut Values, element: Element, bytes: &[u8]) -> std::result::Result<(), String> {
    match values {
        Values::Bytes(v) => v.extend_from_slice(bytes),
        Values::Floats(v) => match element {
            Element::F16 => v.extend(bytes.chunks_exact(2).map(|b| half(u16::from_le_bytes([b[0], b[1]])))),
            Element::Bf16 => v.extend(bytes.chunks_exact(2).map(|b| from_bf16(u16::from_le_bytes([b[0], b[1]])))),
            Element::F64 => v.extend(bytes.chunks_exact(8).map(|b| f64::from_bits(little(b)) as f32)),
            _ => v.extend(bytes.chunks_exact(4).map(|b| f32::from_bits(little(b) as u32))),
        },
        Values::Ints(v) => {
            for b in bytes.chunks_exact(element.size()) {
                let wide = little(b);
                let value = match element {
                    Element::I8 => wide as u8 as i8 as i128,
                    Element::I16 => wide as u16 as i16 as i128,
                    Element::I32 => wide as u32 as i32 as i128,
                    Element::I64 => wide as i64 as i128,
                    _ => wide as i128,
                };
                v.push(i32::try_from(value).map_err(|_| format!("{value} is too large an integer"))?);
            }
        }
    }
    Ok(())
}

/// Up to eight bytes, least significant first.
fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, &b| n << 8 | b as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(element: Element, big_endian: bool, bytes: &[u8]) -> Result<Values> {
        let header = Header { element, big_endian, shape: vec![bytes.len() / element.size()] };
        read_values(&mut &bytes[..], &header, "x", 1 << 20)
    }

    #[test]
    fn numbers_of_every_type_are_read() {
        assert_eq!(read(Element::I64, false, &(-3i64).to_le_bytes()).unwrap(), Values::Ints(vec![-3]));
        assert_eq!(read(Element::I16, true, &(-3i16).to_be_bytes()).unwrap(), Values::Ints(vec![-3]));
        assert_eq!(read(Element::U32, false, &7u32.to_le_bytes()).unwrap(), Values::Ints(vec![7]));
        assert_eq!(read(Element::F64, true, &0.25f64.to_be_bytes()).unwrap(), Values::Floats(vec![0.25]));
        assert_eq!(
            read(Element::F16, false, &[0x00, 0xc0, 0x01, 0x00]).unwrap(),
            Values::Floats(vec![-2.0, 2f32.powi(-24)])
        );
        assert_eq!(read(Element::Bf16, false, &[0x80, 0x3f]).unwrap(), Values::Floats(vec![1.0]));
        assert!(matches!(read(Element::I64, false, &i64::MAX.to_le_bytes()), Err(DataError::Broken { .. })));
    }

    #[test]
    fn headers_are_not_trusted() {
        let header = |shape: &[usize]| Header { element: Element::U8, big_endian: false, shape: shape.to_vec() };
        let huge = read_values(&mut &[0u8; 4][..], &header(&[usize::MAX, 3]), "x", 1 << 20);
        assert!(matches!(huge, Err(DataError::TooLarge { .. })));
        let short = read_values(&mut &[0u8; 4][..], &header(&[1 << 20]), "x", 1 << 20);
        assert!(matches!(short, Err(DataError::Broken { .. })));
    }
}
