//! Numbers of a file that are none: what is computed from them says nothing.

use super::element::Element;
use super::file::WeightFile;
use super::load::Wanted;
use super::names::counted;
use super::numbers::LEAST_RELEASED;
use super::stored::Stored;
use std::collections::BTreeMap;

/// That tensors which are read hold NaN or infinities, with the first of them and how many there are; `tensors` are those that
/// are read, by the parameter's path. What reaches out of the file is refused elsewhere.
pub(super) fn note(wanted: &Wanted, file: &WeightFile, tensors: &BTreeMap<String, usize>) -> Option<String> {
    let read = wanted.params.iter().filter_map(|(path, _)| Some((path, file.tensors.get(*tensors.get(path)?)?)));
    let held: Vec<(&String, usize)> = read.map(|(path, stored)| (path, count(file, stored))).collect();
    let odd: Vec<_> = held.into_iter().filter(|(_, count)| *count > 0).collect();
    let ((first, count), total) = (odd.first()?, odd.iter().map(|(_, count)| count).sum::<usize>());
    let is = if *count == 1 { "number that is" } else { "numbers that are" };
    let others = match odd.len() {
        1 => String::new(),
        n => format!(" ({total} in {})", counted(n, "tensor")),
    };
    Some(format!("`{first}` holds {count} {is} NaN or infinite{others}: what the network answers says nothing"))
}

/// How many numbers of a tensor are NaN or infinite, in single precision.
fn count(file: &WeightFile, stored: &Stored) -> usize {
    match stored.element {
        Element::F64 | Element::F32 | Element::F16 | Element::Bf16 => {}
        Element::I64 | Element::I32 | Element::I16 | Element::I8 | Element::U8 | Element::Bool => return 0,
    }
    let Ok(values) = file.floats(stored) else { return 0 };
    let odd = values.iter().filter(|value| !value.is_finite()).count();
    if stored.storage_bytes >= LEAST_RELEASED {
        file.release(stored);
    }
    odd
}
