//! NumPy's `.npy` files, read and written (numpy.lib.format, versions 1 to 3).

use super::elements::{Array, Element, Header, Values, read_values};
use super::error::{DataError, Result};
use std::io::{Read, Write};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of header that are read at most; NumPy's own are rarely over 200.
const HEADER: usize = 64 << 10;

/// What an `.npy` file begins with.
#[derive(Debug, PartialEq)]
pub struct NpyHeader {
    /// The type and shape of what follows.
    pub header: Header,
    /// Whether the first axis varies fastest.
    pub fortran: bool,
}

/// Reads a header.
///
/// # Errors
/// [`DataError::Broken`] where it is none, or of a type that is not read; [`DataError::Unread`] for texts and objects.
pub fn read_header(reader: &mut dyn Read, path: &str) -> Result<NpyHeader> {
    let short = |error: std::io::Error| DataError::broken(path, format!("its header cannot be read: {error}"));
    let mut start = [0u8; 8];
    reader.read_exact(&mut start).map_err(short)?;
    if &start[..6] != MAGIC {
        return Err(DataError::broken(path, "it does not begin as an .npy file does"));
    }
    let mut length = [0u8; 4];
    let bytes = if start[6] == 1 { 2 } else { 4 };
    reader.read_exact(&mut length[..bytes]).map_err(short)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > HEADER {
        return Err(DataError::broken(path, format!("its header claims {length} bytes")));
    }
    let mut text = vec![0u8; length];
    reader.read_exact(&mut text).map_err(short)?;
    let text = String::from_utf8_lossy(&text);
    parse(&text).map_err(|reason| match no_numbers(&text) {
        Some(kind) => DataError::Unread { place: path.to_string(), kind },
        None => DataError::broken(path, reason),
    })
}

/// What an array holds that holds no numbers, as its header says.
fn no_numbers(header: &str) -> Option<&'static str> {
    let (_, rest) = header.split_once("'descr'")?;
    let descr = rest.trim_start_matches([':', ' ']).strip_prefix('\'')?;
    match descr.trim_start_matches(['<', '>', '|', '=']).chars().next()? {
        'U' | 'S' => Some("texts"),
        'O' => Some("Python objects"),
        _ => None,
    }
}

/// Reads a whole array.
///
/// # Errors
/// As [`read_header`] and [`read_values`].
pub fn read(reader: &mut dyn Read, path: &str, limit: u64) -> Result<Array> {
    let NpyHeader { header, fortran } = read_header(reader, path)?;
    let values = read_values(reader, &header, path, limit)?;
    let values = if fortran && header.shape.len() > 1 { row_major(values, &header.shape) } else { values };
    Ok(Array { shape: header.shape, values })
}

/// Writes floats as an `.npy` file, version 1, `<f4`.
pub fn write(out: &mut dyn Write, shape: &[usize], values: &[f32]) -> std::io::Result<()> {
    let mut dims: String = shape.iter().map(|d| format!("{d}, ")).collect();
    if shape.len() > 1 {
        dims.truncate(dims.len() - 2);
    }
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", dims.trim_end());
    // The numbers begin at a multiple of 64 bytes.
    let padding = 64 - (MAGIC.len() + 4 + header.len() + 1) % 64;
    header.extend(std::iter::repeat_n(' ', padding % 64));
    header.push('\n');
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    values.chunks(1 << 14).try_for_each(|chunk| {
        let bytes: Vec<u8> = chunk.iter().flat_map(|v| v.to_le_bytes()).collect();
        out.write_all(&bytes)
    })
}

/// Reads the dictionary `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
fn parse(text: &str) -> std::result::Result<NpyHeader, String> {
    let after = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}'"))?;
        rest.trim_start().strip_prefix(':').map(str::trim_start)
    };
    let descr = after("descr").ok_or("its header has no `descr`")?;
    let descr = descr.strip_prefix('\'').and_then(|d| d.split_once('\'')).ok_or("its values are records")?.0;
    let fortran = after("fortran_order").ok_or("its header has no `fortran_order`")?.starts_with("True");
    let shape = after("shape").and_then(|s| s.strip_prefix('(')).and_then(|s| s.split_once(')'));
    let shape = shape.ok_or("its header has no `shape`")?.0;
    let shape = shape.split(',').map(str::trim).filter(|d| !d.is_empty()).map(|d| d.parse::<usize>());
    let shape = shape.collect::<std::result::Result<Vec<_>, _>>().map_err(|_| "its shape is no list of numbers")?;
    let (order, kind) = descr.split_at_checked(1).ok_or("its `descr` is empty")?;
    let element = element(kind).ok_or_else(|| format!("its values are of type `{descr}`, which is not read"))?;
    Ok(NpyHeader { header: Header { element, big_endian: order == ">", shape }, fortran })
}

fn element(kind: &str) -> Option<Element> {
    Some(match kind {
        "b1" => Element::Bool,
        "u1" => Element::U8,
        "i1" => Element::I8,
        "u2" => Element::U16,
        "i2" => Element::I16,
        "u4" => Element::U32,
        "i4" => Element::I32,
        "u8" => Element::U64,
        "i8" => Element::I64,
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        _ => return None,
    })
}

/// Values whose first axis varies fastest, put in row order.
fn row_major(values: Values, shape: &[usize]) -> Values {
    let mut strides = vec![1usize; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let place = |row: usize| {
        let mut rest = row;
        shape.iter().zip(&strides).rev().fold(0, |at, (&size, &stride)| {
            let digit = rest % size;
            rest /= size;
            at + digit * stride
        })
    };
    match values {
        Values::Bytes(v) => Values::Bytes((0..v.len()).map(|i| v[place(i)]).collect()),
        Values::Ints(v) => Values::Ints((0..v.len()).map(|i| v[place(i)]).collect()),
        Values::Floats(v) => Values::Floats((0..v.len()).map(|i| v[place(i)]).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![6], vec![2, 3], vec![1, 2, 3, 1]] {
            let values: Vec<f32> = (0..shape.iter().product()).map(|i| i as f32 - 0.5).collect();
            let mut file = Vec::new();
            write(&mut file, &shape, &values).unwrap();
            assert_eq!((file.len() - values.len() * 4) % 64, 0);
            let array = read(&mut file.as_slice(), "x", 1 << 20).unwrap();
            assert_eq!(array, Array { shape, values: Values::Floats(values) });
        }
    }

    #[test]
    fn headers_are_read_as_numpy_writes_them() {
        let header = parse("{'descr': '>i8', 'fortran_order': True, 'shape': (5,), }   \n").unwrap();
        assert_eq!(header.header, Header { element: Element::I64, big_endian: true, shape: vec![5] });
        assert!(header.fortran);
        for wrong in ["", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "{'descr': '|O'"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("{'descr': '<U5', 'fortran_order': False, 'shape': (1,)}").unwrap_err().contains("<U5"));
        assert!(parse("{'descr': '', 'fortran_order': False, 'shape': (1,)}").is_err());
    }

    #[test]
    fn fortran_order_is_put_in_row_order() {
        // [[0, 1, 2], [3, 4, 5]] as NumPy lays it out in Fortran order.
        let values = row_major(Values::Ints(vec![0, 3, 1, 4, 2, 5]), &[2, 3]);
        assert_eq!(values, Values::Ints((0..6).collect()));
    }
}
