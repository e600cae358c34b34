//! Pictures of every kind that is read: formats, depths, orientations; and those that are cut short.

use super::data::{bytes, sample, text, write};
use super::data_images::{save_grey, save_rgb};
use archc::train::data::{DataSpec, Holding, Split, Target, open};
use image::{DynamicImage, Rgb, RgbImage};
use std::path::Path;

/// All of a directory, in which these bytes are one more picture of class `a`, `a/it.ENDING`, before the others.
fn with(directory: &Path, ending: &str, picture: &[u8]) -> Split {
    save_rgb(directory, "a/z.png", [6, 4], [9; 3]);
    save_rgb(directory, "b/z.png", [6, 4], [9; 3]);
    write(directory, &format!("a/it.{ending}"), picture);
    let whole = DataSpec { holding: Holding::Nothing, ..DataSpec::new(&[3, 6, 4]) };
    open(text(directory), &whole).unwrap_or_else(|error| panic!("{error}"))
}

/// Red above, blue below, and one side brighter: no two orientations look alike. 6 high, 4 wide.
fn scene() -> RgbImage {
    RgbImage::from_fn(4, 6, |x, y| Rgb([if y < 3 { 200 } else { 0 }, 30 * x as u8, if y < 3 { 0 } else { 200 }]))
}

fn encoded(picture: &DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn planes(picture: &RgbImage) -> Vec<u8> {
    (0..3).flat_map(|c| picture.pixels().map(move |p| p.0[c])).collect()
}

#[test]
fn every_format_is_read_whatever_its_ending_says() {
    use image::ImageFormat::{Bmp, Gif, Png, Tiff, WebP};
    let picture = DynamicImage::ImageRgb8(scene());
    for (format, ending) in
        [(Png, "PNG"), (Bmp, "bmp"), (WebP, "WebP"), (Tiff, "TIF"), (Tiff, "tiff"), (Gif, "gif"), (Png, "jpg")]
    {
        let dir = tempfile::tempdir().unwrap();
        let split = with(dir.path(), ending, &encoded(&picture, format));
        assert_eq!((split.train.len(), split.warnings.len()), (3, 0), "{ending}: {:?}", split.warnings);
        let got = sample(split.train.as_ref(), 0);
        assert_eq!((got.dims, bytes(&got)), ([3, 6, 4], &planes(&scene())[..]), "{ending}");
    }
}

#[test]
fn sixteen_bits_are_rounded_and_transparency_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let deep = image::ImageBuffer::from_fn(4, 6, |x, y| image::Luma([257 * (10 * y + x) as u16 + 100]));
    let split = with(dir.path(), "png", &encoded(&DynamicImage::ImageLuma16(deep), image::ImageFormat::Png));
    assert_eq!(bytes(&sample(split.train.as_ref(), 0))[..6], [0, 1, 2, 3, 10, 11]);
    let clear = image::RgbaImage::from_pixel(4, 6, image::Rgba([10, 20, 30, 0]));
    let split = with(dir.path(), "png", &encoded(&DynamicImage::ImageRgba8(clear), image::ImageFormat::Png));
    let got = sample(split.train.as_ref(), 0);
    assert_eq!((bytes(&got)[0], bytes(&got)[24], bytes(&got)[48]), (10, 20, 30));
    let floats = image::ImageBuffer::from_pixel(4, 6, Rgb([0.5f32; 3]));
    let split = with(dir.path(), "tif", &encoded(&DynamicImage::ImageRgb32F(floats), image::ImageFormat::Tiff));
    let tiff = (0..split.train.len()).map(|i| split.train.get(i, &mut Default::default()));
    let errors: Vec<String> = tiff.filter_map(|read| read.err().map(|error| error.to_string())).collect();
    assert!(errors.len() == 1 && errors[0].contains("floating-point"), "{errors:?}");
}

/// A PNG with an `eXIf` chunk that says this orientation.
fn turned_png(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let png = encoded(&DynamicImage::ImageRgb8(picture.clone()), image::ImageFormat::Png);
    let exif =
        [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat();
    let body = [b"eXIf", exif.as_slice()].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&body);
    let chunk = [&(exif.len() as u32).to_be_bytes()[..], &body, &crc.sum().to_be_bytes()].concat();
    // Behind the signature and IHDR.
    [&png[..33], &chunk, &png[33..]].concat()
}

#[test]
fn orientation_is_applied_as_viewers_do() {
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    let seen = |orientation, stored: &RgbImage| match orientation {
        2 => flip_horizontal(stored),
        3 => rotate180(stored),
        4 => flip_vertical(stored),
        5 => flip_horizontal(&rotate90(stored)),
        6 => rotate90(stored),
        7 => flip_horizontal(&rotate270(stored)),
        8 => rotate270(stored),
        _ => stored.clone(),
    };
    for orientation in 1..=8u8 {
        let dir = tempfile::tempdir().unwrap();
        let split = with(dir.path(), "png", &turned_png(&scene(), orientation));
        let (got, want) = (sample(split.train.as_ref(), 0), seen(orientation, &scene()));
        assert_eq!(got.dims, [3, want.height() as usize, want.width() as usize], "{orientation}");
        assert_eq!(bytes(&got), planes(&want), "{orientation}");

        // A mask of the size that is stored turns with its image; one of the size that is seen is as it is.
        let dir = tempfile::tempdir().unwrap();
        let level = |y: u32, x: u32| (4 * y + x) as u8;
        write(dir.path(), "images/0.png", &turned_png(&scene(), orientation));
        save_grey(dir.path(), "masks/0.png", [6, 4], level);
        let whole = DataSpec { holding: Holding::Nothing, ..DataSpec::new(&[3, 6, 4]) };
        let split = open(text(dir.path()), &whole).unwrap();
        let Target::Mask(mask) = sample(split.train.as_ref(), 0).target else { panic!() };
        let stored = RgbImage::from_fn(4, 6, |x, y| Rgb([level(y, x), 0, 0]));
        let sideways = orientation > 4;
        let want = if sideways { seen(orientation, &stored) } else { stored };
        assert_eq!(mask, want.pixels().map(|p| i32::from(p.0[0])).collect::<Vec<_>>(), "{orientation}");
        // Where both sizes are the same, nothing shows which was meant.
        assert_eq!(
            split.warnings.iter().filter(|w| w.code.0 == "W0804").count(),
            usize::from((2..=4).contains(&orientation))
        );
    }
}

#[test]
fn what_a_jpeg_says_before_its_pixels_is_enough_to_look_at_it() {
    let jpeg = encoded(&DynamicImage::ImageRgb8(scene()), image::ImageFormat::Jpeg);
    let exif =
        [b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[6, 0, 0, 0, 0, 0, 0, 0]].concat();
    let segment = [&[0xff, 0xe1][..], &(exif.len() as u16 + 2).to_be_bytes()[..], &exif].concat();
    // Filled up between two segments, as some cameras do.
    let turned = [&jpeg[..2], &segment, &[0xff, 0xff], &jpeg[2..]].concat();
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "images/0.jpg", &turned);
    // A mask of the size at which the picture is seen, and one of a size that it never has.
    save_grey(dir.path(), "masks/0.png", [4, 6], |y, _| (y % 2) as u8);
    let whole = DataSpec { holding: Holding::Nothing, ..DataSpec::new(&[3, 4, 6]) };
    let split = open(text(dir.path()), &whole).unwrap();
    let got = sample(split.train.as_ref(), 0);
    assert_eq!((got.dims, split.warnings.len()), ([3, 4, 6], 0));
    save_grey(dir.path(), "masks/0.png", [5, 6], |_, _| 0);
    let error = open(text(dir.path()), &whole).err().unwrap();
    assert!(error.to_string().contains("it is 5×6, and its image 4×6"), "{error}");
}

#[test]
fn files_that_are_cut_short_are_broken_whatever_their_decoder_says() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let noise = RgbImage::from_fn(40, 40, |x, y| Rgb([(x * 7 + y * 13) as u8, (x * y) as u8, (x ^ y) as u8]));
    for (format, ending) in [(Jpeg, "jpg"), (Png, "png"), (Gif, "gif"), (WebP, "webp"), (Bmp, "bmp"), (Tiff, "tif")] {
        let whole = encoded(&DynamicImage::ImageRgb8(noise.clone()), format);
        for keep in [whole.len() - 2, whole.len() * 3 / 4, whole.len() / 2, 40, 9] {
            // The last two bytes of a BMP are pixels; of a TIFF, bytes that nobody needs may come last.
            if keep + 2 == whole.len() && format == Tiff {
                continue;
            }
            let dir = tempfile::tempdir().unwrap();
            let split = with(dir.path(), ending, &whole[..keep]);
            let unread =
                (0..split.train.len()).filter(|&i| split.train.get(i, &mut Default::default()).is_err()).count();
            assert_eq!(unread + split.warnings.len(), 1, "{ending} cut to {keep} of {} bytes", whole.len());
        }
        let dir = tempfile::tempdir().unwrap();
        let split = with(dir.path(), ending, &[&whole[..], &[7; 100]].concat());
        assert_eq!((split.train.len(), split.warnings.len()), (3, 0), "{ending} with bytes behind its end");
        assert!(split.train.get(0, &mut Default::default()).is_ok(), "{ending} with bytes behind its end");
    }
    // A JPEG whose end is filled with zeros, as a broken download leaves it.
    let mut zeros = encoded(&DynamicImage::ImageRgb8(noise), Jpeg);
    let half = zeros.len() / 2;
    zeros[half..].fill(0);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(with(dir.path(), "jpg", &zeros).warnings[0].code.0, "W0801");
}

#[test]
fn more_frames_than_one_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut gif = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
    for level in [50, 100] {
        let frame = image::RgbaImage::from_pixel(4, 6, image::Rgba([level, level, level, 255]));
        encoder.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(encoder);
    let split = with(dir.path(), "gif", &gif);
    assert_eq!(bytes(&sample(split.train.as_ref(), 0))[0], 50);
    assert_eq!((split.warnings[0].code.0, &split.warnings[0].notes[..]), ("W0804", &["a/it.gif".to_string()][..]));
}

#[test]
fn what_is_no_picture_is_called_what_it_is() {
    for (start, what) in [
        (&b""[..], "it is empty"),
        (&b"<!DOCTYPE html><html>404</html>"[..], "a web page"),
        (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "a HEIC picture"),
        (&b"version https://git-lfs.github.com/spec/v1\noid"[..], "a git-lfs pointer"),
        (&b"\0\0\0\0\0\0\0\0"[..], "only zeros"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let split = with(dir.path(), "jpg", start);
        assert!(split.warnings[0].notes[0].contains(what), "{:?}", split.warnings[0].notes);
    }
}
