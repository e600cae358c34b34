//! Files made of parts: archives, tensors behind a header of JSON, chunks with checksums. The parts change, and the whole
//! stays readable, so that changes get as far as the reader of the part.

use super::picture::chunk;
use super::{Seed, bytes, text};
use archc::base::Rng;
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// A part's name, and what is in it.
type Part = (String, Vec<u8>);

/// A few changes, by what the file is.
pub fn mutate(seeds: &[Seed], seed: usize, rng: &mut Rng) -> Vec<u8> {
    let Seed { name, bytes: whole } = &seeds[seed];
    if rng.below(5) == 0 {
        return bytes::mutate(seeds, seed, rng);
    }
    let made = match whole.as_slice() {
        [b'P', b'K', 3, 4, ..] => archive(whole, rng),
        [0x1f, 0x8b, ..] => zipped(whole, rng),
        [0x89, b'P', b'N', b'G', ..] => chunks(whole, rng),
        _ if name.ends_with(".safetensors") => tensors(whole, rng),
        _ if name.ends_with(".names") || name.ends_with(".json") => {
            Some(text::json(&String::from_utf8_lossy(whole), rng).into_bytes())
        }
        _ => None,
    };
    made.unwrap_or_else(|| bytes::mutate(seeds, seed, rng))
}

/// An archive's parts changed, renamed, dropped, doubled.
fn archive(whole: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(whole)).ok()?;
    let mut parts: Vec<Part> = Vec::new();
    let mut method = CompressionMethod::Stored;
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).ok()?;
        method = entry.compression();
        let mut held = Vec::new();
        entry.read_to_end(&mut held).ok()?;
        parts.push((entry.name().ok()?.to_string(), held));
    }
    for _ in 0..1 + rng.below(2) {
        part_change(&mut parts, rng);
    }
    let method = if rng.below(16) == 0 { CompressionMethod::Deflated } else { method };
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, held) in &parts {
        writer.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).ok()?;
        writer.write_all(held).ok()?;
    }
    Some(writer.finish().ok()?.into_inner())
}

fn part_change(parts: &mut Vec<Part>, rng: &mut Rng) {
    if parts.is_empty() {
        return;
    }
    let at = rng.below(parts.len());
    match rng.below(12) {
        0 => drop(parts.remove(at)),
        1 => parts[at].0 = text::by_token(&parts[at].0, "x y.npy data/0", rng),
        2 => {
            let (name, held) = &parts[at];
            let double = (format!("{name}x"), held.clone());
            parts.push(double);
        }
        3 | 4 => bytes::change(&mut parts[at].1, rng),
        _ => {
            let told = parts.iter().position(|(name, _)| name.ends_with(".pkl")).unwrap_or(at);
            let held = &mut parts[told].1;
            match (held.first(), held.starts_with(b"\x93NUMPY")) {
                (_, true) => *held = array(held, rng),
                (Some(0x80), _) => (0..1 + rng.below(3)).for_each(|_| pickle(held, rng)),
                _ => bytes::change(held, rng),
            }
        }
    }
}

/// Instructions of pickles: those that state dicts use, and others.
const INSTRUCTIONS: &[u8] = b"(.0N\x88\x89KMJ\x8aGX\x8c\x8d)]}\x85\x86\x87taesuqr\x94hjc\x93QRb1iIFdVS2l\x95\x81\x92o";

/// A pickle with an instruction or a number changed.
fn pickle(held: &mut Vec<u8>, rng: &mut Rng) {
    if held.is_empty() {
        return;
    }
    let at = rng.below(held.len());
    let op = INSTRUCTIONS[rng.below(INSTRUCTIONS.len())];
    match rng.below(8) {
        0 => held[at] = op,
        1 => held.insert(at, op),
        2 => drop(held.remove(at)),
        3 => {
            let words: [&[u8]; 8] = [
                b"cos\nsystem\n",
                b"ctorch\nHalfStorage\n",
                b"ctorch\nDoubleStorage\n",
                b"ctorch._utils\n_rebuild_tensor_v2\n",
                b"ccollections\nOrderedDict\n",
                b"K\x00",
                b"M\xff\xff",
                b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
            ];
            held.splice(at..at, words[rng.below(words.len())].iter().copied());
        }
        4 | 5 => {
            // A number, where one stands: K, M and J are followed by 1, 2 and 4 bytes.
            let numbers = held.iter().enumerate().filter(|(_, b)| b"KMJ".contains(b)).map(|(i, _)| i);
            let numbers: Vec<usize> = numbers.collect();
            if let Some(at) = (!numbers.is_empty()).then(|| numbers[rng.below(numbers.len())] + 1)
                && let Some(byte) = held.get_mut(at)
            {
                *byte = [0, 1, 2, 127, 128, 255][rng.below(6)];
            }
        }
        6 => {
            let end = (at + 1 + rng.below(24)).min(held.len());
            let part = held[at..end].to_vec();
            held.splice(at..at, part);
        }
        _ => bytes::change(held, rng),
    }
}

/// A NumPy array with another header.
fn array(held: &[u8], rng: &mut Rng) -> Vec<u8> {
    let split = held.iter().position(|&b| b == b'\n').map_or(held.len(), |at| at + 1);
    let (Some(header), data) = (held.get(10..split), &held[split..]) else { return held.to_vec() };
    let other = "{'descr': '<f4', '>i8', '|b1', '|O', '<c16', 'fortran_order': False, 'shape': (2, 3, 0, -1), }";
    let mut header = String::from_utf8_lossy(header).into_owned();
    for _ in 0..1 + rng.below(3) {
        header = text::by_token(&header, other, rng);
    }
    let length = if rng.below(8) == 0 { rng.below(70_000) } else { header.len() } as u16;
    [&held[..8], &length.to_le_bytes(), header.as_bytes(), data].concat()
}

/// `.safetensors`: the header's JSON changed, its length told right most times.
fn tensors(whole: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let length = u64::from_le_bytes(whole.get(..8)?.try_into().ok()?);
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    let (header, mut data) = (whole.get(8..end)?, whole.get(end..)?.to_vec());
    let header = text::json(std::str::from_utf8(header).ok()?, rng);
    let told = match rng.below(12) {
        0 => [0, 1, u64::MAX, 1 << 40, header.len() as u64 + 9][rng.below(5)],
        _ => header.len() as u64,
    };
    if rng.below(6) == 0 {
        bytes::change(&mut data, rng);
    }
    Some([&told.to_le_bytes()[..], header.as_bytes(), &data].concat())
}

/// What is in a `.gz`, changed.
fn zipped(whole: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let mut held = Vec::new();
    flate2::read::GzDecoder::new(whole).read_to_end(&mut held).ok()?;
    (0..1 + rng.below(3)).for_each(|_| bytes::change(&mut held, rng));
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(&held).ok()?;
    writer.finish().ok()
}

/// A PNG's chunks changed, dropped, doubled or exchanged, their checksums right.
fn chunks(whole: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let mut rest = whole.get(8..)?;
    let mut parts: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    while rest.len() >= 12 {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        parts.push((rest.get(4..8)?.to_vec(), rest.get(8..8 + length)?.to_vec()));
        rest = rest.get(12 + length..)?;
    }
    let at = rng.below(parts.len().max(1));
    match rng.below(6) {
        0 if parts.len() > 1 => drop(parts.remove(at)),
        1 if parts.len() > 1 => parts.swap(at, 0),
        2 => {
            let double = parts.get(at)?.clone();
            parts.push(double);
        }
        _ => bytes::change(&mut parts.get_mut(at)?.1, rng),
    }
    let mut made = whole[..8].to_vec();
    for (kind, held) in parts {
        made.extend(chunk(&kind, &held));
    }
    Some(made)
}
