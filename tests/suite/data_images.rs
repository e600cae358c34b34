//! Directories of images: written here, read back, and broken.

use super::data::{bytes, class, code, refusal, sample, text, write};
use archc::train::data::{DataSpec, Holding, LabelRule, Loader, LoaderOptions, Target, TargetKind, Targets, open};
use image::{GrayImage, Luma, Rgb, RgbImage};
use std::path::Path;

pub fn save_rgb(directory: &Path, name: &str, [h, w]: [u32; 2], colour: [u8; 3]) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(w, h, Rgb(colour)).save(path).unwrap();
}

pub fn save_grey(directory: &Path, name: &str, [h, w]: [u32; 2], level: impl Fn(u32, u32) -> u8) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_fn(w, h, |x, y| Luma([level(y, x)])).save(path).unwrap();
}

/// A PNG of palette indices, four bits each.
fn save_indexed(directory: &Path, name: &str, [h, w]: [u32; 2], packed: &[u8]) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), w, h);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(vec![0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]);
    encoder.write_header().unwrap().write_image_data(packed).unwrap();
}

#[test]
fn a_folder_for_each_class_is_split_the_same_way_every_time() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..10 {
        save_rgb(dir.path(), &format!("cat/{i}.png"), [6, 8], [10 * i, 0, 0]);
        save_rgb(dir.path(), &format!("ant/deep/{i}.JPG"), [8, 6], [0, 10 * i, 0]);
    }
    write(dir.path(), "README.txt", b"not an image");
    let split = open(text(dir.path()), &DataSpec::new(&[3, 4, 4])).unwrap();
    let test = split.test.as_ref().unwrap();
    // Of `deep/0.JPG` … five happen to be held out, of `0.png` … two: it depends on nothing but these names.
    assert_eq!((split.train.len(), test.len(), split.warnings.len()), (13, 7, 0));
    let names = vec!["ant".to_string(), "cat".to_string()];
    assert_eq!(split.train.target(), &TargetKind::Class { count: 2, names });
    let again = open(text(dir.path()), &DataSpec::new(&[3, 4, 4])).unwrap();
    for i in 0..13 {
        let (a, b) = (sample(split.train.as_ref(), i), sample(again.train.as_ref(), i));
        assert_eq!((bytes(&a), class(&a)), (bytes(&b), class(&b)));
    }
    let grey = open(text(dir.path()), &DataSpec::new(&[1, 4, 4])).unwrap();
    assert_eq!(sample(grey.train.as_ref(), 0).dims[0], 1);
    assert_eq!(refusal(dir.path(), &[12]), "E0805");
    assert_eq!(refusal(&dir.path().join("cat"), &[3, 4, 4]), "E0802");
}

#[test]
fn a_folder_of_trains_is_a_class() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..5 {
        save_rgb(dir.path(), &format!("train/{i}.png"), [4, 4], [i, 0, 0]);
        save_rgb(dir.path(), &format!("plane/{i}.png"), [4, 4], [0, i, 0]);
    }
    let split = open(text(dir.path()), &DataSpec::new(&[3, 4, 4])).unwrap();
    let names = vec!["plane".to_string(), "train".to_string()];
    assert_eq!(split.train.target(), &TargetKind::Class { count: 2, names });
    assert_eq!((split.train.len(), split.test.unwrap().len()), (8, 2));
}

#[test]
fn images_are_resized_to_cover_the_input() {
    let dir = tempfile::tempdir().unwrap();
    // Left third black, middle third white, right third black: the centre crop is white.
    let level = |_, x| if (8..16).contains(&x) { 255 } else { 0 };
    save_grey(dir.path(), "train/a/1.png", [8, 24], level);
    save_grey(dir.path(), "train/b/1.png", [8, 24], level);
    save_grey(dir.path(), "test/a/1.png", [8, 24], level);
    let split = open(text(dir.path()), &DataSpec::new(&[1, 4, 4])).unwrap();
    let loader = Loader::new(split.train.clone(), LoaderOptions::evaluation(1, 0)).unwrap();
    let batch = loader.epoch(0).next().unwrap().unwrap();
    assert_eq!(batch.dims, [1, 1, 4, 4]);
    for row in batch.inputs.chunks(4) {
        assert!(row[1] == 1.0 && row[2] == 1.0 && row[0] > 0.8 && row[3] > 0.8, "{row:?}");
    }
}

#[test]
fn broken_images_are_named_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..6 {
        save_rgb(dir.path(), &format!("train/cat/{i}.png"), [40, 40], [i, 0, 0]);
    }
    save_rgb(dir.path(), "train/dog/0.png", [40, 40], [9; 3]);
    save_rgb(dir.path(), "test/cat/0.png", [4, 4], [0; 3]);
    save_rgb(dir.path(), "test/dog/0.png", [4, 4], [0; 3]);
    write(dir.path(), "train/cat/empty.png", b"");
    write(dir.path(), "train/cat/text.jpg", b"no image at all");
    // Cut short: found when it is opened. Damaged in the middle: found only when it is decoded.
    let noise = RgbImage::from_fn(40, 40, |x, y| Rgb([(x * 7 + y * 13) as u8, (x * y) as u8, (x ^ y) as u8]));
    noise.save(dir.path().join("train/cat/cut.png")).unwrap();
    let whole = std::fs::read(dir.path().join("train/cat/cut.png")).unwrap();
    write(dir.path(), "train/cat/cut.png", &whole[..whole.len() / 2]);
    let mut damaged = whole.clone();
    damaged[whole.len() / 2..][..8].fill(0x55);
    write(dir.path(), "train/cat/damaged.png", &damaged);

    let split = open(text(dir.path()), &DataSpec::new(&[3, 8, 8])).unwrap();
    assert_eq!(split.train.len(), 8);
    let warning = &split.warnings[0];
    assert_eq!((warning.code.0, warning.notes.len()), ("W0801", 3));
    for (note, name) in warning.notes.iter().zip([
        "cut.png` is broken: it is cut short",
        "empty.png` is broken: it is empty",
        "text.jpg",
    ]) {
        assert!(note.contains(name), "{note}");
    }

    let loader = Loader::new(split.train.clone(), LoaderOptions::training(8, 1)).unwrap();
    assert_eq!(loader.epoch(0).next().unwrap().unwrap().len(), 8);
    assert_eq!(loader.broken().len(), 1);
    assert!(loader.broken()[0].to_string().contains("damaged.png"));
    let loader = Loader::new(split.train.clone(), LoaderOptions::evaluation(4, 1)).unwrap();
    assert_eq!(loader.epoch(0).map(|b| b.unwrap().len()).sum::<usize>(), 7);

    let strict = DataSpec { strict: true, ..DataSpec::new(&[3, 8, 8]) };
    assert_eq!(code(open(text(dir.path()), &strict).err().unwrap()), "E0804");
    let loader = Loader::new(split.train, LoaderOptions { strict: true, ..LoaderOptions::training(8, 1) }).unwrap();
    assert_eq!(loader.epoch(0).next().unwrap().map_err(code).err(), Some("E0804"));
}

#[test]
fn a_decompression_bomb_is_refused_by_its_header() {
    let dir = tempfile::tempdir().unwrap();
    save_rgb(dir.path(), "train/cat/0.png", [4, 4], [0; 3]);
    save_rgb(dir.path(), "train/dog/0.png", [4, 4], [0; 3]);
    save_rgb(dir.path(), "train/cat/bomb.png", [4, 4], [0; 3]);
    let path = dir.path().join("train/cat/bomb.png");
    let mut bomb = std::fs::read(&path).unwrap();
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut crc = flate2::Crc::new();
    crc.update(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    std::fs::write(&path, bomb).unwrap();
    let whole = DataSpec { holding: Holding::Nothing, ..DataSpec::new(&[3, 4, 4]) };
    let split = open(text(dir.path()), &whole).unwrap();
    assert_eq!(split.train.len(), 2);
    assert!(split.warnings[0].notes[0].contains("60000×60000"), "{:?}", split.warnings[0].notes);
}

#[test]
fn masks_are_read_as_indices_and_follow_their_images() {
    let dir = tempfile::tempdir().unwrap();
    for part in ["train", "val"] {
        save_rgb(dir.path(), &format!("{part}/images/a.jpg"), [2, 4], [9; 3]);
        save_indexed(dir.path(), &format!("{part}/masks/a.png"), [2, 4], &[0x01, 0x23, 0x32, 0x10]);
    }
    save_rgb(dir.path(), "train/images/lonely.png", [2, 4], [9; 3]);
    let split = open(text(dir.path()), &DataSpec::new(&[3, 2, 4])).unwrap();
    assert_eq!((split.train.len(), split.warnings.len()), (1, 1));
    assert!(split.warnings[0].notes[0].contains("lonely"));
    assert_eq!(split.train.target(), &TargetKind::Mask { classes: 4 });
    let Target::Mask(mask) = sample(split.train.as_ref(), 0).target else { panic!() };
    assert_eq!(mask, [0, 1, 2, 3, 3, 2, 1, 0]);

    let options = LoaderOptions { mask_size: Some([2, 2]), ..LoaderOptions::evaluation(1, 0) };
    let batch = Loader::new(split.train, options).unwrap().epoch(0).next().unwrap().unwrap();
    assert_eq!(batch.targets, Targets::Masks(vec![1, 2, 2, 1], [1, 2, 2]));
}

#[test]
fn black_and_white_masks_are_two_classes() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..5 {
        save_grey(dir.path(), &format!("images/{i}.png"), [4, 4], |_, _| 7);
        save_grey(dir.path(), &format!("masks/{i}.png"), [4, 4], |y, _| if y < 2 { 255 } else { 0 });
    }
    let split = open(text(dir.path()), &DataSpec::new(&[1, 4, 4])).unwrap();
    assert_eq!((split.train.len(), split.test.as_ref().unwrap().len()), (4, 1));
    assert_eq!(split.train.target(), &TargetKind::Mask { classes: 2 });
    let Target::Mask(mask) = sample(split.train.as_ref(), 0).target else { panic!() };
    assert_eq!((mask[0], mask[15]), (1, 0));

    write(dir.path(), "masks/0.png", b"no image at all");
    save_grey(dir.path(), "masks/1.png", [4, 5], |_, _| 0);
    let split = open(text(dir.path()), &DataSpec::new(&[1, 4, 4])).unwrap();
    assert_eq!(split.warnings[0].message, "2 broken files were passed over");
}

#[test]
fn many_masks_are_looked_at_a_few_at_once_and_each_is_known() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..300 {
        save_grey(dir.path(), &format!("images/{i:03}.png"), [2, 2], |_, _| 7);
        save_grey(
            dir.path(),
            &format!("masks/{i:03}.png"),
            [2, 2],
            |y, x| if i == 290 && (y, x) == (1, 0) { 5 } else { 1 },
        );
    }
    write(dir.path(), "masks/003.png", b"no image at all");
    let whole = DataSpec { holding: Holding::Nothing, ..DataSpec::new(&[1, 2, 2]) };
    let split = open(text(dir.path()), &whole).unwrap();
    assert_eq!((split.train.len(), split.train.target()), (299, &TargetKind::Mask { classes: 6 }));
    let (_, seen) = split.train.census().unwrap().iter().find(|(class, _)| *class == 5).unwrap();
    assert_eq!((seen.sample, seen.position, seen.count), (289, 2, 1));
    assert!(split.train.tell(289, 2, "5").contains("masks/290.png` has level 5 at row 1, column 0"));
}

#[test]
fn a_mask_that_changes_after_it_was_looked_at_is_named_while_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..5 {
        save_grey(dir.path(), &format!("images/{i}.png"), [4, 4], |_, _| 7);
        save_grey(dir.path(), &format!("masks/{i}.png"), [4, 4], |y, _| u8::from(y < 2));
    }
    let split = open(text(dir.path()), &DataSpec::new(&[1, 4, 4])).unwrap();
    (0..5).for_each(|i| {
        save_grey(dir.path(), &format!("masks/{i}.png"), [4, 4], |y, x| if (y, x) == (3, 1) { 7 } else { 0 })
    });
    let labels = vec![LabelRule { classes: 2, ignore: Some(255) }];
    let loader = Loader::new(split.train, LoaderOptions { labels, ..LoaderOptions::training(4, 1) }).unwrap();
    let error = loader.epoch(0).next().unwrap().unwrap_err();
    assert!(error.to_string().contains("level 7 at row 3, column 1, which is none of the 2 classes"), "{error}");
    assert_eq!(code(error), "E0806");
}
