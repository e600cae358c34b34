//! Masks in image files.

use super::segmenter;
use crate::cli::{archc, text};
use serde_json::Value;
use std::path::Path;

/// `images/` and `masks/` of six pairs, the masks as this writes them.
fn pictures(folder: &Path, save_mask: impl Fn(usize, &Path)) {
    for part in ["images", "masks"] {
        std::fs::create_dir_all(folder.join("d").join(part)).unwrap();
    }
    for i in 0..6 {
        let grey = |x: u32, y: u32| image::Luma([(x * 40 + y * 9 + i as u32) as u8]);
        image::GrayImage::from_fn(4, 4, grey).save(folder.join(format!("d/images/{i}.png"))).unwrap();
        save_mask(i, &folder.join(format!("d/masks/{i}")));
    }
}

fn half<P: image::Pixel>(a: P, b: P) -> image::ImageBuffer<P, Vec<P::Subpixel>> {
    image::ImageBuffer::from_fn(4, 4, |x, _| if x < 2 { a } else { b })
}

/// What training says of masks; `None` where it is done.
fn learnt(save_mask: impl Fn(usize, &Path), channels: usize) -> Option<Value> {
    last(save_mask, &segmenter(channels, "cross_entropy()")).err()
}

/// What training ends with, or what it says of masks.
fn last(save_mask: impl Fn(usize, &Path), net: &str) -> Result<Value, Value> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("net.arch"), net).unwrap();
    pictures(folder, save_mask);
    let args = ["train", "net.arch", "--data", "d", "--out", "run", "--no-report", "--format", "json"];
    let output = archc(folder).args(args).output().unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let lines: Vec<Value> = out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let said: Vec<&Value> = lines.iter().filter(|line| line["severity"] == "error").collect();
    assert_eq!(output.status.code(), Some(i32::from(!said.is_empty())), "{out}\n{err}");
    match said.first() {
        Some(&said) => Err(said.clone()),
        None => Ok(lines.last().cloned().unwrap_or_default()),
    }
}

#[test]
fn masks_in_pictures_are_read_by_the_same_rule() {
    use image::{Luma, Rgb, Rgba};
    let png = |path: &Path| path.with_extension("png");
    let jpeg = |path: &Path| path.with_extension("jpg");
    // Black and white, as grey, in 16 bits, as colours that are grey, and as JPEG where nothing was lost.
    assert_eq!(learnt(|_, path| half(Luma([0u8]), Luma([255])).save(png(path)).unwrap(), 2), None);
    assert_eq!(learnt(|_, path| half(Luma([0u16]), Luma([65535])).save(png(path)).unwrap(), 2), None);
    assert_eq!(learnt(|_, path| half(Rgb([0u8; 3]), Rgb([255; 3])).save(png(path)).unwrap(), 2), None);
    assert_eq!(learnt(|_, path| half(Rgba([2u8, 2, 2, 255]), Rgba([1, 1, 1, 255])).save(png(path)).unwrap(), 3), None);
    assert_eq!(
        learnt(|i, path| half(Luma([0u8]), Luma([0])).save(if i > 0 { png(path) } else { jpeg(path) }).unwrap(), 2),
        None
    );

    let says = |said: Option<Value>, parts: &[&str]| {
        let said = said.expect("it is refused");
        let all = format!("{} {} {}", said["message"], said["help"], said["notes"]);
        assert_eq!(said["code"], "E0806", "{all}");
        parts.iter().for_each(|part| assert!(all.contains(part), "`{part}` is not in\n{all}"));
    };
    let stray = |i: usize, path: &Path| {
        let mut mask = half(Luma([0u8]), Luma([255]));
        if i == 4 {
            mask.put_pixel(3, 1, Luma([127]));
        }
        mask.save(png(path)).unwrap();
    };
    says(learnt(stray, 2), &["masks/4.png` has level 127 at row 1, column 3", "1 pixel is neither 0 nor 255"]);
    let void = |i: usize, path: &Path| half(Luma([i as u8 % 2]), Luma([255])).save(png(path)).unwrap();
    says(learnt(void, 2), &["has level 255 at row 0, column 2", "`--set loss.ignore_index=255`"]);
    let colours = |_: usize, path: &Path| half(Rgb([0u8, 0, 0]), Rgb([128, 0, 0])).save(png(path)).unwrap();
    let numbered = "python3 -c 'import numpy as np; from pathlib import Path";
    let place = "the colour (128, 0, 0) at row 0, column 2";
    says(learnt(colours, 2), &[place, "(0, 0, 0), (128, 0, 0)", numbered, "d/masks"]);
    // The colours of all masks are listed; of a photograph none are.
    let more = |i: usize, path: &Path| half(Rgb([0u8, 0, 0]), Rgb([100 + i as u8, 0, 0])).save(png(path)).unwrap();
    says(
        learnt(more, 2),
        &["[(0, 0, 0), (100, 0, 0), (101, 0, 0), (102, 0, 0), (103, 0, 0), (104, 0, 0), (105, 0, 0)]"],
    );
    let photo = |_: usize, path: &Path| {
        let noise = image::RgbImage::from_fn(16, 16, |x, y| Rgb([(x * 16) as u8, (y * 16) as u8, 9]));
        noise.save(png(path)).unwrap();
    };
    says(learnt(photo, 2), &["more than 64"]);
    let clear = |_: usize, path: &Path| half(Rgba([0u8; 4]), Rgba([0, 0, 0, 255])).save(png(path)).unwrap();
    says(learnt(clear, 2), &["another transparency at row 0, column 2"]);
    let lossy = |_: usize, path: &Path| half(Luma([0u8]), Luma([9])).save(jpeg(path)).unwrap();
    says(learnt(lossy, 2), &["it is a JPEG", "v > 127"]);
    let lossy = |_: usize, path: &Path| std::fs::write(path.with_extension("webp"), WEBP).unwrap();
    says(learnt(lossy, 2), &["it is a lossy WebP", ".webp` has level"]);
    let whole = |_: usize, path: &Path| half(Luma([0u8]), Luma([1])).save(path.with_extension("webp")).unwrap();
    assert_eq!(learnt(whole, 2), None);
}

/// 4×4 as Pillow writes WebP where nothing is asked for: of levels 0 and 9 came others.
const WEBP: &[u8] = &[
    0x52, 0x49, 0x46, 0x46, 0x28, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x20, 0x1c, 0x00, 0x00,
    0x00, 0x90, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x04, 0x00, 0x04, 0x00, 0x01, 0x40, 0x26, 0x25, 0xa4, 0x00, 0x02, 0xe7,
    0x59, 0xb6, 0x00, 0x00, 0xfe, 0xff, 0x1f, 0x2c, 0x00, 0x00,
];

#[test]
fn losses_over_numbers_read_levels_as_numbers() {
    let save = |white: u8| {
        move |_: usize, path: &Path| {
            half(image::Luma([0u8]), image::Luma([white])).save(path.with_extension("png")).unwrap()
        }
    };
    let loss = |white: u8| last(save(white), &segmenter(1, "mse()")).unwrap()["best"]["loss"].as_f64().unwrap();
    let (one, white) = (loss(1), loss(255));
    assert!(one < 10.0 && white > 1000.0, "{one} {white}");
}

#[test]
fn palettes_number_the_classes() {
    let indexed = |path: &Path, palette: [u8; 6]| {
        let mut encoder = png::Encoder::new(std::fs::File::create(path.with_extension("png")).unwrap(), 4, 4);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.to_vec());
        encoder.write_header().unwrap().write_image_data(&[0, 1].repeat(8)).unwrap();
    };
    assert_eq!(learnt(|_, path| indexed(path, [0, 0, 0, 128, 0, 0]), 2), None);
    let twisted = |i: usize, path: &Path| match i {
        3 => indexed(path, [128, 0, 0, 0, 0, 0]),
        _ => indexed(path, [0, 0, 0, 128, 0, 0]),
    };
    let said = learnt(twisted, 2).expect("palettes disagree");
    assert_eq!(said["code"], "E0806");
    assert!(said["message"].as_str().unwrap().contains("in the palette of"), "{said}");
}
