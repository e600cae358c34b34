//! Whether a picture's file is whole, found out without decoding it.
//!
//! Decoders of JPEG fill what is missing with grey and say nothing; so the ends of files are looked at here.

use crate::base::instead::Instead;
use image::ImageFormat;
use std::io::{BufRead, Read, Result, Seek, SeekFrom};

/// What is wrong with a file that was cut short.
pub const CUT: &str = "it is cut short";

/// What is wrong with a palette of no colour, of parts of one, or of more than 256.
const PALETTE: &str = "its palette is no list of colours";

/// What a file's structure says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// What is wrong with the file, if anything.
    pub wrong: Option<&'static str>,
    /// Whether it holds more than one picture.
    pub frames: bool,
    /// Whether its values were changed when they were stored.
    pub lossy: bool,
}

/// Chunks of a WebP that are looked at: its first picture stands among the first few.
const CHUNKS: usize = 64;

/// Walks through the parts of a file.
///
/// # Errors
/// Where it cannot be read.
pub fn structure(file: &mut (impl Read + Seek), format: ImageFormat) -> Result<Structure> {
    let found = match format {
        ImageFormat::Jpeg => jpeg(file),
        ImageFormat::Png => png(file),
        ImageFormat::Gif => gif(file),
        ImageFormat::WebP => webp(file),
        ImageFormat::Tiff => tiff(file),
        _ => Ok(Structure::default()),
    };
    match found {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Ok(Structure { wrong: Some(CUT), ..Structure::default() })
        }
        other => other,
    }
}

fn take<const N: usize>(file: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A JPEG ends in FF D9; of one that goes on behind it (as phones' moving pictures do), the markers are followed.
fn jpeg(file: &mut (impl Read + Seek)) -> Result<Structure> {
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(end.saturating_sub(2)))?;
    let mut cut = false;
    if take::<2>(file)? != [0xff, 0xd9] {
        file.rewind()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        cut = !jpeg_ends(&bytes);
    }
    Ok(Structure { wrong: cut.then_some(CUT), frames: false, lossy: true })
}

/// Whether the end of the image stands behind its scans.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // The next marker: inside of a scan, FF 00 is data and FF D0 to FF D7 are restarts.
        let Some(skip) = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == 0xff)) else { return false };
        at += skip;
        match bytes.get(at + 1) {
            None => return false,
            Some(0xd9) => return true,
            Some(0xff) => at += 1,
            Some(0 | 1 | 0xd0..=0xd8) => at += 2,
            Some(_) => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return false,
            },
        }
    }
}

/// A PNG is a line of chunks up to `IEND`; `acTL` says how many frames there are.
fn png(file: &mut (impl Read + Seek)) -> Result<Structure> {
    let end = file.seek(SeekFrom::End(0))?;
    let (mut at, mut frames, mut wrong) = (8, false, None);
    loop {
        file.seek(SeekFrom::Start(at))?;
        let [a, b, c, d, kind @ ..] = take::<8>(file)?;
        let length = u32::from_be_bytes([a, b, c, d]);
        at = at.saturating_add(12 + u64::from(length));
        if at > end || kind == *b"IEND" {
            return Ok(Structure { wrong: if at > end { Some(CUT) } else { wrong }, frames, lossy: false });
        }
        // The decoder takes the last colour of a palette for whole.
        if kind == *b"PLTE" && !(length.is_multiple_of(3) && (3..=3 * 256).contains(&length)) {
            wrong = Some(PALETTE);
        }
        if kind == *b"acTL" {
            frames = u32::from_be_bytes(take(file)?) > 1;
        }
    }
}

/// A GIF is a line of blocks up to 3B; 2C begins a frame.
fn gif(file: &mut (impl Read + Seek)) -> Result<Structure> {
    file.seek(SeekFrom::Start(10))?;
    let [flags, _, _] = take(file)?;
    file.seek_relative(colours(flags))?;
    let mut count = 0;
    loop {
        match take::<1>(file)? {
            [0x3b] => return Ok(Structure { frames: count > 1, ..Structure::default() }),
            [0x21] => _ = take::<1>(file)?,
            [0x2c] => {
                count += 1;
                let [.., flags] = take::<9>(file)?;
                file.seek_relative(colours(flags))?;
                take::<1>(file)?;
            }
            // No block: what comes behind the frames is not the picture's, and what comes before is the decoder's to judge.
            _ => return Ok(Structure { frames: count > 1, ..Structure::default() }),
        }
        loop {
            let [length] = take(file)?;
            if length == 0 {
                break;
            }
            let mut block = [0; 255];
            file.read_exact(&mut block[..usize::from(length)])?;
        }
    }
}

/// Bytes of a GIF's table of colours, as its flags say.
fn colours(flags: u8) -> i64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// A WebP says its length, in `VP8X` whether it is animated, and by the name of its first picture's chunk how that is stored.
fn webp(file: &mut (impl Read + Seek)) -> Result<Structure> {
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(4))?;
    let cut = u64::from(u32::from_le_bytes(take(file)?)) + 8 > end;
    let mut seen = Structure { wrong: cut.then_some(CUT), ..Structure::default() };
    let mut at = 12;
    for _ in 0..CHUNKS {
        file.seek(SeekFrom::Start(at))?;
        let [a, b, c, d, size @ ..] = take::<8>(file)?;
        let size = u64::from(u32::from_le_bytes(size));
        match &[a, b, c, d] {
            b"VP8 " => return Ok(Structure { lossy: true, ..seen }),
            b"VP8L" => return Ok(seen),
            b"VP8X" => seen.frames = take::<1>(file)?[0] & 2 != 0,
            _ => {}
        }
        // The chunks of a frame stand inside of its own, behind 16 bytes about it.
        at += if [a, b, c, d] == *b"ANMF" { 24 } else { 8 + size + size % 2 };
    }
    Ok(seen)
}

/// A TIFF is a chain of directories, one a page; entry 259 says how a page is stored (6 and 7: as JPEG).
fn tiff(file: &mut (impl Read + Seek)) -> Result<Structure> {
    file.rewind()?;
    let head: [u8; 8] = take(file)?;
    let big = head.starts_with(b"MM");
    let four = |bytes: [u8; 4]| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    let two = |bytes: [u8; 2]| if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
    // BigTIFF (43) is left to the decoder.
    if two([head[2], head[3]]) != 42 {
        return Ok(Structure::default());
    }
    file.seek(SeekFrom::Start(u64::from(four([head[4], head[5], head[6], head[7]]))))?;
    let mut lossy = false;
    for _ in 0..two(take(file)?) {
        let entry: [u8; 12] = take(file)?;
        lossy |= two([entry[0], entry[1]]) == 259 && matches!(two([entry[8], entry[9]]), 6 | 7);
    }
    Ok(Structure { wrong: None, frames: four(take(file)?) != 0, lossy })
}

/// The part of a JPEG before its first scan, closed by the mark of its end: all that says its size and how it is turned. What
/// comes behind is most of the file, and is not read.
///
/// # Errors
/// Where it cannot be read; a file that ends within is for the decoder to judge.
pub fn jpeg_head(file: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    file.by_ref().take(2).read_to_end(&mut head)?;
    loop {
        // Up to the next mark: FF, more of them or zeros, and its number.
        file.read_until(0xff, &mut head)?;
        let mut mark = 0xff;
        while matches!(mark, 0 | 0xff) {
            if file.by_ref().take(1).read_to_end(&mut head)? == 0 {
                return Ok(head);
            }
            mark = head.last().copied().unwrap_or_default();
        }
        let mut length = Vec::new();
        file.by_ref().take(2).read_to_end(&mut length)?;
        head.extend_from_slice(&length);
        let [high, low] = length[..] else { return Ok(head) };
        file.by_ref().take(u64::from(u16::from_be_bytes([high, low])).saturating_sub(2)).read_to_end(&mut head)?;
        if mark == 0xda {
            head.extend_from_slice(&[0xff, 0xd9]);
            return Ok(head);
        }
    }
}

/// What a file is that is no picture, where its first bytes tell.
pub fn other_kind(start: &[u8]) -> Option<&'static str> {
    let lower: Vec<u8> = start.iter().take(64).map(u8::to_ascii_lowercase).collect();
    let text = lower.trim_ascii_start();
    let brand = start.get(4..12).unwrap_or_default();
    match Instead::of(start) {
        Some(Instead::Nothing) => return Some("it is empty"),
        Some(Instead::Pointer) => {
            return Some("it is a git-lfs pointer, which only names the picture: fetch it by  git lfs pull");
        }
        Some(Instead::Page) => return Some("it is a web page, no picture"),
        None => {}
    }
    Some(match start {
        _ if brand.starts_with(b"ftyphei") || brand.starts_with(b"ftypmif1") || brand.starts_with(b"ftyphev") => {
            "it is a HEIC picture, whatever its ending says: convert it to JPEG or PNG"
        }
        _ if brand.starts_with(b"ftypavif") => {
            "it is an AVIF picture, whatever its ending says: convert it to JPEG or PNG"
        }
        _ if text.starts_with(b"<svg") || text.starts_with(b"<?xml") => "it is XML or SVG, no picture",
        _ if start.iter().all(|&byte| byte == 0) => "it holds only zeros",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn what_changes_values_is_told_from_what_does_not() {
        let lossy = |bytes: &[u8], format| structure(&mut Cursor::new(bytes), format).unwrap();
        // The canvas first, then transparency, then the picture.
        let webp = |kind: &[u8; 4]| {
            let chunk = |name: &[u8], body: &[u8]| {
                [name, &(body.len() as u32).to_le_bytes(), body, &vec![0; body.len() % 2]].concat()
            };
            let chunks = [chunk(b"VP8X", &[0; 10]), chunk(b"ALPH", &[1, 2, 3]), chunk(kind, &[9; 4])].concat();
            [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &chunks].concat()
        };
        assert!(lossy(&webp(b"VP8 "), ImageFormat::WebP).lossy && !lossy(&webp(b"VP8L"), ImageFormat::WebP).lossy);
        let tiff = |stored: u8| {
            [&b"II*\0\x08\0\0\0\x01\0\x03\x01\x03\0\x01\0\0\0"[..], &[stored, 0, 0, 0, 0, 0, 0, 0]].concat()
        };
        assert!(lossy(&tiff(7), ImageFormat::Tiff).lossy && !lossy(&tiff(5), ImageFormat::Tiff).lossy);
    }

    #[test]
    fn a_palette_is_a_list_of_colours() {
        let png = |colours: usize| {
            let chunk = |kind: &[u8; 4], length: usize| {
                [&(length as u32).to_be_bytes()[..], kind, &vec![7; length], &[0; 4]].concat()
            };
            [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", 13), &chunk(b"PLTE", colours), &chunk(b"IEND", 0)].concat()
        };
        let wrong = |length| structure(&mut Cursor::new(png(length)), ImageFormat::Png).unwrap().wrong;
        assert_eq!([3, 6, 768].map(wrong), [None; 3]);
        assert_eq!([0, 2, 5, 771].map(wrong), [Some(PALETTE); 4]);
    }

    #[test]
    fn of_a_jpeg_only_what_stands_before_its_scans_is_read() {
        let jpeg =
            [&[0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xda][..], &[0xff, 0xff, 0xda, 0, 3, 7], &[0x55; 9000]].concat();
        let mut file = Cursor::new(&jpeg);
        assert_eq!(jpeg_head(&mut file).unwrap(), [&jpeg[..14], &[0xff, 0xd9]].concat());
        assert_eq!(file.position(), 14);
        for cut in 0..13 {
            assert_eq!(jpeg_head(&mut Cursor::new(&jpeg[..cut])).unwrap(), &jpeg[..cut]);
        }
    }
}
