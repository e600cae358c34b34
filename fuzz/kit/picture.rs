//! Sound pictures, of every kind that readers tell apart.

use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};
use std::io::Cursor;

/// Width and height.
const SIZE: [u32; 2] = [9, 7];

/// EXIF that says of a picture that it lies on its side.
const TURNED: [u8; 26] =
    *b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00";

/// A picture of a kind, by its ending; empty where none can be written so.
pub fn picture(ending: &str, colour: bool) -> Vec<u8> {
    let format = ImageFormat::from_extension(ending).unwrap_or(ImageFormat::Png);
    let [width, height] = SIZE;
    let image: DynamicImage = match colour {
        true => RgbImage::from_fn(width, height, |x, y| Rgb([(x * 20) as u8, (y * 30) as u8, (x ^ y) as u8])).into(),
        false => GrayImage::from_fn(width, height, |x, y| Luma([((x + y) % 3) as u8])).into(),
    };
    written(&image, format)
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).map(|()| bytes.into_inner()).unwrap_or_default()
}

/// A PNG of indices into a palette of three colours.
pub fn palette() -> Vec<u8> {
    let [width, height] = SIZE;
    let indices: Vec<u8> = (0..width * height).map(|i| (i % 3) as u8).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(vec![0, 0, 0, 128, 0, 0, 0, 128, 0]);
    let done = encoder.write_header().and_then(|mut writer| writer.write_image_data(&indices));
    done.map(|()| bytes).unwrap_or_default()
}

/// A PNG of 16 bits, black and white.
pub fn deep() -> Vec<u8> {
    let white = |x: u32, y: u32| Luma([if (x + y).is_multiple_of(2) { 0 } else { u16::MAX }]);
    let image: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_fn(SIZE[0], SIZE[1], white);
    written(&image.into(), ImageFormat::Png)
}

/// A PNG, black and white.
pub fn white() -> Vec<u8> {
    let level = |x: u32, y: u32| Luma([if (x + y).is_multiple_of(2) { 0 } else { 255 }]);
    written(&GrayImage::from_fn(SIZE[0], SIZE[1], level).into(), ImageFormat::Png)
}

/// A PNG with a colour that is transparent (`tRNS`), turned by its `eXIf`.
pub fn tagged() -> Vec<u8> {
    let mut bytes = picture("png", true);
    // Behind the signature and `IHDR`.
    let more = [chunk(b"eXIf", &TURNED), chunk(b"tRNS", &[0, 20, 0, 30, 0, 0])].concat();
    bytes.splice(33..33, more);
    bytes
}

/// A JPEG that is turned by its EXIF.
pub fn turned() -> Vec<u8> {
    let mut bytes = picture("jpg", true);
    let held = [&b"Exif\0\0"[..], &TURNED].concat();
    let length = (held.len() + 2) as u16;
    // Behind the mark that begins the file.
    bytes.splice(2..2, [&[0xff, 0xe1][..], &length.to_be_bytes(), &held].concat());
    bytes
}

/// A chunk of a PNG, with its checksum.
pub fn chunk(kind: &[u8], held: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(held);
    [&(held.len() as u32).to_be_bytes()[..], kind, held, &sum.sum().to_be_bytes()].concat()
}
