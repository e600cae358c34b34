//! `archc run` on pictures: what is done to them is said, masks have their size, tiles give what the whole gives.

use crate::cli::expect;
use archc::train::data::tensor_io::{TensorData, write_npy};
use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage};
use serde_json::Value;
use std::path::Path;

/// Halved twice and brought back, so that sizes are multiples of 4; a class of three for each pixel.
const MASKS: &str = "
model Masks(classes=3) {
    input image [N, 1, H=32, W=32]
    long skip concat {
        maxpool(2) -> conv(4, 3) -> relu -> maxpool(2) -> conv(4, 3) -> relu
        conv_transpose(4, 4, stride=4)
    }
    conv(classes, 3)
}
train Masks {
    data      = \"none\"
    loss      = cross_entropy()
    optimizer = sgd(lr=0.1)
    epochs    = 1
    normalize = (mean=[0.4], std=[0.2])
}
";

const CLASSES: &str = "
model Classes(classes=4) {
    input image [N, 3, H=16, W=16]
    conv(4, 3) -> relu -> avgpool(global) -> flatten -> linear(classes)
}
";

/// A folder with the networks and a colour picture of 45×33.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("masks.arch", MASKS);
    write("fixed.arch", &MASKS.replace("H=32, W=32", "32, 32"));
    write("classes.arch", CLASSES);
    colours(45, 33).save(folder.path().join("photo.png")).unwrap();
    folder
}

fn colours(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 5) as u8, (y * 7) as u8, ((x * y) % 251) as u8]))
}

/// The same picture as a network of one channel gets it.
fn grey(width: u32, height: u32) -> Vec<f32> {
    let weigh = |[r, g, b]: [u8; 3]| (r as u32 * 19595 + g as u32 * 38470 + b as u32 * 7471 + 0x8000) >> 16;
    colours(width, height).pixels().map(|p| (weigh(p.0) as f32 / 255.0 - 0.4) / 0.2).collect()
}

fn run(folder: &Path, args: &[&str]) -> (String, String) {
    expect(folder, &[&["run", "--threads", "2"], args].concat(), 0)
}

/// The one object that a run prints.
fn json(folder: &Path, args: &[&str]) -> Value {
    let (out, _) = run(folder, &[args, &["--format", "json"]].concat());
    assert_eq!(out.lines().count(), 1, "{out}");
    serde_json::from_str(&out).unwrap()
}

/// Shape and numbers of an `.npy` with floats.
fn numbers(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let bytes = std::fs::read(path).unwrap();
    let length = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    let shape = header.split('(').nth(1).unwrap().split(')').next().unwrap();
    let shape = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let floats = bytes[10 + length..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    (shape, floats.collect())
}

/// Width, height and indices of a PNG with a palette.
fn indices(path: &Path) -> (u32, u32, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().unwrap();
    assert_eq!(reader.info().color_type, png::ColorType::Indexed);
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    (reader.info().width, reader.info().height, pixels)
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// numpy's `reflect` at the lower and right edge.
fn mirrored(at: usize, n: usize) -> usize {
    if at < n { at } else { 2 * (n - 1) - at }
}

#[test]
fn a_picture_keeps_its_size_and_its_padding_is_cut() {
    let folder = workplace();
    let here = folder.path();
    let (_, err) = run(here, &["masks.arch", "photo.png", "--output", "y.npy"]);
    let line =
        "photo.png: 45×33 RGB → grey, at its own size, padded to 48×36 by reflection; normalised as the recipe says";
    assert!(err.contains(line), "{err}");
    let (shape, native) = numbers(&here.join("y.npy"));
    assert_eq!(shape, [1, 3, 33, 45]);

    let picture = grey(45, 33);
    let padded = (0..36).flat_map(|y| (0..48).map(move |x| (mirrored(y, 33), mirrored(x, 45))));
    let values = padded.map(|(y, x)| picture[y * 45 + x]).collect();
    write_npy(&here.join("x.npy"), &TensorData { shape: vec![1, 1, 36, 48], values }).unwrap();
    run(here, &["masks.arch", "--input", "x.npy", "--output", "whole.npy"]);
    let (shape, whole) = numbers(&here.join("whole.npy"));
    assert_eq!(shape, [1, 3, 36, 48]);
    let cut: Vec<f32> = (0..3 * 33 * 45).map(|i| whole[(i / (33 * 45) * 36 + i / 45 % 33) * 48 + i % 45]).collect();
    assert!(apart(&native, &cut) < 1e-6);

    run(here, &["masks.arch", "photo.png", "--output", "mask.png"]);
    let (width, height, mask) = indices(&here.join("mask.png"));
    assert_eq!((width, height), (45, 33));
    let score = |class: usize, pixel: usize| native[class * 33 * 45 + pixel];
    let likeliest =
        |pixel: usize| (1..3).fold(0, |best, c| if score(c, pixel) > score(best, pixel) { c } else { best });
    assert!(mask.iter().enumerate().all(|(i, &class)| class as usize == likeliest(i)));
}

#[test]
fn json_says_what_was_done() {
    let folder = workplace();
    let answer = json(folder.path(), &["masks.arch", "photo.png"]);
    let size = |width: u64, height: u64| serde_json::json!({ "width": width, "height": height });
    let picture = &answer["picture"];
    assert_eq!((&answer["file"], &picture["fit"]), (&"photo.png".into(), &"native".into()));
    assert_eq!((&picture["size"], &picture["padded"]), (&size(45, 33), &size(48, 36)));
    assert_eq!(
        (&picture["stored"], &picture["made"], &picture["normalised"]),
        (&"RGB".into(), &"grey".into(), &true.into())
    );
    let (_, output) = answer["outputs"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(output["shape"], serde_json::json!([1, 3, 33, 45]));
    let shares: f64 = output["pixels"].as_array().unwrap().iter().map(|class| class["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{answer}");
}

#[test]
fn a_tiny_picture_is_padded_up() {
    let folder = workplace();
    let pixel: GrayImage = ImageBuffer::from_pixel(1, 1, Luma([9]));
    pixel.save(folder.path().join("dot.png")).unwrap();
    let (_, err) = run(folder.path(), &["masks.arch", "dot.png", "--output", "mask.png"]);
    assert!(err.contains("dot.png: 1×1 grey, at its own size, padded to 4×4 by reflection"), "{err}");
    let (width, height, _) = indices(&folder.path().join("mask.png"));
    assert_eq!((width, height), (1, 1));
}

#[test]
fn tiles_give_what_the_whole_gives() {
    let folder = workplace();
    let here = folder.path();
    colours(301, 187).save(here.join("large.png")).unwrap();
    let native = json(here, &["masks.arch", "large.png", "--output", "native.npy"]);
    assert_eq!(native["picture"]["tiles"], Value::Null);
    let tiled = json(here, &["masks.arch", "large.png", "--fit", "tile", "--size", "96x128", "--output", "tiled.npy"]);
    let tiles = &tiled["picture"]["tiles"];
    assert_eq!((&tiles["exact"], &tiles["size"]["width"]), (&true.into(), &128.into()), "{tiled}");
    assert!(tiles["count"].as_u64().unwrap() > 3);
    let both = ["native.npy", "tiled.npy"].map(|name| numbers(&here.join(name)));
    assert_eq!(both[0].0, [1, 3, 187, 301]);
    let largest = both[0].1.iter().fold(0f32, |most, v| most.max(v.abs()));
    assert!(apart(&both[0].1, &both[1].1) <= 1e-5 * largest);
    // By the module as well.
    let module = ["masks.arch", "large.png", "--fit", "tile", "--engine", "candle", "--output", "module.npy"];
    run(here, &module);
    assert!(apart(&both[0].1, &numbers(&here.join("module.npy")).1) <= 1e-5 * largest);
}

#[test]
fn tiles_that_cannot_give_what_the_whole_gives_are_not_called_exact() {
    let folder = workplace();
    let here = folder.path();
    colours(301, 187).save(here.join("odd.png")).unwrap();
    colours(300, 188).save(here.join("even.png")).unwrap();
    let tiles = |file: &str, inner: &str| {
        let body = format!("start: conv(2, 3)\n {inner} -> upsample(like=start) -> conv(2, 3)");
        let text = format!("model Like {{ input image [N, 1, H=32, W=32]\n {body} }}");
        std::fs::write(here.join("like.arch"), text).unwrap();
        let answer = json(here, &["like.arch", file, "--fit", "tile", "--size", "96x128"]);
        (answer["picture"]["tiles"]["exact"].as_bool(), answer["picture"]["said"].as_str().unwrap().to_string())
    };
    assert_eq!(tiles("even.png", "maxpool(2)").0, Some(true));
    let (exact, said) = tiles("odd.png", "maxpool(2)");
    assert!(exact == Some(false) && said.contains("falls on other positions in a tile: seams are blended"), "{said}");
    let (exact, said) = tiles("even.png", "adaptive_avgpool(4)");
    assert!(exact == Some(false) && said.contains("seams are blended"), "{said}");
}

#[test]
fn tiles_are_taken_where_memory_asks_for_them() {
    let folder = workplace();
    colours(640, 400).save(folder.path().join("large.png")).unwrap();
    let (_, err) = run(folder.path(), &["masks.arch", "large.png", "--memory", "12M", "--output", "mask.png"]);
    assert!(err.contains("tiles of") && err.contains("at once it takes"), "{err}");
    assert_eq!(indices(&folder.path().join("mask.png")).0, 640);
    let args = ["run", "masks.arch", "large.png", "--memory", "100K", "--fit", "native"];
    let (_, err) = expect(folder.path(), &args, 1);
    assert!(err.contains("error[E0809]") && err.contains("`large.png`: 640×400 as `native` takes"), "{err}");
    let (_, err) = expect(folder.path(), &["run", "masks.arch", "large.png", "--memory", "much"], 2);
    assert!(err.contains("--memory 2G"), "{err}");
}

#[test]
fn fixed_sizes_cover_the_picture_as_in_training() {
    let folder = workplace();
    let here = folder.path();
    let (_, err) = run(here, &["fixed.arch", "photo.png", "--output", "mask.png"]);
    assert!(err.contains("shrunk to 44×32, in 2 tiles of 32×32"), "{err}");
    assert_eq!(indices(&here.join("mask.png")).0, 45);
    let (_, err) = run(here, &["fixed.arch", "photo.png", "--fit", "stretch", "--output", "mask.png"]);
    assert!(err.contains("stretched to 32×32"), "{err}");
    assert_eq!((indices(&here.join("mask.png")).0, indices(&here.join("mask.png")).1), (45, 33));
    let (_, err) = expect(here, &["run", "fixed.arch", "photo.png", "--fit", "native"], 1);
    assert!(err.contains("error[E0903]") && err.contains("the height of `Masks` is fixed at 32"), "{err}");
    let help = "help: --fit cover, --fit stretch or --fit crop; or name the sizes in the file: [N, 1, H=32, W=32]";
    assert!(err.contains(help), "{err}");
}

#[test]
fn what_is_offered_instead_works() {
    let folder = workplace();
    let here = folder.path();
    let fixed = "model Fixed { input image [N, 3, 24, 16]\n conv(2, 3) -> flatten -> linear(4) }";
    std::fs::write(here.join("fixed_classes.arch"), fixed).unwrap();
    let said =
        |more: &[&str], status| expect(here, &[&["run", "fixed_classes.arch", "photo.png"], more].concat(), status);
    // No tiles of classes, and a name for a size would not help: the weights are for one size.
    let (_, err) = said(&["--fit", "native"], 1);
    assert!(err.contains("error[E0903]") && err.contains("help: --fit stretch or --fit crop\n"), "{err}");
    ["stretch", "crop"].iter().for_each(|fit| _ = said(&["--fit", fit], 0));
    // What memory it takes is known.
    let (_, err) = said(&["--fit", "stretch", "--memory", "1K"], 1);
    let memory = err.split("help: --memory ").nth(1).and_then(|rest| rest.split(['\n', ',']).next()).expect(&err);
    assert!(!err.contains("help: --fit"), "{err}");
    said(&["--fit", "stretch", "--memory", memory], 0);
    // Sizes without names are given all at once.
    for size in ["16", "H=16"] {
        let (_, err) = said(&["--size", size], 1);
        assert!(err.contains("error[E0311]") && err.contains("give all of") && err.contains("`--size 16x16`"), "{err}");
    }
}

#[test]
fn what_is_no_number_in_weights_is_said() {
    let folder = workplace();
    let here = folder.path();
    let net = "model Net { input image [N, 3, 8, 8]\n flatten -> linear(2) }";
    std::fs::write(here.join("net.arch"), net).unwrap();
    expect(here, &["export", "net.arch", "--safetensors", "w.safetensors"], 0);
    let mut bytes = std::fs::read(here.join("w.safetensors")).unwrap();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(here.join("w.safetensors"), bytes).unwrap();
    for engine in ["plan", "candle"] {
        let args = ["net.arch", "photo.png", "--weights", "w.safetensors", "--engine", engine];
        let (_, err) = run(here, &args);
        assert!(err.contains("holds 1 number that is NaN or infinite"), "{err}");
    }
}

#[test]
fn where_an_answer_has_no_place_nothing_is_computed() {
    let folder = workplace();
    let (out, err) = expect(folder.path(), &["run", "classes.arch", "photo.png", "--output", "no dir/x.csv"], 1);
    assert!(err.contains("there is no folder `no dir`") && err.contains("help: mkdir -p 'no dir'"), "{err}");
    assert!(out.is_empty() && !err.contains("photo.png:"), "{out}{err}");
}

#[test]
fn pictures_of_other_kinds_are_converted() {
    let folder = workplace();
    std::fs::write(folder.path().join("IMG 1.HEIC"), b"\0\0\0\x18ftypheic").unwrap();
    let (_, err) = expect(folder.path(), &["run", "classes.arch", "IMG 1.HEIC"], 1);
    assert!(err.contains("error[E0822]") && err.contains("magick 'IMG 1.HEIC' 'IMG 1.png'"), "{err}");
}

#[test]
fn what_a_crop_leaves_out_is_void() {
    let folder = workplace();
    let here = folder.path();
    let (_, err) = run(here, &["masks.arch", "photo.png", "--fit", "crop", "--output", "mask.png"]);
    assert!(err.contains("its middle 33×33, shrunk to 32×32"), "{err}");
    let (width, height, mask) = indices(&here.join("mask.png"));
    assert_eq!((width, height), (45, 33));
    let void = |x: usize| (0..33).all(|y| mask[y * 45 + x] == 255);
    let classes = |x: usize| (0..33).all(|y| mask[y * 45 + x] < 3);
    assert!((0..6).chain(39..45).all(void) && (6..39).all(classes));
    assert!(err.contains("wrote mask.png: 255 where the picture was cut off"), "{err}");
    let answer = json(here, &["masks.arch", "photo.png", "--fit", "crop"]);
    let region = serde_json::json!({ "left": 6.0, "top": 0.0, "width": 33.0, "height": 33.0 });
    assert_eq!(answer["picture"]["region"], region);
}

#[test]
fn windows_without_padding_see_the_picture_mirrored() {
    let folder = workplace();
    let here = folder.path();
    let valid = "model Valid { input image [N, 3, H=20, W=20]\n conv(4, 3, pad=0) -> relu -> conv(2, 4, pad=0) }";
    std::fs::write(here.join("valid.arch"), valid).unwrap();
    let (_, err) = run(here, &["valid.arch", "photo.png", "--output", "y.npy"]);
    assert!(err.contains("45×33 RGB, at its own size, padded to 51×39 by reflection; values from 0 to 1"), "{err}");
    assert_eq!(numbers(&here.join("y.npy")).0, [1, 2, 33, 45]);
    run(here, &["valid.arch", "photo.png", "--fit", "tile", "--size", "40x40", "--output", "tiled.npy"]);
    assert!(apart(&numbers(&here.join("y.npy")).1, &numbers(&here.join("tiled.npy")).1) < 1e-5);
    for fit in ["crop", "stretch", "cover"] {
        run(here, &["valid.arch", "photo.png", "--fit", fit, "--output", "mask.png"]);
        assert_eq!(indices(&here.join("mask.png")).0, 45, "{fit}");
    }
}

#[test]
fn answers_may_be_pictures() {
    let folder = workplace();
    let here = folder.path();
    let double = "model Double { input image [N, 3, H=16, W=16]\n conv_transpose(3, 2, stride=2) -> sigmoid }";
    std::fs::write(here.join("double.arch"), double).unwrap();
    run(here, &["double.arch", "photo.png", "--output", "large.png"]);
    let large = image::open(here.join("large.png")).unwrap();
    assert_eq!((large.width(), large.height(), large.color()), (90, 66, image::ColorType::Rgb8));
    run(here, &["double.arch", "photo.png", "--as", "mask", "--output", "mask.png"]);
    assert_eq!((indices(&here.join("mask.png")).0, indices(&here.join("mask.png")).1), (45, 33));
    run(here, &["masks.arch", "photo.png", "--as", "picture", "--output", "scores.png"]);
    assert_eq!(image::open(here.join("scores.png")).unwrap().width(), 45);
    // An array is drawn as a picture would be.
    let x = TensorData { shape: vec![1, 3, 8, 8], values: (0..192).map(|i| i as f32 / 192.0).collect() };
    write_npy(&here.join("x.npy"), &x).unwrap();
    run(here, &["double.arch", "x.npy", "--output", "large.png"]);
    assert_eq!(image::open(here.join("large.png")).unwrap().color(), image::ColorType::Rgb8);
}

#[test]
fn what_is_taken_for_a_mask_without_being_told_is_said() {
    let folder = workplace();
    let here = folder.path();
    let same = "model Same { input image [N, 3, H=16, W=16]\n conv(3, 3) }";
    std::fs::write(here.join("same.arch"), same).unwrap();
    let guess = "wrote y.png: the likeliest of 3 classes for each pixel; `--as picture` writes values";
    let (_, err) = run(here, &["same.arch", "photo.png", "--output", "y.png"]);
    assert!(err.contains(guess), "{err}");
    for sure in [&["same.arch", "photo.png", "--as", "mask"][..], &["masks.arch", "photo.png"]] {
        let (_, err) = run(here, &[sure, &["--output", "y.png"]].concat());
        assert!(!err.contains("likeliest of"), "{err}");
    }
}

#[test]
fn a_sigmoid_is_above_a_half() {
    let folder = workplace();
    let here = folder.path();
    let text = "model Half { input image [N, 3, H=16, W=16]\n conv(1, 1) -> sigmoid }";
    std::fs::write(here.join("half.arch"), text).unwrap();
    let mut seen = [false; 2];
    for seed in ["0", "1", "2", "3", "4", "5", "6", "7"] {
        run(here, &["half.arch", "photo.png", "--seed", seed, "--output", "y.npy"]);
        run(here, &["half.arch", "photo.png", "--seed", seed, "--output", "mask.png"]);
        let (_, scores) = numbers(&here.join("y.npy"));
        let (.., mask) = indices(&here.join("mask.png"));
        assert!(scores.iter().zip(&mask).all(|(&score, &class)| class == u8::from(score > 0.5)));
        mask.iter().for_each(|&class| seen[class as usize] = true);
    }
    assert_eq!(seen, [true; 2]);
}
