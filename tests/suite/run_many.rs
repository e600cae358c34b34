//! `archc run` on several pictures, folders and tensors at once: answers, tables, and what goes wrong with some.

use crate::cli::expect;
use image::{Rgb, RgbImage};
use serde_json::Value;
use std::path::Path;

const CLASSES: &str = "
model Classes(classes=4) {
    input image [N, 3, H=16, W=16]
    conv(4, 3) -> relu -> avgpool(global) -> flatten -> linear(classes)
}
";

const MASKS: &str = "model Masks { input image [N, 1, H=16, W=16]\n conv(3, 3) }";

/// Networks, and a folder of pictures with one broken and a text beside them.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("classes.arch"), CLASSES).unwrap();
    std::fs::write(here.join("masks.arch"), MASKS).unwrap();
    std::fs::create_dir_all(here.join("photos/more")).unwrap();
    for (name, width, height) in [("a.png", 20, 10), ("b.jpg", 9, 30), ("b.png", 16, 16), ("more/c.png", 7, 7)] {
        let picture = RgbImage::from_fn(width, height, |x, y| Rgb([(x * 9) as u8, (y * 5) as u8, 80]));
        picture.save(here.join("photos").join(name)).unwrap();
    }
    std::fs::write(here.join("photos/notes.txt"), "of May").unwrap();
    folder
}

fn broken(folder: &Path) {
    let whole = std::fs::read(folder.join("photos/a.png")).unwrap();
    std::fs::write(folder.join("photos/a2.png"), &whole[..whole.len() / 2]).unwrap();
}

#[test]
fn a_folder_is_answered_picture_by_picture() {
    let folder = workplace();
    let (out, err) = expect(folder.path(), &["run", "classes.arch", "photos"], 0);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    assert!(lines[0].starts_with("photos/a.png: ") && lines[3].starts_with("photos/more/c.png: "), "{out}");
    assert!(lines.iter().all(|line| line.matches(" % class ").count() == 3), "{out}");
    assert!(err.contains("photos: `notes.txt` is no picture, and is passed over"), "{err}");
    assert!(err.contains("[1/4] photos/a.png: 20×10 RGB, its middle 10×10, enlarged to 16×16"), "{err}");
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{err}");
}

#[test]
fn files_may_follow_the_network_or_the_option() {
    let folder = workplace();
    let here = folder.path();
    let (plain, _) = expect(here, &["run", "classes.arch", "photos/a.png", "photos/b.png"], 0);
    let (option, _) = expect(here, &["run", "classes.arch", "--input", "photos/a.png", "photos/b.png"], 0);
    let (twice, _) = expect(here, &["run", "classes.arch", "--input", "photos/a.png", "--input", "photos/b.png"], 0);
    assert_eq!((plain.lines().count(), &plain, &plain), (2, &option, &twice));
    let (_, err) = expect(here, &["run", "photos/a.png", "classes.arch"], 2);
    assert!(err.contains("archc run classes.arch photos/a.png"), "{err}");
    let (_, err) = expect(here, &["run", "classes.arch"], 2);
    assert!(err.contains("INPUT"), "{err}");
}

#[test]
fn one_broken_picture_does_not_stop_the_others() {
    let folder = workplace();
    broken(folder.path());
    let (out, err) = expect(folder.path(), &["run", "classes.arch", "photos"], 1);
    assert_eq!(out.lines().count(), 4, "{out}");
    assert!(err.contains("error[E0804]") && err.contains("photos/a2.png"), "{err}");
    assert!(err.contains("1 of 5 failed"), "{err}");
    let (out, _) = expect(folder.path(), &["run", "classes.arch", "photos", "--format", "json"], 1);
    let objects: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((objects.len(), &objects[1]["code"]), (5, &"E0804".into()), "{out}");
    let files: Vec<&str> = objects.iter().filter_map(|object| object["file"].as_str()).collect();
    assert_eq!(files, ["photos/a.png", "photos/b.jpg", "photos/b.png", "photos/more/c.png"]);
}

#[test]
fn masks_of_a_folder_lie_as_the_pictures_do() {
    let folder = workplace();
    let here = folder.path();
    let (_, err) = expect(here, &["run", "masks.arch", "photos", "--output", "masks"], 0);
    assert!(err.contains("wrote 4 files in masks"), "{err}");
    for (name, size) in [("a.png", (20, 10)), ("b.jpg.png", (9, 30)), ("b.png.png", (16, 16)), ("more/c.png", (7, 7))] {
        assert_eq!(image::image_dimensions(here.join("masks").join(name)).unwrap(), size, "{name}");
    }
    // Masks that lie in the folder itself are not taken for pictures the next time.
    expect(here, &["run", "masks.arch", "photos", "--output", "photos/masks"], 0);
    let (_, err) = expect(here, &["run", "masks.arch", "photos", "--output", "photos/masks"], 0);
    assert!(err.contains("wrote 4 files"), "{err}");
    let (_, err) = expect(here, &["run", "classes.arch", "photos/a.png", "photos/b.png", "--output", "numbers/"], 0);
    assert!(err.contains("wrote 2 files") && here.join("numbers/a.safetensors").is_file(), "{err}");
}

#[test]
fn pictures_are_never_written_over() {
    let folder = workplace();
    let here = folder.path();
    let before = std::fs::read(here.join("photos/a.png")).unwrap();
    for output in ["photos", "photos/", "photos/a.png"] {
        let (_, err) = expect(here, &["run", "masks.arch", "photos/a.png", "--output", output], 2);
        assert!(err.contains("`photos/a.png` is an input, and the answer would replace it"), "{err}");
    }
    assert_eq!(std::fs::read(here.join("photos/a.png")).unwrap(), before);
    let (_, err) = expect(here, &["run", "masks.arch", "photos", "--output", "all.png"], 2);
    assert!(err.contains("`all.png` is one file, and there are 4 inputs") && err.contains("--output all/"), "{err}");
    let (_, err) = expect(here, &["run", "masks.arch", "photos/more", "--output", "all.png"], 2);
    assert!(err.contains("`all.png` is one file, and a folder is given"), "{err}");
}

#[test]
fn classes_become_a_table() {
    let folder = workplace();
    broken(folder.path());
    let here = folder.path();
    let args = ["run", "classes.arch", "photos", "--top", "2", "--output"];
    let (_, err) = expect(here, &[&args[..], &["classes.csv"]].concat(), 1);
    assert!(err.contains("wrote classes.csv"), "{err}");
    let text = std::fs::read_to_string(here.join("classes.csv")).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!((rows[0], rows.len()), ("file,rank,class,name,probability", 9), "{text}");
    assert!(rows[1].starts_with("photos/a.png,1,") && rows[2].starts_with("photos/a.png,2,"), "{text}");
    expect(here, &[&args[..], &["classes.json"]].concat(), 1);
    let text = std::fs::read_to_string(here.join("classes.json")).unwrap();
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!((list.len(), &list[2]["file"], &list[2]["rank"]), (8, &"photos/b.jpg".into(), &1.into()));
    let (_, err) = expect(here, &["run", "masks.arch", "photos", "--output", "classes.csv"], 2);
    assert!(err.contains("`Masks` scores no classes") && err.contains("help: --as mask"), "{err}");
}

#[test]
fn shares_of_pixels_become_a_table() {
    let folder = workplace();
    let here = folder.path();
    let args = ["run", "masks.arch", "photos", "--as", "mask", "--output", "shares.csv"];
    expect(here, &args, 0);
    let text = std::fs::read_to_string(here.join("shares.csv")).unwrap();
    assert!(text.starts_with("file,rank,class,name,share\r\nphotos/a.png,1,"), "{text}");
    let share = |row: &str| row.rsplit(',').next().and_then(|share| share.parse::<f64>().ok()).unwrap();
    let all: f64 = text.lines().filter(|row| row.starts_with("photos/b.png,")).map(share).sum();
    assert!((all - 1.0).abs() < 1e-5, "{text}");
}

#[test]
fn masks_of_a_data_set_are_not_asked_about() {
    let folder = workplace();
    let here = folder.path();
    for name in ["set/images/a.png", "set/masks/a.png"] {
        std::fs::create_dir_all(here.join(name).parent().unwrap()).unwrap();
        RgbImage::new(16, 16).save(here.join(name)).unwrap();
    }
    let (out, err) = expect(here, &["run", "classes.arch", "set"], 0);
    assert!(err.contains("set: 1 file is in `masks`, beside `images`, and passed over as masks"), "{err}");
    assert_eq!(out.matches("output:").count(), 1, "{out}");
}

#[test]
fn a_folder_without_pictures_is_refused() {
    let folder = workplace();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let (_, err) = expect(folder.path(), &["run", "classes.arch", "empty"], 1);
    assert!(err.contains("error[E0807]") && err.contains("it holds no picture"), "{err}");
}

#[test]
fn a_picture_mistyped_is_guessed() {
    let folder = workplace();
    let (out, err) = expect(folder.path(), &["run", "classes.arch", "photos/a.pgn", "photos/c.jpg", "photos/b.jpg"], 1);
    assert!(out.starts_with("photos/b.jpg: ") && err.contains("2 of 3 failed"), "{out}{err}");
    assert!(err.contains("did you mean `photos/b.jpg`?"), "{err}");
}
