//! Whether a picture's file is whole, found out without decoding it.
//!
//! Decoders of JPEG fill what is missing with grey and say nothing; so the ends of files are looked at here.

use image::ImageFormat;
use std::io::{Read, Result, Seek, SeekFrom};

/// What is wrong with a file that was cut short.
pub const CUT: &str = "it is cut short";

/// What a file's structure says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Whether the file ends before its end.
    pub cut: bool,
    /// Whether it holds more than one picture.
    pub frames: bool,
}

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
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(Structure { cut: true, frames: false }),
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
    Ok(Structure { cut, frames: false })
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
    let (mut at, mut frames) = (8, false);
    loop {
        file.seek(SeekFrom::Start(at))?;
        let [a, b, c, d, kind @ ..] = take::<8>(file)?;
        at = at.saturating_add(12 + u64::from(u32::from_be_bytes([a, b, c, d])));
        if at > end || kind == *b"IEND" {
            return Ok(Structure { cut: at > end, frames });
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
            [0x3b] => return Ok(Structure { cut: false, frames: count > 1 }),
            [0x21] => _ = take::<1>(file)?,
            [0x2c] => {
                count += 1;
                let [.., flags] = take::<9>(file)?;
                file.seek_relative(colours(flags))?;
                take::<1>(file)?;
            }
            // No block: what comes behind the frames is not the picture's, and what comes before is the decoder's to judge.
            _ => return Ok(Structure { cut: false, frames: count > 1 }),
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

/// A WebP says its length, and in `VP8X` whether it is animated.
fn webp(file: &mut (impl Read + Seek)) -> Result<Structure> {
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(4))?;
    let cut = u64::from(u32::from_le_bytes(take(file)?)) + 8 > end;
    file.seek(SeekFrom::Start(12))?;
    let [v, p, eight, x, _, _, _, _, flags] = take::<9>(file)?;
    Ok(Structure { cut, frames: [v, p, eight, x] == *b"VP8X" && flags & 2 != 0 })
}

/// A TIFF is a chain of directories, one a page.
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
    let entries = i64::from(two(take(file)?));
    file.seek_relative(12 * entries)?;
    Ok(Structure { cut: false, frames: four(take(file)?) != 0 })
}

/// What a file is that is no picture, where its first bytes tell.
pub fn other_kind(start: &[u8]) -> Option<&'static str> {
    let lower: Vec<u8> = start.iter().take(64).map(u8::to_ascii_lowercase).collect();
    let text = lower.trim_ascii_start();
    let brand = start.get(4..12).unwrap_or_default();
    Some(match start {
        [] => "it is empty",
        _ if brand.starts_with(b"ftyphei") || brand.starts_with(b"ftypmif1") || brand.starts_with(b"ftyphev") => {
            "it is a HEIC picture, whatever its ending says: convert it to JPEG or PNG"
        }
        _ if brand.starts_with(b"ftypavif") => {
            "it is an AVIF picture, whatever its ending says: convert it to JPEG or PNG"
        }
        _ if text.starts_with(b"<!doctype") || text.starts_with(b"<html") => "it is a web page, no picture",
        _ if text.starts_with(b"<svg") || text.starts_with(b"<?xml") => "it is XML or SVG, no picture",
        _ if start.starts_with(b"version https://git-lfs") => {
            "it is a pointer of Git LFS: fetch the files by  git lfs pull"
        }
        _ if start.iter().all(|&byte| byte == 0) => "it holds only zeros",
        _ => return None,
    })
}
