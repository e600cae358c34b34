//! What `archc run` reads and writes.

use super::data::{code, write};
use archc::elaborate::recipe::Normalize;
use archc::train::data::painted::Mask;
use archc::train::data::photo::Photo;
use archc::train::data::resize::Region;
use archc::train::data::tensor_io::{Reading, TensorData, read_input, write_npy, write_safetensors};
use image::{Rgb, RgbImage};

fn reading<'a>(shape: &'a [usize], normalize: Option<&'a Normalize>) -> Reading<'a> {
    Reading { name: "image", shape, normalize, memory: 1 << 24 }
}

fn tensor(shape: &[usize]) -> TensorData {
    TensorData { shape: shape.to_vec(), values: (0..shape.iter().product()).map(|i| i as f32).collect() }
}

#[test]
fn tensors_come_back_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let whole = tensor(&[2, 3, 4, 5]);
    let path = dir.path().join("a.npy");
    write_npy(&path, &whole).unwrap();
    assert_eq!(read_input(&path, &reading(&[3, 4, 5], None)).unwrap(), whole);
    // The same file for a model whose input has four axes beside the batch.
    assert_eq!(read_input(&path, &reading(&[2, 3, 4, 5], None)).unwrap().shape, [1, 2, 3, 4, 5]);

    let path = dir.path().join("a.safetensors");
    write_safetensors(&path, &[("image".into(), whole.clone()), ("aux".into(), tensor(&[7]))]).unwrap();
    assert_eq!(read_input(&path, &reading(&[3, 4, 5], None)).unwrap(), whole);
    let other = Reading { name: "other", ..reading(&[7], None) };
    let error = read_input(&path, &other).unwrap_err();
    assert!(error.to_string().contains("`aux`, `image`"), "{error}");
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "temporary files are left: {left:?}");
}

#[test]
fn images_are_resized_and_normalised() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    RgbImage::from_pixel(20, 10, Rgb([255, 0, 51])).save(&path).unwrap();
    let by = Normalize { mean: vec![0.5], std: vec![0.25] };
    let photo = Photo::read(&path, 3).unwrap();
    assert_eq!((photo.size, photo.stored.as_str(), photo.made), ([10, 20], "RGB", "RGB"));
    let values = photo.values(Region::cover([10, 20], [4, 4]), [4, 4], Some(&by));
    assert_eq!(values.len(), 48);
    for (plane, expected) in values.chunks(16).zip([2.0, -2.0, -1.2]) {
        assert!(plane.iter().all(|v| (v - expected).abs() < 1e-5), "{plane:?}");
    }
    assert_eq!(code(read_input(&path, &reading(&[48], None)).unwrap_err()), "E0822");
    write(dir.path(), "a.txt", b"");
    assert_eq!(code(read_input(&dir.path().join("a.txt"), &reading(&[1], None)).unwrap_err()), "E0822");
}

#[test]
fn what_a_picture_is_made_of_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    let read = |channels: usize| {
        let photo = Photo::read(&path, channels).unwrap();
        (photo.stored, photo.made, photo.changes.join(", "))
    };
    let is = |stored: &str, made: &'static str, changes: &str| (stored.to_string(), made, changes.to_string());
    image::GrayImage::new(2, 3).save(&path).unwrap();
    assert_eq!((read(1), read(3)), (is("grey", "grey", ""), is("grey", "RGB", "")));
    image::RgbaImage::new(2, 3).save(&path).unwrap();
    assert_eq!(read(3), is("RGBA", "RGB", "transparency dropped"));
    image::ImageBuffer::<image::Luma<u16>, _>::from_pixel(2, 3, image::Luma([0x8080])).save(&path).unwrap();
    assert_eq!(read(1), is("16-bit grey", "grey", "values rounded to 8 bits"));
    assert_eq!(Photo::read(&path, 1).unwrap().pixels, [128; 6]);
}

#[test]
fn masks_are_written_as_indices() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    let scores = TensorData { shape: vec![1, 3, 1, 2], values: vec![0., 9., 1., 0., 2., 0.] };
    Mask::of(&scores, 0.0).unwrap().write(&path).unwrap();
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap()));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = [9; 2];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!((pixels, reader.info().color_type), ([2, 0], png::ColorType::Indexed));

    assert_eq!(Mask::of(&tensor(&[2, 10]), 0.0), None);
    assert_eq!(code(write_npy(&dir.path().join("no/such/folder/b.npy"), &tensor(&[2])).unwrap_err()), "E0803");
}

#[test]
fn of_several_frames_the_first_is_taken_and_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.gif");
    let mut encoder = image::codecs::gif::GifEncoder::new(std::fs::File::create(&path).unwrap());
    for level in [0, 255] {
        let picture = image::RgbaImage::from_pixel(4, 3, image::Rgba([level, level, level, 255]));
        encoder.encode_frame(image::Frame::new(picture)).unwrap();
    }
    drop(encoder);
    let photo = Photo::read(&path, 1).unwrap();
    assert!(photo.changes.contains(&"the first of several frames".to_string()), "{:?}", photo.changes);
    assert_eq!(photo.pixels, [0; 12]);
}

#[test]
fn what_is_no_picture_is_called_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for (bytes, what) in [(&b"<!DOCTYPE html>"[..], "a web page"), (b"", "empty"), (b"\0\0\0\x18ftypheic", "HEIC")] {
        write(dir.path(), "x.jpg", bytes);
        let error = Photo::read(&dir.path().join("x.jpg"), 3).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}
